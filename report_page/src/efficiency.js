// Efficiency by runtime and by configuration.

import { h, section } from './dom.js';
import { at, entries, figure, interval, is_about_one_agent, metric_title, report, tag } from './report.js';
import { number_column, table } from './table.js';
import { runtime_mark, runtime_swatch } from './palette.js';
import { chart } from './chart.js';
import { interval_height, interval_option } from './interval_chart.js';

const key = (style, sign, words) =>
  h('li', {}, h('span', { class: `key ${style}`, 'aria-hidden': 'true' }, sign), ` ${words}`);

/** What a chart of intervals over runs shows; only what there is. */
export function interval_legend(with_interval = true, with_outliers = false) {
  return h(
    'ul',
    { class: 'legend' },
    key('mean', '◆', with_interval ? 'mean with its 95 % interval' : 'mean'),
    key('run', '●', 'one run'),
    at('/runs')?.some((r) => r.client_limited?.length) ? key('', '○', 'client-limited run') : null,
    with_outliers ? key('outlier', '●', 'outlier (ringed): marked, never dropped') : null,
  );
}

const has_outliers = () => (at('/runtimes') ?? []).some((r) => r.outliers?.length);

function row_of(runtime, label, mean, ci, runs) {
  const outliers = runtime.outliers ?? [];
  return {
    label,
    mark: runtime_mark(runtime.name),
    mean,
    ci,
    runs: runs
      .filter((r) => r.values?.[report.headline] != null)
      .map((r) => ({
        value: r.values[report.headline],
        label: `${r.config}, run ${r.run}`,
        outlier: outliers.some((o) => o.config === r.config && o.run === r.run),
        limited: r.client_limited?.length > 0,
      })),
  };
}

const runs_of = (runtime) => (at('/runs') ?? []).filter((r) => r.runtime === runtime);

function by_runtime() {
  return entries('/runtimes').map(({ value: r }) => row_of(r, r.name, r.mean_pct, r.ci95_pct, runs_of(r.name)));
}

/** Runtimes of one configuration together, or, with one runtime, its configurations. */
function by_config() {
  const runtimes = at('/runtimes') ?? [],
    cells = at('/configs') ?? [];
  const names = [...new Set(cells.map((c) => c.config))];
  const row = (cell, label) =>
    row_of(
      runtimes.find((r) => r.name === cell.runtime) ?? { name: cell.runtime },
      label,
      cell.mean_pct,
      cell.ci95_pct,
      runs_of(cell.runtime).filter((r) => r.config === cell.config),
    );
  if (runtimes.length < 2) return cells.map((c) => row(c, c.config));
  return names.flatMap((name) => [
    { heading: name },
    ...cells.filter((c) => c.config === name).map((c) => row(c, c.runtime)),
  ]);
}

const runtime_table = () =>
  table(
    'Efficiency by runtime',
    [
      { title: 'runtime', cell: (r) => [runtime_swatch(r.value.name), ' ', r.value.name], sort: (r) => r.value.name },
      number_column('n', 'n'),
      number_column('mean %', 'mean_pct', '%', { tag: tag(report.headline) }),
      { title: '95 % interval', number: true, cell: (r) => interval(`${r.pointer}/ci95_pct`, '%') },
      number_column('sd of config. means', 'sd_of_config_means_pct', '%'),
      number_column('peak', 'peak_pct', '%'),
      number_column('estimate %', 'estimated_mean_pct', '%', { tag: tag('estimated_efficiency_pct') }),
      number_column('imbalance bound %', 'imbalance_bound_mean_pct', '%', { tag: tag('imbalance_bound_pct') }),
      number_column('remainder', 'remainder_mean_pct', '%', { tag: tag('remainder_pct') }),
      number_column('sd', 'sd_pct', '%'),
      number_column('CV %', 'cv_pct', '%'),
      number_column('median', 'median_pct', '%'),
      number_column('min', 'min_pct', '%'),
      number_column('outliers', 'outliers/length'),
    ],
    entries('/runtimes'),
  );

const config_table = () =>
  table(
    'Efficiency by configuration',
    [
      { title: 'configuration', cell: (c) => c.value.config, sort: (c) => c.value.config },
      {
        title: 'runtime',
        cell: (c) => [runtime_swatch(c.value.runtime), ' ', c.value.runtime],
        sort: (c) => c.value.runtime,
      },
      number_column('n', 'n'),
      number_column('mean %', 'mean_pct', '%', { tag: tag(report.headline) }),
      { title: '95 % interval', number: true, cell: (c) => interval(`${c.pointer}/ci95_pct`, '%') },
      number_column('sd', 'sd_pct', '%'),
      number_column('median', 'median_pct', '%'),
      number_column('min', 'min_pct', '%'),
      number_column('peak', 'peak_pct', '%'),
    ],
    entries('/configs'),
  );

const entries_of_one = (pointer) => (at(pointer) ? [{ value: at(pointer), pointer }] : []);

/** What the configurations gain over a baseline, where the study has one. */
function improvement({ value: i, pointer }) {
  return h(
    'p',
    {},
    `Against ${i.baseline} (${metric_title(i.metric)}): `,
    figure(`${pointer}/success_rate_pct`, '%'),
    '\u00a0% of the configurations improve; best ',
    figure(`${pointer}/peak_pct`, '%'),
    '\u00a0%, mean ',
    figure(`${pointer}/mean_pct`, '%'),
    '\u00a0%.',
  );
}

const explanations = {
  efficiency_pct: 'The agents alone against all together: 100 % means that N agents take as long as one.',
  recovered_efficiency_pct:
    'No agent ran alone, but in some runs the agents ran one after the other: this is the efficiency that follows from their pace there.',
  estimated_efficiency_pct:
    'No agent ran alone, so this is the estimate from the concurrent runs: it cannot see agents slowing each other down.',
};

export function efficiency() {
  if (is_about_one_agent() || !by_runtime().some((r) => r.mean != null)) return null;
  const name = `${metric_title(report.headline)}, %`,
    one = (rows, row_height, id, title, text_table) =>
      chart({
        id,
        title,
        tags: [tag(report.headline)],
        legend: interval_legend(true, has_outliers()),
        height: () => interval_height(rows, row_height),
        option: (width) => interval_option(rows, { width, name, unit: '%' }),
        table: text_table,
      });
  return section(
    'efficiency',
    'Efficiency',
    h('p', {}, explanations[report.headline] ?? ''),
    one(by_runtime(), 36, 'by-runtime', 'By runtime', runtime_table()),
    at('/configs')?.length > 1 ? one(by_config(), 26, 'by-config', 'By configuration', config_table()) : null,
    (at('/improvements') ? entries('/improvements') : entries_of_one('/improvement')).map(improvement),
  );
}
