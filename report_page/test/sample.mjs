// Report documents for the tests of the page: a study like TR115's, a scaling study, an import in which much was not
// measured, and a study in which every run failed. Figures are made up, the same every time, and agree with each other.
// node sample.mjs NAME prints one.

import { pathToFileURL } from 'node:url';
import { answer, imported_answer, questions } from './sample_answer.mjs';
import { describe, random } from './sample_numbers.mjs';
import { distribution, of, report } from './sample_report.mjs';
import { run } from './sample_run.mjs';

const runtimes = [
  { name: 'tokio_default', executor: 'thread_pool', transport: 'curl', foreign: null },
  { name: 'tokio_localset', executor: 'uv_pinned', transport: 'curl', foreign: null },
  { name: 'smol', executor: 'fiber', transport: 'curl', foreign: null },
  { name: 'smol1kb', executor: 'fiber', transport: 'socket', foreign: null },
  { name: 'async_std', executor: 'async_std_bridge', transport: 'curl', foreign: 'block_in_place' },
];
const configs = [
  'baseline_vs_chimera',
  'chimera_hetero_gpu80-100_ctx512-1024',
  'chimera_homo_gpu80_ctx512',
  'chimera_homo_gpu80_ctx1024',
  'chimera_homo_gpu80_ctx2048',
  'chimera_homo_gpu100_ctx512',
].map((name, i) => ({
  name,
  parameters: { num_gpu: i === 5 ? 100 : 80, num_ctx: [512, 512, 512, 1024, 2048, 512][i], temperature: 1 },
}));

function tr115() {
  const next = random(115);
  const runs = runtimes.flatMap((r) =>
    configs.flatMap((c) => [1, 2, 3, 4, 5].map((n) => run(next, r.name, c.name, n))),
  );
  Object.assign(runs[72], {
    status: 'timed_out',
    message: 'took longer than 600 s and was ended',
    values: {},
    serialization: null,
    agents: [],
  });
  return report('tr115', {
    runtimes,
    configs,
    runs,
    title: 'Five runtimes, six configurations, five runs',
    question: 'Does the client runtime decide how well two agents run side by side?',
    ...answer(runtimes, configs, runs, 'efficiency_pct'),
    ...questions(runtimes),
    method: {
      runs: 5,
      seed: 115,
      order: 'interleaved, drawn from the seed',
      backend: 'simulator, one for each agent',
      runtimes,
      configs,
      agents: ['collector', 'insight'],
      sentences: [
        'Each agent also ran alone, with the same seed, in the same session: efficiency compares the two.',
        'Reply lengths are drawn from 300-700 tokens (collector) and 500-800 tokens (insight).',
      ],
    },
    provenance: {
      first_begun: '2025-11-14T09:30:00Z',
      last_begun: '2025-11-14T11:02:17Z',
      runs: 149,
      runs_without: 0,
      lines: [
        {
          subject: 'machine',
          text: 'build7: AMD EPYC 7B13, 16 CPUs, governor performance, 62.7 GiB, Linux 6.1.0-18-amd64, glibc 2.36, KVM',
          runs: 149,
          where: '',
        },
        { subject: 'program', text: 'chimera 0.1.0 (1f3c9a0b7d2e, GCC 12.2.0, Release)', runs: 149, where: '' },
        ...['thread_pool', 'uv_pinned', 'fiber', 'async_std_bridge', 'curl', 'socket'].map((id, i) => ({
          subject: 'plugin',
          text: `${id} 0.1.0 (${String(i).repeat(12)})`,
          runs: 30,
          where: `runtime ${runtimes[Math.min(i, 4)].name}`,
        })),
        {
          subject: 'server',
          text: 'http://127.0.0.1:11434: Ollama 0.5.1</script><script>alert("not run")</script>, gemma3',
          runs: 149,
          where: '',
        },
      ],
      differences: [],
    },
    findings: [
      "The four working runtimes do not differ detectably: what they lose is imbalance, agents of unequal length, which is the workload's.",
      'async_std ran its agents one after the other in all 30 runs: a poll of async_std_bridge held the worker (blocked executor).',
      'The client could have changed the inter-token latency in 1 run of smol1kb.',
    ],
    limits: [
      'One machine, simulated servers: contention of a real GPU is not in these figures.',
      'With 5 runs a cell, differences below about 3 points cannot be seen.',
    ],
    repeat: [
      'chimera-host sweep --profile profiles/tr115.toml --seed 115',
      'chimera-host report results/tr115 --format html --output tr115.html',
    ],
    improvements: [
      {
        baseline: 'async_std',
        metric: 'efficiency_pct',
        success_rate_pct: 100,
        peak_pct: 96.1,
        mean_pct: 78.4,
        by_config: [],
        groups: [],
      },
    ],
    parameters: [
      {
        parameter: 'num_ctx',
        metric: 'efficiency_pct',
        range_pct: 1.2,
        eta_squared: 0.013,
        levels: [512, 1024, 2048].map((value) => {
          const d = describe(
            of(
              runs.filter((r) => configs.find((c) => c.name === r.config).parameters.num_ctx === value),
              'efficiency_pct',
            ),
          );
          return { value, n: d.n, mean: d.mean, sd: d.sd };
        }),
      },
    ],
    distributions: runtimes.flatMap((r) => ['ttft_ms', 'itl_ms'].map((m) => distribution(next, r.name, m))),
  });
}

