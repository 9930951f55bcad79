// What the measured speed costs, at prices that the profile states. Every figure is an estimate.

import { h, section } from './dom.js';
import { entries, figure, interval } from './report.js';
import { folded, number_column, table } from './table.js';
import { runtime_swatch } from './palette.js';

function cost({ value: c, pointer }) {
  const rows = entries(`${pointer}/runtimes`);
  const has = (key) => rows.some((r) => r.value[key] != null);
  const amount = (title, key) => (has(key) ? number_column(title, key, '', { absent: '–' }) : null);
  return h(
    'div',
    {},
    h(
      'p',
      {},
      `Amounts in ${c.currency}${c.source ? `, ${c.source}` : ''}${c.baseline ? `, saved against ${c.baseline}` : ''}. `,
      h('span', { class: 'tag estimated' }, 'estimated'),
    ),
    table(
      'Cost by runtime',
      [
        { title: 'runtime', cell: ({ value: r }) => [runtime_swatch(r.runtime), ' ', r.runtime] },
        number_column('tokens/s', 'throughput'),
        {
          title: 'per million tokens',
          number: true,
          cell: (r) => [
            figure(`${r.pointer}/per_million_tokens`),
            r.value.per_million_ci95 ? h('span', { class: 'spread' }, interval(`${r.pointer}/per_million_ci95`)) : null,
          ],
        },
        amount('per month', 'per_month'),
        amount('saved per month', 'saved_per_month'),
        amount('break-even, months', 'break_even_months'),
        amount('a point per month', 'point_per_month'),
        rows.some((r) => r.value.note) ? { title: 'note', words: true, cell: ({ value: r }) => r.note } : null,
      ].filter(Boolean),
      rows,
    ),
    c.formulas?.length
      ? folded(
          'Formulas and inputs',
          table(
            'Formulas',
            [
              { title: 'figure', cell: (f) => f.figure },
              { title: 'formula', words: true, cell: (f) => f.formula },
              { title: 'inputs', words: true, cell: (f) => f.inputs },
            ],
            c.formulas,
          ),
        )
      : null,
  );
}

export function costs() {
  const all = entries('/costs').filter((c) => c.value.runtimes?.length);
  return all.length ? section('costs', 'Cost', all.map(cost)) : null;
}
