// OpenAI's own client against chimera-sim. CHIMERA_SIM names the program.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import OpenAI from 'openai';
import { check_weather, clock, model, reasoning_tokens, reply_tokens, start_sim, weather } from './sim.mjs';

const messages = [{ role: 'user', content: 'How fast is it?' }];
const ask = { model, messages, seed: 7 };
const stream = { stream: true, stream_options: { include_usage: true } };
const fault = (text, more) => ({ headers: { 'X-Chimera-Fault': text }, maxRetries: 0, ...more });
const client_of = (sim) => new OpenAI({ baseURL: `${sim.url}/v1`, apiKey: 'none' });

/// Everything that a stream says, as a program that uses the client would gather it.
async function gather(chunks) {
  const all = { text: '', pieces: 0, roles: [], reasons: [], usage: undefined, calls: [], thought: '', thoughts: 0 };
  for await (const chunk of chunks) {
    if (chunk.usage) all.usage = chunk.usage;
    const choice = chunk.choices[0];
    if (!choice) continue;
    if (choice.finish_reason) all.reasons.push(choice.finish_reason);
    const delta = choice.delta ?? { content: choice.text };
    if (delta.role) all.roles.push(delta.role);
    if (delta.content) {
      all.text += delta.content;
      ++all.pieces;
    }
    if (delta.reasoning_content) {
      all.thought += delta.reasoning_content;
      ++all.thoughts;
    }
    for (const call of delta.tool_calls ?? []) {
      const known = (all.calls[call.index] ??= { arguments: '', pieces: 0 });
      Object.assign(known, call.id && { id: call.id, type: call.type, name: call.function.name });
      known.arguments += call.function.arguments;
      ++known.pieces;
    }
  }
  return all;
}

