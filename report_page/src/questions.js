// What the study was to find out: hypotheses and criteria with their verdicts, and published values that runtimes are
// held against.

import { h, section } from './dom.js';
import { entries, figure, interval, metric_title } from './report.js';
import { number_column, table } from './table.js';
import { interval_track, scale_over, track_axis } from './marks.js';
import { runtime_swatch } from './palette.js';

const verdicts = {
  supported: ['holds', 'supported'],
  refuted: ['wrong', 'refuted: its opposite is supported'],
  not_shown: ['not_derivable', 'not shown'],
  too_few_runs: ['not_derivable', 'too few runs'],
  not_derivable: ['not_derivable', 'not derivable'],
};

function verdict(name) {
  const [look, words] = verdicts[name] ?? ['', name];
  return h('strong', { class: `claim ${look}` }, words);
}

const said = ({ source, id }) => h('span', { class: 'spread' }, [source, id].filter(Boolean).join(' '));

function hypotheses() {
  const all = entries('/hypotheses');
  return all.length
    ? [
        h('h3', {}, 'Hypotheses'),
        table(
          'Hypotheses',
          [
            { title: 'hypothesis', words: true, cell: ({ value: q }) => [q.statement, said(q)] },
            { title: 'verdict', cell: ({ value: q }) => verdict(q.verdict), sort: (q) => q.value.verdict },
            {
              title: 'difference',
              number: true,
              cell: (q) => [
                figure(`${q.pointer}/difference`, q.value.unit),
                q.value.ci95 ? h('span', { class: 'spread' }, interval(`${q.pointer}/ci95`, q.value.unit)) : null,
              ],
            },
            { title: 'unit', cell: ({ value: q }) => q.unit },
            number_column('p (Holm)', 'p_holm', 'p'),
            number_column('p of the opposite', 'p_against_holm', 'p'),
            { title: 'in words', words: true, cell: ({ value: q }) => q.words },
          ],
          all,
        ),
      ]
    : null;
}

function criterion({ value: c, pointer }) {
  const { unit } = c;
  return h(
    'div',
    {},
    h(
      'p',
      {},
      h(
        'strong',
        { class: `claim ${c.met == null ? 'not_derivable' : c.met ? 'holds' : 'wrong'}` },
        c.met == null ? 'not known' : c.met ? 'met' : 'not met',
      ),
      ` ${c.statement} `,
      said(c),
    ),
    c.words ? h('p', { class: 'small' }, c.words) : null,
    c.rows?.length
      ? table(
          c.about,
          [
            { title: 'runtime', cell: ({ value: r }) => [runtime_swatch(r.subject), ' ', r.subject] },
            {
              title: `value${unit ? `, ${unit}` : ''}`,
              number: true,
              cell: (r) => figure(`${r.pointer}/value`, unit, r.value.missing || 'not measured'),
            },
            number_column(`better than the bar by${c.unit_of_over ? `, ${c.unit_of_over}` : ''}`, 'over', unit),
            number_column('p (Holm)', 'p_holm', 'p', { absent: 'no test' }),
            {
              title: 'met',
              cell: ({ value: r }) =>
                r.met == null ? h('span', { class: 'none' }, 'not known') : r.met ? 'yes' : 'no',
            },
          ],
          entries(`${pointer}/rows`),
        )
      : null,
  );
}

function reference({ value: r, pointer }) {
  const rows = entries(`${pointer}/rows`);
  if (!rows.length) return null;
  const scale = scale_over(
    rows.flatMap(({ value: x }) => [x.gap, ...(x.ci95 ?? [])]),
    { zero: true, ticks: 5 },
  );
  const title = `Against ${r.name}`;
  const drawn = table(
    title,
    [
      {
        title: 'runtime',
        cell: ({ value: x }) => h('span', { class: 'pair-name' }, runtime_swatch(x.runtime), ` ${x.runtime}`),
      },
      {
        title: h(
          'span',
          { class: 'plot-title' },
          `gap${r.unit_of_gap ? `, ${r.unit_of_gap}` : ''}, with its 95 % interval`,
        ),
        plot: true,
        cell: ({ value: x }) => interval_track(scale, { mean: x.gap, ci: x.ci95, unit: r.unit }),
      },
      {
        title: 'gap of the mean',
        number: true,
        cell: (x) => [
          figure(`${x.pointer}/gap`, r.unit),
          x.value.ci95 ? h('span', { class: 'spread' }, interval(`${x.pointer}/ci95`, r.unit)) : null,
        ],
      },
      number_column('of the best configuration', 'gap_of_best_config', r.unit),
      number_column('of the best run', 'gap_of_best_run', r.unit),
      number_column('p (Holm)', 'p_holm', 'p'),
    ],
    rows,
  );
  drawn
    .querySelector('tbody')
    .append(
      h('tr', { class: 'axis' }, h('td', {}), h('td', { class: 'plot' }, track_axis(scale)), h('td', { colspan: 4 })),
    );
  return h(
    'div',
    { class: 'forest' },
    h('h3', {}, title),
    h(
      'p',
      {},
      `${r.what || metric_title(r.metric)}: `,
      figure(`${pointer}/value`, r.unit),
      r.unit ? `\u00a0${r.unit}` : '',
    ),
    drawn,
  );
}

export function questions() {
  const criteria = entries('/criteria'),
    references = entries('/references').map(reference).filter(Boolean),
    judged = hypotheses();
  if (!judged && !criteria.length && !references.length) return null;
  return section(
    'questions',
    'Hypotheses and criteria',
    judged,
    criteria.length ? [h('h3', {}, 'Criteria'), criteria.map(criterion)] : null,
    references,
  );
}
