// The first screen: what was asked, the answer, and the figures that carry it.

import { h } from './dom.js';
import { at, entries, figure, interval, metric_title, report, tag } from './report.js';
import { runtime_swatch } from './palette.js';
import { overview, verdict } from './answer.js';

const count = (singular, n) => `${singular}${n === 1 ? '' : 's'}`;

/** One runtime's headline figure, with what has to be known before it is believed. */
function tile({ value: r, pointer }) {
  const flags = [
    r.serialized_runs > 0 && `serialized: ${r.cause ?? 'unknown'}`,
    r.client_limited_runs > 0 && `${r.client_limited_runs} client-limited ${count('run', r.client_limited_runs)}`,
    r.arrival_limited_runs > 0 && `${r.arrival_limited_runs} arrival-limited ${count('run', r.arrival_limited_runs)}`,
  ];
  return h(
    'li',
    { class: 'tile' },
    h('div', { class: 'name' }, runtime_swatch(r.name), ` ${r.name}`),
    h(
      'div',
      { class: 'value' },
      figure(`${pointer}/mean_pct`, '%'),
      r.mean_pct == null ? null : h('span', { class: 'unit' }, '\u202f%'),
    ),
    r.ci95_pct ? h('div', { class: 'small' }, interval(`${pointer}/ci95_pct`, '%')) : null,
    flags.filter(Boolean).map((f) => h('div', { class: 'flag' }, f)),
  );
}

/** Where the document has no table of key figures: the headline figure of each runtime. */
function tiles() {
  const runtimes = entries('/runtimes');
  return runtimes.length
    ? [
        h(
          'h2',
          { class: 'tiles-title' },
          `Mean ${metric_title(report.headline)} with its 95 % interval `,
          tag(report.headline),
        ),
        h('ul', { class: 'tiles' }, runtimes.map(tile)),
      ]
    : null;
}

function fact(title, ...content) {
  return h('div', {}, h('dt', {}, title), h('dd', {}, ...content));
}

function facts() {
  const runtimes = entries('/runtimes'),
    compared = (at('/comparisons') ?? []).filter((c) => c.metric === report.headline);
  const total = (key) => {
    const known = runtimes.map((r) => r.value[key]).filter((n) => n != null);
    return known.length ? String(known.reduce((a, b) => a + b)) : h('span', { class: 'none' }, 'not measured');
  };
  const differing = compared.filter((c) => c.verdict === 'a_higher' || c.verdict === 'b_higher').length;
  return h(
    'dl',
    { class: 'facts' },
    fact('runs with figures', figure('/cells/ok'), ' of ', figure('/cells/planned')),
    fact('failed runs', figure('/cells/failed')),
    runtimes.length ? fact('serialized runs', total('serialized_runs')) : null,
    runtimes.length ? fact('client-limited runs', total('client_limited_runs')) : null,
    compared.length ? fact('pairs that differ detectably', `${differing} of ${compared.length}`) : null,
  );
}

export function headline() {
  return h(
    'header',
    {},
    h(
      'p',
      { class: 'kicker' },
      [report.name, report.source === 'tr115' ? 'imported' : null, report.generated_by].filter(Boolean).join(' · '),
    ),
    h('h1', {}, report.title || report.name),
    report.question ? h('p', { class: 'question' }, report.question) : null,
    verdict(),
    overview() ?? tiles(),
    facts(),
  );
}
