// Every pair of runtimes, metric by metric.

import { choice, h, section } from './dom.js';
import { entries, figure, interval, metric, metric_title, report, tag } from './report.js';
import { number_column, table } from './table.js';
import { text } from './palette.js';
import { chart } from './chart.js';
import { interval_height, interval_option } from './interval_chart.js';

const colors = {
  a_higher: 'var(--series-0)',
  b_higher: 'var(--series-1)',
  no_detectable_difference: 'var(--muted)',
  too_few_runs: 'var(--muted)',
};
const shapes = { a_higher: 'triangle', b_higher: 'rect' };

const narrow = (width) => width < 480;

const rows_of = (pairs, width) =>
  pairs.map(({ value: c }) => ({
    label: `${c.a}${narrow(width) ? '\n' : ' '}− ${c.b}`,
    mean: c.difference,
    ci: c.ci95,
    mark: { color: colors[c.verdict] ?? text, symbol: shapes[c.verdict] ?? 'circle' },
  }));

function verdict_of({ a, b, verdict }) {
  return { a_higher: `${a} higher`, b_higher: `${b} higher` }[verdict] ?? verdict.replaceAll('_', ' ');
}

function text_table(name, pairs) {
  const { unit } = metric(name);
  return table(
    `Comparisons of ${metric_title(name)}`,
    [
      { title: 'A − B', cell: (c) => `${c.value.a} − ${c.value.b}` },
      {
        title: 'verdict',
        cell: (c) => h('strong', { class: `verdict ${c.value.verdict}` }, verdict_of(c.value)),
      },
      number_column(`difference${unit && `, ${unit}`}`, 'difference', unit),
      { title: '95 % interval', number: true, cell: (c) => interval(`${c.pointer}/ci95`, unit) },
      number_column('p (Holm)', 'p_holm', 'p'),
      number_column('p (Welch)', 'welch/p', 'p'),
      {
        title: 'p (Mann-Whitney)',
        number: true,
        cell: (c) => [
          figure(`${c.pointer}/mann_whitney/p`, 'p'),
          c.value.mann_whitney ? (c.value.mann_whitney.exact ? ' exact' : ' approx.') : '',
        ],
      },
      number_column('Cohen’s d', 'cohens_d'),
      number_column('Hedges’ g', 'hedges_g'),
      number_column('mean A', 'mean_a', unit),
      number_column('mean B', 'mean_b', unit),
      number_column('n A', 'n_a'),
      number_column('n B', 'n_b'),
      { title: 'in words', words: true, cell: (c) => c.value.words ?? '' },
    ],
    pairs,
  );
}

export function comparisons() {
  const all = entries('/comparisons');
  if (!all.length) return null;
  const names = [...new Set(all.map((c) => c.value.metric))];
  let name = names.includes(report.headline) ? report.headline : names[0];
  const ordered = [name, ...names.filter((n) => n !== name)];
  const pairs = () => all.filter((c) => c.value.metric === name);
  const below = h('div', {}, text_table(name, pairs())),
    tagged = h('span', {}, tag(name));
  const drawn = chart({
    id: 'comparisons',
    title: 'Differences of means, with 95 % intervals',
    tags: [tagged],
    note: 'A minus B. The verdict takes the correction for all pairs into account; an interval alone does not.',
    controls: choice('metric', ordered.map(metric_title), (i) => {
      name = ordered[i];
      below.replaceChildren(text_table(name, pairs()));
      tagged.replaceChildren(tag(name));
      drawn.redraw();
    }),
    height: (width) => interval_height(pairs(), narrow(width) ? 36 : 26),
    option: (width) =>
      interval_option(rows_of(pairs(), width), {
        width,
        name: `difference of ${metric_title(name)}${metric(name).unit && `, ${metric(name).unit}`}`,
        unit: metric(name).unit,
        zero: true,
      }),
  });
  return section('comparisons', 'Comparisons', drawn, below);
}
