// report_page_test.mjs WRITER MODULES: the HTML report in headless Chromium. WRITER is write_report_page, MODULES the folder
// with node_modules. With CHIMERA_SCREENSHOTS=FOLDER it leaves pictures of each page there.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { configs as sample_configs, runtimes as sample_runtimes, samples } from '../../report_page/test/sample.mjs';
import { live_status } from '../../report_page/test/sample_answer.mjs';
import { chromium_program, drawn, launch, open } from './browser.mjs';

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
async function check_figures(page, document) {
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

const [writer, modules] = process.argv.slice(2).map((path) => resolve(path));
if (!chromium_program()) {
  console.log('skipped: chromium is not installed (Debian: apt-get install chromium)');
  process.exit(77);
}

const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
const looks = { light: {}, dark: { colorScheme: 'dark' }, phone };
const charts = {
  tr115: [
    ...['by-runtime', 'by-config', 'loss', 'distribution-ttft', 'distribution-itl', 'timeline'],
    ...['runs-ttft_ms_p50', 'runs-itl_ms_p50'],
  ],
  scaling: [
    ...['by-runtime', 'by-config', 'loss', 'throughput', 'scaling-efficiency', 'timeline'],
    ...['runs-ttft_ms_p50', 'runs-itl_ms_p50'],
  ],
  imported: ['by-runtime', 'by-config', 'loss', 'runs-ttft_ms_p50'],
  failed: [],
};
const documents = Object.fromEntries(Object.entries(samples).map(([name, make]) => [name, make()]));
const folder = mkdtempSync(join(tmpdir(), 'chimera-page-'));
const file = (name) => join(folder, `${name}.html`);
let browser;

function write(name, document) {
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(document));
  execFileSync(writer, [join(folder, `${name}.json`), file(name)]);
}

before(async () => {
  for (const [name, document] of Object.entries(documents)) write(name, document);
  browser = await launch(modules);
});
after(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

async function unfold(page) {
  await page.evaluate(() => {
    for (const d of document.querySelectorAll('details')) d.open = true;
  });
}

async function picture(page, name) {
  if (!process.env.CHIMERA_SCREENSHOTS) return;
  mkdirSync(process.env.CHIMERA_SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(process.env.CHIMERA_SCREENSHOTS, `${name}.png`), fullPage: true });
}

for (const name of Object.keys(documents)) {
  for (const [look, options] of Object.entries(looks)) {
    test(`${name}, ${look}: drawn, without a complaint, a request or a jump`, async () => {
      const { page, complaints, requests } = await open(browser, file(name), options);
      await picture(page, `${name}-${look}`);
      const found = await page.$$eval('.chart', (all) =>
        all.map((c) => ({
          id: c.id.replace('chart-', ''),
          shapes: c.querySelectorAll('svg path').length,
          height: c.clientHeight,
          table: c.closest('section').querySelectorAll('table').length,
        })),
      );
      assert.deepEqual(found.map((c) => c.id).sort(), [...charts[name]].sort());
      for (const c of found) assert.ok(c.shapes > 3 && c.height > 60 && c.table > 0, JSON.stringify(c));
      assert.equal(await page.evaluate(() => window.shifted), 0);
      // A phone's window grows with what does not fit, so its own width says nothing.
      const { width } = page.viewportSize();
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
      await unfold(page);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
      assert.deepEqual(complaints, []);
      assert.deepEqual(requests, []);
      await page.close();
    });
  }

  test(`${name}: every figure is the document's`, async () => {
    const document = documents[name];
    const { page } = await open(browser, file(name));
    const shown = await check_figures(page, document);
    const must = [
      ...document.runtimes.flatMap((_, i) => [
        `/runtimes/${i}/mean_pct`,
        `/runtimes/${i}/imbalance_bound_mean_pct`,
        `/runtimes/${i}/loss_pct/server`,
      ]),
      ...document.runs.flatMap((r, i) =>
        r.values[document.headline] == null ? [] : [`/runs/${i}/values/${document.headline}`],
      ),
      ...document.comparisons.flatMap((c, i) =>
        c.metric === document.headline ? [`/comparisons/${i}/difference`, `/comparisons/${i}/p_holm`] : [],
      ),
      ...(document.overview ?? []).flatMap((row, i) =>
        row.cells.map((_, k) => `/overview/${i}/cells/${k}/${row.shown}`),
      ),
      ...(document.recovery?.runtimes ?? []).map((_, i) => `/recovery/runtimes/${i}/warm/mean_pct`),
      ...(document.parameters ?? []).flatMap((p, i) => p.levels.map((_, k) => `/parameters/${i}/levels/${k}/mean`)),
      ...document.scaling.flatMap((s, i) => s.points.map((_, k) => `/scaling/${i}/points/${k}/throughput_mean`)),
      '/cells/ok',
      '/cells/planned',
    ];
    assert.deepEqual(
      must.filter((pointer) => !shown.has(pointer)),
      [],
    );
    await page.close();
  });

  test(`${name}: every tag leads to a definition`, async () => {
    const { page } = await open(browser, file(name));
    const lost = await page.$$eval('a.tag', (all) =>
      all.map((a) => a.getAttribute('href')).filter((href) => !document.querySelector(href)),
    );
    assert.deepEqual(lost, []);
    await page.close();
  });
}

