// How much runs scatter within a configuration and between configurations, and which configurations are best.

import { h, section } from './dom.js';
import { entries, figure, is_about_one_agent } from './report.js';
import { folded, number_column, table } from './table.js';
import { runtime_swatch } from './palette.js';

const named = (pointer, value) =>
  value ? [value.config, ' ', h('span', { class: 'spread' }, 'sd ', figure(`${pointer}/sd_pct`, '%'))] : '';

export function stability() {
  const rows = entries('/stability'),
    ranked = entries('/ranked_configs');
  if (is_about_one_agent() || (!rows.length && !ranked.length)) return null;
  const best = ranked.filter((c) => c.value.rank <= 3);
  const runtime = {
    title: 'runtime',
    cell: (r) => h('span', { class: 'pair-name' }, runtime_swatch(r.value.runtime), ` ${r.value.runtime}`),
    sort: (r) => r.value.runtime,
  };
  const ranking = (all) =>
    table(
      'Configurations by runtime, best first',
      [
        runtime,
        number_column('rank', 'rank'),
        { title: 'configuration', cell: (c) => c.value.config, sort: (c) => c.value.config },
        number_column('n', 'n'),
        number_column('mean %', 'mean_pct', '%'),
        number_column('sd', 'sd_pct', '%'),
        number_column('speedup', 'speedup'),
      ],
      all,
    );
  return section(
    'stability',
    'Stability and best configurations',
    rows.length
      ? [
          h(
            'p',
            {},
            'The deviation of runs that differ in nothing, and the deviation of the configurations’ means: two things, in points.',
          ),
          table(
            'Stability by runtime',
            [
              runtime,
              number_column('sd within a configuration', 'sd_within_pct', '%'),
              number_column('sd of the configurations’ means', 'sd_of_config_means_pct', '%'),
              { title: 'steadiest', cell: (r) => named(`${r.pointer}/most_stable`, r.value.most_stable) },
              { title: 'least steady', cell: (r) => named(`${r.pointer}/least_stable`, r.value.least_stable) },
            ],
            rows,
          ),
        ]
      : null,
    best.length && best.length < ranked.length
      ? [h('h3', {}, 'The three best of each runtime'), ranking(best), folded('All configurations', ranking(ranked))]
      : ranked.length
        ? ranking(ranked)
        : null,
  );
}
