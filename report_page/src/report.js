// The report document, and what is known about each of its figures. Figures are named by their JSON pointer, so what is
// shown and what the document holds cannot come apart; a figure that is null or absent was not measured.

import { h } from './dom.js';

export let report = JSON.parse(document.getElementById('report').textContent);

/** A newer document of the same study takes its place, on the live page. */
export function replace_report(newer) {
  report = newer;
}

/** A study of single agents has no parallel efficiency. */
export const is_about_one_agent = () => report.method?.agents?.length === 1;

/** The value at a pointer such as /runtimes/0/mean_pct; null where there is none. */
export function at(pointer) {
  return (
    pointer
      .split('/')
      .slice(1)
      .reduce((value, key) => value?.[key], report) ?? null
  );
}

/** The entries of the document's array at `pointer`, each with its own pointer. */
export function entries(pointer) {
  return (at(pointer) ?? []).map((value, i) => ({ value, pointer: `${pointer}/${i}` }));
}

/**
 * A number as text: two decimals for percent, otherwise as many as make three or four digits; integers as they are.
 * Unit 'p' is a probability; nobody needs more digits of a very small one.
 */
export function format(value, unit = '') {
  if (value == null) return 'not measured';
  if (unit === 'p' && value < 1e-4) return '< 0.0001';
  const size = Math.abs(value);
  let text;
  if (Number.isInteger(value) && size < 1e6) text = String(value);
  else if (size < 5e-5) text = value.toExponential(1);
  else if (unit === '%') text = value.toFixed(size < 0.095 ? 4 : 2);
  else text = value.toFixed(size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : 4);
  return text.replace('-', '\u2212');
}

/** A unit as it follows a number. */
export const suffix = (unit) => (unit ? `\u00a0${unit}` : '');

/** The figure at a pointer, as text that says where it comes from; `absent` where null means something else. */
export function figure(pointer, unit = '', absent = 'not measured') {
  const value = at(pointer);
  return value == null
    ? h('span', { class: 'none', 'data-at': pointer }, absent)
    : h('span', { class: 'figure', 'data-at': pointer }, format(value, unit));
}

/** The interval at a pointer: low to high. */
export function interval(pointer, unit = '') {
  if (at(pointer) == null) return h('span', { class: 'none', 'data-at': pointer }, 'not measured');
  return h('span', { class: 'interval' }, figure(`${pointer}/0`, unit), ' to ', figure(`${pointer}/1`, unit));
}

/**
 * Unit, definition and provenance of a metric; one that the document does not define was not measured. A ratio's unit
 * is empty.
 */
export function metric(name) {
  const known = report.metrics?.[name] ?? {
    unit: name.endsWith('_pct') ? '%' : '',
    definition: '',
    provenance: 'not measured',
  };
  return known.unit === '1' ? { ...known, unit: '' } : known;
}

/** The unit of a difference: percentages differ by points. */
export const difference_unit = (unit) => (unit === '%' ? 'points' : unit);

const words = {
  pct: '',
  ms: '',
  us: '',
  tok: '',
  s: '',
  ttft: 'TTFT',
  itl: 'ITL',
  tpot: 'TPOT',
  e2e: 'E2E',
  cpu: 'CPU',
};
const statistics = { p50: 'median', mean: 'mean', p95: '95th percentile of', p99: '99th percentile of' };
const named = {
  tokens_per_second: 'token rate',
  busiest_worker_pct: 'busiest worker',
  jain_index: 'Jain\u2019s index',
};

/** A metric's name as a reader says it: ttft_ms_p50 is "median TTFT", inflation_server_pct "inflation server". */
export function metric_title(name) {
  const [, of, how] = /^(.*)_(p50|p95|p99|mean)$/.exec(name) ?? [null, name, null];
  const title =
    named[of] ??
    of
      .split('_')
      .map((w) => words[w] ?? w)
      .filter(Boolean)
      .join(' ');
  return how ? `${statistics[how]} ${title}` : title;
}

const meaning = {
  measured: 'measured: read off a clock or a counter',
  derived: 'derived: computed from measured figures by an exact definition',
  estimated: 'estimated: computed from measured figures by a formula that can be wrong',
  'not measured': 'not measured in this study',
};

/** How a metric came about, as a small tag that leads to its definition. */
export function tag(name) {
  const { provenance, definition } = metric(name);
  return h(
    'a',
    {
      class: `tag ${provenance.replace(' ', '-')}`,
      href: `#metric-${name}`,
      title: `${definition ? `${definition} ` : ''}(${meaning[provenance]})`,
    },
    provenance,
  );
}

/** Every provenance with what it means. */
export const provenances = Object.values(meaning);
