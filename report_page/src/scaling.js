// Throughput and efficiency over the number of agents, with the fitted laws.

import { h, section } from './dom.js';
import { at, entries, figure, format, interval, metric, suffix, tag } from './report.js';
import { number_column, table } from './table.js';
import { series_mark, series_swatch, surface } from './palette.js';
import { axis, chart, tooltip } from './chart.js';

const unit = () => metric('throughput_tok_s').unit;
const title_of = (s, several) => (several ? `${s.runtime}, ${s.series}` : s.series);

/** Colour tells runtimes apart, as everywhere, or series where there is one runtime; symbol and dash tell series apart. */
function numbers_of(s, several) {
  const series = [...new Set((at('/scaling') ?? []).map((x) => x.series))].indexOf(s.series);
  return [several ? at('/runtimes').findIndex((r) => r.name === s.runtime) : series, series];
}

/** Amdahl's and Gunther's throughput at n; Amdahl's through the first point, since the fit is of ratios. */
function laws({ amdahl, usl, points }) {
  const speedup = (n, s) => 1 / (s + (1 - s) / n);
  const first = points[0];
  return {
    amdahl:
      amdahl &&
      ((n) => (first.throughput_mean * speedup(n, amdahl.serial_fraction)) / speedup(first.n, amdahl.serial_fraction)),
    usl: usl && ((n) => (usl.rate * n) / (1 + usl.contention * (n - 1) + usl.coherency * n * (n - 1))),
  };
}

const draw_bar = (params, api) => {
  const [n, low, high] = [0, 1, 2].map((d) => api.value(d)),
    [x, top] = api.coord([n, high]),
    bottom = api.coord([n, low])[1];
  const stroke = (x1, y1, x2, y2) => ({
    type: 'line',
    shape: { x1, y1, x2, y2 },
    style: { stroke: api.visual('color'), lineWidth: 1.5 },
  });
  return {
    type: 'group',
    children: [stroke(x, top, x, bottom), stroke(x - 4, top, x + 4, top), stroke(x - 4, bottom, x + 4, bottom)],
  };
};

function frame(series, name, more, y) {
  const largest = Math.max(...series.flatMap((s) => s.value.points.map((p) => p.n)));
  return {
    grid: { left: 52, right: 16, top: 12, bottom: 42, outerBoundsMode: 'none' },
    xAxis: axis({
      type: 'value',
      name: 'agents N',
      nameGap: 26,
      min: 0,
      max: largest + 0.5,
      minInterval: 1,
      axisLabel: { showMaxLabel: false },
      splitLine: { show: false },
    }),
    yAxis: axis({ type: 'value', name, nameGap: 38, min: 0, ...y }),
    ...more,
  };
}

function throughput(series, several) {
  return frame(series, unit(), {
    tooltip: tooltip(
      ({ data }) =>
        data.point && [
          title_of(data.series, several),
          `N = ${data.point.n}: ${format(data.point.throughput_mean)}${suffix(unit())}`,
        ],
    ),
    series: series.flatMap(({ value: s }) => {
      const { color, symbol } = series_mark(...numbers_of(s, several)),
        fits = laws(s),
        last = s.points.at(-1).n;
      const steps = Array.from({ length: 60 }, (_, k) => s.points[0].n + ((last - s.points[0].n) * k) / 59);
      const curve = (law, type, width) =>
        law
          ? [
              {
                type: 'line',
                silent: true,
                symbol: 'none',
                data: steps.map((n) => [n, law(n)]),
                lineStyle: { color, type, width },
              },
            ]
          : [];
      return [
        ...curve(fits.usl, 'solid', 2),
        ...curve(fits.amdahl, [3, 4], 1.5),
        {
          type: 'custom',
          silent: true,
          renderItem: draw_bar,
          itemStyle: { color },
          encode: { x: 0, y: [1, 2] },
          data: s.points.filter((p) => p.throughput_ci95).map((p) => [p.n, ...p.throughput_ci95]),
        },
        {
          type: 'scatter',
          symbol,
          symbolSize: 9,
          itemStyle: { color, borderColor: surface, borderWidth: 1 },
          emphasis: { disabled: true },
          data: s.points.map((point) => ({ value: [point.n, point.throughput_mean], point, series: s })),
        },
      ];
    }),
  });
}

