// What the agents of a run did when: one lane an agent, its requests waiting and streaming.

import { choice, h, section } from './dom.js';
import { entries, figure, format } from './report.js';
import { table } from './table.js';
import { fill_swatch, muted, runtime_mark, runtime_swatch, surface, text } from './palette.js';
import { axis, chart, font, tooltip } from './chart.js';

const with_agents = () =>
  entries('/runs').filter((r) => r.value.agents?.some((a) => a.start_ms != null && a.end_ms != null));
const unique = (values) => [...new Set(values)];

/** Lanes from the top: a heading for each run, then its agents. */
function lanes_of(runs) {
  return runs.flatMap((run) => [
    { run, heading: run.value.runtime },
    ...run.value.agents.map((agent, i) => ({ run, agent, pointer: `${run.pointer}/agents/${i}` })),
  ]);
}

const lane_height = (lanes) => Math.max(8, Math.min(26, 2400 / lanes.length));

function draw_lane(lanes) {
  return (params, api) => {
    const lane = lanes[api.value(0)],
      row = api.value(0);
    const x = (ms) => api.coord([ms, row])[0],
      y = api.coord([0, row])[1],
      half = api.size([0, 1])[1] * 0.34;
    if (lane.heading) {
      const { serialization } = lane.run.value;
      const verdict = serialization?.verdict === 'serialized' ? ` \u2014 serialized: ${serialization.cause}` : '';
      return {
        type: 'text',
        silent: true,
        x: params.coordSys.x,
        y: y + 3,
        style: {
          text: lane.heading + verdict,
          fill: text,
          font: `600 12px ${font}`,
          verticalAlign: 'middle',
          width: params.coordSys.width,
          overflow: 'truncate',
        },
      };
    }
    const { color } = runtime_mark(lane.run.value.runtime),
      { start_ms, end_ms } = lane.agent;
    const bar = (from, to, style, at_least = 1) => ({
      type: 'rect',
      shape: { x: x(from), y: y - half, width: Math.max(at_least, x(to) - x(from)), height: 2 * half },
      style,
    });
    const shapes =
      start_ms == null || end_ms == null
        ? []
        : [
            {
              type: 'line',
              shape: { x1: x(start_ms), x2: x(end_ms), y1: y, y2: y },
              style: { stroke: muted, lineWidth: 2 },
            },
          ];
    for (const r of lane.agent.requests ?? []) {
      if (r.dispatched_ms == null || r.done_ms == null) continue;
      const first = r.first_token_ms ?? r.done_ms;
      shapes.push(bar(r.dispatched_ms, first, { fill: surface, stroke: color, lineWidth: 1.5 }));
      if (r.first_token_ms == null) continue;
      const f = x(first);
      shapes.push(bar(first, r.done_ms, { fill: color }), {
        type: 'polygon',
        shape: {
          points: [
            [f - 4, y - half - 3],
            [f + 4, y - half - 3],
            [f, y - half + 5],
          ],
        },
        style: { fill: text, stroke: surface, lineWidth: 1 },
      });
    }
    return { type: 'group', children: shapes };
  };
}

function option(lanes, width) {
  const label = Math.min(Math.max(...lanes.map((l) => l.agent?.id.length ?? 0)) * 6.6 + 14, width * 0.3);
  const ends = lanes.flatMap((l) =>
    l.agent ? [l.agent.end_ms ?? 0, ...(l.agent.requests ?? []).map((r) => r.done_ms ?? 0)] : [],
  );
  return {
    grid: { left: label, right: 12, top: 4, bottom: 40, outerBoundsMode: 'none' },
    tooltip: tooltip(({ data }) => [
      `${data.lane.run.value.runtime}, ${data.lane.agent?.id ?? ''}`,
      ...(data.lane.agent?.requests ?? []).map(
        (r) =>
          `request ${r.call}: sent at ${format(r.dispatched_ms)}, first token ${format(r.first_token_ms)}, done ${format(r.done_ms)} ms`,
      ),
    ]),
    xAxis: axis({
      type: 'value',
      name: 'ms since the run began',
      nameGap: 26,
      min: 0,
      max: Math.max(...ends),
      splitLine: { showMaxLine: false },
      axisLabel: { showMaxLabel: false },
    }),
    yAxis: [
      axis({
        type: 'value',
        inverse: true,
        min: -0.5,
        max: lanes.length - 0.5,
        show: false,
        splitLine: { show: false },
      }),
      axis({
        type: 'category',
        inverse: true,
        position: 'left',
        data: lanes.map((l) => l.agent?.id ?? ''),
        splitLine: { show: false },
        axisLabel: {
          color: text,
          width: label - 10,
          overflow: 'truncate',
          ...(lane_height(lanes) < 12 ? {} : { interval: 0, hideOverlap: false }),
        },
      }),
    ],
    series: [
      {
        type: 'custom',
        clip: true,
        encode: { y: 0 },
        emphasis: { disabled: true },
        renderItem: draw_lane(lanes),
        data: lanes.map((lane, i) => ({ value: [i], lane, tooltip: lane.heading ? { show: false } : {} })),
      },
      { type: 'scatter', silent: true, yAxisIndex: 1, data: [] },
    ],
  };
}

