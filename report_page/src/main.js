// The page: every part that the document has something for, in the order in which it is read.

import { h } from './dom.js';
import { replace_report, report } from './report.js';
import { dispose_all, draw_all } from './chart.js';
import { headline } from './headline.js';
import { findings } from './answer.js';
import { efficiency } from './efficiency.js';
import { recovery } from './recovery.js';
import { by_runtime } from './by_runtime.js';
import { loss } from './loss.js';
import { comparisons } from './comparisons.js';
import { claims } from './claims.js';
import { questions } from './questions.js';
import { costs } from './costs.js';
import { stability } from './stability.js';
import { order } from './order.js';
import { agents } from './agents.js';
import { distributions } from './distributions.js';
import { timelines } from './timelines.js';
import { scaling } from './scaling.js';
import { parameters } from './parameters.js';
import { failures, runs } from './runs.js';
import { glossary, limits, method, provenance, repeat } from './method.js';
import { live } from './live.js';

const readable_versions = [1, 2];

const parts = [
  findings,
  efficiency,
  recovery,
  by_runtime,
  loss,
  comparisons,
  claims,
  questions,
  scaling,
  stability,
  order,
  agents,
  costs,
  distributions,
  timelines,
  parameters,
  failures,
  runs,
  method,
  provenance,
  limits,
  repeat,
  glossary,
];

function contents(sections) {
  return h(
    'nav',
    { 'aria-label': 'Contents' },
    h(
      'ul',
      {},
      sections.map((s) => h('li', {}, h('a', { href: `#${s.id}` }, s.querySelector('h2').textContent))),
    ),
  );
}

function content() {
  document.title = `${report.title || report.name} · Chimera report`;
  const sections = parts.map((make) => make()).filter(Boolean);
  return [headline(), contents(sections), ...sections];
}

/** What a reader has opened and chosen, so that a newer report can be shown the same way. */
function state_of(body) {
  const key = (e) =>
    `${e.closest('section')?.id} ${e.closest('figure')?.id} ${(e.querySelector('summary') ?? e.closest('label'))?.firstChild.textContent}`;
  return {
    key,
    open: new Set([...body.querySelectorAll('details[open]')].map(key)),
    chosen: new Map([...body.querySelectorAll('select')].map((s) => [key(s), s.value])),
  };
}

function restore(body, { key, open, chosen }) {
  for (const d of body.querySelectorAll('details')) d.open = open.has(key(d));
  for (const s of body.querySelectorAll('select')) {
    const value = chosen.get(key(s));
    if (value == null || value === s.value || ![...s.options].some((o) => o.value === value)) continue;
    s.value = value;
    s.dispatchEvent(new Event('change'));
  }
}

/** The part at the top of the window, and how far it is scrolled: what lies above may grow. */
function place_of(body) {
  const anchor = [...body.children].filter((e) => e.tagName !== 'NAV' && e.getBoundingClientRect().bottom > 0)[0];
  return anchor && { id: anchor.id, top: anchor.getBoundingClientRect().top };
}

if (!readable_versions.includes(report.schema_version) || report.kind !== 'report') {
  document.body.append(
    h(
      'main',
      {},
      h('h1', {}, 'This page cannot show this document'),
      h(
        'p',
        {},
        `It reads reports of schema version ${readable_versions.at(-1)}; this is ${report.kind} ${report.schema_version}.`,
      ),
    ),
  );
} else {
  const body = h('div', {});
  const panel = live((newer) => {
    const place = place_of(body),
      state = state_of(body);
    replace_report(newer);
    dispose_all();
    body.replaceChildren(...content());
    draw_all();
    restore(body, state);
    const anchor = place?.id && document.getElementById(place.id);
    if (anchor) window.scrollBy({ top: anchor.getBoundingClientRect().top - place.top, behavior: 'instant' });
  });
  body.append(...content());
  document.body.append(h('main', {}, panel, body));
  draw_all();
}