describe('openai', () => {
  let sim;
  let client;
  before(async () => {
    sim = await start_sim(process.env.CHIMERA_SIM);
    client = client_of(sim);
  });
  after(async () => {
    const stats = await sim.stats();
    assert.equal(stats.active, 0);
    assert.equal(stats.send_errors, 0);
    await sim.end();
  });

  test('a chat, streamed and whole, has the same text, and usage is the number of pieces', async () => {
    const streamed = await gather(await client.chat.completions.create({ ...ask, ...stream }));
    assert.deepEqual(streamed.roles, ['assistant']);
    assert.deepEqual(streamed.reasons, ['stop']);
    assert.equal(streamed.pieces, reply_tokens);
    assert.equal(streamed.usage.completion_tokens, reply_tokens);
    assert.equal(streamed.usage.prompt_tokens, 4);
    assert.equal(streamed.usage.total_tokens, reply_tokens + 4);

    const whole = await client.chat.completions.create(ask);
    assert.equal(whole.object, 'chat.completion');
    assert.equal(whole.model, model);
    assert.equal(whole.choices.length, 1);
    assert.equal(whole.choices[0].message.role, 'assistant');
    assert.equal(whole.choices[0].message.content, streamed.text);
    assert.equal(whole.choices[0].finish_reason, 'stop');
    assert.deepEqual(whole.usage, streamed.usage);
  });

  test('usage is not sent unasked, and a limit is a reason', async () => {
    const streamed = await gather(await client.chat.completions.create({ ...ask, stream: true, max_tokens: 5 }));
    assert.equal(streamed.usage, undefined);
    assert.equal(streamed.pieces, 5);
    assert.deepEqual(streamed.reasons, ['length']);
  });

  test("the client's own gathering of a stream understands it", async () => {
    const runner = client.chat.completions.stream({ ...ask, ...stream });
    const completion = await runner.finalChatCompletion();
    assert.equal(completion.choices[0].message.content.length > reply_tokens, true);
    assert.equal(completion.usage.completion_tokens, reply_tokens);
  });

  test('a tool is called in pieces when streamed, and at once when not', async () => {
    const tools = [clock, weather];
    const tool_choice = { type: 'function', function: { name: 'get_weather' } };
    const streamed = await gather(await client.chat.completions.create({ ...ask, ...stream, tools, tool_choice }));
    assert.equal(streamed.text, '');
    assert.deepEqual(streamed.reasons, ['tool_calls']);
    assert.equal(streamed.calls.length, 1);
    const call = streamed.calls[0];
    assert.match(call.id, /^call_/);
    assert.equal(call.type, 'function');
    assert.equal(call.name, 'get_weather');
    check_weather(JSON.parse(call.arguments));
    assert.ok(call.pieces > 5);
    assert.equal(streamed.usage.completion_tokens, call.pieces);

    const whole = await client.chat.completions.create({ ...ask, tools, tool_choice });
    const message = whole.choices[0].message;
    assert.equal(message.content, null);
    assert.equal(whole.choices[0].finish_reason, 'tool_calls');
    assert.equal(message.tool_calls.length, 1);
    assert.equal(message.tool_calls[0].function.arguments, call.arguments);
    assert.equal(whole.usage.completion_tokens, call.pieces);

    const runner = client.chat.completions.stream({ ...ask, tools, tool_choice });
    const gathered = (await runner.finalChatCompletion()).choices[0].message.tool_calls;
    assert.equal(gathered[0].function.arguments, call.arguments);
  });

  test('tool_choice decides, and without it the result of a tool is answered with text', async () => {
    const tools = [clock, weather];
    const reply = async (more) => (await client.chat.completions.create({ ...ask, tools, ...more })).choices[0].message;
    const name = (message) => message.tool_calls?.[0].function.name;
    assert.equal(name(await reply({})), 'get_time');
    assert.equal(name(await reply({ tool_choice: 'auto' })), 'get_time');
    assert.equal(name(await reply({ tool_choice: 'required' })), 'get_time');
    assert.equal(name(await reply({ tool_choice: 'none' })), undefined);
    const call = await reply({});
    const result = { role: 'tool', tool_call_id: call.tool_calls[0].id, content: '12:00' };
    const after_result = [...messages, call, result];
    const answer = await reply({ messages: after_result });
    assert.equal(name(answer), undefined);
    assert.ok(answer.content.length > 0);
    assert.equal(name(await reply({ messages: after_result, tool_choice: 'required' })), 'get_time');
    const elsewhere = { type: 'function', function: { name: 'elsewhere' } };
    await assert.rejects(reply({ tool_choice: elsewhere }), OpenAI.BadRequestError);
  });

  test("the client's loop over tools comes to its end", async () => {
    let asked = 0;
    const runner = client.chat.completions.runTools({
      ...ask,
      tools: [{ ...weather, function: { ...weather.function, parse: JSON.parse, function: () => `rain, ${++asked}` } }],
    });
    const text = await runner.finalContent();
    assert.equal(asked, 1);
    assert.ok(text.length > 0);
  });

  test('a text completion, streamed and whole, has the same text, and usage is the number of pieces', async () => {
    const request = { model, prompt: 'How fast is it?', seed: 7 };
    const streamed = await gather(await client.completions.create({ ...request, ...stream }));
    assert.deepEqual(streamed.reasons, ['stop']);
    assert.equal(streamed.pieces, reply_tokens);
    assert.equal(streamed.usage.completion_tokens, reply_tokens);

    const whole = await client.completions.create(request);
    assert.equal(whole.object, 'text_completion');
    assert.equal(whole.choices[0].text, streamed.text);
    assert.equal(whole.choices[0].finish_reason, 'stop');
    assert.deepEqual(whole.usage, streamed.usage);

    const listed = await client.completions.create({ ...request, prompt: [request.prompt] });
    assert.equal(listed.choices[0].text, streamed.text);
    const limited = await client.completions.create({ ...request, max_tokens: 3 });
    assert.equal(limited.choices[0].finish_reason, 'length');
    assert.equal(limited.usage.completion_tokens, 3);
  });

  test('models are listed and retrieved', async () => {
    const ids = [];
    for await (const each of client.models.list()) ids.push(each.id);
    assert.deepEqual(ids, [model]);
    const one = await client.models.retrieve(model);
    assert.equal(one.id, model);
    assert.equal(one.object, 'model');
    await assert.rejects(client.models.retrieve('nothing'), OpenAI.NotFoundError);
  });

  test('an unknown model is NotFoundError with its code, for both endpoints, streamed or not', async () => {
    const is_right = (error) => {
      assert.ok(error instanceof OpenAI.NotFoundError);
      assert.equal(error.status, 404);
      assert.equal(error.code, 'model_not_found');
      assert.equal(error.type, 'invalid_request_error');
      assert.match(error.message, /'nothing' not found/);
      return true;
    };
    for (const more of [{}, { stream: true }]) {
      await assert.rejects(client.chat.completions.create({ model: 'nothing', messages, ...more }), is_right);
      await assert.rejects(client.completions.create({ model: 'nothing', prompt: 'x', ...more }), is_right);
    }
  });

  test('a bad request and a path that nobody serves are told apart', async () => {
    await assert.rejects(client.chat.completions.create({ model, messages: [] }), (error) => {
      assert.ok(error instanceof OpenAI.BadRequestError);
      assert.match(error.message, /'messages'/);
      return true;
    });
    await assert.rejects(client.embeddings.create({ model, input: 'x' }), (error) => {
      assert.ok(error instanceof OpenAI.NotFoundError);
      assert.equal(error.code, 'unknown_url');
      return true;
    });
  });

  test('too many requests: an error without retries, with its Retry-After', async () => {
    await assert.rejects(client.chat.completions.create(ask, fault('status_429,ms=2500')), (error) => {
      assert.ok(error instanceof OpenAI.RateLimitError);
      assert.equal(error.code, 'rate_limit_exceeded');
      assert.equal(error.headers.get('retry-after'), '3');
      return true;
    });
    await assert.rejects(client.chat.completions.create(ask, fault('status_500')), OpenAI.InternalServerError);
    await assert.rejects(client.completions.create({ model, prompt: 'x' }, fault('503')), OpenAI.InternalServerError);
  });

  test('an error in mid stream is an APIError with the words of the server', async () => {
    for (const endpoint of ['chat', 'text']) {
      const create = endpoint === 'chat' ? client.chat.completions : client.completions;
      const request = endpoint === 'chat' ? ask : { model, prompt: 'x' };
      const chunks = await create.create({ ...request, stream: true }, fault('error_record,after=4'));
      let pieces = 0;
      await assert.rejects(
        async () => {
          for await (const chunk of chunks) pieces += chunk.choices[0].delta?.content || chunk.choices[0].text ? 1 : 0;
        },
        (error) => {
          assert.ok(error instanceof OpenAI.APIError);
          assert.match(error.message, /simulated fault/);
          assert.equal(error.type, 'server_error');
          return true;
        },
      );
      assert.equal(pieces, 4);
    }
  });

  test('an aborted stream is one cancelled reply', async () => {
    const before_it = await sim.stats();
    const chunks = await client.chat.completions.create({ ...ask, stream: true }, fault('stall,after=3'));
    let pieces = 0;
    for await (const chunk of chunks) {
      if (chunk.choices[0].delta.content && ++pieces === 3) chunks.controller.abort();
    }
    assert.equal(pieces, 3);
    const stats = await sim.settled('replies_cancelled', before_it.replies_cancelled + 1);
    assert.equal(stats.replies_completed, before_it.replies_completed);
  });

  test('the client reads on after [DONE] until the body ends', async () => {
    const began = performance.now();
    const streamed = await gather(await client.chat.completions.create({ ...ask, ...stream }, fault('linger,ms=400')));
    assert.equal(streamed.pieces, reply_tokens);
    assert.ok(performance.now() - began >= 400);
  });

  test('replies as odd servers give them are understood', async () => {
    const odd = async (text) => gather(await client.chat.completions.create({ ...ask, ...stream }, fault(text)));
    assert.equal((await odd('status_201')).pieces, reply_tokens);
    assert.equal((await odd('clump')).pieces, reply_tokens);
    assert.deepEqual((await odd('finish_reason,reason=content_filter')).reasons, ['content_filter']);
    const mute = await odd('no_text');
    assert.equal(mute.text, '');
    assert.equal(mute.usage.completion_tokens, reply_tokens);
    const hidden = await odd('hidden_reasoning,tokens=9');
    assert.equal(hidden.pieces, reply_tokens);
    assert.equal(hidden.usage.completion_tokens, reply_tokens + 9);
    assert.equal(hidden.usage.completion_tokens_details.reasoning_tokens, 9);
  });
});

