// Published statements beside what the data say.

import { choice, h, section } from './dom.js';
import { at, entries, figure } from './report.js';
import { table } from './table.js';

const verdicts = {
  holds: 'holds',
  wrong: 'wrong',
  other_sign: 'the opposite',
  not_derivable: 'not derivable',
};

const counted = {
  holds: 'hold',
  wrong: 'wrong',
  other_sign: 'of which the data show the opposite',
  not_derivable: 'not derivable',
};

function claim_table(rows) {
  return table(
    'Published statements',
    [
      {
        title: 'statement',
        words: true,
        cell: ({ value: c }) => [
          c.statement,
          h('span', { class: 'spread' }, [c.source, c.id].filter(Boolean).join(' ')),
        ],
      },
      { title: 'published', number: true, cell: ({ value: c }) => c.said },
      {
        title: 'recomputed',
        number: true,
        cell: (c) => [
          c.value.found || h('span', { class: 'none' }, '–'),
          c.value.deviation == null
            ? null
            : h('span', { class: 'spread' }, 'off by ', figure(`${c.pointer}/deviation`, c.value.unit)),
        ],
      },
      {
        title: 'verdict',
        cell: ({ value: c }) => h('strong', { class: `claim ${c.verdict}` }, verdicts[c.verdict] ?? c.verdict),
        sort: (c) => c.value.verdict,
      },
      {
        title: 'note',
        words: true,
        cell: ({ value: c }) => [c.about, c.note ? h('span', { class: 'spread' }, c.note) : null],
      },
    ],
    rows,
  );
}

export function claims() {
  const all = entries('/claims/claims');
  if (!all.length) return null;
  const body = h('div', {}, claim_table(all));
  const kinds = Object.keys(verdicts).filter((v) => at(`/claims/${v}`) > 0);
  return section(
    'claims',
    'Published statements',
    h(
      'p',
      {},
      `Of ${all.length}: `,
      kinds.map((v, i) => [i > 0 ? ', ' : '', figure(`/claims/${v}`), ` ${counted[v]}`]),
      '.',
    ),
    kinds.length > 1
      ? h(
          'div',
          { class: 'controls' },
          choice('show', ['all', ...kinds.map((v) => verdicts[v])], (i) =>
            body.replaceChildren(claim_table(i === 0 ? all : all.filter((c) => c.value.verdict === kinds[i - 1]))),
          ),
        )
      : null,
    body,
  );
}
