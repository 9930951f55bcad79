// What a report document says first, and the tables behind it, for the sample documents.

import { describe, mean, quantile, sd } from './sample_numbers.mjs';

const key_metrics = [
  ['efficiency_pct', 'parallel efficiency', '%', 'mean'],
  ['estimated_efficiency_pct', 'efficiency, estimated', '%', 'mean'],
  ['ttft_ms_p50', 'TTFT', 'ms', 'median'],
  ['itl_ms_p50', 'gap between tokens', 'ms', 'median'],
  ['throughput_tok_s', 'tokens of all agents', 'tok/s', 'mean'],
  ['wall_ms', 'wall time', 'ms', 'median'],
];

function overview_cell(runtime, values) {
  const sorted = [...values].sort((a, b) => a - b);
  if (!sorted.length) return { runtime, n: 0, mean: null, sd: null, q1: null, median: null, q3: null };
  return {
    runtime,
    n: sorted.length,
    mean: mean(sorted),
    sd: sd(sorted),
    q1: quantile(sorted, 0.25),
    median: quantile(sorted, 0.5),
    q3: quantile(sorted, 0.75),
  };
}

const standings = ['best', 'tied', 'worse', 'undecided', 'serialized'];

/** The members `answer`, `overview`, `decisions`, `stability`, `ranked_configs`, `agents` and `parity`. */
export function answer(runtimes, configs, runs, headline) {
  const ok = runs.filter((r) => r.status === 'ok');
  const values = (runtime, metric, config = null) =>
    ok
      .filter((r) => r.runtime === runtime && (config == null || r.config === config))
      .map((r) => r.values[metric])
      .filter((v) => v != null);
  const overview = key_metrics
    .filter(([metric]) => ok.some((r) => r.values[metric] != null))
    .map(([metric, label, unit, shown]) => ({
      metric,
      label,
      unit,
      provenance: 'derived',
      shown,
      cells: runtimes.map((r) => overview_cell(r.name, values(r.name, metric))),
    }));
  const ranked = runtimes.flatMap((r) =>
    configs
      .map((c) => ({ config: c.name, d: describe(values(r.name, headline, c.name)) }))
      .filter(({ d }) => d)
      .sort((a, b) => b.d.mean - a.d.mean)
      .map(({ config, d }, i) => ({
        runtime: r.name,
        config,
        rank: i + 1,
        n: d.n,
        mean_pct: d.mean,
        sd_pct: d.sd,
        speedup: d.mean / 50,
      })),
  );
  const scatter = (r) => (r ? { config: r.config, sd_pct: r.sd_pct } : null);
  return {
    answer: {
      sentences: [
        'None of these runtimes wins: a difference of 3 points or more would have been seen.',
        'What is lost is imbalance: agents of unequal length, which is the workload’s.',
        'One machine and simulated servers: contention of a real GPU cannot be known from these runs.',
      ],
      use: runtimes.slice(0, 4).map((r) => r.name),
    },
    overview,
    decisions: overview.map(({ metric, label, unit }) => ({
      metric,
      label,
      unit,
      margin: 1,
      cells: runtimes.map((r, i) => ({ runtime: r.name, standing: standings[i] })),
    })),
    ranked_configs: ranked,
    stability: runtimes.map((r) => {
      const own = ranked.filter((c) => c.runtime === r.name && c.sd_pct != null).sort((a, b) => a.sd_pct - b.sd_pct);
      return {
        runtime: r.name,
        sd_within_pct: own.length ? mean(own.map((c) => c.sd_pct)) : null,
        sd_of_config_means_pct: sd(own.map((c) => c.mean_pct)),
        most_stable: scatter(own[0]),
        least_stable: scatter(own.at(-1)),
      };
    }),
    parity: [
      { quantity: 'calls', equal: true, cells: runtimes.map((r) => ({ runtime: r.name, mean: 4 })) },
      {
        quantity: 'tokens of replies',
        equal: false,
        cells: runtimes.map((r, i) => ({ runtime: r.name, mean: 1100 + i })),
      },
    ],
    agents: runtimes.flatMap((r) =>
      ['collector', 'insight'].map((agent, i) => ({
        runtime: r.name,
        config: '',
        agent,
        n: values(r.name, headline).length,
        ttft_ms: 85 + i,
        e2e_ms: 1200 + 100 * i,
        tokens_per_second: 480,
        tokens: 500 + 150 * i,
      })),
    ),
    agent_deltas: runtimes.map((r) => ({
      runtime: r.name,
      config: '',
      agent: 'insight',
      against: 'collector',
      metric: 'ttft_ms_p50',
      n: 30,
      difference: 1.25,
      ci95: [-2.5, 5],
      p: 0.42,
    })),
  };
}

