// Every pair of runtimes, metric by metric, as a forest plot.

import { choice, h, section } from './dom.js';
import { difference_unit, entries, figure, interval, metric, metric_title, report, tag } from './report.js';
import { folded, number_column, table } from './table.js';
import { interval_track, scale_over, track_axis } from './marks.js';
import { runtime_swatch } from './palette.js';

function verdict_of({ a, b, verdict, mann_whitney }) {
  const words = { a_higher: `${a} higher`, b_higher: `${b} higher`, too_few_runs: 'too few runs' }[verdict];
  if (words) return words;
  return mann_whitney?.p_holm < 0.05 ? 'means alike, ranks differ' : 'no detectable difference';
}

const is_detectable = (c) => c.verdict === 'a_higher' || c.verdict === 'b_higher';

function forest(name, title, pairs) {
  const unit = metric(name).unit,
    said = difference_unit(unit);
  const scale = scale_over(
    pairs.flatMap(({ value: c }) => [c.difference, ...(c.ci95 ?? [])]),
    { zero: true, ticks: 5 },
  );
  const drawn = h(
    'div',
    { class: 'forest' },
    title ? h('h3', {}, title) : null,
    table(
      `Differences of ${metric_title(name)}${title ? `, ${title}` : ''}`,
      [
        {
          title: 'A − B',
          cell: ({ value: c }) =>
            h(
              'span',
              { class: 'pair-name' },
              h('span', {}, runtime_swatch(c.a), ` ${c.a}`),
              ' ',
              h('span', {}, '− ', runtime_swatch(c.b), ` ${c.b}`),
            ),
        },
        {
          title: h('span', { class: 'plot-title' }, `difference${said ? `, ${said}` : ''}, with its 95 % interval`),
          plot: true,
          cell: ({ value: c }) => interval_track(scale, { mean: c.difference, ci: c.ci95, kind: c.verdict, unit }),
        },
        {
          title: 'difference',
          number: true,
          cell: (c) => [
            figure(`${c.pointer}/difference`, unit),
            c.value.ci95 ? h('span', { class: 'spread' }, interval(`${c.pointer}/ci95`, unit)) : null,
          ],
        },
        number_column('p (Holm)', 'p_holm', 'p'),
        number_column('Hedges’ g', 'hedges_g'),
        {
          title: 'verdict',
          cell: (c) => h('strong', { class: `verdict ${c.value.verdict}` }, verdict_of(c.value)),
        },
      ],
      pairs,
    ),
  );
  drawn
    .querySelector('tbody')
    .append(
      h('tr', { class: 'axis' }, h('td', {}), h('td', { class: 'plot' }, track_axis(scale)), h('td', { colspan: 4 })),
    );
  return drawn;
}

const all_statistics = (name, pairs) => {
  const { unit } = metric(name);
  return folded(
    'All statistics of these pairs',
    table(
      `All statistics of ${metric_title(name)}`,
      [
        { title: 'A − B', cell: (c) => `${c.value.a} − ${c.value.b}` },
        number_column('mean A', 'mean_a', unit),
        number_column('mean B', 'mean_b', unit),
        number_column('n A', 'n_a'),
        number_column('n B', 'n_b'),
        number_column('p (Welch)', 'welch/p', 'p'),
        {
          title: 'p (Mann-Whitney)',
          number: true,
          cell: (c) => [
            figure(`${c.pointer}/mann_whitney/p`, 'p'),
            c.value.mann_whitney ? (c.value.mann_whitney.exact ? ' exact' : ' approx.') : '',
          ],
        },
        number_column('its p (Holm)', 'mann_whitney/p_holm', 'p'),
        number_column('Cohen’s d', 'cohens_d'),
        number_column('run by run', 'paired/difference', unit),
        number_column('could have been shown', 'detectable_difference', unit),
        { title: 'in words', words: true, cell: (c) => c.value.words ?? '' },
      ],
      pairs,
    ),
  );
};

/** Runtimes whose agents ran one after the other differ from all others in all: they have a scale of their own. */
function groups_of(pairs) {
  const serialized = new Set(
    entries('/runtimes')
      .filter((r) => r.value.serialized_runs * 2 > r.value.n)
      .map((r) => r.value.name),
  );
  const with_serialized = (c) => serialized.has(c.value.a) || serialized.has(c.value.b);
  const others = pairs.filter((c) => !with_serialized(c));
  return others.length && others.length < pairs.length
    ? [
        ['Agents side by side', others],
        ['Against agents one after the other', pairs.filter(with_serialized)],
      ]
    : [[null, pairs]];
}

export function comparisons() {
  const all = entries('/comparisons');
  if (!all.length) return null;
  const names = [...new Set(all.map((c) => c.value.metric))];
  const first = names.includes(report.headline) ? report.headline : names[0];
  const ordered = [first, ...names.filter((n) => n !== first)];
  const body = h('div', {});
  const show = (name) => {
    const pairs = all.filter((c) => c.value.metric === name);
    body.replaceChildren(
      h(
        'p',
        { class: 'small' },
        `${pairs.filter((c) => is_detectable(c.value)).length} of ${pairs.length} pairs differ detectably in ${metric_title(name)} `,
        tag(name),
        '. A verdict takes the correction for all pairs into account; an interval alone does not.',
      ),
      ...groups_of(pairs).map(([title, some]) => forest(name, title, some)),
      all_statistics(name, pairs),
    );
  };
  show(first);
  return section(
    'comparisons',
    'Comparisons',
    h(
      'div',
      { class: 'controls' },
      choice('metric', ordered.map(metric_title), (i) => show(ordered[i])),
    ),
    body,
  );
}
