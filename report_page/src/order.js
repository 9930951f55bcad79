// The runs in the order of time: drift, and what a server that loads its model changes.

import { h, section } from './dom.js';
import { at, entries, figure, interval, metric, metric_title } from './report.js';
import { number_column, table } from './table.js';
import { runtime_swatch } from './palette.js';

const contrast = (title, pointer, a, b) => {
  const rows = entries(pointer);
  return rows.length
    ? [
        h('h3', {}, title),
        table(
          title,
          [
            { title: 'runtime', cell: (c) => [runtime_swatch(c.value.runtime), ' ', c.value.runtime] },
            {
              title: 'median over runs of',
              cell: (c) =>
                `${metric_title(c.value.metric)}${metric(c.value.metric).unit && `, ${metric(c.value.metric).unit}`}`,
            },
            {
              title: a,
              number: true,
              cell: (c) => [
                figure(`${c.pointer}/median_a`, metric(c.value.metric).unit),
                h('span', { class: 'spread' }, figure(`${c.pointer}/n_a`), ' runs'),
              ],
            },
            {
              title: b,
              number: true,
              cell: (c) => [
                figure(`${c.pointer}/median_b`, metric(c.value.metric).unit),
                h('span', { class: 'spread' }, figure(`${c.pointer}/n_b`), ' runs'),
              ],
            },
            number_column('p (U test)', 'p', 'p'),
          ],
          rows,
        ),
      ]
    : null;
};

export function order() {
  const o = at('/order');
  const drift = entries('/order/drift');
  if (!o || (o.one_after_another == null && !drift.length && !o.cold?.length && !o.first?.length)) return null;
  return section(
    'order',
    'Order and drift',
    o.one_after_another
      ? h(
          'p',
          {},
          `The runtimes ran one after the other (${o.sequence.join(', ')}): a drift of the machine would look like a difference between them.`,
        )
      : o.one_after_another === false
        ? h('p', {}, 'The runtimes’ runs are mixed in time: a drift of the machine hits all alike.')
        : null,
    drift.length
      ? table(
          'Drift within a runtime and configuration',
          [
            { title: 'drift of', cell: (d) => metric_title(d.value.metric) },
            number_column('in ten runs', 'in_ten_runs', ''),
            { title: '95 % interval', number: true, cell: (d) => interval(`${d.pointer}/ci95`) },
            {
              title: 'unit',
              cell: (d) => (metric(d.value.metric).unit === '%' ? 'points' : metric(d.value.metric).unit),
            },
            number_column('p', 'p', 'p'),
            number_column('runs', 'n'),
          ],
          drift,
        )
      : null,
    contrast('Cold and warm runs', '/order/cold', 'a server loaded its model', 'others'),
    contrast('First runs and the rest', '/order/first', 'first run of a configuration', 'others'),
  );
}
