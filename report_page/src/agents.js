// The agents one by one, where there are few, and whether every runtime was given the same work.

import { h, section } from './dom.js';
import { entries, figure, interval, metric, metric_title } from './report.js';
import { folded, number_column, table } from './table.js';
import { runtime_swatch } from './palette.js';

const where = (x) => x.value.runtime || x.value.config;

function agent_table(rows, title) {
  return table(
    title,
    [
      {
        title: 'over the runs of',
        cell: (a) => (a.value.runtime ? [runtime_swatch(a.value.runtime), ' ', a.value.runtime] : a.value.config),
        sort: where,
      },
      { title: 'agent', cell: (a) => a.value.agent, sort: (a) => a.value.agent },
      number_column('n', 'n'),
      number_column('TTFT, ms', 'ttft_ms', 'ms'),
      number_column('tokens/s', 'tokens_per_second'),
      number_column('tokens', 'tokens'),
      number_column('duration, ms', 'e2e_ms', 'ms'),
    ],
    rows,
  );
}

function delta_table(rows) {
  return table(
    'Differences between agents',
    [
      { title: 'over the runs of', cell: (d) => where(d), sort: where },
      { title: 'agents', cell: (d) => `${d.value.agent} − ${d.value.against}` },
      { title: 'metric', cell: (d) => metric_title(d.value.metric), sort: (d) => d.value.metric },
      {
        title: 'difference',
        number: true,
        cell: (d) => [
          figure(`${d.pointer}/difference`, metric(d.value.metric).unit),
          d.value.ci95
            ? h('span', { class: 'spread' }, interval(`${d.pointer}/ci95`, metric(d.value.metric).unit))
            : null,
        ],
      },
      number_column('p (paired t)', 'p', 'p'),
      number_column('n', 'n'),
    ],
    rows,
  );
}

function parity_table(rows) {
  const runtimes = [...new Set(rows.flatMap((p) => p.value.cells.map((c) => c.runtime)))];
  return table(
    'The same work on every runtime?',
    [
      { title: 'mean of a run', cell: (p) => p.value.quantity },
      { title: 'equal', cell: (p) => (p.value.equal ? 'yes' : h('strong', { class: 'flag' }, 'no')) },
      ...runtimes.map((name) => ({
        title: name,
        number: true,
        cell: (p) => figure(`${p.pointer}/cells/${p.value.cells.findIndex((c) => c.runtime === name)}/mean`),
      })),
    ],
    rows,
  );
}

export function agents() {
  const all = entries('/agents'),
    deltas = entries('/agent_deltas'),
    parity = entries('/parity');
  if (!all.length && !parity.length) return null;
  const by_runtime = all.filter((a) => a.value.runtime),
    by_config = all.filter((a) => !a.value.runtime);
  return section(
    'agents',
    'Agents',
    by_runtime.length ? agent_table(by_runtime, 'Agents by runtime') : null,
    by_config.length ? folded('By configuration', agent_table(by_config, 'Agents by configuration')) : null,
    deltas.length ? [h('h3', {}, 'Differences between agents of the same run'), delta_table(deltas)] : null,
    parity.length ? [h('h3', {}, 'The same work on every runtime?'), parity_table(parity)] : null,
  );
}