for (const look of ['light', 'phone'])
  test(`the answer and the key figures are on the first screen, ${look}`, async () => {
    const { page } = await open(browser, file('tr115'), looks[look]);
    const { height } = page.viewportSize();
    const answer = await page.locator('.answer').boundingBox();
    const first_row = await page.locator('.overview tbody tr').first().boundingBox();
    assert.ok(answer.y + answer.height < height, JSON.stringify(answer));
    assert.ok(first_row.y + first_row.height < height, JSON.stringify(first_row));
    await page.close();
  });

test('a comparison is a row with its interval at its place', async () => {
  const { page } = await open(browser, file('tr115'));
  const rows = await page.$$eval('#comparisons .forest tbody tr:not(.axis)', (all) =>
    all.map((tr) => {
      const place = (selector) => tr.querySelector(selector).getBoundingClientRect();
      const [bar, mean, track] = ['.bar', '.mean', '.track'].map(place);
      return {
        within: bar.left >= track.left - 1 && bar.right <= track.right + 1,
        inside: mean.left + mean.width / 2 >= bar.left - 1 && mean.left + mean.width / 2 <= bar.right + 1,
      };
    }),
  );
  assert.equal(rows.length, documents.tr115.comparisons.filter((c) => c.metric === documents.tr115.headline).length);
  assert.ok(rows.every((r) => r.within && r.inside));
  await page.close();
});

test('no chart stands beside an empty half', async () => {
  const { page } = await open(browser, file('imported'));
  for (const grid of await page.$$eval('.pair, .panels, .multiples', (all) =>
    all.map((e) => ({
      width: e.clientWidth,
      right: Math.max(...[...e.children].map((c) => c.offsetLeft + c.offsetWidth - e.offsetLeft)),
    })),
  ))
    assert.ok(grid.right > 0.9 * grid.width, JSON.stringify(grid));
  await page.close();
});