test('openai: reasoning is apart from the text and counted', async () => {
  const sim = await start_sim(process.env.CHIMERA_SIM, ['--reasoning-tokens', String(reasoning_tokens)]);
  const client = client_of(sim);
  const streamed = await gather(await client.chat.completions.create({ ...ask, ...stream }));
  assert.equal(streamed.thoughts, reasoning_tokens);
  assert.equal(streamed.pieces, reply_tokens);
  assert.equal(streamed.usage.completion_tokens, reasoning_tokens + reply_tokens);
  assert.equal(streamed.usage.completion_tokens_details.reasoning_tokens, reasoning_tokens);
  const whole = await client.chat.completions.create(ask);
  assert.equal(whole.choices[0].message.reasoning_content, streamed.thought);
  assert.equal(whole.choices[0].message.content, streamed.text);
  await sim.end();
});

test('openai: the client retries too many requests by itself, after the time that Retry-After says', async () => {
  const sim = await start_sim(process.env.CHIMERA_SIM, ['--fault', 'status_429,requests=1,ms=1000']);
  const began = performance.now();
  const whole = await client_of(sim).chat.completions.create(ask);
  assert.equal(whole.usage.completion_tokens, reply_tokens);
  assert.ok(performance.now() - began >= 990); // a timer of Node may be a moment early
  const stats = await sim.stats();
  assert.equal(stats.faults, 1);
  assert.equal(stats.replies_completed, 1);
  await sim.end();
});

test('openai: a refused connection is APIConnectionError', async () => {
  const sim = await start_sim(process.env.CHIMERA_SIM, ['--fault', 'refuse']);
  const refused = client_of(sim).chat.completions.create(ask, { maxRetries: 0 });
  await assert.rejects(refused, (error) => {
    assert.ok(error instanceof OpenAI.APIConnectionError);
    assert.equal(error.status, undefined);
    return true;
  });
  await sim.end();
});
