// Opening files in a browser: while it goes on, when it fails, when nobody wants it any longer.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, afterEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { launch, serve } from './browser.mjs';
import { formats, records, written } from './inputs.mjs';

const BUILT = fileURLToPath(new URL('../../target/wasm/', import.meta.url));
// several portions in every format
const MANY = 24_000;

const directory = mkdtempSync(join(tmpdir(), 'reqlog-engine-'));
const put = (name, bytes) => writeFileSync(join(directory, name), bytes);

const few = records(100);
put('few.ndjson', written('ndjson', few));
put('few.har', written('har', few));
put('few.csv', written('csv', few));
const many = records(MANY);
for (const format of formats) {
  const plain = written(format, many);
  put(`many.${format}`, plain);
  put(`many.${format}.gz`, gzipSync(plain, { level: 1 }));
}
const zipped = gzipSync(written('ndjson', many), { level: 1 });
put('torn.ndjson.gz', zipped.subarray(0, zipped.length / 2));
const flipped = Buffer.from(zipped);
const middle = Math.trunc(zipped.length / 2);
flipped.fill(0xff, middle, middle + 64);
put('flipped.ndjson.gz', flipped);
const har = written('har', few);
put('torn.har', har.subarray(0, har.length - 700));
put('picture.png', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'));
put('empty.ndjson', '');
put('bad.ndjson', `{"method":"GET","path":"/ok"}\n${'x'.repeat(300)}\n\n{"method":\n`);

let browser;
let origin;
let context;
let page;

before(async () => {
  [browser, origin] = await Promise.all([launch(), serve(BUILT, fileURLToPath(new URL('.', import.meta.url)), directory)]);
});

after(async () => {
  await browser.close();
  await origin.close();
  rmSync(directory, { recursive: true });
});

beforeEach(async () => {
  context = await browser.newContext();
  page = await context.newPage();
  await page.goto(origin.url);
  await page.evaluate(async () => {
    const [engine, scenarios] = await Promise.all([import('/index.js'), import('/scenarios.mjs')]);
    const file = async (name, as = name) => new File([await (await fetch(`/${name}`)).blob()], as, { lastModified: 1_782_302_400_000 });
    const stats = async (opened, query = '') => (await opened.answer(`/api/v1/stats?q=${encodeURIComponent(query)}`)).json();
    const caught = (promise) => promise.then(() => null, (error) => ({ name: error.name, code: error.code, message: error.message }));
    Object.assign(globalThis, { ...engine, ...scenarios, file, stats, caught });
  });
});

afterEach(() => context.close());

describe('portions', () => {
  for (const format of formats) {
    for (const end of ['', '.gz']) {
      test(`of ${format}${end} together are the whole`, async () => {
        const seen = await page.evaluate(async (name) => {
          const opened = await open([await file(name)]);
          const progress = progressOf(await opened.ready);
          const all = await rows(opened, '', 'path,seq');
          const paths = all.map(({ path }) => path);
          const seqs = all.map(({ seq }) => seq);
          const one = await (await opened.answer('/api/v1/logs?q=path:/v1/items/21415&fields=request')).json();
          opened.close();
          return { progress, isWhole: paths.every((path, at) => path === `/v1/items/${at}`), count: paths.length, seqs, one };
        }, `many.${format}${end}`);
        const { files: [state] } = seen.progress;
        assert.deepEqual([state.records, state.rejected, state.error, state.done, state.bytes], [MANY, 0, null, true, state.size]);
        assert.deepEqual([seen.count, seen.isWhole], [MANY, true]);
        // places in the file
        assert.ok(seen.seqs.every((seq, at) => at === 0 || seq > seen.seqs[at - 1]));
        if (['ndjson', 'json', 'har'].includes(format)) {
          assert.deepEqual(seen.one.items, [{ request: { headers: [['x-number', '/v1/items/21415']] } }]);
        }
      });
    }
  }
});

test('what was inflated goes to the private file system, is read from there, and is removed', async () => {
  const seen = await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const folders = async () => (await Array.fromAsync(root.keys())).filter((name) => name.startsWith('reqlog-inflated-'));
    // left behind by a page that is no more
    await root.getDirectoryHandle('reqlog-inflated-stale', { create: true });
    const opened = await open([await file('many.har.gz')], { inflatedBytes: 0 });
    await opened.ready;
    const during = await folders();
    const folder = await root.getDirectoryHandle(during.find((name) => !name.endsWith('stale')));
    const sizes = await Promise.all((await Array.fromAsync(folder.values())).map(async (handle) => (await handle.getFile()).size));
    const one = await (await opened.answer('/api/v1/logs?q=path:/v1/items/14321&fields=request')).json();
    opened.close();
    // it is removed before the lock is given up
    await navigator.locks.request(folder.name, () => {});
    return { during, one, written: sizes.reduce((sum, size) => sum + size, 0), after: await folders() };
  });
  assert.equal(seen.during.length, 1, 'what was stale is removed first');
  assert.equal(seen.written, written('har', many).length);
  assert.deepEqual(seen.one.items, [{ request: { headers: [['x-number', '/v1/items/14321']] } }]);
  assert.deepEqual(seen.after, []);
});

