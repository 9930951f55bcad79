// Elements from data. Text is only ever set as text, so nothing that a report holds can become markup.

/** An element: h('a', { href, title }, child, [more, children]); null and false children are left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value == null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(Infinity).filter((c) => c != null && c !== false));
  return element;
}

/** A part of the page with a heading that can be linked to. */
export function section(id, title, ...content) {
  return h('section', { id, 'aria-labelledby': `${id}-title` }, h('h2', { id: `${id}-title` }, title), ...content);
}

/** A labelled <select> over `values`; `change` gets the chosen index. */
export function choice(label, values, change) {
  return h(
    'label',
    { class: 'choice' },
    `${label} `,
    h(
      'select',
      { onchange: (e) => change(e.target.selectedIndex) },
      values.map((v) => h('option', {}, v)),
    ),
  );
}

/** A box that chooses a logarithmic axis; `change` gets whether it is chosen. */
export function logarithmic_choice(chosen, change) {
  return h(
    'label',
    { class: 'choice' },
    h('input', { type: 'checkbox', checked: chosen, onchange: (e) => change(e.target.checked) }),
    ' logarithmic axis',
  );
}

/** A list of sentences; nothing where there are none. */
export function sentences(all, attributes = {}) {
  return all?.length
    ? h(
        'ul',
        attributes,
        all.map((s) => h('li', {}, s)),
      )
    : null;
}