const text_table = (lanes) =>
  table(
    'Agents and their requests, in ms since the run began',
    [
      { title: 'runtime', cell: (l) => [runtime_swatch(l.run.value.runtime), ' ', l.run.value.runtime] },
      { title: 'agent', cell: (l) => l.agent.id },
      { title: 'starts', number: true, cell: (l) => figure(`${l.pointer}/start_ms`) },
      { title: 'ends', number: true, cell: (l) => figure(`${l.pointer}/end_ms`) },
      { title: 'request', cell: (l) => String(l.agent.requests?.[l.i]?.call ?? '') },
      ...[
        ['dispatched', 'dispatched_ms'],
        ['first token', 'first_token_ms'],
        ['done', 'done_ms'],
      ].map(([title, key]) => ({ title, number: true, cell: (l) => figure(`${l.pointer}/requests/${l.i}/${key}`) })),
    ],
    lanes
      .filter((l) => l.agent)
      .flatMap((l) => (l.agent.requests?.length ? l.agent.requests : [null]).map((_, i) => ({ ...l, i }))),
  );

export function timelines() {
  const runs = with_agents();
  if (!runs.length) return null;
  const all = 'all, one above the other';
  const runtimes = unique(runs.map((r) => r.value.runtime)),
    configs = unique(runs.map((r) => r.value.config)),
    numbers = unique(runs.map((r) => r.value.run)).sort((a, b) => a - b);
  // A thousand lanes cannot be read: then it begins with one runtime.
  const many =
    runs
      .filter((r) => r.value.config === configs[0] && r.value.run === numbers[0])
      .reduce((n, r) => n + r.value.agents.length, 0) > 100;
  const names = runtimes.length > 1 && !many ? [all, ...runtimes] : runtimes;
  const chosen = { runtime: names[0], config: configs[0], run: numbers[0] };
  const lanes = () =>
    lanes_of(
      runs.filter(
        ({ value: r }) =>
          (chosen.runtime === all || r.runtime === chosen.runtime) &&
          r.config === chosen.config &&
          r.run === chosen.run,
      ),
    );
  const missing = h('p', { class: 'none', role: 'status' });
  const below = h('div', {}, text_table(lanes()));

  function choose(what, value) {
    chosen[what] = value;
    missing.textContent = lanes().length ? '' : 'This run has no timeline: it did not finish.';
    below.replaceChildren(text_table(lanes()));
    drawn.redraw();
  }
  const drawn = chart({
    id: 'timeline',
    title: 'One run, agent by agent',
    controls: [
      choice('runtime', names, (i) => choose('runtime', names[i])),
      choice('configuration', configs, (i) => choose('config', configs[i])),
      choice('run', numbers, (i) => choose('run', numbers[i])),
    ],
    legend: [
      missing,
      h(
        'ul',
        { class: 'legend' },
        h('li', {}, h('span', { class: 'swatch block hollow', 'aria-hidden': 'true' }), ' waiting for the first token'),
        h('li', {}, h('span', { class: 'key', 'aria-hidden': 'true' }, '▼'), ' first token'),
        h('li', {}, fill_swatch('series-0', 'plain'), ' streaming'),
        h('li', {}, h('span', { class: 'swatch stroke', 'aria-hidden': 'true' }), ' agent alive, no request'),
      ),
    ],
    height: () => Math.max(60, lanes().length * lane_height(lanes())) + 44,
    option: (width) => (lanes().length ? option(lanes(), width) : {}),
    table: below,
  });
  return section('timelines', 'Timelines', drawn);
}
