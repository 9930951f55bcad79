// Tables: the text of every chart, and every figure of the report.

import { h } from './dom.js';
import { figure, at } from './report.js';

/**
 * A table of `rows` by `columns`: { title, cell(row) -> text or element, number, words, plot, tag, sort(row) -> value };
 * `words` is for running text, `plot` for a drawing that takes the width that is left.
 * Columns with `sort` can be sorted by their heading. `label` names the scrolling region for those who cannot see it.
 */
export function table(label, columns, rows) {
  const body = h('tbody');
  const lines = rows.map((row) => ({
    row,
    line: h(
      'tr',
      {},
      columns.map((c, i) =>
        h(
          i === 0 ? 'th' : 'td',
          { class: c.number ? 'number' : c.words ? 'words' : c.plot ? 'plot' : null, scope: i === 0 ? 'row' : null },
          c.cell(row),
        ),
      ),
    ),
  }));
  body.append(...lines.map((l) => l.line));

  function sort_by(column, heading) {
    const descending = heading.getAttribute('aria-sort') === 'ascending';
    for (const other of heading.parentNode.children) other.removeAttribute('aria-sort');
    heading.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
    // What was not measured stays last in either direction.
    const sorted = lines
      .map((l) => ({ ...l, key: column.sort(l.row) }))
      .sort(
        (a, b) =>
          (a.key == null) - (b.key == null) || (descending ? -1 : 1) * (a.key > b.key ? 1 : a.key < b.key ? -1 : 0),
      );
    body.append(...sorted.map((l) => l.line));
  }

  const head = columns.map((c) => {
    const heading = h('th', { scope: 'col', class: c.number ? 'number' : c.plot ? 'plot' : null });
    heading.append(
      c.sort ? h('button', { type: 'button', class: 'sort', onclick: () => sort_by(c, heading) }, c.title) : c.title,
    );
    if (c.tag) heading.append(' ', c.tag);
    return heading;
  });
  return h(
    'div',
    { class: 'scroll', role: 'region', 'aria-label': label, tabindex: 0 },
    h('table', {}, h('thead', {}, h('tr', {}, head)), body),
  );
}

/** A column of the figure that each row (an entry of the document) has under `key`. */
export function number_column(title, key, unit = '', more = {}) {
  return {
    title,
    number: true,
    cell: (row) => figure(`${row.pointer}/${key}`, unit, more.absent),
    sort: (row) => at(`${row.pointer}/${key}`),
    ...more,
  };
}

/** A table that is there for those who ask for it. */
export function folded(summary, content) {
  return h('details', {}, h('summary', {}, summary), content);
}
