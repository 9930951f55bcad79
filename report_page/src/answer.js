// The answer: three sentences, and the key figures of every runtime in one table.

import { h, section } from './dom.js';
import { at, entries, figure, report, tag } from './report.js';
import { table } from './table.js';
import { runtime_swatch } from './palette.js';

/** The verdict; the first finding where the document has none. */
export function verdict() {
  const sentences = at('/answer/sentences') ?? [];
  return sentences.length
    ? h(
        'div',
        { class: 'answer', role: 'region', 'aria-label': 'The answer' },
        sentences.map((s, i) => h('p', { class: i === 0 ? 'first' : null }, s)),
      )
    : null;
}

const standings = {
  best: { mark: '★', words: 'best' },
  tied: { mark: '≈', words: 'no worse than the best by more than the margin' },
  worse: { mark: '▽', words: 'detectably worse than the best' },
  undecided: { mark: '?', words: 'too few runs, or too much scatter, to tell' },
};

/** How a runtime stands by a metric, as a sign that is explained below the table. */
function standing(metric, runtime) {
  const row = at('/decisions')?.find((d) => d.metric === metric);
  const sign = standings[row?.cells.find((c) => c.runtime === runtime)?.standing];
  return sign ? h('span', { class: 'standing', title: sign.words, 'aria-label': sign.words }, sign.mark) : null;
}

/** A runtime's mean with its deviation, or its median with its quartiles. */
function cell({ value: row, pointer }, i) {
  const c = row.cells[i],
    from = `${pointer}/cells/${i}`;
  if (!c || c[row.shown] == null) return h('span', { class: 'none', title: 'not measured' }, '\u2013');
  const spread =
    row.shown === 'median'
      ? c.q1 != null && c.q3 != null && c.n > 1
        ? [figure(`${from}/q1`, row.unit), ' to ', figure(`${from}/q3`, row.unit)]
        : null
      : c.sd != null
        ? ['sd ', figure(`${from}/sd`, row.unit)]
        : null;
  return [
    h('span', { class: 'main' }, figure(`${from}/${row.shown}`, row.unit), standing(row.metric, c.runtime)),
    spread ? h('span', { class: 'spread' }, spread) : null,
  ];
}

/** The runtimes of the table in the report's order, with what has to be known before their figures are believed. */
function heading({ value: r }) {
  const flags = [
    r.serialized_runs * 2 > r.n && 'serialized',
    r.client_limited_runs > 0 && `${r.client_limited_runs} client-limited`,
    r.arrival_limited_runs > 0 && `${r.arrival_limited_runs} arrival-limited`,
  ].filter(Boolean);
  return h(
    'span',
    {},
    runtime_swatch(r.name),
    ` ${r.name}`,
    flags.map((f) => h('span', { class: 'flag' }, f)),
  );
}

/** All key figures by runtime; null where the document has none. */
export function overview() {
  const rows = entries('/overview');
  if (!rows.length) return null;
  const runtimes = entries('/runtimes');
  const decided = (at('/decisions') ?? []).flatMap((d) => d.cells.map((c) => c.standing));
  const signs = Object.entries(standings).filter(([name]) => decided.includes(name));
  const several = rows.some((r) => r.value.shown === 'median');
  return h(
    'div',
    { class: runtimes.length > 4 ? 'overview many' : 'overview' },
    table(
      'Key figures by runtime',
      [
        {
          title: 'over runs',
          cell: ({ value: r }) => [
            h('span', { class: 'label' }, r.label),
            r.unit && r.unit !== '1' ? h('span', { class: 'unit' }, ` ${r.unit}`) : null,
            report.metrics?.[r.metric] ? [' ', tag(r.metric)] : null,
          ],
        },
        ...runtimes.map((r) => ({
          title: heading(r),
          number: true,
          cell: (row) =>
            cell(
              row,
              row.value.cells.findIndex((c) => c.runtime === r.value.name),
            ),
        })),
      ],
      rows,
    ),
    h(
      'p',
      { class: 'small' },
      several
        ? 'Means over runs with their deviation; of times medians with their quartiles. '
        : 'Means over runs with their deviation. ',
      signs.map(([, s], i) => [i > 0 ? '; ' : '', h('span', { class: 'standing' }, s.mark), ` ${s.words}`]),
      signs.length ? '.' : '',
    ),
  );
}

/** The findings, the largest first. */
export function findings() {
  const all = at('/findings') ?? [];
  return all.length
    ? section(
        'findings',
        'Findings',
        h(
          'ul',
          { class: 'findings' },
          all.map((s) => h('li', {}, s)),
        ),
      )
    : null;
}