test('several files are one time line', async () => {
  const seen = await page.evaluate(async () => {
    const files = await Promise.all(['few.ndjson', 'few.har', 'few.csv'].map((name) => file(name)));
    const opened = await open(files.slice(0, 2));
    await opened.ready;
    const before = (await rows(opened, '', 'path')).map(({ path }) => path);
    await opened.add([files[2]]);
    const progress = await opened.ready;
    const after = (await rows(opened, '', 'path')).map(({ path }) => path);
    opened.close();
    return { before, after, records: progress.files.map(({ name, records }) => [name, records]) };
  });
  const each = (times) => few.flatMap(({ path }) => Array(times).fill(path));
  assert.deepEqual(seen.before, each(2));
  assert.deepEqual(seen.after, each(3));
  assert.deepEqual(seen.records, [['few.ndjson', 100], ['few.har', 100], ['few.csv', 100]]);
});

test('answers come while indexing goes on, and progress only grows', async () => {
  const seen = await page.evaluate(async () => {
    const states = [];
    const many = await file('many.ndjson');
    const opened = await open([many, new File([many], 'again.ndjson')], { workers: 1, onprogress: (state) => states.push(state) });
    const early = { done: opened.progress.done, total: (await stats(opened, 'status:200')).total };
    const walk = [];
    const first = await (await opened.answer('/api/v1/logs?limit=100&dir=asc&sort=arrival&fields=seq')).json();
    await opened.ready;
    // a walk that began early goes over what was there then
    for (let page = first; ; page = await (await opened.answer(`/api/v1/logs?limit=500&dir=asc&sort=arrival&fields=seq&cursor=${page.next}`)).json()) {
      walk.push(...page.items.map(({ seq }) => seq));
      if (!page.next) break;
    }
    const late = (await stats(opened, 'status:200')).total;
    opened.close();
    return { early, late, walk, states: states.map(({ bytes, records, done }) => ({ bytes, records, done })) };
  });
  assert.equal(seen.early.done, false);
  assert.ok(seen.early.total > 0 && seen.early.total < seen.late, JSON.stringify(seen.early));
  assert.equal(seen.late, (2 * MANY) / 5);
  assert.ok(seen.walk.length < 2 * MANY && seen.walk.every((seq, at) => at === 0 || seq > seen.walk[at - 1]));
  assert.ok(seen.states.length > 2);
  seen.states.forEach((state, at) => {
    assert.ok(at === 0 || (state.bytes >= seen.states[at - 1].bytes && state.records >= seen.states[at - 1].records));
    assert.equal(state.done, at === seen.states.length - 1);
  });
});

test('exports are streams: read as far as wanted, cancelled, whole', async () => {
  const seen = await page.evaluate(async () => {
    const opened = await open([await file('many.har')]);
    await opened.ready;
    const cancelled = (await opened.answer('/api/v1/export?format=ndjson')).body.getReader();
    const first = await cancelled.read();
    await cancelled.cancel();
    const control = new AbortController();
    const aborted = (await opened.answer('/api/v1/export?format=ndjson', { signal: control.signal })).body.getReader();
    await aborted.read();
    control.abort(new Error('enough'));
    const reason = await caught(aborted.read());
    const { body, headers } = await opened.answer('/api/v1/export?format=csv&q=status:404');
    let [lines, parts] = [0, 0];
    for await (const part of body.pipeThrough(new TextDecoderStream())) {
      parts += 1;
      lines += part.split('\n').length - 1;
    }
    opened.close();
    return { first: first.value.length, reason, lines, parts, type: headers.get('content-type') };
  });
  assert.ok(seen.first > 0 && seen.first < 1_000_000, `${seen.first}`);
  assert.deepEqual([seen.reason.message, seen.type.split(';')[0]], ['enough', 'text/csv']);
  assert.equal(seen.lines, 1 + MANY / 5);
  assert.ok(seen.parts > 1);
});

