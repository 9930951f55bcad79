// How much each metric depends on each parameter, as small panels on one scale.

import { h, section } from './dom.js';
import { entries, figure, metric, metric_title, tag } from './report.js';
import { folded, number_column, table } from './table.js';
import { deviation_ends, level_panel, scale_over } from './marks.js';

const title_of = (name) => `${metric_title(name)}${metric(name).unit && `, ${metric(name).unit}`}`;

/** Numbers in their order, then texts such as "80/100". */
const in_order = (levels) =>
  [...levels].sort(
    (a, b) =>
      (typeof a.value.value !== 'number') - (typeof b.value.value !== 'number') ||
      (typeof a.value.value === 'number'
        ? a.value.value - b.value.value
        : String(a.value.value).localeCompare(String(b.value.value))),
  );

/** "512/1024" may be broken after the stroke, and nowhere else. */
const breakable = (text) => text.split(/(?<=\/)/).flatMap((part, i) => (i > 0 ? [h('wbr'), part] : [part]));

function panel(p, scale, unit) {
  const levels = in_order(entries(`${p.pointer}/levels`)).map((l) => ({ ...l.value, label: String(l.value.value) }));
  return h(
    'div',
    { class: 'panel' },
    h(
      'h4',
      {},
      p.value.parameter,
      h('span', { class: 'small' }, ' explains ', figure(`${p.pointer}/eta_squared`), ' of the variance'),
    ),
    level_panel(scale, levels, unit),
    h(
      'div',
      { class: 'panel-labels' },
      levels.map((l) => h('span', {}, breakable(l.label))),
    ),
  );
}

function multiples(name, all) {
  const { unit } = metric(name);
  const scale = scale_over(
    all.flatMap((p) => p.value.levels.flatMap((l) => deviation_ends({ mean: l.mean, sd: l.sd ?? 0 }))),
    { ticks: 4 },
  );
  return h(
    'figure',
    {},
    h('figcaption', {}, h('h3', {}, `${title_of(name)} `, tag(name))),
    h(
      'div',
      { class: 'multiples' },
      all.map((p) => panel(p, scale, unit)),
    ),
    folded(
      'As a table',
      table(
        `${title_of(name)} by parameter`,
        [
          { title: 'parameter', cell: (l) => l.parameter },
          { title: 'level', cell: (l) => String(l.value.value) },
          number_column('n', 'n'),
          number_column(`mean ${title_of(name)}`, 'mean', unit),
          number_column('sd', 'sd', unit),
        ],
        all.flatMap((p) => entries(`${p.pointer}/levels`).map((l) => ({ ...l, parameter: p.value.parameter }))),
      ),
    ),
  );
}

export function parameters() {
  const all = entries('/parameters');
  if (!all.length) return null;
  const names = [...new Set(all.map((p) => p.value.metric))];
  return section(
    'parameters',
    'Parameters',
    h(
      'p',
      {},
      'Means of the runs with each level of a parameter, and their deviations, over all runtimes whose agents ran side by side.',
    ),
    h(
      'div',
      { class: all.length === names.length ? 'panels' : null }, // of one parameter, metrics stand side by side
      names.map((name) =>
        multiples(
          name,
          all.filter((p) => p.value.metric === name),
        ),
      ),
    ),
  );
}
