// How it was measured, what it does not say, how to do it again, and what each figure means.

import { h, section, sentences } from './dom.js';
import { at, entries, figure, metric, metric_title, provenances, report, tag } from './report.js';
import { table } from './table.js';

/** A value of the document in words: objects as "key value" without what is empty. */
function words(value) {
  if (value == null || value === '') return '';
  if (Array.isArray(value)) return value.map(words).join('; ');
  if (typeof value !== 'object') return String(value);
  return Object.entries(value)
    .filter(([, v]) => v != null && v !== '')
    .map(([k, v]) => `${k} ${words(v)}`)
    .join(', ');
}

const named = (label, all) =>
  all?.length
    ? table(
        label,
        [
          { title: 'name', cell: (x) => x.name ?? words(x) },
          {
            title: 'what it is',
            words: true,
            cell: ({ name, parameters, ...rest }) => [words(rest), words(parameters)].filter(Boolean).join('; '),
          },
        ],
        all.map((x) => (typeof x === 'object' ? x : { name: String(x) })),
      )
    : null;

export function method() {
  const m = at('/method');
  if (!m) return null;
  const facts = [
    ['runs of each cell', m.runs],
    ['seed', m.seed],
    ['order', m.order],
    ['backend', m.backend],
  ];
  return section(
    'method',
    'Method',
    sentences(m.sentences),
    h(
      'dl',
      { class: 'facts' },
      facts.map(([k, v]) =>
        h(
          'div',
          {},
          h('dt', {}, k),
          h('dd', { class: v == null ? 'none' : null }, v == null ? 'not recorded' : String(v)),
        ),
      ),
    ),
    [
      ['Runtimes', m.runtimes],
      ['Configurations', m.configs],
      ['Agents', m.agents],
    ].map(([title, all]) => {
      const content = named(title, all);
      return content && h('details', {}, h('summary', {}, `${title} (${all.length})`), content);
    }),
  );
}

/** Machine, program, plugins and servers, each with the runs that had it. */
export function provenance() {
  const from = at('/provenance');
  if (!from) return null;
  return section(
    'provenance',
    'Where it comes from',
    h(
      'dl',
      { class: 'facts' },
      [
        ['begun', from.first_begun === from.last_begun ? from.first_begun : `${from.first_begun} to ${from.last_begun}`],
        from.runs_without > 0 ? ['runs that do not say', from.runs_without] : null,
      ]
        .filter(Boolean)
        .map(([k, v]) => h('div', {}, h('dt', {}, k), h('dd', {}, String(v)))),
    ),
    table(
      'Where it comes from',
      [
        { title: 'part', cell: ({ value }) => value.subject },
        { title: 'what it is', words: true, cell: ({ value }) => value.text },
        { title: 'runs', number: true, cell: ({ pointer }) => figure(`${pointer}/runs`) },
        { title: 'which', words: true, cell: ({ value }) => value.where || 'all' },
      ],
      entries('/provenance/lines'),
    ),
  );
}

export function limits() {
  return at('/limits')?.length ? section('limits', 'Limits', sentences(at('/limits'))) : null;
}

export function repeat() {
  return at('/repeat')?.length
    ? section('repeat', 'How to repeat', h('pre', { tabindex: 0 }, h('code', {}, at('/repeat').join('\n'))))
    : null;
}

export function glossary() {
  const names = Object.keys(report.metrics ?? {});
  return section(
    'definitions',
    'Definitions',
    h('p', {}, 'Beside each figure stands how it came about:'),
    sentences(provenances),
    names.length
      ? table(
          'Definitions',
          [
            {
              title: 'metric',
              cell: (name) => [h('span', { id: `metric-${name}` }, metric_title(name)), h('code', {}, name)],
            },
            { title: 'unit', cell: (name) => metric(name).unit },
            { title: 'how', cell: tag },
            { title: 'definition', words: true, cell: (name) => metric(name).definition },
          ],
          names,
        )
      : null,
  );
}
