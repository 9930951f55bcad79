// Runs of the sample documents, with made-up figures that agree with each other.

import { mean, quantile, sum } from './sample_numbers.mjs';

/** One run of `n` agents with two requests each: moments, and the loss split as docs/measurement.md has it. */
export function run(next, runtime, config, number, n = 2, contention = 0.004) {
  const serialized = runtime === 'async_std';
  let clock = 1.5;
  const agents = [],
    alone = [];
  for (let i = 0; i < n; ++i) {
    const start = serialized ? clock : 1 + 0.3 * i;
    const requests = [];
    let at = start + 9;
    let ideal = 9;
    for (let call = 0; call < 2; ++call) {
      const ttft = 60 + 50 * next(),
        stream = 2 * ((i % 2 ? 500 : 330) + (i % 2 ? 290 : 380) * next());
      const slower = 1 + contention * n * (0.6 + 0.8 * next());
      requests.push({ call, dispatched_ms: at, first_token_ms: at + ttft, done_ms: at + ttft + stream * slower });
      ideal += ttft + stream + 4;
      at = requests.at(-1).done_ms + 4;
    }
    agents.push({
      id: n === 2 ? ['collector', 'insight'][i] : `agent_${i + 1}`,
      start_ms: start,
      end_ms: at,
      requests,
    });
    alone.push(ideal);
    clock = at + 1;
  }
  const wall = Math.max(...agents.map((a) => a.end_ms)) + 0.6;
  const active = agents.map((a) => a.end_ms - a.start_ms);
  const pct = (ms) => (100 * ms) / (n * wall);
  const late = pct(n * (wall - Math.max(...active)));
  const inflation = pct(sum(active) - sum(alone));
  const spawn = Math.min(late, 0.05),
    small = Math.min(0.06, inflation / 4) * next();
  const stages = {
    scheduling: small,
    blocked: serialized ? 0.4 * small : 0,
    transport: 0.7 * small,
    parsing: 0.3 * small,
    work: 0,
  };
  const ttft = agents.flatMap((a) => a.requests.map((r) => r.first_token_ms - r.dispatched_ms)).sort((a, b) => a - b);
  const values = {
    efficiency_pct: pct(sum(alone)),
    speedup: sum(alone) / wall,
    estimated_efficiency_pct: pct(sum(active)),
    imbalance_bound_pct: (100 * sum(active)) / (n * Math.max(...active)),
    remainder_pct: (100 * sum(active)) / (n * Math.max(...active)) - pct(sum(active)),
    wall_ms: wall,
    sequential_ms: sum(alone),
    late_start_pct: late,
    late_permit_pct: 0,
    late_blocked_pct: late - spawn,
    late_spawn_pct: spawn,
    imbalance_pct: pct(n * Math.max(...active) - sum(active)),
    inflation_pct: inflation,
    ...Object.fromEntries(Object.entries(stages).map(([k, v]) => [`inflation_${k}_pct`, v])),
    inflation_server_pct: inflation - sum(Object.values(stages)),
    inflation_ratio: sum(active) / sum(alone),
    jain_index: 0.99 + 0.01 * next(),
    throughput_tok_s: (sum(active) / 2.1 / wall) * 1000,
    client_overhead_pct_mean: 0.3 + 0.2 * next(),
    busiest_worker_pct: 4 + 3 * next(),
    ttft_ms_mean: mean(ttft),
    ttft_ms_p50: quantile(ttft, 0.5),
    ttft_ms_p95: quantile(ttft, 0.95),
    ttft_ms_p99: quantile(ttft, 0.99),
    itl_ms_p50: 2.0 + 0.02 * next(),
    itl_ms_p99: 2.6 + next(),
  };
  const limited = runtime === 'smol1kb' && config === 'chimera_homo_gpu80_ctx1024' && number === 2;
  return {
    runtime,
    config,
    run: number,
    status: 'ok',
    values,
    serialization: {
      verdict: serialized ? 'serialized' : 'parallel',
      cause: serialized ? 'blocked-executor' : 'none',
      overlap_pct: serialized ? 0 : 96.2,
      evidence: serialized
        ? 'async_std_bridge held worker 0 for 1632 ms in collector (stage: poll_chunk) while insight was runnable'
        : '',
    },
    client_limited: limited ? ['itl_ms'] : [],
    agents,
  };
}
