// Time to first token, token rate and duration of a request by runtime: one point a run, with intervals over runs.

import { h, logarithmic_choice, section } from './dom.js';
import { at, entries, metric, metric_title, report, tag } from './report.js';
import { number_column, table } from './table.js';
import { interval_legend } from './efficiency.js';
import { runtime_mark, runtime_swatch } from './palette.js';
import { chart } from './chart.js';
import { interval_height, interval_option } from './interval_chart.js';

const shown = [
  ['ttft_ms_p50', 'Time to first token'],
  ['tokens_per_second_mean', 'Token rate of a request'],
  ['e2e_ms_p50', 'Duration of a request'],
  ['itl_ms_p50', 'Gap between tokens'],
];

const runs_with = (name, chosen) =>
  (at('/runs') ?? [])
    .filter((r) => chosen(r) && r.values?.[name] != null)
    .map((r) => ({
      value: r.values[name],
      label: `${r.config}, run ${r.run}`,
      limited: r.client_limited?.length > 0,
    }));

/** A row for each runtime; with one runtime, its runs in each configuration. */
function rows_of(name) {
  const runtimes = entries('/runtimes').filter((r) => r.value.values?.[name]);
  if (runtimes.length > 1)
    return runtimes.map(({ value: r }) => ({
      label: r.name,
      mark: runtime_mark(r.name),
      mean: r.values[name].mean,
      ci: r.values[name].ci95,
      runs: runs_with(name, (run) => run.runtime === r.name),
    }));
  const configs = [...new Set((at('/runs') ?? []).map((r) => r.config))];
  return runtimes.length
    ? configs.map((config) => {
        const runs = runs_with(name, (run) => run.config === config);
        return {
          label: config,
          mark: runtime_mark(runtimes[0].value.name),
          mean: runs.length ? runs.reduce((sum, r) => sum + r.value, 0) / runs.length : null,
          runs,
        };
      })
    : [];
}

/** Whether a few long values, such as those of servers that loaded their model, would press all others together. */
function long_tailed(rows) {
  const values = rows.flatMap((r) => r.runs.map((run) => run.value)).sort((a, b) => a - b);
  return values.length > 0 && values[0] > 0 && values.at(-1) > 4 * values[Math.floor(values.length / 2)];
}

const text_table = (name, title, unit) =>
  table(
    `${title} by runtime`,
    [
      { title: 'runtime', cell: (r) => [runtime_swatch(r.value.name), ' ', r.value.name] },
      ...['n', 'mean', 'sd', 'median', 'min', 'max'].map((key) =>
        number_column(key, `values/${name}/${key}`, key === 'n' ? '' : unit),
      ),
    ],
    entries('/runtimes').filter((r) => r.value.values?.[name]),
  );

/** Most ways of looking at latency are here; null where no run has one of these figures. */
export function by_runtime() {
  const measured = shown.filter(([name]) => rows_of(name).length);
  if (!measured.length) return null;
  const several = entries('/runtimes').length > 1;
  return section(
    'latency-by-runtime',
    several ? 'Latency and speed by runtime' : 'Latency and speed',
    interval_legend(several),
    h(
      'div',
      { class: 'panels' },
      measured.map(([name, title]) => {
        const { unit } = metric(name);
        let log = long_tailed(rows_of(name));
        const drawn = chart({
          id: `runs-${name}`,
          title,
          tags: [report.metrics?.[name] ? tag(name) : null],
          controls: logarithmic_choice(log, (chosen) => {
            log = chosen;
            drawn.redraw();
          }),
          height: () => interval_height(rows_of(name), several ? 34 : 28),
          option: (width) =>
            interval_option(rows_of(name), {
              width,
              name: `${metric_title(name)}${unit && `, ${unit}`}`,
              unit,
              log,
            }),
          table: text_table(name, title, unit),
        });
        return drawn;
      }),
    ),
  );
}
