// A trap inside the module, and workers that are not there, are errors of what was asked: nothing waits for ever. There is no way to trap
// built into the module for this: functions of a copy are replaced.

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import binaryen from 'binaryen';
import { launch, serve } from './browser.mjs';

const BUILT = fileURLToPath(new URL('../../target/wasm/', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'reqlog-crash-'));

const { BulkMemory, BulkMemoryOpt, Multivalue, MutableGlobals, NontrappingFPToInt, ReferenceTypes, SIMD128, SignExt } = binaryen.Features;
const FEATURES = BulkMemory | BulkMemoryOpt | Multivalue | MutableGlobals | NontrappingFPToInt | ReferenceTypes | SIMD128 | SignExt;

let browser;
let origin;

/** A copy of the module in which a function that it exports traps as soon as it is called. */
function trapping(name) {
  const module = binaryen.readBinary(readFileSync(join(BUILT, 'reqlog_bg.wasm')));
  module.setFeatures(FEATURES);
  const { value } = binaryen.getExportInfo(module.getExport(name));
  binaryen.Function(module.getFunction(value)).body = module.unreachable();
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}

before(async () => {
  for (const name of ['portion_push', 'answer_step', 'store_adopt', 'cutter_push']) writeFileSync(join(directory, `${name}.wasm`), trapping(name));
  [browser, origin] = await Promise.all([launch(), serve(BUILT, directory)]);
});

after(async () => {
  await browser.close();
  await origin.close();
  rmSync(directory, { recursive: true });
});

/** What comes of opening a line log and a CSV file, and of asking for counts. */
async function seen(wasm) {
  const page = await browser.newPage();
  await page.goto(origin.url);
  try {
    return await page.evaluate(async (wasm) => {
      const { init, open } = await import('/index.js');
      await init(new URL(wasm, location.href));
      const code = (promise) => promise.then(() => 'fine', (error) => `${error.name} ${error.code}`);
      const lines = new File(['{"path":"/a"}\n'.repeat(10)], 'a.ndjson');
      const table = new File([`path\n${'/b\n'.repeat(10)}`], 'b.csv');
      let opened;
      const opening = await code(open([lines, table]).then((done) => (opened = done)));
      if (!opened) return { opening };
      const ready = await code(opened.ready);
      const files = opened.progress.files.map(({ records, done, error }) => [records, done, error?.code ?? null]);
      const answer = await code(opened.answer('/api/v1/stats'));
      const again = await code(opened.answer('/healthz'));
      opened.close();
      return { opening, ready, files, answer, again };
    }, wasm);
  } finally {
    await page.close();
  }
}

test('in the parser: the files fail, and what is there is answered', async () => {
  const files = [[0, true, 'crashed'], [0, true, 'crashed']];
  assert.deepEqual(await seen('/portion_push.wasm'), { opening: 'fine', ready: 'fine', files, answer: 'fine', again: 'fine' });
});

test('in the cutter: its file fails, the other is whole', async () => {
  const files = [[10, true, null], [0, true, 'crashed']];
  assert.deepEqual(await seen('/cutter_push.wasm'), { opening: 'fine', ready: 'fine', files, answer: 'fine', again: 'fine' });
});

test('in an answer: all is over', async () => {
  const files = [[10, true, null], [10, true, null]];
  const all = { opening: 'fine', ready: 'fine', files, answer: 'EngineError crashed', again: 'EngineError crashed' };
  assert.deepEqual(await seen('/answer_step.wasm'), all);
});

test('in the store: nothing is opened', async () => {
  assert.deepEqual(await seen('/store_adopt.wasm'), { opening: 'EngineError crashed' });
});

test('a module that is none, or is not there', async () => {
  const page = await browser.newPage();
  await page.goto(origin.url);
  const codes = await page.evaluate(async () => {
    const { init, parse } = await import('/index.js');
    const code = (promise) => promise.then(() => 'fine', ({ code }) => code);
    const early = await code((async () => parse('a'))());
    const missing = await code(init(new URL('/none.wasm', location.href)));
    const wrong = await code(init(new TextEncoder().encode('not a module')));
    // a failure is not for ever
    const right = await code(init());
    return [early, missing, wrong, right, await code(init(new URL('/none.wasm', location.href)))];
  });
  assert.deepEqual(codes, ['unsupported', 'read', 'unsupported', 'fine', 'fine']);
  await page.close();
});

test('indexers that cannot be fetched: what they were to read fails, the rest is answered, and others are tried', async (context) => {
  const copy = mkdtempSync(join(tmpdir(), 'reqlog-without-'));
  const put = (file) => cpSync(join(BUILT, file), join(copy, file));
  for (const file of ['index.js', 'engine.worker.js', 'reqlog_bg.wasm']) put(file);
  const other = await serve(copy);
  const page = await browser.newPage();
  context.after(async () => {
    await page.close();
    await other.close();
    rmSync(copy, { recursive: true });
  });
  await page.goto(other.url);
  const add = () =>
    page.evaluate(async () => {
      const { open } = await import('/index.js');
      const files = ['a', 'b'].map((name) => new File([`{"path":"/${name}"}\n`], `${name}.ndjson`));
      if (globalThis.opened) await opened.add(files);
      else globalThis.opened = await open(files, { workers: 3 });
      const progress = await opened.ready;
      const response = await opened.answer('/api/v1/logs?fields=path');
      const { items } = await response.json();
      const states = progress.files.map(({ records, done, error }) => [records, done, error && `${error.code}: ${error.message}`]);
      return { states: states.slice(-2), rows: items.length };
    });
  const gone = ({ states, rows }) => {
    for (const [records, done, error] of states) {
      assert.deepEqual([records, done], [0, true]);
      assert.match(error, /^unsupported: .*indexer\.worker\.js/);
    }
    return rows;
  };
  assert.equal(gone(await add()), 0);
  put('indexer.worker.js');
  const fine = [[1, true, null], [1, true, null]];
  assert.deepEqual(await add(), { states: fine, rows: 2 });
  rmSync(join(copy, 'indexer.worker.js'));
  assert.equal(gone(await add()), 2);
  put('indexer.worker.js');
  assert.deepEqual(await add(), { states: fine, rows: 4 });
});

test('indexers whose module cannot be used: their file fails, and the rest is answered', async () => {
  const page = await browser.newPage();
  await page.goto(origin.url);
  const seen = await page.evaluate(async () => {
    const { open } = await import('/index.js');
    const code = (promise) => promise.then(() => 'fine', ({ code }) => code);
    const lines = () => new Blob(['{"path":"/a"}\n'.repeat(10)]);
    const opened = await open([lines()]);
    await opened.ready;
    // an empty module, for those that come from now on
    const post = Worker.prototype.postMessage;
    const empty = new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
    Worker.prototype.postMessage = function (message, ...rest) {
      return post.call(this, message.engine ? { ...message, module: empty } : message, ...rest);
    };
    const codes = [await code(opened.add([lines()])), await code(opened.ready), await code(opened.answer('/api/v1/logs'))];
    return [...codes, opened.progress.files.map(({ records, error }) => [records, error?.code ?? null])];
  });
  assert.deepEqual(seen, ['fine', 'fine', 'fine', [[10, null], [0, 'crashed']]]);
  await page.close();
});
