// Where the lost agent-time went, stacked by runtime. Hue says whose a part is, the pattern which part.

import { h, section } from './dom.js';
import { at, entries, figure, format, is_about_one_agent, tag } from './report.js';
import { table } from './table.js';
import { fill, fill_swatch, muted, runtime_swatch, text } from './palette.js';
import { axis, chart, tooltip } from './chart.js';

// `metric` is the part's entry in the glossary; `path` is where a runtime has it.
const split = (key, title, metric, color, pattern) => ({ title, metric, color, pattern, path: `loss_pct/${key}` });
const whole = (title, metric, color) => ({
  title,
  metric,
  color,
  pattern: 'plain',
  path: `values/${metric}/mean`,
  whole: true,
});

const groups = [
  {
    title: 'Late start',
    metric: 'late_start_pct',
    whose: 'configuration, client, runtime',
    whole: whole('late start, not split', 'late_start_pct', 'late'),
    parts: [
      split('late_permit', 'waiting for a permit', 'late_permit_pct', 'late', 'plain'),
      split('late_blocked', 'blocked executor', 'late_blocked_pct', 'late', 'rising'),
      split('late_spawn', 'spawn and join', 'late_spawn_pct', 'late', 'dots'),
    ],
  },
  {
    title: 'Imbalance',
    metric: 'imbalance_pct',
    whose: 'the workload',
    parts: [split('imbalance', 'agents of unequal length', 'imbalance_pct', 'imbalance', 'plain')],
  },
  {
    title: 'Inflation',
    metric: 'inflation_pct',
    whose: 'client by stage, then the server',
    whole: whole('inflation, not split', 'inflation_pct', 'client'),
    parts: [
      split('scheduling', 'scheduling', 'inflation_scheduling_pct', 'client', 'plain'),
      split('blocked', 'blocked poll', 'inflation_blocked_pct', 'client', 'rising'),
      split('transport', 'transport', 'inflation_transport_pct', 'client', 'falling'),
      // No part, and not in the glossary, where no transport shares connections.
      { ...split('head_of_line', 'head of line', 'inflation_head_of_line_pct', 'client', 'upright'), optional: true },
      split('parsing', 'parsing', 'inflation_parsing_pct', 'client', 'dots'),
      split('work', 'agent\u2019s own work', 'inflation_work_pct', 'work', 'upright'),
      { ...split('coordination', 'coordination', 'inflation_coordination_pct', 'work', 'falling'), optional: true },
      split('server', 'server', 'inflation_server_pct', 'server', 'plain'),
    ],
  },
];

const value_of = (runtime, part) => at(`${runtime.pointer}/${part.path}`);

/** The parts of a group that some runtime has; its undivided figure where nothing of the split was measured. */
function known_parts(group) {
  const has = (part) => entries('/runtimes').some((r) => value_of(r, part) != null);
  const parts = group.parts.filter(has);
  return parts.length || !group.whole || !has(group.whole) ? parts : [group.whole];
}

function legend(parts) {
  return h(
    'div',
    { class: 'loss-legend' },
    groups.map((g) => {
      const known = parts.filter((p) => g.parts.includes(p) || g.whole === p);
      return h(
        'div',
        {},
        h('strong', {}, g.title),
        h('span', { class: 'whose' }, ` ${g.whose} `),
        tag(g.metric),
        known.length
          ? h(
              'ul',
              { class: 'legend' },
              known.map((p) => h('li', {}, fill_swatch(p.color, p.pattern), ` ${p.title}`)),
            )
          : null,
      );
    }),
  );
}

