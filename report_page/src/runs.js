// Every run, and what failed.

import { h, section } from './dom.js';
import { at, entries, figure, metric, metric_title, tag } from './report.js';
import { folded, number_column, table } from './table.js';
import { runtime_swatch } from './palette.js';

const shown = [
  'efficiency_pct',
  'estimated_efficiency_pct',
  'imbalance_bound_pct',
  'wall_ms',
  'late_start_pct',
  'imbalance_pct',
  'inflation_pct',
  'ttft_ms_p50',
  'ttft_ms_p99',
  'itl_ms_p50',
  'itl_ms_p99',
  'throughput_tok_s',
  'client_overhead_pct_mean',
];

const title_of = (name) => `${metric_title(name)}${metric(name).unit && `, ${metric(name).unit}`}`;

export function runs() {
  const all = entries('/runs');
  if (!all.length) return null;
  const has = (name) => all.some((r) => r.value.values?.[name] != null);
  const verdict = (r) => {
    const s = r.value.serialization;
    return s
      ? h('span', { title: s.evidence || null }, s.verdict === 'serialized' ? `serialized: ${s.cause}` : s.verdict)
      : h('span', { class: 'none' }, 'not measured');
  };
  const limits = (r) =>
    ['client', 'arrival']
      .filter((by) => r.value[`${by}_limited`]?.length)
      .map((by) => `${by}-limited: ${r.value[`${by}_limited`].join(', ')}`);
  const limited = (r) =>
    r.value.client_limited == null
      ? h('span', { class: 'none' }, 'not measured')
      : limits(r).length
        ? h('strong', { class: 'flag' }, limits(r).join('; '))
        : 'passed';
  const missing = shown.filter((name) => !has(name));
  return section(
    'runs',
    'Runs',
    folded(
      `All ${all.length} runs`,
      h(
        'div',
        {},
        table(
          'All runs',
          [
            {
              title: 'runtime',
              cell: (r) => [runtime_swatch(r.value.runtime), ' ', r.value.runtime],
              sort: (r) => r.value.runtime,
            },
            { title: 'configuration', cell: (r) => r.value.config, sort: (r) => r.value.config },
            number_column('run', 'run'),
            {
              title: 'status',
              cell: (r) =>
                r.value.status === 'ok' ? 'ok' : h('strong', { class: 'flag' }, r.value.status.replace('_', ' ')),
              sort: (r) => r.value.status,
            },
            ...shown
              .filter(has)
              .map((name) => number_column(title_of(name), `values/${name}`, metric(name).unit, { tag: tag(name) })),
            { title: 'verdict', cell: verdict, sort: (r) => r.value.serialization?.verdict },
            { title: 'self-check', cell: limited, sort: (r) => limits(r).join() },
          ],
          all,
        ),
        missing.length
          ? h('p', { class: 'none' }, `Not measured in any run: ${missing.map(metric_title).join(', ')}.`)
          : null,
      ),
    ),
  );
}

export function failures() {
  const all = at('/cells/failures') ?? [];
  if (!all.length) return null;
  return section(
    'failures',
    'Failures',
    h(
      'p',
      {},
      figure('/cells/failed'),
      ' failed, ',
      figure('/cells/damaged', '', 'none'),
      ' damaged or lost, of ',
      figure('/cells/planned'),
      ' planned runs.',
    ),
    table(
      'Runs without figures',
      [
        { title: 'runtime', cell: (f) => f.runtime },
        { title: 'configuration', cell: (f) => f.config },
        { title: 'run', number: true, cell: (f) => String(f.run) },
        { title: 'status', cell: (f) => f.status.replace('_', ' ') },
        { title: 'message', words: true, cell: (f) => f.message ?? '' },
      ],
      all,
    ),
  );
}
