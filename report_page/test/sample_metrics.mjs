// The metrics of the sample documents: a part of what chimera-host writes.

const rows = [
  ['efficiency_pct', '%', 'derived', 'sum(T_i) / (N W): the agents alone against all together'],
  ['speedup', '', 'derived', 'sum(T_i) / W'],
  [
    'estimated_efficiency_pct',
    '%',
    'estimated',
    'sum(C_i) / (N W), from the concurrent run alone: it cannot see contention',
  ],
  ['recovered_efficiency_pct', '%', 'estimated', 'sum(tokens_i x pace_i) / (N W), paces from serialized runs'],
  ['imbalance_bound_pct', '%', 'derived', 'sum(C_i) / (N max C_i): the most that agents of these lengths can reach'],
  ['remainder_pct', '%', 'derived', 'imbalance bound - estimate: what neither imbalance nor the estimate explains'],
  ['wall_ms', 'ms', 'measured', 'wall time of the concurrent run'],
  ['sequential_ms', 'ms', 'measured', 'sum of the times of the agents alone'],
  ['late_start_pct', '%', 'derived', 'N (W - M) / (N W): agent-time before the last-finishing agent began'],
  ['late_permit_pct', '%', 'measured', 'the part of late start spent waiting for a permit'],
  ['late_blocked_pct', '%', 'measured', "the part of late start spent runnable behind another agent's poll"],
  ['late_spawn_pct', '%', 'derived', 'the rest of late start: spawning and joining'],
  ['imbalance_pct', '%', 'derived', '(N M - sum(C_i)) / (N W): agents of unequal length'],
  ['inflation_pct', '%', 'derived', 'sum(C_i - T_i) / (N W): slower together than alone'],
  ['inflation_scheduling_pct', '%', 'measured', 'runnable to polled, against the same stage alone'],
  ['inflation_blocked_pct', '%', 'measured', 'runnable while another poll held the worker'],
  ['inflation_transport_pct', '%', 'measured', 'polled to delivered, against the same stage alone'],
  ['inflation_parsing_pct', '%', 'measured', 'delivered to recorded, against the same stage alone'],
  ['inflation_work_pct', '%', 'measured', "the agent's own work, against the same stage alone"],
  ['inflation_server_pct', '%', 'derived', 'the rest of inflation: server contention; it can be negative'],
  ['inflation_ratio', '', 'derived', 'mean(C_i / T_i)'],
  ['jain_index', '', 'derived', "Jain's index of the agents' token rates"],
  ['throughput_tok_s', 'tok/s', 'measured', 'tokens of all agents / wall time'],
  ['client_overhead_pct_mean', '%', 'measured', 'client delay / E2E'],
  ['busiest_worker_pct', '%', 'measured', 'share of the wall time in which the busiest worker was on CPU'],
  ...['mean', 'p50', 'p95', 'p99'].map((q) => [`ttft_ms_${q}`, 'ms', 'measured', `first_token - dispatched (${q})`]),
  ...['p50', 'p99'].map((q) => [`itl_ms_${q}`, 'ms', 'measured', `gap between consecutive content records (${q})`]),
];

export const metrics = Object.fromEntries(
  rows.map(([name, unit, provenance, definition]) => [name, { unit, definition, provenance }]),
);