test('what is aborted ends with its reason', async () => {
  const seen = await page.evaluate(async () => {
    const many = await file('many.ndjson');
    const before = await caught(open([many], { signal: AbortSignal.abort() }));
    const control = new AbortController();
    const during = caught(open([many], { signal: control.signal }));
    queueMicrotask(() => control.abort(new Error('changed my mind')));
    const opened = await open([many]);
    const answer = new AbortController();
    const asked = caught(opened.answer('/api/v1/logs?q=req.header.x-number:none', { signal: answer.signal }));
    answer.abort();
    const adding = new AbortController();
    const added = caught(opened.add([many], { signal: adding.signal }));
    adding.abort();
    const progress = progressOf(await opened.ready);
    const total = (await stats(opened)).total;
    opened.close();
    return { before, during: await during, asked: await asked, added: await added, total, second: progress.files[1] };
  });
  assert.equal(seen.before.name, 'AbortError');
  assert.equal(seen.during.message, 'changed my mind');
  assert.equal(seen.asked.name, 'AbortError');
  assert.equal(seen.added.name, 'AbortError');
  assert.deepEqual([seen.second.done, seen.second.records, seen.second.error.code], [true, 0, 'cancelled']);
  assert.equal(seen.total, MANY);
});

test('closing ends everything', async () => {
  const seen = await page.evaluate(async () => {
    const many = await file('many.ndjson');
    const opened = await open([many], { workers: 1 });
    const reader = (await opened.answer('/api/v1/export?format=ndjson')).body.getReader();
    await reader.read();
    const broken = caught(reader.read().then(() => reader.closed));
    const asked = caught(opened.answer('/api/v1/logs?q=req.header.x-number:none'));
    const added = caught(opened.add([many]));
    const ready = caught(opened.ready);
    opened[Symbol.dispose]?.();
    opened.close();
    return Promise.all([added, ready, asked, broken, caught(opened.answer('/healthz')), caught(opened.add([]))]);
  });
  assert.deepEqual(seen.map(({ name, code }) => [name, code]), Array(6).fill(['EngineError', 'closed']));
  // Chromium needs a moment to end a worker's thread
  await page.waitForFunction(() => true);
  for (const worker of page.workers()) await worker.evaluate(() => 0).catch(() => {});
  assert.deepEqual(page.workers().map((worker) => worker.url()), []);
});

