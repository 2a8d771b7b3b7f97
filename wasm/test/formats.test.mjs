// Every format in every compression says the same, in Node and in a browser.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as engine from '../../target/wasm/node.js';
import { launch, serve } from './browser.mjs';
import { inputs, records } from './inputs.mjs';
import { everything } from './scenarios.mjs';

const COUNT = 1500;
const ROWS = records(COUNT);
const INPUTS = inputs(ROWS);
const BUILT = fileURLToPath(new URL('../../target/wasm/', import.meta.url));

const directory = mkdtempSync(join(tmpdir(), 'reqlog-formats-'));
INPUTS.forEach(({ bytes }, at) => writeFileSync(join(directory, `${at}`), bytes));

let browser;
let origin;
let page;

before(async () => {
  [browser, origin] = await Promise.all([launch(), serve(BUILT, fileURLToPath(new URL('.', import.meta.url)), directory)]);
  page = await browser.newPage();
  await page.goto(origin.url);
});

after(async () => {
  await browser.close();
  await origin.close();
  rmSync(directory, { recursive: true });
});

/** All that is known of `input` once it is open. */
function check({ format, name, bytes }, seen) {
  const { files: [file], ...sums } = seen.progress;
  const known = { name, format, size: bytes.length, bytes: bytes.length, records: COUNT, rejected: 0, errors: [], error: null, done: true };
  assert.deepEqual(file, known);
  assert.deepEqual(sums, { bytes: bytes.length, size: bytes.length, records: COUNT, rejected: 0, done: true });
  const milliseconds = (row) => ({ ...row, time: new Date(row.time).toISOString() });
  assert.deepEqual(seen.rows.map(milliseconds), JSON.parse(JSON.stringify(ROWS)));
  assert.equal(seen.exported, COUNT);
  assert.equal(seen.found, ROWS.filter(({ status }) => status >= 500).length);
  // header fields are in the file only
  const hasHeaders = ['ndjson', 'json', 'har'].includes(format);
  assert.equal(seen.cold, hasHeaders ? ROWS.filter(({ path }) => path.endsWith('1')).length : 0);
  const newest = ROWS.at(-1);
  assert.equal(seen.last.path, newest.path);
  if (hasHeaders) assert.deepEqual(seen.last.request.headers, [['x-number', newest.path]]);
  if (format === 'har') assert.equal(seen.last.response.body.preview, `said ${newest.path.length}\n{}`);
}

for (const [at, input] of INPUTS.entries()) {
  const title = `${input.format}, ${input.compression}`;
  test(`${title}, in Node`, async () => {
    check(input, await everything(engine, [{ name: input.name, blob: new Blob([input.bytes]) }]));
  });

  test(`${title}, in Chromium`, async () => {
    const seen = await page.evaluate(async ([at, name]) => {
      const [engine, { everything }] = await Promise.all([import('/index.js'), import('/scenarios.mjs')]);
      const blob = await (await fetch(`/${at}`)).blob();
      return everything(engine, [{ name, blob }]);
    }, [at, input.name]);
    check(input, seen);
  });
}