function efficiency(series, several) {
  return frame(
    series,
    'efficiency, %',
    {
      tooltip: tooltip(
        ({ data }) =>
          data?.point && [
            title_of(data.series, several),
            `N = ${data.point.n}: ${format(data.point.efficiency_mean_pct, '%')} %`,
          ],
      ),
      series: series.map(({ value: s }) => {
        const { color, symbol, dash } = series_mark(...numbers_of(s, several));
        return {
          type: 'line',
          symbol,
          symbolSize: 9,
          itemStyle: { color },
          lineStyle: { color, type: dash, width: 1.5 },
          emphasis: { disabled: true },
          showAllSymbol: true,
          data: s.points
            .filter((p) => p.efficiency_mean_pct != null)
            .map((point) => ({ value: [point.n, point.efficiency_mean_pct], point, series: s })),
        };
      }),
    },
    { max: (range) => Math.max(100, range.max) },
  );
}

const series_columns = [
  { title: 'runtime', cell: (s) => s.value.runtime },
  { title: 'series', cell: (s) => s.value.series },
];

const fit_table = (series) =>
  table(
    'Fitted laws',
    [
      ...series_columns,
      number_column('Amdahl: serial fraction', 'amdahl/serial_fraction'),
      number_column('R²', 'amdahl/r2'),
      number_column('USL: contention', 'usl/contention'),
      number_column('coherency', 'usl/coherency'),
      number_column(`rate${suffix(unit())}`, 'usl/rate'),
      number_column('R²', 'usl/r2'),
      number_column('peak at N', 'usl/peak_n', '', { absent: 'none' }),
      number_column('saturates at N', 'saturation_n', '', { absent: 'not reached' }),
    ],
    series,
  );

const point_rows = (series) =>
  series.flatMap((s) => s.value.points.map((_, i) => ({ value: s.value, pointer: `${s.pointer}/points/${i}` })));

const throughput_table = (series) =>
  table(
    'Throughput by number of agents',
    [
      ...series_columns,
      number_column('N', 'n'),
      number_column(`throughput, ${unit()}`, 'throughput_mean', '', { tag: tag('throughput_tok_s') }),
      { title: '95 % interval', number: true, cell: (p) => interval(`${p.pointer}/throughput_ci95`) },
    ],
    point_rows(series),
  );

const efficiency_table = (series) =>
  table(
    'Efficiency and fairness by number of agents',
    [
      ...series_columns,
      number_column('N', 'n'),
      number_column('efficiency %', 'efficiency_mean_pct', '%', { tag: tag('efficiency_pct') }),
      number_column('Jain’s index', 'jain', '', { tag: tag('jain_index') }),
    ],
    point_rows(series),
  );

export function scaling() {
  const series = entries('/scaling').filter((s) => s.value.points?.length);
  if (!series.length) return null;
  const several = (at('/runtimes') ?? []).length > 1;
  const legend = () =>
    h(
      'ul',
      { class: 'legend' },
      series.map(({ value: s }) => {
        const [color, shape] = numbers_of(s, several);
        return h('li', {}, series_swatch(color, { shape, with_line: true }), ` ${title_of(s, several)}`);
      }),
    );
  return section(
    'scaling',
    'Scaling',
    h(
      'div',
      { class: 'pair' },
      chart({
        id: 'throughput',
        title: 'Throughput',
        tags: [tag('throughput_tok_s')],
        note: 'Points with 95 % intervals; solid: USL fit; dotted: Amdahl fit.',
        legend: legend(),
        height: () => 320,
        option: () => throughput(series, several),
        table: throughput_table(series),
      }),
      chart({
        id: 'scaling-efficiency',
        title: 'Efficiency',
        tags: [tag('efficiency_pct')],
        note: 'Each point is a mean; Jain’s index is in the table.',
        legend: legend(),
        height: () => 320,
        option: () => efficiency(series, several),
        table: efficiency_table(series),
      }),
    ),
    h('h3', {}, 'Fits'),
    fit_table(series),
  );
}