function scaling() {
  const next = random(129),
    sizes = [1, 2, 3, 4, 5, 6, 7, 8],
    pair = runtimes.slice(0, 2);
  const cs = [0, 200].flatMap((think) =>
    sizes.map((n) => ({ name: `n${n}_think${think}`, parameters: { agents: n, think_ms: think } })),
  );
  const runs = pair.flatMap((r) =>
    cs.flatMap((c) => [1, 2, 3].map((k) => run(next, r.name, c.name, k, c.parameters.agents, 0.03))),
  );
  const fit = (n, s, k) => (110 * n) / (1 + s * (n - 1) + k * n * (n - 1));
  return report('tr129_scaling', {
    runtimes: pair,
    configs: cs,
    runs,
    title: 'One to eight agents on one server',
    question: 'How far does one server carry N agents?',
    method: {
      runs: 3,
      seed: 129,
      order: 'interleaved',
      backend: 'simulator, one for all',
      runtimes: pair,
      configs: cs,
      agents: [],
      sentences: ['Closed loop: each agent sends its next request when the last is answered.'],
    },
    findings: ['Throughput stops growing at 5 agents without think time.'],
    limits: ['Simulated server.'],
    repeat: ['chimera-host sweep --profile profiles/tr129_scaling.toml'],
    scaling: pair.flatMap((r) =>
      [
        [0, 0.42, 0.018],
        [200, 0.16, 0.008],
      ].map(([think, s, k]) => ({
        runtime: r.name,
        series: `think_ms=${think}`,
        points: sizes.map((n) => {
          const x = fit(n, s, k) * (0.99 + 0.02 * next());
          return {
            n,
            throughput_mean: x,
            throughput_ci95: [0.975 * x, 1.025 * x],
            efficiency_mean_pct: (100 * x) / (110 * n),
            jain: 0.997 + 0.003 * next(),
          };
        }),
        amdahl: { serial_fraction: s + 0.03, r2: 0.96 },
        usl: { contention: s, coherency: k, rate: 110, r2: 0.994, peak_n: Math.sqrt((1 - s) / k) },
        saturation_n: think ? null : 5,
      })),
    ),
  });
}

/** As an original result file has it: no agent ran alone, no stage was stamped, no moment of a request was kept. */
function imported() {
  const known = new Set([
    'estimated_efficiency_pct',
    'imbalance_bound_pct',
    'remainder_pct',
    'wall_ms',
    'late_start_pct',
    'imbalance_pct',
    'ttft_ms_mean',
    'ttft_ms_p50',
  ]);
  const study = tr115();
  const runs = study.runs
    .filter((r) => r.status === 'ok')
    .map((r) => ({
      ...r,
      serialization: null,
      client_limited: null,
      agents: [],
      values: Object.fromEntries(Object.entries(r.values).filter(([k]) => known.has(k))),
    }));
  return report('tr115_original', {
    runtimes,
    configs,
    runs,
    source: 'tr115',
    title: 'TR115_runtime_optimization_results: as published',
    question: 'What do the original 150 files say?',
    ...answer(runtimes, configs, runs, 'estimated_efficiency_pct'),
    ...imported_answer(runtimes),
    method: { runs: 5, seed: null, order: null, backend: null, runtimes, configs, agents: [], sentences: [] },
    findings: [
      'The published figure is the estimate sum(C) / (N W): it cannot see contention.',
      'Imbalance carries the whole loss: the remainder is below 0.01 points.',
    ],
    limits: ['No agent ran alone: efficiency and inflation were not measured.'],
    repeat: ['chimera-host import tr115 DIR --output-dir OUT'],
  });
}

function failed() {
  const runs = runtimes.slice(0, 2).map((r) => ({
    runtime: r.name,
    config: configs[0].name,
    run: 1,
    status: 'failed',
    values: {},
    serialization: null,
    message: 'http://127.0.0.1:11434: connection refused </script><script>alert("not run")</script>\u2028',
    client_limited: [],
    agents: [],
  }));
  return report('nothing_worked', {
    runtimes: [],
    configs: [],
    runs,
    title: 'Nothing worked',
    question: null,
    method: null,
    findings: ['No run was completed.'],
  });
}

export { runtimes, configs };
export const samples = { tr115, scaling, imported, failed };

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const make = samples[process.argv[2]];
  if (!make) throw new Error(`usage: sample.mjs ${Object.keys(samples).join('|')}`);
  process.stdout.write(JSON.stringify(make()));
}