describe('indexers', () => {
  const alive = async () => {
    // who was ended answers no more, and is gone when that is known
    for (const worker of page.workers()) await worker.evaluate(() => 0).catch(() => {});
    return page.workers().map((worker) => new URL(worker.url()).pathname.slice(1));
  };

  for (const name of ['many.ndjson', 'many.har.gz']) {
    test(`end when ${name} is read, and are there again for what is added`, async () => {
      await page.evaluate(async (name) => {
        globalThis.opened = await open([await file(name)], { workers: 2 });
        await opened.ready;
      }, name);
      assert.deepEqual(await alive(), ['engine.worker.js']);
      // what they left behind is still read
      const one = await page.evaluate(async () => (await opened.answer('/api/v1/logs?q=path:/v1/items/21415&fields=request')).json());
      assert.deepEqual(one.items, [{ request: { headers: [['x-number', '/v1/items/21415']] } }]);
      const seen = await page.evaluate(async (name) => {
        const [again, few, table] = await Promise.all([file(name), file('few.har'), file('few.csv')]);
        // when nobody is there, and when they are
        await opened.add([again, few]);
        await opened.add([table]);
        const progress = progressOf(await opened.ready);
        return { records: progress.files.map(({ records }) => records), total: (await stats(opened)).total };
      }, name);
      assert.deepEqual(seen, { records: [MANY, MANY, 100, 100], total: 2 * MANY + 200 });
      assert.deepEqual(await alive(), ['engine.worker.js']);
      await page.evaluate(() => opened.close());
      assert.deepEqual(await alive(), []);
    });
  }

  test('end with what is aborted, and nothing of the next file is lost', async () => {
    const seen = await page.evaluate(async () => {
      const [many, few] = await Promise.all([file('many.ndjson'), file('few.ndjson')]);
      const opened = await open([few], { workers: 2 });
      await opened.ready;
      const counts = [];
      // at any moment: before anybody is there, while they read, when the last portion is adopted
      for (const moment of [0, 1, 2, 4, 8, 16]) {
        const adding = new AbortController();
        const added = caught(opened.add([many], { signal: adding.signal }));
        for (let turn = 0; turn < moment; turn += 1) await stats(opened);
        adding.abort();
        await opened.add([few]);
        await added;
        const { files } = await opened.ready;
        const records = files.reduce((sum, { records }) => sum + records, 0);
        const [aborted, last] = files.slice(-2);
        counts.push([records === (await stats(opened)).total, last.records, [null, 'cancelled'].includes(aborted.error?.code ?? null)]);
      }
      globalThis.opened = opened;
      return counts;
    });
    assert.deepEqual(seen, Array(6).fill([true, 100, true]));
    assert.deepEqual(await alive(), ['engine.worker.js']);
  });

  test('that fail take with them what they were to read, and nothing else', async () => {
    const seen = await page.evaluate(async () => {
      const hires = [];
      let failing;
      globalThis.Worker = class extends Worker {
        constructor(url, options) {
          super(url, options);
          if (options.name === 'reqlog indexer 1') hires.push([]);
          hires.at(-1)?.push(this);
          // as soon as somebody listens, before any of them can have read
          queueMicrotask(() => hires[failing]?.forEach((worker) => worker.dispatchEvent(new ErrorEvent('error', { message: `${failing}` }))));
        }
      };
      const few = await file('few.ndjson');
      const opened = await open([few], { workers: 2 });
      await opened.ready;
      // those that are no longer there; those that are
      for (failing of [0, 2]) {
        await opened.add([few, few]);
        await opened.ready;
      }
      failing = undefined;
      await opened.add([few]);
      const { files, records } = await opened.ready;
      globalThis.opened = opened;
      const errors = files.map(({ error }) => error && `${error.code}: ${error.message}`);
      return { errors, records, total: (await stats(opened)).total, hired: hires.map(({ length }) => length) };
    });
    const crashed = 'crashed: a worker failed: 2';
    assert.deepEqual(seen, { errors: [null, null, null, crashed, crashed, null], records: 400, total: 400, hired: [2, 2, 2, 2] });
    assert.deepEqual(await alive(), ['engine.worker.js']);
  });

  test('are not there where there is nothing to read', async () => {
    await page.evaluate(async () => {
      globalThis.opened = await open([], { workers: 2 });
      await opened.add([]);
    });
    assert.deepEqual(await alive(), ['engine.worker.js']);
    const records = await page.evaluate(async () => {
      await opened.add([await file('few.ndjson')]);
      return (await opened.ready).records;
    });
    assert.equal(records, 100);
    assert.deepEqual(await alive(), ['engine.worker.js']);
  });

  test('come and go with every file of many that are added one by one', async () => {
    const seen = await page.evaluate(async () => {
      const few = await file('few.ndjson');
      const opened = await open([], { workers: 3 });
      for (let count = 0; count < 20; count += 1) {
        const added = opened.add([few]);
        if (count % 2) await added;
        if (count % 4 === 3) await opened.ready;
      }
      const progress = await opened.ready;
      globalThis.opened = opened;
      return [progress.records, (await stats(opened)).total, progress.files.every(({ done, error }) => done && !error)];
    });
    assert.deepEqual(seen, [2000, 2000, true]);
    assert.deepEqual(await alive(), ['engine.worker.js']);
  });
});