function option(parts, width) {
  const runtimes = entries('/runtimes');
  const total = (r) => parts.reduce((sum, p) => sum + (value_of(r, p) ?? 0), 0);
  const percent = (v) => `${format(v, '%')} %`;
  const longest = Math.max(...runtimes.map((r) => r.value.name.length));
  const top = Math.max(...runtimes.map((r) => parts.reduce((sum, p) => sum + Math.max(0, value_of(r, p) ?? 0), 0)));
  return {
    grid: { left: Math.min(longest * 6.6 + 18, width * 0.38), right: 66, top: 6, bottom: 40, outerBoundsMode: 'none' },
    tooltip: tooltip(({ data, seriesName }) => [data.owner, seriesName, `${percent(data.value)} of the agent-time`]),
    xAxis: axis({ type: 'value', name: 'lost agent-time, % of N W', nameGap: 26, ...(top > 0 ? {} : { max: 1 }) }),
    yAxis: axis({
      type: 'category',
      inverse: true,
      data: runtimes.map((r) => r.value.name),
      splitLine: { show: false },
      axisLabel: { color: text, interval: 0, hideOverlap: false },
    }),
    series: [
      ...parts.map((p) => ({
        type: 'bar',
        stack: 'loss',
        name: p.title,
        barWidth: 24,
        emphasis: { disabled: true },
        itemStyle: fill(p.color, p.pattern),
        data: runtimes.map((r) => ({ value: value_of(r, p) ?? 0, owner: r.value.name })),
      })),
      // The sum, at the end of what lies above zero.
      {
        type: 'scatter',
        silent: true,
        symbolSize: 0.01,
        data: runtimes.map((r, i) => ({
          value: [parts.reduce((sum, p) => sum + Math.max(0, value_of(r, p) ?? 0), 0), i],
          label: {
            show: true,
            position: 'right',
            distance: 6,
            color: muted,
            fontSize: 12,
            formatter: percent(total(r)),
          },
        })),
      },
    ],
  };
}

const text_table = (parts) =>
  table(
    'Lost agent-time by runtime',
    [
      { title: 'runtime', cell: (r) => [runtime_swatch(r.value.name), ' ', r.value.name] },
      ...groups
        .flatMap((g) => [
          ...g.parts.filter((p) => !p.optional || parts.includes(p)),
          ...parts.filter((p) => p === g.whole),
        ])
        .map((p) => ({
          title: p.whole ? p.title : `${p.title} %`,
          number: true,
          tag: tag(p.metric),
          cell: (r) => figure(`${r.pointer}/${p.path}`, '%'),
        })),
    ],
    entries('/runtimes'),
  );

/** What kept the agents of a runtime apart. */
function verdicts() {
  const serialized = entries('/runtimes').filter((r) => r.value.serialized_runs > 0);
  return serialized.length
    ? h(
        'ul',
        { class: 'verdicts' },
        serialized.map((r) =>
          h(
            'li',
            {},
            runtime_swatch(r.value.name),
            h('strong', {}, ` ${r.value.name}`),
            ' ran its agents one after the other in ',
            figure(`${r.pointer}/serialized_runs`),
            ' of ',
            figure(`${r.pointer}/n`),
            ` runs, cause: ${r.value.cause ?? 'unknown'}. `,
            h('q', {}, r.value.evidence ?? 'no evidence recorded'),
          ),
        ),
      )
    : null;
}

export function loss() {
  const parts = groups.flatMap(known_parts);
  if (is_about_one_agent() || !parts.length) return null;
  const missing = groups
    .filter((g) => !known_parts(g).length)
    .map((g) => g.title.toLowerCase())
    .join(' and ');
  return section(
    'loss',
    'Where the loss goes',
    h(
      'p',
      {},
      'N W is the agent-time of N agents in a run of wall time W. What is missing from it splits exactly into late start, imbalance and inflation; ' +
        'a part of inflation below zero means that the agents were faster together than alone.',
    ),
    verdicts(),
    chart({
      id: 'loss',
      title: 'Lost agent-time by runtime, means over its runs',
      note: missing ? `The sums leave out what was not measured: ${missing}.` : null,
      legend: legend(parts),
      height: () => entries('/runtimes').length * 40 + 50,
      option: (width) => option(parts, width),
      table: text_table(parts),
    }),
  );
}
