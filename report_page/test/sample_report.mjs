// What a report document says of its runs: the sample's own, simpler way to what chimera-host computes.

import { describe, mean, quantile, sd } from './sample_numbers.mjs';
import { metrics } from './sample_metrics.mjs';

export const of = (runs, name) => runs.map((r) => r.values[name]);

function runtime_summary(runtime, runs, headline) {
  const d = describe(of(runs, headline)) ?? {};
  const by_config = Object.values(group(runs)).map((rs) => mean(of(rs, headline)));
  const worst = runs.filter((r) => Math.abs(r.values[headline] - d.mean) > 2.2 * d.sd);
  const average = (name) => describe(of(runs, name))?.mean ?? null;
  const serialized = runs.filter((r) => r.serialization?.verdict === 'serialized');
  return {
    name: runtime.name,
    executor: runtime.executor,
    transport: runtime.transport,
    n: d.n ?? 0,
    mean_pct: d.mean ?? null,
    sd_pct: d.sd ?? null,
    sd_of_config_means_pct: sd(by_config),
    cv_pct: d.cv_pct ?? null,
    median_pct: d.median ?? null,
    min_pct: d.min ?? null,
    peak_pct: d.max ?? null,
    ci95_pct: d.ci95 ?? null,
    outliers: worst.map((r) => ({ config: r.config, run: r.run, value: r.values[headline] })),
    estimated_mean_pct: average('estimated_efficiency_pct'),
    imbalance_bound_mean_pct: average('imbalance_bound_pct'),
    remainder_mean_pct: average('remainder_pct'),
    loss_pct: {
      late_permit: average('late_permit_pct'),
      late_blocked: average('late_blocked_pct'),
      late_spawn: average('late_spawn_pct'),
      imbalance: average('imbalance_pct'),
      ...Object.fromEntries(
        ['scheduling', 'blocked', 'transport', 'parsing', 'work', 'server'].map((part) => [
          part,
          average(`inflation_${part}_pct`),
        ]),
      ),
    },
    serialized_runs: runs.every((r) => r.serialization == null) ? null : serialized.length,
    cause: serialized[0]?.serialization.cause ?? null,
    evidence: serialized[0]?.serialization.evidence ?? null,
    arrival_limited_runs: runs.every((r) => r.arrival_limited == null)
      ? null
      : runs.filter((r) => r.arrival_limited?.length).length,
    client_limited_runs: runs.every((r) => r.client_limited == null)
      ? null
      : runs.filter((r) => r.client_limited?.length).length,
    values: Object.fromEntries(
      Object.keys(metrics)
        .map((name) => [name, describe(of(runs, name))])
        .filter(([, v]) => v),
    ),
  };
}

function group(runs) {
  const groups = {};
  for (const r of runs) (groups[r.config] ??= []).push(r);
  return groups;
}

function compare(metric, a, b, runs) {
  const [x, y] = [a, b].map((name) =>
    of(
      runs.filter((r) => r.runtime === name),
      metric,
    ).filter((v) => v != null),
  );
  if (x.length < 2 || y.length < 2) return [];
  const difference = mean(x) - mean(y);
  const error = Math.sqrt(sd(x) ** 2 / x.length + sd(y) ** 2 / y.length);
  const t = difference / error,
    p = Math.min(1, 2 * Math.exp(-0.717 * Math.abs(t) - 0.416 * t * t));
  const d = difference / Math.sqrt((sd(x) ** 2 + sd(y) ** 2) / 2),
    holm = Math.min(1, 7 * p);
  const verdict = holm >= 0.05 ? 'no_detectable_difference' : difference > 0 ? 'a_higher' : 'b_higher';
  return [
    {
      metric,
      a,
      b,
      n_a: x.length,
      n_b: y.length,
      mean_a: mean(x),
      mean_b: mean(y),
      difference,
      ci95: [difference - 2.01 * error, difference + 2.01 * error],
      welch: { t, df: x.length + y.length - 2.4, p },
      mann_whitney: { u: x.length * y.length * 0.5, p: Math.min(1, 1.1 * p), exact: x.length < 20 },
      cohens_d: d,
      hedges_g: 0.987 * d,
      p_holm: holm,
      verdict,
      words: `${verdict.replaceAll('_', ' ')}: ${a} against ${b}, p ${holm.toPrecision(2)} after Holm, ${x.length} runs against ${y.length}`,
    },
  ];
}

export function distribution(next, runtime, metric) {
  const slow = runtime === 'smol1kb' ? 1.25 : 1;
  const draws = Array.from({ length: 2000 }, () =>
    metric === 'ttft_ms'
      ? (60 + 50 * next()) * slow + (next() < 0.02 ? 300 * next() : 0)
      : next() < 0.05
        ? 0
        : 2 * slow * (1 + 0.04 * next()) + (next() < 0.01 ? 18 * next() : 0),
  ).sort((a, b) => a - b);
  return {
    runtime,
    metric,
    n: draws.length,
    quantiles: Array.from({ length: 101 }, (_, i) => [i / 100, quantile(draws, i / 100)]),
  };
}

/** Everything of a report that follows from its runs. */
export function report(name, { runtimes, configs, runs, ...rest }) {
  const ok = runs.filter((r) => r.status === 'ok');
  const headline = ok.some((r) => r.values.efficiency_pct != null) ? 'efficiency_pct' : 'estimated_efficiency_pct';
  const pairs = runtimes.flatMap((a, i) => runtimes.slice(i + 1).map((b) => [a.name, b.name]));
  const failed = runs.filter((r) => r.status !== 'ok');
  const seen = (metric) => ok.some((r) => r.values[metric] != null);
  return {
    schema_version: 2,
    kind: 'report',
    name,
    title: name,
    question: null,
    source: 'chimera',
    generated_by: 'chimera-host 0.1.0',
    metrics: Object.fromEntries(
      Object.entries(metrics).map(([k, m]) => [k, seen(k) ? m : { ...m, provenance: 'not measured' }]),
    ),
    cells: {
      planned: runs.length,
      ok: ok.length,
      failed: failed.length,
      damaged: 0,
      failures: failed.map(({ runtime, config, run, status, message }) => ({ runtime, config, run, status, message })),
    },
    headline,
    runtimes: runtimes.map((r) =>
      runtime_summary(
        r,
        ok.filter((x) => x.runtime === r.name),
        headline,
      ),
    ),
    configs: runtimes.flatMap((r) =>
      configs.map((c) => {
        const d = describe(
          of(
            ok.filter((x) => x.runtime === r.name && x.config === c.name),
            headline,
          ),
        );
        return {
          runtime: r.name,
          config: c.name,
          n: d?.n ?? 0,
          mean_pct: d?.mean ?? null,
          sd_pct: d?.sd ?? null,
          ci95_pct: d?.ci95 ?? null,
          min_pct: d?.min ?? null,
          peak_pct: d?.max ?? null,
          median_pct: d?.median ?? null,
        };
      }),
    ),
    comparisons: [headline, 'ttft_ms_p50', 'wall_ms'].flatMap((m) => pairs.flatMap(([a, b]) => compare(m, a, b, ok))),
    scaling: [],
    parameters: [],
    improvements: [],
    findings: [],
    limits: [],
    repeat: [],
    distributions: [],
    runs,
    ...rest,
  };
}
