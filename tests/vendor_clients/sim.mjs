// A chimera-sim for the tests of the vendors' clients: started on a free port, asked for its counters, ended in order.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

export const model = 'gemma3:latest';
export const reply_tokens = 24;
export const reasoning_tokens = 6;

export const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'Weather of a city',
    parameters: {
      type: 'object',
      required: ['city', 'unit'],
      properties: {
        city: { type: 'string' },
        days: { type: 'integer' },
        unit: { type: 'string', enum: ['celsius', 'fahrenheit'] },
      },
    },
  },
};

export const clock = {
  type: 'function',
  function: { name: 'get_time', description: 'Time of a city', parameters: { type: 'object', properties: {} } },
};

export function check_weather(args) {
  assert.deepEqual(Object.keys(args), ['city', 'days', 'unit']);
  assert.equal(typeof args.city, 'string');
  assert.ok(args.city.length > 0);
  assert.ok(Number.isInteger(args.days));
  assert.equal(args.unit, 'celsius');
}

/// Replies of `reply_tokens` tokens, one millisecond apart. `options` follow.
export async function start_sim(program, options = []) {
  const length = String(reply_tokens);
  const pace = ['--load-ms', '1', '--decode-tokens-per-s', '1000'];
  const args = [
    '--quiet',
    '--exit-with-parent',
    '--model',
    model,
    '--reply-tokens-min',
    length,
    '--reply-tokens-max',
    length,
    ...pace,
  ];
  const child = spawn(program, [...args, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const lines = [];
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => lines.push(line));
  await Promise.race([once(reader, 'line'), ended]);
  assert.match(lines[0] ?? '', /^listening http:/, 'chimera-sim did not start');
  const url = lines[0].split(' ')[1];
  // A test that fails before end() leaves nothing behind: Node does not wait for the child, which ends with Node.
  child.unref();
  child.stdout.unref();
  return {
    url,
    async stats() {
      return (await fetch(`${url}/chimera/stats`)).json();
    },
    /// Waits until the counter has grown to `value`; nothing else may be in progress then.
    async settled(counter, value) {
      for (let left = 500; left > 0; --left) {
        const stats = await this.stats();
        if (stats[counter] >= value && stats.active === 0) {
          assert.equal(stats[counter], value, counter);
          return stats;
        }
        await sleep(10);
      }
      assert.fail(`${counter} did not become ${value}: ${JSON.stringify(await this.stats())}`);
    },
    /// Ends it, which must go as a user's Ctrl-C does.
    async end() {
      child.ref();
      child.kill('SIGTERM');
      const [status, signal] = await ended;
      assert.equal(signal, null);
      assert.equal(status, 0);
      assert.deepEqual(lines.slice(1), [], 'chimera-sim wrote more than its address');
    },
  };
}
