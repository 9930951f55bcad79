// Means with their 95 % intervals, and the runs behind them, one row each: what efficiency and comparisons are shown as.

import { axis, font, open_ends, tooltip } from './chart.js';
import { format, suffix } from './report.js';
import { line, muted, surface, text } from './palette.js';

const axis_height = 46;

export const interval_height = (rows, row_height = 26) => rows.length * row_height + axis_height;

/** Runs of a row lie side by side, in their order, so that equal figures stay visible. */
const spread = (i, n) => (n < 2 ? 0 : ((i + 0.5) / n - 0.5) * 0.62);

/** Labels get the room that they need, but on a phone leave most of it to the chart. */
const label_width = (rows, width) => {
  const longest = Math.max(0, ...rows.flatMap((r) => (r.label ?? '').split('\n').map((l) => l.length)));
  return Math.min(longest * 6.6 + 12, width * 0.38);
};

function draw_interval(params, api) {
  const [low, high, mean, row] = [0, 1, 2, 3].map((d) => api.value(d));
  const y = api.coord([mean, row])[1],
    color = api.visual('color');
  const [a, b, m] = [low, high, mean].map((v) => api.coord([v, row])[0]);
  const stroke = (x1, y1, x2, y2) => ({
    type: 'line',
    shape: { x1, y1, x2, y2 },
    style: { stroke: color, lineWidth: 2 },
  });
  const bar = Number.isNaN(low) ? [] : [stroke(a, y, b, y), stroke(a, y - 5, a, y + 5), stroke(b, y - 5, b, y + 5)];
  return {
    type: 'group',
    children: [
      ...bar,
      {
        type: 'polygon',
        shape: {
          points: [
            [m, y - 6],
            [m + 6, y],
            [m, y + 6],
            [m - 6, y],
          ],
        },
        style: { fill: color, stroke: surface, lineWidth: 1.5 },
      },
    ],
  };
}

/** A heading stands where the data of its row would. */
const draw_heading = (rows, width) => (_, api) => ({
  type: 'text',
  silent: true,
  x: 0,
  y: api.coord([0, api.value(0)])[1] + 3,
  style: {
    text: rows[api.value(0)].heading,
    fill: text,
    font: `600 12px ${font}`,
    verticalAlign: 'middle',
    width,
    overflow: 'truncate',
  },
});

/**
 * `rows`, from the top: { heading } or { label, mark, mean, ci: [low, high], runs: [{ value, label, outlier, limited }] }.
 * `zero` draws a line at 0 and keeps it in sight; `log` makes the axis logarithmic.
 */
export function interval_option(rows, { width, name, unit, zero = false, log = false }) {
  const left = label_width(rows, width);
  const drawn = rows.map((r, row) => ({ ...r, row })).filter((r) => r.mean != null);
  const runs = rows.flatMap((r, row) =>
    (r.runs ?? []).map((run, i) => ({
      ...run,
      mark: r.mark,
      owner: r.label,
      at: [run.value, row + spread(i, r.runs.length)],
    })),
  );
  const shown = (v) => `${format(v, unit)}${suffix(unit)}`;
  const scatter = (chosen, item) => ({
    type: 'scatter',
    symbolSize: width < 480 ? 5 : 7,
    emphasis: { disabled: true },
    data: runs.filter(chosen).map((r) => ({ value: r.at, symbol: r.mark.symbol, ...item(r), run: r })),
  });
  const values = [
    ...runs.map((r) => r.value),
    ...drawn.flatMap((r) => [r.mean, ...(r.ci ?? [])]),
    ...(zero ? [0] : []),
  ];
  const [low, high] = [Math.min(...values), Math.max(...values)],
    margin = (high - low || 1) * 0.03;
  return {
    grid: { left: left + 6, right: 16, top: 6, bottom: axis_height - 6, outerBoundsMode: 'none' },
    tooltip: tooltip(({ data, seriesType }) =>
      seriesType === 'scatter'
        ? [
            data.run.owner,
            data.run.label,
            shown(data.run.value),
            data.run.outlier && 'outlier (Tukey), kept',
            data.run.limited && 'client-limited',
          ].filter(Boolean)
        : data.row &&
          [
            data.row.label,
            `mean ${shown(data.row.mean)}`,
            data.row.ci && `95 % interval ${shown(data.row.ci[0])} to ${shown(data.row.ci[1])}`,
          ].filter(Boolean),
    ),
    xAxis: axis({
      type: log ? 'log' : 'value',
      logBase: 2,
      name,
      nameGap: 28,
      scale: !zero,
      splitNumber: width < 450 ? 4 : 7,
      min: log ? low / 1.08 : low - margin,
      max: log ? high * 1.08 : high + margin,
      ...open_ends,
    }),
    // A value axis, so that runs can lie beside the middle of their row.
    yAxis: [
      axis({
        type: 'value',
        inverse: true,
        min: -0.5,
        max: rows.length - 0.5,
        splitLine: { show: false },
        show: false,
      }),
      axis({
        type: 'category',
        inverse: true,
        position: 'left',
        data: rows.map((r) => r.label ?? ''),
        splitLine: { show: false },
        axisLabel: { color: text, width: left, lineHeight: 13, overflow: 'truncate', interval: 0, hideOverlap: false },
      }),
    ],
    series: [
      {
        type: 'custom',
        silent: true,
        data: rows.flatMap((r, i) => (r.heading ? [[i]] : [])),
        renderItem: draw_heading(rows, width),
        encode: { y: 0 },
      },
      ...(zero
        ? [
            {
              type: 'line',
              silent: true,
              symbol: 'none',
              lineStyle: { color: muted, width: 1, type: 'solid' },
              data: [
                [0, -0.5],
                [0, rows.length - 0.5],
              ],
            },
          ]
        : []),
      scatter(
        (r) => !r.limited,
        (r) => ({ itemStyle: { color: r.mark.color, opacity: 0.5 } }),
      ),
      scatter(
        (r) => r.limited,
        (r) => ({ itemStyle: { color: surface, borderColor: r.mark.color, borderWidth: 1.5 } }),
      ),
      scatter(
        (r) => r.outlier,
        (r) => ({
          symbol: 'circle',
          symbolSize: 14,
          itemStyle: { color: 'transparent', borderColor: r.mark.color, borderWidth: 1.5 },
        }),
      ),
      {
        type: 'custom',
        renderItem: draw_interval,
        encode: { x: [0, 1, 2], y: 3, tooltip: [] },
        emphasis: { disabled: true },
        data: drawn.map((r) => ({
          value: [r.ci?.[0] ?? NaN, r.ci?.[1] ?? NaN, r.mean, r.row],
          itemStyle: { color: r.mark.color },
          row: r,
        })),
      },
      // The second axis carries the labels; a series has to stand on it.
      { type: 'scatter', silent: true, yAxisIndex: 1, data: [] },
    ],
  };
}