test('a file that cannot be read says why, and the others stay', async () => {
  const seen = await page.evaluate(async () => {
    const names = ['few.ndjson', 'picture.png', 'torn.ndjson.gz', 'flipped.ndjson.gz', 'torn.har', 'empty.ndjson', 'bad.ndjson', 'few.csv'];
    const opened = await open(await Promise.all(names.map((name) => file(name))));
    const { files, ...sums } = progressOf(await opened.ready);
    const total = (await stats(opened)).total;
    const only = await open([await file('picture.png')]);
    const nothing = progressOf(only.progress);
    opened.close();
    only.close();
    return { files: Object.fromEntries(files.map((file) => [file.name, file])), sums, total, nothing };
  });
  const { files } = seen;
  const brief = ({ format, records, rejected, error }) => [format, records, rejected, error?.code ?? null];
  assert.deepEqual(brief(files['few.ndjson']), ['ndjson', 100, 0, null]);
  assert.deepEqual(brief(files['few.csv']), ['csv', 100, 0, null]);
  assert.deepEqual(brief(files['picture.png']), [null, 0, 0, 'format']);
  assert.match(files['picture.png'].error.message, /ndjson, json, har, access, csv/);
  for (const name of ['torn.ndjson.gz', 'flipped.ndjson.gz']) {
    assert.equal(files[name].error.code, 'corrupt', name);
    assert.match(files[name].error.message, /gzip data/);
    assert.ok(files[name].records > MANY / 4 && files[name].records < MANY, `${files[name].records}`);
  }
  const [format, whole, rejected, code] = brief(files['torn.har']);
  assert.deepEqual([format, rejected, code], ['har', 1, 'corrupt']);
  assert.ok(whole >= 95 && whole < 100, `${whole}`);
  const [cut] = files['torn.har'].errors;
  assert.ok(cut.line > 3000 && files['torn.har'].error.message.includes(`line ${cut.line}`), files['torn.har'].error.message);
  assert.deepEqual(brief(files['empty.ndjson']), [null, 0, 0, null]);
  assert.deepEqual(brief(files['bad.ndjson']), ['ndjson', 1, 2, null]);
  assert.deepEqual(files['bad.ndjson'].errors.map(({ line }) => line), [2, 4]);
  assert.ok(Object.values(files).every(({ done }) => done) && seen.sums.done);
  assert.equal(seen.total, Object.values(files).reduce((sum, { records }) => sum + records, 0));
  assert.deepEqual([seen.nothing.done, seen.nothing.files[0].error.code], [true, 'format']);
});

test('a file that changes while it is open can no longer be read', async () => {
  const seen = await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const handle = await root.getFileHandle('changing.ndjson', { create: true });
    const write = async (blob) => {
      const writable = await handle.createWritable();
      await writable.write(blob);
      await writable.close();
    };
    await write(await file('few.ndjson'));
    const opened = await open([await handle.getFile()]);
    const { records } = await opened.ready;
    await write(new Blob(['{"path":"/other"}\n']));
    const column = await stats(opened);
    const list = await opened.answer('/api/v1/logs?limit=1');
    const problem = await list.json();
    const late = await open([await file('few.csv')]);
    opened.close();
    late.close();
    return { records, total: column.total, status: list.status, problem };
  });
  assert.deepEqual([seen.records, seen.total], [100, 100]);
  assert.ok(seen.status >= 500, JSON.stringify(seen));
  assert.equal(typeof seen.problem.title, 'string');
});

test('a format can be named, and a wrong name is refused', async () => {
  const seen = await page.evaluate(async () => {
    const header = new Blob(['a,b\n1,2\n']);
    const detected = await open([header]);
    const named = await open([header], { format: 'csv' });
    const wrong = await open([header], { format: 'xml' });
    const all = [detected, named, wrong].map(({ progress }) => progressOf(progress).files[0]);
    for (const opened of [detected, named, wrong]) opened.close();
    return all;
  });
  assert.deepEqual(seen.map(({ name, format, records, error }) => [name, format, records, error?.code]), [
    ['file-1', null, 0, 'format'],
    ['file-1', 'csv', 1, undefined],
    ['file-1', null, 0, 'format'],
  ]);
});

