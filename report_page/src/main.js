// The page: every part that the document has something for, in the order in which it is read.

import { h } from './dom.js';
import { report } from './report.js';
import { draw_all } from './chart.js';
import { headline } from './headline.js';
import { efficiency } from './efficiency.js';
import { loss } from './loss.js';
import { comparisons } from './comparisons.js';
import { distributions } from './distributions.js';
import { timelines } from './timelines.js';
import { scaling } from './scaling.js';
import { failures, parameters, runs } from './runs.js';
import { glossary, limits, method, provenance, repeat } from './method.js';

const readable_version = 1;

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

if (report.schema_version !== readable_version || report.kind !== 'report') {
  document.body.append(
    h(
      'main',
      {},
      h('h1', {}, 'This page cannot show this document'),
      h(
        'p',
        {},
        `It reads reports of schema version ${readable_version}; this is ${report.kind} ${report.schema_version}.`,
      ),
    ),
  );
} else {
  document.title = `${report.title || report.name} · Chimera report`;
  const sections = [
    efficiency,
    loss,
    comparisons,
    scaling,
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
  ]
    .map((make) => make())
    .filter(Boolean);
  document.body.append(h('main', {}, headline(), contents(sections), sections));
  draw_all();
}
