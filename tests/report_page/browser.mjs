// Headless Chromium, and pages that it opened: with everything that they said, asked for and moved.

import { accessSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';

/** Chromium's path; null where it is not installed. */
export function chromium_program() {
  return (
    process.env.PATH.split(delimiter)
      .map((folder) => join(folder, 'chromium'))
      .find((file) => {
        try {
          accessSync(file, constants.X_OK);
          return true;
        } catch {
          return false;
        }
      }) ?? null
  );
}

/**
 * A browser that reaches no network, or only this machine. `modules` is the folder that has playwright-core in its
 * node_modules.
 */
export function launch(modules, { reaches_this_machine = false } = {}) {
  const { chromium } = createRequire(join(modules, '/'))('playwright-core');
  return chromium.launch({
    executablePath: chromium_program(),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--host-resolver-rules=MAP * ~NOTFOUND${reaches_this_machine ? ', EXCLUDE 127.0.0.1' : ''}`,
    ],
  });
}

/**
 * Opens a file and waits until every chart is drawn. Returns { page, complaints, requests }; the two lists should stay
 * empty.
 */
export async function open(browser, file, options = {}) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
  const complaints = [],
    requests = [],
    url = `file://${file}`;
  page.on('console', (m) => complaints.push(`console ${m.type()}: ${m.text()}`));
  page.on('pageerror', (e) => complaints.push(`error: ${e.stack}`));
  page.on('dialog', (d) => {
    complaints.push(`dialog: ${d.message()}`);
    d.dismiss();
  });
  page.on('request', (r) => {
    if (r.url() !== url) requests.push(r.url());
  });
  await page.addInitScript(() => {
    window.shifted = 0;
    new PerformanceObserver((list) => {
      for (const e of list.getEntries()) if (!e.hadRecentInput) window.shifted += e.value;
    }).observe({ type: 'layout-shift', buffered: true });
    document.addEventListener('securitypolicyviolation', (e) =>
      console.error(`refused: ${e.violatedDirective} ${e.blockedURI}`),
    );
  });
  await page.goto(url);
  if (options.javaScriptEnabled !== false) await drawn(page);
  return { page, complaints, requests };
}

/** Waits until no chart is being drawn. */
export function drawn(page) {
  return page.waitForFunction(
    () => [...document.querySelectorAll('.chart')].every((c) => c.dataset.state === 'drawn'),
    null,
    { timeout: 20000 },
  );
}
