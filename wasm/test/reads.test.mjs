// What is read of a long file to answer: in pieces, each once, and no more than the answer needs.

import assert from 'node:assert/strict';
import { before, after, describe, test } from 'node:test';
import { init, open } from '../../target/wasm/node.js';

const PIECE = 16 << 20;
const LINES = 150_000;
const EVERY = 5000;

/** Tells which bytes are read. */
class Watched extends File {
  ranges = [];

  slice(start, end) {
    this.ranges.push([start, Math.min(end, this.size)]);
    return super.slice(start, end);
  }

  /** Those of long reads since the last call, in their order. */
  long() {
    const long = this.ranges.splice(0).filter(([start, end]) => end - start >= 256 << 10);
    return long.map(([start]) => start / PIECE);
  }
}

const lines = [];
for (let n = 1; n <= LINES; n += 1) {
  const time = new Date(Date.UTC(2026, 5, 23) + n * 1000).toISOString();
  const text = n % EVERY === 0 ? 'Needle-17' : 'hay';
  lines.push(`{"time":"${time}","method":"GET","path":"/${n}","status":200,"response":{"body":"${text.padEnd(520, '.')}"}}\n`);
}
const file = new Watched([lines.join('')], 'long.ndjson');
const pieces = Math.ceil(file.size / PIECE);

let opened;

before(async () => {
  await init();
  opened = await open([file]);
  const { records } = await opened.ready;
  assert.equal(records, LINES);
  file.long();
});

after(() => opened.close());

const ask = async (parameters) => (await opened.answer(`/api/v1/logs?fields=path&${parameters}`)).json();

describe('a word in bodies', () => {
  for (const dir of ['asc', 'desc']) {
    test(`is counted in one reading, ${dir}`, async () => {
      const page = await ask(`q=body:needle-17&limit=50&total=exact&dir=${dir}`);
      const found = Array.from({ length: LINES / EVERY }, (_, at) => `/${(at + 1) * EVERY}`);
      assert.deepEqual(page.items.map(({ path }) => path), dir === 'asc' ? found : found.toReversed());
      assert.equal(page.total, LINES / EVERY);
      const read = file.long();
      assert.deepEqual(read.toSorted((a, b) => a - b), Array.from({ length: pieces }, (_, at) => at), 'each piece once');
    });
  }

  test('is found without reading the rest', async () => {
    const page = await ask('q=body:needle-17&limit=1');
    assert.equal(page.items[0].path, `/${LINES}`);
    assert.ok(pieces > 4);
    assert.ok(file.long().length <= 2, 'the first match is in the last piece or the one before');
  });
});

test('an export is one reading', async () => {
  const text = await (await opened.answer('/api/v1/export?format=ndjson&order=asc')).text();
  assert.equal(text.match(/\n/g).length, LINES);
  const read = file.long();
  assert.ok(read.length <= pieces + 1, `${read}`);
});
