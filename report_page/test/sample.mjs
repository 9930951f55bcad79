// Report documents for the tests of the page: a study like TR115's, a scaling study, an import in which much was not
// measured, and a study in which every run failed. Figures are made up, the same every time, and agree with each other.
// node sample.mjs NAME prints one.

import { pathToFileURL } from 'node:url';
import { metrics } from './sample_metrics.mjs';

const runtimes = [
  { name: 'tokio_default', executor: 'thread_pool', transport: 'curl', foreign: null },
  { name: 'tokio_localset', executor: 'uv_pinned', transport: 'curl', foreign: null },
  { name: 'smol', executor: 'fiber', transport: 'curl', foreign: null },
  { name: 'smol1kb', executor: 'fiber', transport: 'socket', foreign: null },
  { name: 'async_std', executor: 'async_std_bridge', transport: 'curl', foreign: 'block_in_place' },
];
const configs = ['baseline_vs_chimera', 'chimera_hetero_80_100', 'chimera_homo_gpu80_ctx512', 'chimera_homo_gpu80_ctx1024',
  'chimera_homo_gpu80_ctx2048', 'chimera_homo_gpu100_ctx512'].map((name, i) => ({
    name, parameters: { num_gpu: i === 5 ? 100 : 80, num_ctx: [512, 512, 512, 1024, 2048, 512][i], temperature: 1 } }));

/** Mulberry32: a small generator of numbers in [0, 1) with a seed. */
function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const sum = (xs) => xs.reduce((a, b) => a + b, 0);
const mean = (xs) => sum(xs) / xs.length;
const sd = (xs) => (xs.length < 2 ? null : Math.sqrt(sum(xs.map((x) => (x - mean(xs)) ** 2)) / (xs.length - 1)));

