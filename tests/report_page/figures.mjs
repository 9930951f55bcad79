// Every figure of a page against the document that it was made from.

import assert from 'node:assert/strict';

const at = (document, pointer) =>
  pointer
    .split('/')
    .slice(1)
    .reduce((value, key) => value?.[key], document) ?? null;

/** Whether `text` is `value`, rounded to the digits that it shows. */
function shows(text, value) {
  const plain = text.replace('\u2212', '-');
  if (plain === '< 0.0001') return value < 0.0001;
  const [, digits, exponent] = /^-?\d+\.?(\d*)(?:e(.*))?$/.exec(plain) ?? assert.fail(`not a number: ${text}`);
  const last = 10 ** ((exponent ? Number(exponent) : 0) - digits.length);
  return Math.abs(Number(plain) - value) <= last * 0.500001;
}

/** Throws unless every figure of the page is the document's; returns the pointers of the figures. */
export async function check_figures(page, document) {
  const shown = await page.$$eval('[data-at]', (all) =>
    all.map((e) => ({ pointer: e.dataset.at, text: e.textContent, none: e.classList.contains('none') })),
  );
  for (const { pointer, text, none } of shown) {
    const value = at(document, pointer);
    assert.equal(none, value == null, `${pointer} shows "${text}", the document has ${value}`);
    if (value != null) assert.ok(shows(text, value), `${pointer} shows "${text}", the document has ${value}`);
  }
  return new Set(shown.map((s) => s.pointer));
}
