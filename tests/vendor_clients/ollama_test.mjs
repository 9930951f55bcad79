// Ollama's own client against chimera-sim. CHIMERA_SIM names the program.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Ollama } from 'ollama';
import { check_weather, clock, model, reasoning_tokens, reply_tokens, start_sim, weather } from './sim.mjs';

const options = { seed: 7 };
const generate = { model, prompt: 'How fast is it?', options };
const chat = { model, messages: [{ role: 'user', content: 'How fast is it?' }], options };
const client_of = (sim, fault) =>
  new Ollama({ host: sim.url, headers: fault ? { 'X-Chimera-Fault': fault } : undefined });

/// Everything that a stream says, as a program that uses the client would gather it.
async function gather(records) {
  const all = { text: '', pieces: 0, thought: '', thoughts: 0, calls: [], last: undefined };
  for await (const record of records) {
    const { content, thinking, tool_calls } = record.message ?? { content: record.response, thinking: record.thinking };
    assert.equal(all.last?.done ?? false, false);
    if (content) {
      all.text += content;
      ++all.pieces;
    }
    if (thinking) {
      all.thought += thinking;
      ++all.thoughts;
    }
    all.calls.push(...(tool_calls ?? []));
    all.last = record;
  }
  return all;
}

function check_figures(record, tokens) {
  assert.equal(record.done, true);
  assert.equal(record.eval_count, tokens);
  assert.equal(record.prompt_eval_count, 4);
  assert.ok(record.eval_duration >= tokens * 1e6, 'a token takes a millisecond');
  assert.ok(record.total_duration >= record.load_duration + record.prompt_eval_duration + record.eval_duration);
}

