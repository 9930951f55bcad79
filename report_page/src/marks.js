// Points and intervals in running text and in tables, placed in percent of their box: they need no drawing, fit every
// width, and follow the colour scheme.

import { h } from './dom.js';
import { format } from './report.js';

/** Steps of 1, 2 or 5 times a power of ten, about `wanted` of them. */
function step_for(size, wanted) {
  const rough = size / wanted,
    power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
}

/** A scale over `values`: place(v) in percent, and round ticks within. `zero` keeps 0 in sight. */
export function scale_over(values, { zero = false, ticks = 4 } = {}) {
  const known = [...values.filter(Number.isFinite), ...(zero ? [0] : [])];
  let [low, high] = known.length ? [Math.min(...known), Math.max(...known)] : [0, 1];
  if (low === high) [low, high] = [low - Math.abs(low || 1) * 0.05, high + Math.abs(high || 1) * 0.05];
  const margin = (high - low) * 0.06;
  [low, high] = [low - margin, high + margin];
  const step = step_for(high - low, ticks);
  const round = [];
  for (let k = Math.ceil(low / step); k * step <= high; ++k) round.push(Number((k * step).toPrecision(12)));
  return { low, high, place: (v) => (100 * (v - low)) / (high - low), ticks: round };
}

const at_left = (percent) => `left: ${percent.toFixed(3)}%`;

/** A tick's number, without digits that say nothing. */
export const tick_text = (v) => (v === 0 ? '0' : String(Number(v.toPrecision(6))).replace('-', '\u2212'));

/** A row of a forest plot: an interval with its mean, over faint lines at the ticks; the line at 0 is stronger. */
export function interval_track(scale, { mean, ci, kind, unit }) {
  const parts = scale.ticks.map((t) =>
    h('i', { class: t === 0 ? 'tick zero' : 'tick', style: at_left(scale.place(t)) }),
  );
  if (ci) {
    const [a, b] = ci.map((v) => Math.min(100, Math.max(0, scale.place(v))));
    parts.push(h('i', { class: 'bar', style: `${at_left(a)}; width: ${Math.max(0.2, b - a).toFixed(3)}%` }));
  }
  parts.push(h('i', { class: 'mean', style: at_left(scale.place(mean)) }));
  const words = `${format(mean, unit)}${ci ? `, 95 % interval ${format(ci[0], unit)} to ${format(ci[1], unit)}` : ''}`;
  return h('div', { class: `track ${kind ?? ''}`, title: words, role: 'img', 'aria-label': words }, parts);
}

/** The numbers of a forest plot's axis. */
export function track_axis(scale) {
  return h(
    'div',
    { class: 'track-axis', 'aria-hidden': 'true' },
    scale.ticks.map((t) => h('span', { style: at_left(scale.place(t)) }, tick_text(t))),
  );
}

/** The ends of a deviation about a mean; a quantity that is never below zero has none there. */
export const deviation_ends = ({ mean, sd }) => [mean - sd < 0 && mean >= 0 ? 0 : mean - sd, mean + sd];

/** A small panel: a mean with its deviation for each level, over lines at the ticks of the scale. */
export function level_panel(scale, levels, unit) {
  const bottom = (v) => `${scale.place(v).toFixed(3)}%`;
  return h(
    'div',
    { class: 'panel-plot' },
    scale.ticks.map((t) => h('i', { class: 'rule', style: `bottom: ${bottom(t)}` }, h('span', {}, tick_text(t)))),
    h(
      'div',
      { class: 'panel-levels' },
      levels.map(({ mean, sd, label, n }) => {
        const [from, to] = deviation_ends({ mean, sd: sd ?? 0 });
        return h(
          'div',
          {
            class: 'panel-level',
            title: `${label}: ${format(mean, unit)}${sd == null ? '' : `, sd ${format(sd, unit)}`}, ${n} runs`,
          },
          sd == null
            ? null
            : h('i', {
                class: 'bar',
                style: `bottom: ${bottom(from)}; height: ${(scale.place(to) - scale.place(from)).toFixed(3)}%`,
              }),
          h('i', { class: 'mean', style: `bottom: ${bottom(mean)}` }),
        );
      }),
    ),
  );
}