test('a live page follows its sweep without moving what is read; a saved report has no progress', async (t) => {
  const { tr115 } = documents;
  const status = (done) => live_status(sample_runtimes, sample_configs, done, 150);
  write('live', { ...tr115, live: status(87) });
  let done = 87,
    asked = [];
  const server = createServer((request, response) => {
    asked.push(request.url);
    if (request.url === '/') return response.setHeader('content-type', 'text/html').end(readFileSync(file('live')));
    const report = { ...tr115, findings: [`After ${done} cells.`], live: status(done) };
    response.end(JSON.stringify(request.url === '/status.json' ? status(done) : report));
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  t.after(() => server.close());
  const local = await launch(modules, { reaches_this_machine: true });
  t.after(() => local.close());
  const page = await local.newPage({ viewport: { width: 1280, height: 900 } });
  const complaints = [];
  page.on('console', (m) => complaints.push(m.text()));
  page.on('pageerror', (e) => complaints.push(e.stack));
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await drawn(page);
  const panel = () => page.innerText('#live');
  for (const part of [
    '87 of 150 cells done, 1 failed, 63 left',
    'tokio_default / baseline_vs_chimera, run 3',
    'ttft_p95_ms: 1240 ms, the limit is 1000 ms',
    '<b>not bold</b>',
  ])
    assert.ok((await panel()).includes(part), `${part}: ${await panel()}`);
  await picture(page, 'live-light');
  await page.evaluate(() => {
    document.querySelector('#runs details').open = true;
    window.scrollTo({ top: document.querySelector('#runs').getBoundingClientRect().top - 60, behavior: 'instant' });
  });
  const top = () => page.evaluate(() => document.querySelector('#runs').getBoundingClientRect().top);
  const before = await top();
  done = 150;
  await page.waitForFunction(() => document.querySelector('#findings').textContent.includes('After 150 cells.'), null, {
    timeout: 15000,
  });
  await drawn(page);
  assert.match(await panel(), /150 of 150 cells done.*The sweep has ended/s);
  assert.ok(Math.abs((await top()) - before) < 3, `${before} became ${await top()}`);
  assert.ok(await page.evaluate(() => document.querySelector('#runs details').open));
  assert.deepEqual(complaints, []);
  server.closeAllConnections();
  server.close();
  await page.waitForFunction(() => document.querySelector('#live').textContent.includes('no longer serves'), null, {
    timeout: 15000,
  });
  assert.deepEqual([...new Set(asked)].sort(), ['/', '/report.json', '/status.json']);

  const saved = await open(browser, file('tr115'));
  assert.equal(await saved.page.$('#live'), null);
  await saved.page.close();
});

test('every run is a point', async () => {
  const { page } = await open(browser, file('tr115'));
  const runs = documents.tr115.runs.filter((r) => r.status === 'ok').length;
  assert.ok((await page.$$eval('#chart-by-runtime svg path', (all) => all.length)) >= runs);
  await page.close();
});

for (const colorScheme of ['light', 'dark']) {
  test(`text and marks of charts stand out, ${colorScheme}`, async () => {
    const { page } = await open(browser, file('tr115'), { colorScheme });
    const weak = await page.evaluate(() => {
      const luminance = (color) => {
        const [r, g, b] = color
          .match(/[\d.]+/g)
          .map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const ground = luminance(getComputedStyle(document.body).backgroundColor);
      const contrast = (color) =>
        (Math.max(ground, luminance(color)) + 0.05) / (Math.min(ground, luminance(color)) + 0.05);
      const fills = (selector) => [
        ...new Set([...document.querySelectorAll(selector)].map((e) => getComputedStyle(e).fill)),
      ];
      return [
        ...fills('.chart svg text').filter((c) => contrast(c) < 4.5),
        ...fills('svg.swatch path').filter((c) => contrast(c) < 3),
      ];
    });
    assert.deepEqual(weak, []);
    await page.close();
  });
}

test('the page could not ask for anything if it wanted to', async (t) => {
  let asked = 0;
  const server = createServer((_, response) => {
    asked += 1;
    response.end();
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  t.after(() => server.close());
  const { page, complaints } = await open(browser, file('tr115'));
  await page.evaluate(async (url) => {
    await fetch(url).catch(() => {});
    document.body.append(
      Object.assign(new Image(), { src: url }),
      Object.assign(document.createElement('script'), { src: url }),
    );
  }, `http://127.0.0.1:${server.address().port}/`);
  await page.waitForTimeout(300);
  assert.equal(asked, 0);
  assert.equal(complaints.filter((c) => c.includes('refused:')).length, 3, 'the policy should have refused all three');
  await page.close();
});

test('all can be reached and used from the keyboard', async () => {
  const { page } = await open(browser, file('tr115'));
  const choose = page.getByRole('combobox', { name: 'runtime', exact: true });
  await choose.focus();
  await page.keyboard.press('End');
  await drawn(page);
  await unfold(page);
  assert.deepEqual(
    await page.$$eval('#figure-timeline tbody th', (all) => [...new Set(all.map((th) => th.textContent.trim()))]),
    ['async_std'],
  );
  await page.locator('#runs .sort', { hasText: /^efficiency/ }).focus();
  await page.keyboard.press('Enter');
  const sorted = await page.$$eval('#runs tbody tr', (all) => all.map((tr) => tr.children[4].textContent));
  const values = sorted.filter((t) => t !== 'not measured').map(Number);
  assert.deepEqual(
    values,
    [...values].sort((a, b) => a - b),
  );
  assert.equal(sorted.at(-1), 'not measured');
  await page.close();
});

test('another metric of the comparisons brings its own figures', async () => {
  const { page } = await open(browser, file('tr115'));
  await page.getByRole('combobox', { name: 'metric', exact: true }).selectOption({ index: 1 });
  await drawn(page);
  const shown = await check_figures(page, documents.tr115);
  const first = documents.tr115.comparisons.findIndex((c) => c.metric !== documents.tr115.headline);
  assert.ok(shown.has(`/comparisons/${first}/difference`));
  await page.close();
});

test('on paper it is light, and the charts fit', async () => {
  const { page } = await open(browser, file('tr115'), { colorScheme: 'dark' });
  await page.emulateMedia({ media: 'print' });
  await page.setViewportSize({ width: 680, height: 1000 });
  await drawn(page);
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), 'rgb(255, 255, 255)');
  for (const box of await page.$$eval('.chart svg', (all) => all.map((s) => s.getBoundingClientRect().toJSON())))
    assert.ok(box.width > 300 && box.right <= 680 && box.height > 60, JSON.stringify(box));
  await page.close();
});

test('what was not measured is said, not shown as zero', async () => {
  const { page } = await open(browser, file('imported'));
  await unfold(page);
  const text = await page.innerText('main');
  for (const part of [
    'The sums leave out what was not measured: inflation',
    'Not measured in any run: efficiency',
    'No agent ran alone',
  ])
    assert.ok(text.includes(part), part);
  await page.close();
});

test('markup in a message stays text', async () => {
  const { page, complaints } = await open(browser, file('failed'));
  assert.ok((await page.innerText('#failures')).includes('</script><script>alert("not run")</script>'));
  assert.deepEqual(complaints, []);
  await page.close();
});

test('the page says where its runs come from, and a server writes no markup into it', async () => {
  const { page, complaints } = await open(browser, file('tr115'));
  const rows = await page.$$eval('#provenance tbody tr', (all) => all.map((tr) => tr.innerText));
  assert.equal(rows.length, documents.tr115.provenance.lines.length);
  assert.ok(rows[0].includes('AMD EPYC 7B13') && rows[0].includes('all'), rows[0]);
  assert.ok(rows[2].includes('runtime tokio_default'), rows[2]);
  assert.ok(rows.at(-1).includes('Ollama 0.5.1</script><script>alert("not run")</script>'), rows.at(-1));
  assert.deepEqual(complaints, []);
  await page.close();
  const without = await open(browser, file('failed'));
  assert.equal(await without.page.$('#provenance'), null);
  await without.page.close();
});

test('without JavaScript the page says what it is', async () => {
  const { page } = await open(browser, file('tr115'), { javaScriptEnabled: false });
  assert.match(await page.innerText('body'), /drawn by JavaScript, which is switched off/);
  await page.close();
});

test('a document of another version is refused', async () => {
  write('newer', { ...documents.failed, schema_version: 3 });
  const { page } = await open(browser, file('newer'));
  assert.match(await page.innerText('body'), /reads reports of schema version 2; this is report 3/);
  await page.close();
});
