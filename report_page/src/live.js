// The page of a sweep that runs, served by chimera-host: how far it is, above the report on what is done so far. A saved
// report has none of this: its document has no member "live", and its policy lets it ask for nothing.

import { h } from './dom.js';
import { at, format } from './report.js';

const every_ms = 3000;

const clock_time = (date) => date.toTimeString().slice(0, 8);

/** Seconds as people say them: "40 s", "12 min", "3 h 20 min". */
function duration(seconds) {
  if (seconds == null) return null;
  if (seconds < 90) return `${Math.round(seconds)}\u00a0s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes}\u00a0min`;
  return `${Math.floor(minutes / 60)}\u00a0h ${minutes % 60}\u00a0min`;
}

const cells = (n) => `${n} cell${n === 1 ? '' : 's'}`;

/** What is done of `all`, as a bar; what is not needed counts as done. */
function bar({ planned, ok, failed, not_needed }) {
  const part = (kind, n) =>
    n > 0 ? h('i', { class: kind, style: `width: ${((100 * n) / Math.max(1, planned)).toFixed(2)}%` }) : null;
  return h('span', { class: 'progress' }, part('ok', ok), part('failed', failed), part('not-needed', not_needed));
}

function sentence(s) {
  const parts = [
    `${s.done} of ${cells(s.planned)} done`,
    s.failed ? `${s.failed} failed` : null,
    s.not_needed ? `${s.not_needed} not needed` : null,
    s.running && s.left ? `${s.left} left` : null,
    s.running && s.expected_s != null ? `about ${duration(s.expected_s)} to go` : null,
  ];
  return `${parts.filter(Boolean).join(', ')}.`;
}

/** What the sweep does at this moment. */
function now_of(s) {
  if (!s.running)
    return h(
      'p',
      { class: 'flag' },
      s.left ? 'No process runs this sweep; sweep --resume continues it.' : 'The sweep has ended.',
    );
  if (s.now?.awaited) return h('p', { class: 'flag' }, `Waiting for the server ${s.now.awaited}.`);
  const working = s.now?.cells ?? [];
  return working.length
    ? h(
        'ul',
        { class: 'working' },
        working.map((c) =>
          h('li', {}, h('strong', {}, `${c.runtime} / ${c.config}, run ${c.run}`), ` ${c.doing.replaceAll('_', ' ')}`),
        ),
      )
    : null;
}

/** Runtimes by configurations, each with how far it is. */
function matrix(groups) {
  const of = (key) => [...new Set(groups.map((g) => g[key]))];
  const runtimes = of('runtime'),
    configs = of('config');
  return h(
    'div',
    { class: 'scroll', role: 'region', 'aria-label': 'Cells', tabindex: 0 },
    h(
      'table',
      { class: 'matrix' },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', { scope: 'col' }, 'configuration'),
          runtimes.map((r) => h('th', { scope: 'col' }, r)),
        ),
      ),
      h(
        'tbody',
        {},
        configs.map((config) =>
          h(
            'tr',
            {},
            h('th', { scope: 'row' }, config),
            runtimes.map((runtime) => {
              const g = groups.find((x) => x.runtime === runtime && x.config === config);
              return h(
                'td',
                {},
                g && [
                  bar(g),
                  h('span', { class: 'small' }, ` ${g.ok + g.failed}/${g.planned - g.not_needed}`),
                  g.failed ? h('span', { class: 'flag' }, ` ${g.failed}`) : null,
                ],
              );
            }),
          ),
        ),
      ),
    ),
  );
}

const alert_words = (a) =>
  `${a.alert}: ${a.value == null ? 'not measured' : `${format(a.value)} ${a.unit}`}, the limit is ${format(a.limit)} ${a.unit}`;

const most_notes = 8;

function notes(title, all, text) {
  return all?.length
    ? h(
        'details',
        { open: true },
        h('summary', {}, `${title} (${all.length})`),
        h(
          'ul',
          { class: 'notes' },
          all
            .slice(-most_notes)
            .map((c) => h('li', {}, h('strong', {}, `${c.runtime} / ${c.config}, run ${c.run}`), ` ${text(c)}`)),
        ),
      )
    : null;
}

/** Replaces what the panel shows. */
function show(panel, s, problem) {
  panel.replaceChildren(
    h(
      'p',
      { class: 'live-title' },
      h('strong', {}, s.running ? 'Running' : 'Not running'),
      ` ${sentence(s)} `,
      h('span', { class: problem ? 'flag' : 'small' }, problem ?? `as of ${clock_time(new Date())}`),
    ),
    bar(s),
    now_of(s) ?? '',
    notes('Alerts', s.alerts, (c) => (c.alerts ?? []).map(alert_words).join('; ')) ?? '',
    notes('Failed cells', s.failures, (c) => c.message) ?? '',
    h(
      'details',
      {
        open: panel.dataset.cells === 'open' ? true : null,
        ontoggle: (e) => (panel.dataset.cells = e.target.open ? 'open' : ''),
      },
      h('summary', {}, 'All cells'),
      matrix(s.groups ?? []),
    ),
  );
}

/**
 * The panel of a sweep that runs; null for a saved report. It asks for the status every few seconds, and where cells
 * were finished for the report, which `renew(document)` shows. It goes on until the server is gone: then it says so.
 */
export function live(renew) {
  let status = at('/live');
  if (!status) return null;
  const panel = h('aside', { class: 'live', id: 'live', 'aria-label': 'Progress of the sweep' });
  show(panel, status);

  const ask = async (path) => (await fetch(path, { cache: 'no-store' })).json();
  const tick = async () => {
    try {
      const newer = await ask('/status.json');
      const finished = newer.done !== status.done || newer.ok !== status.ok || newer.running !== status.running;
      status = newer;
      show(panel, status);
      if (finished) {
        const document = await ask('/report.json');
        if (document.kind === 'report') renew(document);
      }
    } catch {
      show(
        panel,
        { ...status, running: false },
        'chimera-host no longer serves this page: the sweep has ended or was stopped',
      );
      return;
    }
    setTimeout(tick, every_ms);
  };
  setTimeout(tick, every_ms);
  return panel;
}