describe('ollama', () => {
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

  test('generate, streamed and whole, has the same text, and eval_count is the number of pieces', async () => {
    const streamed = await gather(await client.generate({ ...generate, stream: true }));
    assert.equal(streamed.pieces, reply_tokens);
    assert.equal(streamed.last.done_reason, 'stop');
    check_figures(streamed.last, reply_tokens);
    const whole = await client.generate(generate);
    assert.equal(whole.response, streamed.text);
    assert.equal(whole.model, model);
    check_figures(whole, reply_tokens);
  });

  test('chat, streamed and whole, has the same text, and eval_count is the number of pieces', async () => {
    const streamed = await gather(await client.chat({ ...chat, stream: true }));
    assert.equal(streamed.pieces, reply_tokens);
    assert.equal(streamed.last.done_reason, 'stop');
    check_figures(streamed.last, reply_tokens);
    const whole = await client.chat(chat);
    assert.equal(whole.message.role, 'assistant');
    assert.equal(whole.message.content, streamed.text);
    check_figures(whole, reply_tokens);
    const limited = await client.chat({ ...chat, options: { ...options, num_predict: 5 } });
    assert.equal(limited.done_reason, 'length');
    assert.equal(limited.eval_count, 5);
  });

  test('a tool is called, its result is answered with text, and the tokens of the call are counted', async () => {
    const tools = [weather, clock];
    const streamed = await gather(await client.chat({ ...chat, tools, stream: true }));
    assert.equal(streamed.text, '');
    assert.equal(streamed.calls.length, 1);
    assert.equal(streamed.calls[0].function.name, 'get_weather');
    check_weather(streamed.calls[0].function.arguments);
    assert.equal(streamed.last.done_reason, 'stop');
    assert.ok(streamed.last.eval_count > 5);
    assert.ok(streamed.last.eval_duration >= streamed.last.eval_count * 1e6, 'the call takes its time');

    const whole = await client.chat({ ...chat, tools });
    assert.deepEqual(whole.message.tool_calls, streamed.calls);
    assert.equal(whole.eval_count, streamed.last.eval_count);

    const result = { role: 'tool', tool_name: 'get_weather', content: 'rain' };
    const answer = await client.chat({ ...chat, tools, messages: [...chat.messages, whole.message, result] });
    assert.equal(answer.message.tool_calls, undefined);
    assert.ok(answer.message.content.length > 0);
    assert.equal(answer.eval_count, reply_tokens);
  });

  test('models are listed, shown and, when loaded, running', async () => {
    const { models } = await client.list();
    assert.deepEqual(
      models.map((each) => each.name),
      [model],
    );
    await client.chat(chat);
    const running = await client.ps();
    assert.equal(running.models.length, 1);
    assert.equal(running.models[0].name, model);
    assert.equal(running.models[0].digest, models[0].digest);
    assert.ok(new Date(running.models[0].expires_at) > new Date());
    const shown = await client.show({ model });
    assert.deepEqual(shown.details, models[0].details);
    assert.ok(shown.capabilities.includes('tools'));
    assert.equal(shown.capabilities.includes('thinking'), false);
    assert.equal(typeof shown.model_info['general.architecture'], 'string');
    assert.match((await client.version()).version, /^\d+\.\d+\.\d+$/);
  });

  test('a chat without messages loads, and unloads with keep_alive 0', async () => {
    const loaded = await client.chat({ model, messages: [] });
    assert.equal(loaded.done_reason, 'load');
    assert.equal((await client.ps()).models.length, 1);
    assert.equal((await client.generate({ model, prompt: '', keep_alive: 0 })).done_reason, 'unload');
    assert.equal((await client.ps()).models.length, 0);
  });

  test('an unknown model is a ResponseError with status 404, wherever it is named', async () => {
    const is_right = (error) => {
      assert.equal(error.name, 'ResponseError');
      assert.equal(error.status_code, 404);
      assert.equal(error.error, "model 'nothing' not found");
      return true;
    };
    for (const stream of [false, true]) {
      await assert.rejects(client.generate({ ...generate, model: 'nothing', stream }), is_right);
      await assert.rejects(client.chat({ ...chat, model: 'nothing', stream }), is_right);
    }
    await assert.rejects(client.show({ model: 'nothing' }), is_right);
  });

  test('bad requests, too many of them, and failures have their status and words', async () => {
    const status = (wanted, words) => (error) => {
      assert.equal(error.name, 'ResponseError');
      assert.equal(error.status_code, wanted);
      assert.match(error.error, words);
      return true;
    };
    await assert.rejects(client.chat({ ...chat, options: { num_ctx: 0 } }), status(400, /num_ctx/));
    await assert.rejects(client.chat({ ...chat, think: true }), status(400, /does not support thinking/));
    await assert.rejects(client_of(sim, 'status_429').chat(chat), status(429, /too many requests/));
    await assert.rejects(client_of(sim, 'status_500').generate(generate), status(500, /internal server error/));
    await assert.rejects(client_of(sim, 'status_503').chat({ ...chat, stream: true }), status(503, /busy/));
  });

  test('an error in mid stream is thrown with the words of the server', async () => {
    const faulty = client_of(sim, 'error_record,after=4');
    for (const start of [
      () => faulty.generate({ ...generate, stream: true }),
      () => faulty.chat({ ...chat, stream: true }),
    ]) {
      let pieces = 0;
      await assert.rejects(async () => {
        for await (const record of await start()) pieces += record.done ? 0 : 1;
      }, /simulated fault/);
      assert.equal(pieces, 4);
    }
  });

  test('a stream that ends without a final record is an error', async () => {
    const cut = await client_of(sim, 'early_close,after=4').chat({ ...chat, stream: true });
    await assert.rejects(gather(cut), /Did not receive done/);
  });

  test('abort ends a stream, which is one cancelled reply', async () => {
    const before_it = await sim.stats();
    const own = client_of(sim, 'stall,after=3');
    let pieces = 0;
    await assert.rejects(
      async () => {
        for await (const record of await own.chat({ ...chat, stream: true })) {
          assert.equal(record.done, false);
          if (++pieces === 3) own.abort();
        }
      },
      { name: 'AbortError' },
    );
    assert.equal(pieces, 3);
    const stats = await sim.settled('replies_cancelled', before_it.replies_cancelled + 1);
    assert.equal(stats.replies_completed, before_it.replies_completed);
  });

  test('replies as odd servers give them are understood', async () => {
    const odd = async (fault) => gather(await client_of(sim, fault).chat({ ...chat, stream: true }));
    assert.equal((await odd('status_201')).pieces, reply_tokens);
    assert.equal((await odd('clump')).pieces, reply_tokens);
    assert.equal((await odd('linger,ms=300')).pieces, reply_tokens);
    assert.equal((await odd('finish_reason,reason=load,after=0')).last.done_reason, 'load');
    const mute = await odd('no_text');
    assert.equal(mute.text, '');
    assert.equal(mute.last.eval_count, reply_tokens);
    const wrong = (await odd('bad_durations')).last;
    assert.ok(wrong.eval_duration < 1e6, 'milliseconds');
    assert.equal((await odd('hidden_reasoning,tokens=9')).last.eval_count, reply_tokens + 9);
  });
});

test('ollama: a model that thinks does so unless it is told not to, and its thoughts are counted', async () => {
  const sim = await start_sim(process.env.CHIMERA_SIM, ['--reasoning-tokens', String(reasoning_tokens)]);
  const client = client_of(sim);
  for (const think of [true, 'low', undefined]) {
    const streamed = await gather(await client.chat({ ...chat, think, stream: true }));
    assert.equal(streamed.thoughts, reasoning_tokens);
    assert.equal(streamed.pieces, reply_tokens);
    check_figures(streamed.last, reasoning_tokens + reply_tokens);
    const whole = await client.chat({ ...chat, think });
    assert.equal(whole.message.thinking, streamed.thought);
    assert.equal(whole.message.content, streamed.text);
    const generated = await gather(await client.generate({ ...generate, think, stream: true }));
    assert.equal(generated.thoughts, reasoning_tokens);
    assert.equal(generated.pieces, reply_tokens);
    assert.equal((await client.generate({ ...generate, think })).thinking, generated.thought);
  }
  const plain = await gather(await client.chat({ ...chat, think: false, stream: true }));
  assert.equal(plain.thoughts, 0);
  check_figures(plain.last, reply_tokens);
  assert.ok((await client.show({ model })).capabilities.includes('thinking'));
  await sim.end();
});

test('ollama: a refused connection is an error that names it', async () => {
  const sim = await start_sim(process.env.CHIMERA_SIM, ['--fault', 'refuse']);
  await assert.rejects(client_of(sim).chat(chat), (error) => {
    assert.equal(error.cause.code, 'ECONNREFUSED');
    return true;
  });
  await sim.end();
});
