// Colours, symbols, dashes and patterns of the charts. Colours are names of style.css's variables, so charts follow the
// colour scheme and paper without being drawn anew. Nothing is told by colour alone.

import { h } from './dom.js';
import { at, entries } from './report.js';

export const text = 'var(--text)',
  muted = 'var(--muted)',
  line = 'var(--line)',
  surface = 'var(--surface)';

const shapes = [
  'M4 .5A3.5 3.5 0 1 1 3.99 .5Z',
  'M.8 .8H7.2V7.2H.8Z',
  'M4 .4L7.8 7.2H.2Z',
  'M4 0L8 4L4 8L0 4Z',
  'M2.8 0H5.2V2.8H8V5.2H5.2V8H2.8V5.2H0V2.8H2.8Z',
  'M.2 .8H7.8L4 7.6Z',
  'M4 .2L7.8 3L6.4 7.6H1.6L.2 3Z',
  'M0 2.5H8V5.5H0Z',
];
const dashes = ['', '7 4', '2 3', '10 3 2 3', '5 2', '1 4', '12 4', '4 4 1 4'];

/** The i-th colour, with the symbol and the dash of the same or of another number. */
export function series_mark(i, shape = i) {
  const dash = dashes[shape % 8];
  return {
    color: `var(--series-${i % 8})`,
    symbol: `path://${shapes[shape % 8]}`,
    dash: dash ? dash.split(' ').map(Number) : 'solid',
  };
}

/** A runtime's mark: the same in every chart. */
export const runtime_mark = (name) => series_mark(Math.max(0, index_of(name)));

function svg(tag, attributes, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** The i-th mark beside a word; with its line where charts draw one. */
export function series_swatch(i, { with_line = false, shape = i } = {}) {
  const color = `var(--series-${i % 8})`,
    x = with_line ? 8 : 0;
  const stroke = with_line
    ? [
        svg('line', {
          x1: 0,
          x2: 24,
          y1: 5,
          y2: 5,
          stroke: color,
          'stroke-width': 2,
          'stroke-dasharray': dashes[shape % 8],
        }),
      ]
    : [];
  return svg(
    'svg',
    { class: 'swatch', width: with_line ? 24 : 8, height: 10, 'aria-hidden': 'true' },
    ...stroke,
    svg('path', { d: shapes[shape % 8], fill: color, transform: `translate(${x} 1)` }),
  );
}

const index_of = (name) => entries('/runtimes').findIndex((r) => r.value.name === name);

/** A runtime's mark beside its name; none for one that has no figures. */
export const runtime_swatch = (name, with_line) =>
  index_of(name) < 0 ? null : series_swatch(index_of(name), { with_line });

/** Which symbol is which runtime. */
export function runtime_legend(with_line = false) {
  return h(
    'ul',
    { class: 'legend', 'aria-label': 'runtimes' },
    (at('/runtimes') ?? []).map((r) => h('li', {}, runtime_swatch(r.name, with_line), ' ', r.name)),
  );
}

/** ECharts' decal of a pattern, and the same in CSS for a legend. */
const patterns = {
  plain: { decal: null, css: '' },
  rising: {
    decal: { symbol: 'rect', dashArrayX: [1, 0], dashArrayY: [2, 4], rotation: -Math.PI / 4 },
    css: 'repeating-linear-gradient(-45deg, var(--pattern) 0 2px, transparent 2px 6px)',
  },
  falling: {
    decal: { symbol: 'rect', dashArrayX: [1, 0], dashArrayY: [2, 4], rotation: Math.PI / 4 },
    css: 'repeating-linear-gradient(45deg, var(--pattern) 0 2px, transparent 2px 6px)',
  },
  upright: {
    decal: { symbol: 'rect', dashArrayX: [2, 4], dashArrayY: [1, 0] },
    css: 'repeating-linear-gradient(90deg, var(--pattern) 0 2px, transparent 2px 6px)',
  },
  dots: {
    decal: { symbol: 'circle', dashArrayX: [[5, 5]], dashArrayY: [5, 0], symbolSize: 0.6 },
    css: 'radial-gradient(var(--pattern) 1.1px, transparent 1.5px) 0 0 / 5px 5px',
  },
};

/** The look of a bar in a colour and a pattern. */
export function fill(color, pattern) {
  const { decal } = patterns[pattern];
  return {
    color: `var(--${color})`,
    decal: decal ? { ...decal, color: 'var(--pattern)' } : 'none',
    borderColor: surface,
    borderWidth: 0.5,
  };
}

/** The same look beside a word. */
export function fill_swatch(color, pattern) {
  const { css } = patterns[pattern];
  return h('span', {
    class: 'swatch block',
    style: `background: ${css ? `${css}, ` : ''}var(--${color})`,
    'aria-hidden': 'true',
  });
}
