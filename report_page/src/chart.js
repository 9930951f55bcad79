// A figure of the page: a chart drawn by ECharts, its caption, its legend, and the same as a table.

import { init, use } from 'echarts/core';
import { BarChart, CustomChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, TooltipComponent } from 'echarts/components';
import { SVGRenderer } from 'echarts/renderers';
import { h } from './dom.js';
import { folded } from './table.js';
import { line, muted, text } from './palette.js';

use([BarChart, CustomChart, LineChart, ScatterChart, GridComponent, TooltipComponent, SVGRenderer]);

export const font = 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';

/** An axis in the page's manner; `more` says what this one is. */
export function axis(more) {
  const plain = (v) => String(Number(v.toFixed(9))).replace('-', '\u2212');
  return {
    nameLocation: 'middle',
    nameTextStyle: { color: muted, fontSize: 12 },
    axisLine: { show: false },
    axisTick: { show: false },
    ...more,
    splitLine: { lineStyle: { color: line }, ...more.splitLine },
    axisLabel: {
      color: muted,
      fontSize: 11,
      hideOverlap: true,
      ...(more.type === 'category' ? {} : { formatter: plain }),
      ...more.axisLabel,
    },
  };
}

/** The ends of an axis that need not be round numbers: they get no line and no label. */
export const open_ends = {
  splitLine: { showMinLine: false, showMaxLine: false },
  axisLabel: { showMinLabel: false, showMaxLabel: false },
};

const waiting = [];
const shown = []; // what holds memory and observes the window, of each chart that was drawn

/**
 * A chart with its text. `height(width)` is known before anything is drawn, so nothing moves; `option(width)` is
 * ECharts' option; `controls` are elements above the chart. Returns the element with `redraw()`.
 */
export function chart({ id, title, tags = [], note, legend, controls, height, option, table }) {
  const canvas = h('div', {
    class: 'chart',
    id: `chart-${id}`,
    role: 'img',
    'aria-label': `${title}; the same is in the table below`,
  });
  const figure = h(
    'figure',
    { id: `figure-${id}` },
    h('figcaption', {}, h('h3', {}, title, ' ', ...tags.flatMap((t) => [t, ' '])), note ? h('p', {}, note) : null),
    controls ? h('div', { class: 'controls' }, controls) : null,
    legend,
    canvas,
    table ? folded('As a table', table) : null,
  );
  let drawn = null,
    width = 0;

  function draw() {
    width = canvas.clientWidth;
    const size = { width, height: height(width) };
    canvas.style.height = `${size.height}px`;
    canvas.dataset.state = 'drawing';
    if (drawn) drawn.resize(size);
    else {
      drawn = init(canvas, null, { renderer: 'svg', ...size });
      drawn.on('finished', () => {
        canvas.dataset.state = 'drawn';
        // Paper has another width than the screen: there the drawing is scaled.
        canvas.querySelector('svg').setAttribute('viewBox', `0 0 ${width} ${drawn.getHeight()}`);
      });
    }
    drawn.setOption(
      { animation: false, textStyle: { fontFamily: font, color: text }, ...option(width) },
      { notMerge: true },
    );
  }

  waiting.push({
    canvas,
    height,
    draw: () => {
      draw();
      const observer = new ResizeObserver(() => {
        if (canvas.clientWidth > 0 && canvas.clientWidth !== width) draw();
      });
      observer.observe(canvas);
      shown.push(() => {
        observer.disconnect();
        drawn.dispose();
      });
    },
  });
  return Object.assign(figure, { redraw: draw });
}

/** Lets go of every chart, before the page shows others. */
export function dispose_all() {
  waiting.length = 0;
  for (const dispose of shown.splice(0)) dispose();
}

/** Draws every chart made so far, once the page holds them: one in each frame, so that the page can be used meanwhile. */
export function draw_all() {
  for (const w of waiting) w.canvas.style.height = `${w.height(w.canvas.clientWidth)}px`;
  const next = () => {
    const chart = waiting.shift();
    if (!chart) return;
    chart.draw();
    requestAnimationFrame(next);
  };
  next();
}

/** A tooltip whose text is `lines(params)`: a title and figures. It stays within the chart, also on a phone. */
export function tooltip(lines) {
  return {
    trigger: 'item',
    confine: true,
    className: 'tooltip',
    borderWidth: 0,
    padding: 0,
    backgroundColor: 'transparent',
    extraCssText: 'box-shadow: none',
    textStyle: { fontFamily: font },
    transitionDuration: 0,
    formatter: (params) => {
      const [title, ...rest] = lines(params) ?? [];
      return title == null
        ? ''
        : h(
            'div',
            {},
            h('strong', {}, title),
            rest.map((l) => h('div', {}, l)),
          );
    },
  };
}