test('secrets are replaced unless they are wanted, and records are the same', async () => {
  const seen = await page.evaluate(async () => {
    const secret = 'Q-secret-Q-secret';
    const record = (number) => ({
      time: `2026-06-23T00:00:0${number}Z`, method: 'POST', path: `/${number}`, query: number ? '' : `token=${secret}`, status: 200,
      request: { headers: [['authorization', `Bearer ${secret}`]], body: { size: 40, text: JSON.stringify({ password: secret, number }) } },
    });
    const lines = new File(Array.from({ length: 10 }, (_, at) => `${JSON.stringify(record(at))}\n`), 'a.ndjson', { lastModified: 1_782_302_400_000 });
    const packed = await new Response(lines.stream().pipeThrough(new CompressionStream('gzip'))).blob();
    const zipped = new File([packed], 'b.ndjson.gz', { lastModified: 1_782_302_400_000 });
    const all = {};
    for (const [name, options] of Object.entries({ replaced: {}, asked: { redact: true }, kept: { redact: false } })) {
      const opened = await open([lines], options);
      await opened.ready;
      await opened.add([zipped]);
      await opened.ready;
      const text = async (url) => (await opened.answer(url)).text();
      const exports = {};
      for (const format of ['ndjson', 'csv', 'har', 'json']) exports[format] = (await text(`/api/v1/export?format=${format}`)).split(secret).length - 1;
      all[name] = {
        exports,
        found: (await stats(opened, `query:*${secret}`)).total,
        inHeaders: (await stats(opened, `req.header.authorization:*${secret}`)).total,
        marked: (await stats(opened, 'query:*redacted*')).total,
        redacted: (await text('/api/v1/export?format=ndjson')).split('"redacted":true').length - 1,
        ids: (await rows(opened, '', 'id')).map(({ id }) => id),
      };
      opened.close();
    }
    return all;
  });
  const { replaced, asked, kept } = seen;
  assert.deepEqual(asked, replaced);
  assert.deepEqual(replaced.exports, { ndjson: 0, csv: 0, har: 0, json: 0 });
  assert.deepEqual([replaced.found, replaced.inHeaders, replaced.marked, replaced.redacted], [0, 0, 2, 20]);
  // in each record a header field and a body; in two the query, which HAR has in the URL, as a pair and as ours
  assert.deepEqual(kept.exports, { ndjson: 42, csv: 42, har: 46, json: 42 });
  assert.deepEqual([kept.found, kept.inHeaders, kept.marked, kept.redacted], [2, 20, 0, 0]);
  assert.equal(new Set(kept.ids).size, 20);
  assert.deepEqual(kept.ids, replaced.ids);
});

test('requests are answered as over HTTP', async () => {
  const seen = await page.evaluate(async () => {
    const opened = await open([await file('few.ndjson')]);
    await opened.ready;
    const answers = [];
    for (const asked of [
      '/api/v1/logs?q=path:/v1/items/7 method:DELETE',
      'https://any.example/api/v1/logs?q=status:oops#here',
      { method: 'POST', url: '/api/v1/projects', headers: { 'content-type': 'application/json' }, body: '{"name":"new"}' },
      { method: 'HEAD', url: '/api/v1/stats' },
      { url: '/api/v1/tail' },
    ]) {
      const response = await opened.answer(asked);
      answers.push({ status: response.status, type: response.headers.get('content-type'), text: await response.text() });
    }
    const refused = await caught(opened.answer({ method: 'no method', url: '/' }));
    opened.close();
    return { answers, refused };
  });
  assert.deepEqual(seen.answers.map(({ status }) => status), [200, 400, 501, 200, 501]);
  assert.equal(JSON.parse(seen.answers[0].text).items[0].path, '/v1/items/7');
  assert.equal(JSON.parse(seen.answers[1].text).position, 7);
  assert.equal(seen.answers[3].text, '');
  assert.equal(seen.refused.code, 'query');
});

test('at most 256 files', async () => {
  const seen = await page.evaluate(async () => {
    const one = new Blob(['{"path":"/"}\n']);
    const opened = await open(Array(256).fill(one));
    const { records } = await opened.ready;
    const refused = await caught(opened.add([one]));
    const aborted = await caught(opened.add([one], { signal: AbortSignal.abort(new Error('no')) }));
    const { records: still } = await opened.ready;
    opened.close();
    return { records, refused, aborted, still };
  });
  assert.deepEqual([seen.records, seen.refused.code, seen.aborted.message, seen.still], [256, 'query', 'no', 256]);
});
