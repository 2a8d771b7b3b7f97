// What is downloaded does not grow. The budget of the module is 400 KB; what it has more is due.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const read = (name) => readFileSync(new URL(`../../target/wasm/${name}`, import.meta.url));
const brotli = (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } });
const BUDGET = 400_000;
const MODULE = 618_000;
const SCRIPTS = 40_000;

test('the module', (context) => {
  const module = read('reqlog_bg.wasm');
  const [gzip, small] = [gzipSync(module, { level: 9 }).length, brotli(module).length];
  context.diagnostic(`${module.length} bytes, ${gzip} as gzip, ${small} as brotli; the budget is ${BUDGET}`);
  assert.ok(small <= MODULE, `${small} bytes as brotli, ${MODULE} are allowed`);
});

test('the scripts', (context) => {
  const sizes = ['index.js', 'engine.worker.js', 'indexer.worker.js'].map((name) => brotli(read(name)).length);
  const all = sizes.reduce((sum, size) => sum + size, 0);
  context.diagnostic(`${sizes.join(' + ')} as brotli`);
  assert.ok(all <= SCRIPTS, `${all} bytes as brotli, ${SCRIPTS} are allowed`);
});