/** The members of a study whose runtimes ran one after the other, some of them serialized: an import. */
export function imported_answer(runtimes) {
  const working = runtimes.slice(0, 4);
  return {
    recovery: {
      from: ['async_std'],
      serialized_runs: 30,
      warm_serialized_runs: 26,
      loads_known: true,
      paces: [{ agent: 'collector', ms_per_token: 10.5 }],
      in_turn_tok_s: 99.25,
      together_tok_s: 83.5,
      runtimes: working.map((r, i) => ({
        runtime: r.name,
        warm: { n: 26, mean_pct: 40.25 + i, sd_pct: 1.75, ci95_pct: [39.5 + i, 41 + i] },
        all: { n: 30, mean_pct: 42.5 + i, sd_pct: 3.25, ci95_pct: i ? [41 + i, 44 + i] : null },
      })),
      assumptions: ['The serialized runs had the same servers.'],
    },
    order: {
      one_after_another: true,
      sequence: runtimes.map((r) => r.name),
      drift: [{ metric: 'ttft_ms_p50', n: 120, in_ten_runs: 0.25, ci95: [-1, 1.5], p: 0.4 }],
      cold: working.map((r) => ({
        runtime: r.name,
        metric: 'ttft_ms_p50',
        n_a: 4,
        n_b: 26,
        median_a: 8123.5,
        median_b: 641.25,
        p: 0.00002,
      })),
      first: [],
    },
    claims: {
      holds: 1,
      wrong: 0,
      other_sign: 1,
      not_derivable: 1,
      claims: [
        ['holds', 'smol1kb peaks at 96.3 %', '96.3 %', '96.3 %', 0.0125],
        ['other_sign', 'LocalSet gains 2.1 points', '+2.1 points', '−2.13 points', -4.25],
        ['not_derivable', 'p < 0.05 against 95.7 %', 'p < 0.05', '', null],
      ].map(([verdict, statement, said, found, deviation], i) => ({
        source: 'TR115',
        id: `c${i + 1}`,
        statement,
        kind: 'value',
        about: 'estimated efficiency of one runtime',
        said,
        found,
        unit: 'points',
        published: null,
        recomputed: null,
        deviation,
        tolerance: 0.05,
        verdict,
        note: verdict === 'holds' ? '' : 'see <script>alert("not run")</script>',
      })),
    },
  };
}

/** The members `hypotheses`, `criteria`, `references` and `costs`. */
export function questions(runtimes) {
  const [a, b] = runtimes;
  return {
    hypotheses: [
      { id: 'H1', verdict: 'not_shown', difference: 1.625, ci95: [-2.5, 5.75], p_holm: 0.4, p_against_holm: null },
      { id: 'H4', verdict: 'refuted', difference: -170.5, ci95: [-180, -160.5], p_holm: 1, p_against_holm: 0.000004 },
      { id: 'H5', verdict: 'not_derivable', difference: null, ci95: null, p_holm: null, p_against_holm: null },
    ].map((h) => ({
      source: 'TR115',
      statement: `${a.name} against ${b.name}`,
      metric: 'ttft_ms_p50',
      unit: 'ms',
      words: 'In words.',
      ...h,
    })),
    criteria: [
      {
        source: 'TR115',
        id: 'S1',
        statement: 'peak efficiency of 98 % or more',
        about: 'efficiency, highest run',
        unit: '%',
        unit_of_over: 'points',
        met: false,
        rows: runtimes.map((r, i) => ({
          subject: r.name,
          value: i ? 95.5 : null,
          over: i ? -2.5 : null,
          p_holm: null,
          met: i ? false : null,
        })),
        words: 'None reaches it.',
      },
    ],
    references: [
      {
        source: 'TR115',
        name: 'TR114',
        what: 'efficiency, highest configuration mean',
        metric: 'efficiency_pct',
        unit: '%',
        unit_of_gap: 'points',
        value: 95.7,
        rows: runtimes.map((r, i) => ({
          runtime: r.name,
          n: 30,
          mean: 89.5 - i,
          gap: -6.2 - i,
          ci95: [-8.5 - i, -4 - i],
          p_holm: 0.001,
          gap_of_best_config: -3.5,
          gap_of_best_run: 0.25,
        })),
      },
    ],
    costs: [
      {
        source: 'prices of 2025',
        currency: '$',
        baseline: a.name,
        efficiency: 'efficiency_pct',
        formulas: [
          {
            figure: 'per million tokens',
            formula: 'price of an hour / tokens of an hour',
            inputs: '$1.20 an hour',
            provenance: 'estimated',
          },
        ],
        runtimes: runtimes.map((r, i) => ({
          runtime: r.name,
          throughput: 850.5 + i,
          per_million_tokens: 0.3925,
          per_million_ci95: [0.38, 0.405],
          per_month: 240.5,
          saved_per_month: i ? 12.5 : null,
          break_even_months: null,
          point_per_month: 2.75,
          note: '',
        })),
      },
    ],
  };
}

/** The status of a sweep of which `done` of `planned` cells are done. */
export function live_status(runtimes, configs, done, planned) {
  const per_group = planned / runtimes.length / configs.length;
  return {
    schema_version: 1,
    kind: 'sweep_status',
    name: 'tr115',
    folder: 'results/tr115',
    running: done < planned,
    now:
      done < planned
        ? {
            pid: 4711,
            began: '2025-11-14T09:30:00Z',
            jobs: 1,
            wanted: planned,
            cells: [
              {
                runtime: runtimes[0].name,
                config: configs[0].name,
                run: 3,
                doing: 'measuring',
                since: '2025-11-14T09:31:00Z',
              },
            ],
            awaited: null,
          }
        : null,
    planned,
    done,
    ok: done - 1,
    failed: 1,
    not_needed: 0,
    left: planned - done,
    measured_s: 2.5 * done,
    running_s: 3 * done,
    expected_s: done < planned ? 3 * (planned - done) : 0,
    groups: runtimes.flatMap((r) =>
      configs.map((c) => ({
        runtime: r.name,
        config: c.name,
        planned: per_group,
        ok: 2,
        failed: 0,
        not_needed: 0,
        left: per_group - 2,
        cell_s: 2.5,
      })),
    ),
    failures: [
      {
        runtime: runtimes[1].name,
        config: configs[0].name,
        run: 1,
        status: 'failed',
        message: 'connection refused <b>not bold</b>',
      },
    ],
    alerts: [
      {
        runtime: runtimes[0].name,
        config: configs[0].name,
        run: 2,
        status: 'ok',
        message: '',
        alerts: [{ alert: 'ttft_p95_ms', unit: 'ms', limit: 1000, value: 1240, samples: 40, tripped: true }],
      },
    ],
  };
}