function quantile(sorted, q) {
  const at = q * (sorted.length - 1), low = Math.floor(at);
  return sorted[low] + (at - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
}

/** n, mean, sd, ... of what was measured; null when nothing was. */
function describe(all) {
  const xs = all.filter((x) => x != null).sort((a, b) => a - b);
  if (xs.length === 0) return null;
  const t = xs.length >= 20 ? 2.045 : (2.0 + 2.4 / (xs.length - 1));
  const half = xs.length < 2 ? null : (t * sd(xs)) / Math.sqrt(xs.length);
  return { n: xs.length, mean: mean(xs), sd: sd(xs), cv_pct: sd(xs) == null ? null : (100 * sd(xs)) / mean(xs),
    median: quantile(xs, 0.5), min: xs[0], max: xs.at(-1), ci95: half == null ? null : [mean(xs) - half, mean(xs) + half] };
}

/** One run of `n` agents with two requests each: moments, and the loss split as docs/measurement.md has it. */
function run(next, runtime, config, number, n = 2, contention = 0.004) {
  const serialized = runtime === 'async_std';
  let clock = 1.5;
  const agents = [], alone = [];
  for (let i = 0; i < n; ++i) {
    const start = serialized ? clock : 1 + 0.3 * i;
    const requests = [];
    let at = start + 9;
    let ideal = 9;
    for (let call = 0; call < 2; ++call) {
      const ttft = 60 + 50 * next(), stream = 2 * ((i % 2 ? 500 : 330) + (i % 2 ? 290 : 380) * next());
      const slower = 1 + contention * n * (0.6 + 0.8 * next());
      requests.push({ call, dispatched_ms: at, first_token_ms: at + ttft, done_ms: at + ttft + stream * slower });
      ideal += ttft + stream + 4;
      at = requests.at(-1).done_ms + 4;
    }
    agents.push({ id: n === 2 ? ['collector', 'insight'][i] : `agent_${i + 1}`, start_ms: start, end_ms: at, requests });
    alone.push(ideal);
    clock = at + 1;
  }
  const wall = Math.max(...agents.map((a) => a.end_ms)) + 0.6;
  const active = agents.map((a) => a.end_ms - a.start_ms);
  const pct = (ms) => (100 * ms) / (n * wall);
  const late = pct(n * (wall - Math.max(...active)));
  const inflation = pct(sum(active) - sum(alone));
  const spawn = Math.min(late, 0.05), small = Math.min(0.06, inflation / 4) * next();
  const stages = { scheduling: small, blocked: serialized ? 0.4 * small : 0, transport: 0.7 * small, parsing: 0.3 * small, work: 0 };
  const ttft = agents.flatMap((a) => a.requests.map((r) => r.first_token_ms - r.dispatched_ms)).sort((a, b) => a - b);
  const values = {
    efficiency_pct: pct(sum(alone)), speedup: sum(alone) / wall, estimated_efficiency_pct: pct(sum(active)),
    imbalance_bound_pct: (100 * sum(active)) / (n * Math.max(...active)),
    remainder_pct: (100 * sum(active)) / (n * Math.max(...active)) - pct(sum(active)),
    wall_ms: wall, sequential_ms: sum(alone), late_start_pct: late, late_permit_pct: 0, late_blocked_pct: late - spawn,
    late_spawn_pct: spawn, imbalance_pct: pct(n * Math.max(...active) - sum(active)), inflation_pct: inflation,
    ...Object.fromEntries(Object.entries(stages).map(([k, v]) => [`inflation_${k}_pct`, v])),
    inflation_server_pct: inflation - sum(Object.values(stages)), inflation_ratio: sum(active) / sum(alone),
    jain_index: 0.99 + 0.01 * next(), throughput_tok_s: (sum(active) / 2.1 / wall) * 1000, client_overhead_pct: 0.3 + 0.2 * next(),
    busiest_worker_pct: 4 + 3 * next(), ttft_ms_mean: mean(ttft), ttft_ms_p50: quantile(ttft, 0.5),
    ttft_ms_p95: quantile(ttft, 0.95), ttft_ms_p99: quantile(ttft, 0.99), itl_ms_p50: 2.0 + 0.02 * next(), itl_ms_p99: 2.6 + next(),
  };
  const limited = runtime === 'smol1kb' && config === configs[3].name && number === 2;
  return { runtime, config, run: number, status: 'ok', values, serialization: {
    verdict: serialized ? 'serialized' : 'parallel', cause: serialized ? 'blocked-executor' : 'none', overlap_pct: serialized ? 0 : 96.2,
    evidence: serialized ? 'async_std_bridge held worker 0 for 1632 ms in collector (stage: poll_chunk) while insight was runnable' : '' },
    client_limited: limited ? ['itl_ms'] : [], agents };
}

const of = (runs, name) => runs.map((r) => r.values[name]);

function runtime_summary(runtime, runs, headline) {
  const d = describe(of(runs, headline)) ?? {};
  const by_config = Object.values(group(runs)).map((rs) => mean(of(rs, headline)));
  const worst = runs.filter((r) => Math.abs(r.values[headline] - d.mean) > 2.2 * d.sd);
  const average = (name) => describe(of(runs, name))?.mean ?? null;
  const serialized = runs.filter((r) => r.serialization?.verdict === 'serialized');
  return { name: runtime.name, executor: runtime.executor, transport: runtime.transport, n: d.n ?? 0, mean_pct: d.mean ?? null,
    sd_pct: d.sd ?? null, sd_of_config_means_pct: sd(by_config), cv_pct: d.cv_pct ?? null, median_pct: d.median ?? null,
    min_pct: d.min ?? null, peak_pct: d.max ?? null, ci95_pct: d.ci95 ?? null,
    outliers: worst.map((r) => ({ config: r.config, run: r.run, value: r.values[headline] })),
    estimated_mean_pct: average('estimated_efficiency_pct'), imbalance_bound_mean_pct: average('imbalance_bound_pct'),
    remainder_mean_pct: average('remainder_pct'),
    loss_pct: { late_permit: average('late_permit_pct'), late_blocked: average('late_blocked_pct'), late_spawn: average('late_spawn_pct'),
      imbalance: average('imbalance_pct'), ...Object.fromEntries(['scheduling', 'blocked', 'transport', 'parsing', 'work', 'server'].map(
        (part) => [part, average(`inflation_${part}_pct`)])) },
    serialized_runs: runs.every((r) => r.serialization == null) ? null : serialized.length, cause: serialized[0]?.serialization.cause ?? null,
    evidence: serialized[0]?.serialization.evidence ?? null, client_limited_runs: runs.every((r) => r.client_limited == null) ? null : runs.filter((r) => r.client_limited?.length).length,
    values: Object.fromEntries(Object.keys(metrics).map((name) => [name, describe(of(runs, name))]).filter(([, v]) => v)) };
}

function group(runs) {
  const groups = {};
  for (const r of runs) (groups[r.config] ??= []).push(r);
  return groups;
}

function compare(metric, a, b, runs) {
  const [x, y] = [a, b].map((name) => of(runs.filter((r) => r.runtime === name), metric).filter((v) => v != null));
  if (x.length < 2 || y.length < 2) return [];
  const difference = mean(x) - mean(y);
  const error = Math.sqrt(sd(x) ** 2 / x.length + sd(y) ** 2 / y.length);
  const t = difference / error, p = Math.min(1, 2 * Math.exp(-0.717 * Math.abs(t) - 0.416 * t * t));
  const d = difference / Math.sqrt((sd(x) ** 2 + sd(y) ** 2) / 2), holm = Math.min(1, 7 * p);
  const verdict = holm >= 0.05 ? 'no_detectable_difference' : difference > 0 ? 'a_higher' : 'b_higher';
  return [{ metric, a, b, n_a: x.length, n_b: y.length, mean_a: mean(x), mean_b: mean(y), difference,
    ci95: [difference - 2.01 * error, difference + 2.01 * error], welch: { t, df: x.length + y.length - 2.4, p },
    mann_whitney: { u: x.length * y.length * 0.5, p: Math.min(1, 1.1 * p), exact: x.length < 20 }, cohens_d: d, hedges_g: 0.987 * d,
    p_holm: holm, verdict, words: { no_detectable_difference: 'no detectable difference', a_higher: `${a} higher`, b_higher: `${b} higher` }[verdict] }];
}

function distribution(next, runtime, metric) {
  const slow = runtime === 'smol1kb' ? 1.25 : 1;
  const draws = Array.from({ length: 2000 }, () => metric === 'ttft_ms' ? (60 + 50 * next()) * slow + (next() < 0.02 ? 300 * next() : 0)
    : next() < 0.05 ? 0 : 2 * slow * (1 + 0.04 * next()) + (next() < 0.01 ? 18 * next() : 0)).sort((a, b) => a - b);
  return { runtime, metric, n: draws.length, quantiles: Array.from({ length: 101 }, (_, i) => [i / 100, quantile(draws, i / 100)]) };
}

/** Everything of a report that follows from its runs. */
function report(name, { runtimes, configs, runs, ...rest }) {
  const ok = runs.filter((r) => r.status === 'ok');
  const headline = ok.some((r) => r.values.efficiency_pct != null) ? 'efficiency_pct' : 'estimated_efficiency_pct';
  const pairs = runtimes.flatMap((a, i) => runtimes.slice(i + 1).map((b) => [a.name, b.name]));
  const failed = runs.filter((r) => r.status !== 'ok');
  const seen = (metric) => ok.some((r) => r.values[metric] != null);
  return {
    schema_version: 1, kind: 'report', name, title: name, question: null, source: 'chimera', generated_by: 'chimera-host 0.1.0',
    metrics: Object.fromEntries(Object.entries(metrics).map(([k, m]) => [k, seen(k) ? m : { ...m, provenance: 'not measured' }])),
    cells: { planned: runs.length, ok: ok.length, failed: failed.length,
      failures: failed.map(({ runtime, config, run, status, message }) => ({ runtime, config, run, status, message })) },
    headline, runtimes: runtimes.map((r) => runtime_summary(r, ok.filter((x) => x.runtime === r.name), headline)),
    configs: runtimes.flatMap((r) => configs.map((c) => {
      const d = describe(of(ok.filter((x) => x.runtime === r.name && x.config === c.name), headline));
      return { runtime: r.name, config: c.name, n: d?.n ?? 0, mean_pct: d?.mean ?? null, sd_pct: d?.sd ?? null, ci95_pct: d?.ci95 ?? null,
        min_pct: d?.min ?? null, peak_pct: d?.max ?? null, median_pct: d?.median ?? null };
    })),
    comparisons: [headline, 'ttft_ms_p50', 'wall_ms'].flatMap((m) => pairs.flatMap(([a, b]) => compare(m, a, b, ok))),
    scaling: [], parameters: [], improvement: null, findings: [], limits: [], repeat: [], distributions: [], runs, ...rest };
}

function tr115() {
  const next = random(115);
  const runs = runtimes.flatMap((r) => configs.flatMap((c) => [1, 2, 3, 4, 5].map((n) => run(next, r.name, c.name, n))));
  Object.assign(runs[72], { status: 'timed_out', message: 'took longer than 600 s and was ended', values: {}, serialization: null, agents: [] });
  return report('tr115', { runtimes, configs, runs, title: 'Five runtimes, six configurations, five runs',
    question: 'Does the client runtime decide how well two agents run side by side?',
    method: { runs: 5, seed: 115, order: 'interleaved, drawn from the seed', backend: 'simulator, one for each agent', runtimes, configs,
      agents: ['collector', 'insight'], sentences: ['Each agent also ran alone, with the same seed, in the same session: efficiency compares the two.',
        'Reply lengths are drawn from 300-700 tokens (collector) and 500-800 tokens (insight).'] },
    findings: ['The four working runtimes do not differ detectably: what they lose is imbalance, agents of unequal length, which is the workload\'s.',
      'async_std ran its agents one after the other in all 30 runs: a poll of async_std_bridge held the worker (blocked executor).',
      'The client could have changed the inter-token latency in 1 run of smol1kb.'],
    limits: ['One machine, simulated servers: contention of a real GPU is not in these figures.', 'With 5 runs a cell, differences below about 3 points cannot be seen.'],
    repeat: ['chimera-host sweep --profile profiles/tr115.toml --seed 115', 'chimera-host report results/tr115 --format html --output tr115.html'],
    improvement: { baseline: 'async_std', metric: 'efficiency_pct', success_rate_pct: 100, peak_pct: 96.1, mean_pct: 78.4, by_config: [] },
    parameters: [{ parameter: 'num_ctx', metric: 'efficiency_pct', range_pct: 1.2, eta_squared: 0.013,
      levels: [512, 1024, 2048].map((value) => {
        const d = describe(of(runs.filter((r) => configs.find((c) => c.name === r.config).parameters.num_ctx === value), 'efficiency_pct'));
        return { value, n: d.n, mean: d.mean, sd: d.sd };
      }) }],
    distributions: runtimes.flatMap((r) => ['ttft_ms', 'itl_ms'].map((m) => distribution(next, r.name, m))) });
}

function scaling() {
  const next = random(129), sizes = [1, 2, 3, 4, 5, 6, 7, 8], pair = runtimes.slice(0, 2);
  const cs = [0, 200].flatMap((think) => sizes.map((n) => ({ name: `n${n}_think${think}`, parameters: { agents: n, think_ms: think } })));
  const runs = pair.flatMap((r) => cs.flatMap((c) => [1, 2, 3].map((k) => run(next, r.name, c.name, k, c.parameters.agents, 0.03))));
  const fit = (n, s, k) => (110 * n) / (1 + s * (n - 1) + k * n * (n - 1));
  return report('tr129_scaling', { runtimes: pair, configs: cs, runs, title: 'One to eight agents on one server',
    question: 'How far does one server carry N agents?', method: { runs: 3, seed: 129, order: 'interleaved', backend: 'simulator, one for all', runtimes: pair,
      configs: cs, agents: [], sentences: ['Closed loop: each agent sends its next request when the last is answered.'] },
    findings: ['Throughput stops growing at 5 agents without think time.'], limits: ['Simulated server.'], repeat: ['chimera-host sweep --profile profiles/tr129_scaling.toml'],
    scaling: pair.flatMap((r) => [[0, 0.42, 0.018], [200, 0.16, 0.008]].map(([think, s, k]) => ({ runtime: r.name, series: `think_ms=${think}`,
      points: sizes.map((n) => {
        const x = fit(n, s, k) * (0.99 + 0.02 * next());
        return { n, throughput_mean: x, throughput_ci95: [0.975 * x, 1.025 * x], efficiency_mean_pct: (100 * x) / (110 * n), jain: 0.997 + 0.003 * next() };
      }), amdahl: { serial_fraction: s + 0.03, r2: 0.96 }, usl: { contention: s, coherency: k, rate: 110, r2: 0.994, peak_n: Math.sqrt((1 - s) / k) },
      saturation_n: think ? null : 5 }))) });
}

/** As an original result file has it: no agent ran alone, no stage was stamped, no moment of a request was kept. */
function imported() {
  const known = new Set(['estimated_efficiency_pct', 'imbalance_bound_pct', 'remainder_pct', 'wall_ms', 'late_start_pct', 'imbalance_pct', 'ttft_ms_mean', 'ttft_ms_p50']);
  const study = tr115();
  const runs = study.runs.filter((r) => r.status === 'ok').map((r) => ({ ...r, serialization: null, client_limited: null, agents: [],
    values: Object.fromEntries(Object.entries(r.values).filter(([k]) => known.has(k))) }));
  return report('tr115_original', { runtimes, configs, runs, source: 'tr115', title: 'TR115, as published', question: 'What do the original 150 files say?',
    method: { runs: 5, seed: null, order: null, backend: null, runtimes, configs, agents: [], sentences: [] },
    findings: ['The published figure is the estimate sum(C) / (N W): it cannot see contention.', 'Imbalance carries the whole loss: the remainder is below 0.01 points.'],
    limits: ['No agent ran alone: efficiency and inflation were not measured.'], repeat: ['chimera-host import tr115 DIR --output-dir OUT'] });
}

function failed() {
  const runs = runtimes.slice(0, 2).map((r) => ({ runtime: r.name, config: configs[0].name, run: 1, status: 'failed', values: {}, serialization: null,
    message: 'http://127.0.0.1:11434: connection refused </script><script>alert("not run")</script>\u2028', client_limited: [], agents: [] }));
  return report('nothing_worked', { runtimes: [], configs: [], runs, title: 'Nothing worked', question: null, method: null, findings: ['No run was completed.'] });
}

export const samples = { tr115, scaling, imported, failed };

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const make = samples[process.argv[2]];
  if (!make) throw new Error(`usage: sample.mjs ${Object.keys(samples).join('|')}`);
  process.stdout.write(JSON.stringify(make()));
}
