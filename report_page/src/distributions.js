// Distributions of TTFT and ITL, as the share of values below each value.

import { h, logarithmic_choice, section } from './dom.js';
import { entries, figure, format, report, tag } from './report.js';
import { number_column, table } from './table.js';
import { runtime_legend, runtime_mark, runtime_swatch } from './palette.js';
import { axis, chart, tooltip } from './chart.js';

const titles = { ttft_ms: 'Time to first token (TTFT)', itl_ms: 'Gaps between tokens (ITL)' };

/** Where a line shows its runtime's symbol; elsewhere symbols are only there to be pointed at. */
const marked = new Set([0.25, 0.5, 0.75]);

/** How many times the smallest value above zero the largest is. */
function widest(rows) {
  const values = rows.flatMap((r) => r.value.quantiles.map(([, v]) => v)).filter((v) => v > 0);
  return Math.max(...values) / Math.min(...values);
}

/** Whether a few long values would press all others together. */
const long_tailed = (rows) =>
  rows.some(({ value: { quantiles: q } }) => q.at(-1)[1] > 4 * q[Math.floor(q.length / 2)][1]);

function option(rows, log) {
  return {
    grid: { left: 48, right: 20, top: 12, bottom: 46, outerBoundsMode: 'none' },
    tooltip: tooltip(({ seriesName, value }) => [
      seriesName,
      `${format(100 * value[1], '%')} % are at most`,
      `${format(value[0])}\u00a0ms`,
    ]),
    // Doublings read better than decades where there are few of those.
    xAxis: axis({
      type: log ? 'log' : 'value',
      logBase: widest(rows) > 1000 ? 10 : 2,
      name: log ? 'ms, logarithmic' : 'ms',
      nameGap: 28,
    }),
    yAxis: axis({
      type: 'value',
      name: '% of values at most this long',
      nameGap: 34,
      min: 0,
      max: 1,
      interval: 0.25,
      axisLabel: { formatter: (v) => 100 * v },
    }),
    series: rows.map(({ value: d }) => {
      const { color, symbol, dash } = runtime_mark(d.runtime);
      // A logarithmic axis has no place for gaps of 0: tokens that arrived together.
      return {
        type: 'line',
        name: d.runtime,
        symbol,
        symbolSize: 9,
        showAllSymbol: true,
        data: d.quantiles
          .filter(([, v]) => !log || v > 0)
          .map(([q, v]) => ({ value: [v, q], itemStyle: { color, opacity: marked.has(q) ? 1 : 0 } })),
        itemStyle: { color },
        lineStyle: { color, type: dash, width: 2 },
        emphasis: { disabled: true },
      };
    }),
  };
}

/** The entry of `quantiles` for q, which the table shows. */
const quantile_column = (q) => ({
  title: q === 0 ? 'min' : q === 1 ? 'max' : q === 0.5 ? 'median' : `p${Math.round(100 * q)}`,
  number: true,
  cell: (r) => figure(`${r.pointer}/quantiles/${r.value.quantiles.findIndex(([x]) => Math.abs(x - q) < 1e-9)}/1`),
});

const text_table = (name, rows) =>
  table(
    `${titles[name] ?? name}, quantiles in ms`,
    [
      { title: 'runtime', cell: (r) => [runtime_swatch(r.value.runtime), ' ', r.value.runtime] },
      number_column('n', 'n'),
      ...[0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1].map(quantile_column),
    ],
    rows,
  );

const rows_of = (name) => entries('/distributions').filter((d) => d.value.metric === name && d.value.quantiles?.length);
const has = (name) => rows_of(name).length > 0;

function one(name) {
  const rows = rows_of(name);
  if (!rows.length) return null;
  const median = `${name}_p50`;
  let log = long_tailed(rows);
  const drawn = chart({
    id: `distribution-${name.replace('_ms', '')}`,
    title: titles[name],
    tags: [report.metrics?.[median] ? tag(median) : null],
    note: rows.some((r) => r.value.quantiles[0][1] === 0)
      ? 'Tokens that arrived together have gaps of 0, for which a logarithmic axis has no place.'
      : null,
    legend: runtime_legend(true),
    controls: logarithmic_choice(log, (chosen) => {
      log = chosen;
      drawn.redraw();
    }),
    height: (width) => (width < 480 ? 260 : 320),
    option: () => option(rows, log),
    table: text_table(name, rows),
  });
  return drawn;
}

export function distributions() {
  return entries('/distributions').length
    ? section(
        'distributions',
        'Distributions',
        h(
          'p',
          {},
          'All requests of a runtime, pooled over its runs.',
          Object.keys(titles)
            .filter((name) => !has(name))
            .map((name) => h('span', { class: 'none' }, ` ${titles[name]}: not measured.`)),
        ),
        h('div', { class: 'pair' }, Object.keys(titles).map(one)),
      )
    : null;
}
