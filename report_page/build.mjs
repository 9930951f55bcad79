// Builds the page of the HTML report as one file: node build.mjs OUT. To be run in the folder that has node_modules.
// The page comes out with one thing left to put in, the report: host/publish/html.cpp does.

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const out = process.argv[2];
const modules = join(process.cwd(), 'node_modules');
const { buildSync } = createRequire(join(process.cwd(), '/'))('esbuild');
const source = join(dirname(fileURLToPath(import.meta.url)), 'src');

function bundle(entry, options) {
  return buildSync({
    entryPoints: [join(source, entry)],
    bundle: true,
    minify: true,
    write: false,
    charset: 'utf8',
    target: 'es2022',
    legalComments: 'none',
    nodePaths: [modules],
    ...options,
  }).outputFiles[0].text.trim();
}

/** The licences of what is bundled have to travel with it. */
function licences() {
  const texts = [
    ['echarts', 'NOTICE'],
    ['echarts', 'LICENSE'],
    ['zrender', 'LICENSE'],
    ['tslib', 'LICENSE.txt'],
  ].map(
    ([name, file]) =>
      `${name} ${JSON.parse(readFileSync(join(modules, name, 'package.json'))).version}, ${file}:\n\n${readFileSync(join(modules, name, file), 'utf8').trim()}`,
  );
  return `/*\n${texts.join('\n\n').replaceAll('*/', '* /')}\n*/\n`;
}

// The hash is of what the browser sees, and that has no carriage returns.
const script = (licences() + bundle('main.js', { format: 'iife' })).replaceAll('\r', '');
const parts = {
  style: bundle('style.css', {}),
  script,
  script_hash: `sha256-${createHash('sha256').update(script).digest('base64')}`,
};
const page = readFileSync(join(source, 'page.html'), 'utf8').replace(
  /{{(style|script|script_hash)}}/g,
  (_, name) => parts[name],
);
if (page.split('{{report}}').length !== 2) throw new Error('page.html: {{report}} has to be there exactly once');
mkdirSync(dirname(out), { recursive: true });
writeFileSync(out, page);
