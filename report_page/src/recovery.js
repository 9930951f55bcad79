// The efficiency that the concurrent runs must have had, by the pace of agents that had the servers to themselves.

import { h, section, sentences } from './dom.js';
import { at, entries, figure, interval, report, tag } from './report.js';
import { number_column, table } from './table.js';
import { interval_track, scale_over, track_axis } from './marks.js';
import { runtime_swatch } from './palette.js';

const estimate_of = (name) => (at('/runtimes') ?? []).find((r) => r.name === name)?.estimated_mean_pct;

export function recovery() {
  const r = at('/recovery');
  if (!r?.runtimes?.length) return null;
  const rows = entries('/recovery/runtimes');
  const scale = scale_over(
    [0, 100, ...rows.flatMap((x) => [x.value.warm.mean_pct, ...(x.value.warm.ci95_pct ?? [])])],
    { ticks: 5 },
  );
  const drawn = table(
    'Recovered efficiency by runtime',
    [
      {
        title: 'runtime',
        cell: (x) => h('span', { class: 'pair-name' }, runtime_swatch(x.value.runtime), ` ${x.value.runtime}`),
      },
      {
        title: h('span', { class: 'plot-title' }, 'recovered, with its 95 % interval; ○ the estimate'),
        plot: true,
        cell: ({ value: x }) => {
          const track = interval_track(scale, {
            mean: x.warm.mean_pct,
            ci: x.warm.ci95_pct,
            kind: 'a_higher',
            unit: '%',
          });
          const estimate = estimate_of(x.runtime);
          if (estimate != null)
            track.append(h('i', { class: 'other', style: `left: ${scale.place(estimate).toFixed(3)}%` }));
          return track;
        },
      },
      {
        title: r.loads_known ? 'warm runs, %' : 'recovered, %',
        number: true,
        cell: (x) => [
          figure(`${x.pointer}/warm/mean_pct`, '%'),
          x.value.warm.ci95_pct ? h('span', { class: 'spread' }, interval(`${x.pointer}/warm/ci95_pct`, '%')) : null,
        ],
      },
      number_column('sd', 'warm/sd_pct', '%'),
      number_column('runs', 'warm/n'),
      r.loads_known
        ? {
            title: 'all runs, %',
            number: true,
            cell: (x) => [
              figure(`${x.pointer}/all/mean_pct`, '%'),
              x.value.all.ci95_pct ? h('span', { class: 'spread' }, interval(`${x.pointer}/all/ci95_pct`, '%')) : null,
            ],
          }
        : null,
    ].filter(Boolean),
    rows,
  );
  drawn
    .querySelector('tbody')
    .append(
      h('tr', { class: 'axis' }, h('td', {}), h('td', { class: 'plot' }, track_axis(scale)), h('td', { colspan: 4 })),
    );
  return section(
    'recovery',
    'Efficiency, recovered',
    h(
      'p',
      {},
      'No agent ran alone, but in ',
      figure('/recovery/serialized_runs'),
      ` runs (${r.from.join(', ')}) the agents ran one after the other. There each had the servers to itself: together they made `,
      figure('/recovery/in_turn_tok_s'),
      '\u00a0tokens/s in turn and ',
      figure('/recovery/together_tok_s'),
      '\u00a0tokens/s side by side. ',
      report.metrics?.recovered_efficiency_pct ? tag('recovered_efficiency_pct') : null,
    ),
    h('div', { class: 'forest' }, drawn),
    r.assumptions?.length ? h('details', {}, h('summary', {}, 'What this assumes'), sentences(r.assumptions)) : null,
  );
}
