// Bad days of KV, D1 and the runtime: what was acknowledged is shown once all the same, at every moment and afterwards.
// Each part has a control that shows that the test would see it otherwise.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { Deployed } from './deployed.mjs';
import { open } from './sse.mjs';
import { Witness } from './witness.mjs';

// as in worker/src/limits.rs, in ms
const GRACE = 5 * 60_000;
const ORPHANS = 60 * 60_000;
const PATIENCE = 10_000;
const RUN = 2 * 60_000;
// until KV shows a new value everywhere
const SPREAD = 60_000;

const COMMIT = 'INSERT INTO batches';
const LOAD = 'SELECT token FROM batches';
const REPLACE = 'INSERT INTO replacements';
const FORGET = 'DELETE FROM replacements';

let deployed;
let projects = 0;
let logged = [];

before(async () => {
  deployed = await Deployed.start({ vars: { REQLOG_COMMIT_WINDOW: '0ms' }, log: (text) => logged.push(text) });
});
after(() => deployed.stop());

// each begins with segments alone, of which nothing else is left
beforeEach(async () => {
  await fault();
  await deployed.control('release');
  await deployed.control('writer', { name: 'committer' });
  await forget();
  await settle();
  deployed.now += ORPHANS + GRACE;
  await deployed.control('advance');
  await deployed.tick();
});

const witness = () => new Witness(deployed, `p${++projects}`);
const settle = () => deployed.control('settle');
const fault = (...rules) => deployed.control('fault', { faults: { rules } });
const hide = (fresh, hidden = '') => deployed.control('fault', { faults: { fresh, hidden } });
/** What an isolate keeps is gone, as in a place that nobody asked before. */
const forget = () => deployed.control('trap');
const count = async (table) => (await deployed.sql(`SELECT count(*) AS n FROM ${table}`))[0][0].n;

/** What was counted and logged while this ran. */
async function seen(work) {
  await deployed.control('costs');
  logged = [];
  const result = await work();
  const { kv, d1 } = await deployed.control('costs');
  const fallbacks = logged.join('').match(/is not in KV yet; read from what it replaced/g)?.length ?? 0;
  return { result, kv, d1, fallbacks };
}

async function isReadElsewhere(witness) {
  await forget();
  const { kv, fallbacks } = await seen(() => witness.checkAll());
  assert.ok(kv.misses > 0 && fallbacks > 0, `${kv.misses} misses, ${fallbacks} fallbacks`);
}

async function isReadFromKv(witness) {
  await forget();
  const { kv, fallbacks } = await seen(() => witness.checkAll());
  assert.ok(kv.gets > 0, 'KV was asked');
  assert.deepEqual([kv.misses, fallbacks], [0, 0]);
}

/** Every value that the catalog names is in KV, and every other is known to be nobody's. */
async function valuesAgree() {
  const [written] = await deployed.sql('SELECT segment, volumes, segment IN (SELECT id FROM segments) AS used FROM written');
  const names = await deployed.control('values');
  for (const { segment, volumes, used } of written) {
    for (let at = 0; used && at < volumes; at += 1) assert.ok(names.includes(`s/${segment}/${at}`), `s/${segment}/${at} is gone`);
  }
  const known = new Set(written.map(({ segment }) => String(segment)));
  for (const name of names) assert.ok(known.has(name.split('/')[1]), `${name} is nobody's and never goes`);
  return written.filter(({ used }) => !used).length;
}

/** Ends everything that was replaced or left over. */
async function quiet(witness) {
  await fault();
  await deployed.control('release');
  await witness.pass(GRACE);
  await deployed.tick();
  await witness.pass(ORPHANS + 1);
  await deployed.tick();
  assert.equal(await valuesAgree(), 0);
  await witness.checkAll();
}

for (const [what, hidden] of [['all of it', ''], ['its first value', '/0$'], ['its second value', '/1$']]) {
  test(`a segment of which KV does not show ${what} for 60 s is read from what it replaced`, async () => {
    const w = witness();
    await w.ingest(w.names(6));
    await hide(SPREAD, hidden);
    await w.ingest(w.names(3));
    await settle();
    for (const wait of [0, 1, SPREAD / 2, SPREAD / 2 - 2]) {
      await w.pass(wait);
      await isReadElsewhere(w);
    }
    await w.pass(1);
    await isReadFromKv(w);
    await w.pass(GRACE);
    await deployed.tick();
    assert.equal(await count('batches'), 0);
    await isReadFromKv(w);
  });
}

test('control: rows whose replacement is not known are shown twice, and a source that is lost is missed', async () => {
  const w = witness();
  await w.ingest(w.names(4));
  await settle();
  await w.checkAll();
  const without = async (table) => {
    const [rows] = await deployed.sql(`SELECT * FROM ${table}`, `DELETE FROM ${table}`);
    await forget();
    const failed = await w.check().then(() => undefined, String);
    const put = (row) => ({ sql: `INSERT INTO ${table} VALUES (${Object.keys(row).map(() => '?')})`, params: Object.values(row) });
    await deployed.sql(...rows.map(put));
    await forget();
    await w.checkAll();
    return failed;
  };
  assert.match(await without('replacements'), /is stored and shown 2 times/);
  assert.match(await without('segments'), /is stored and shown 0 times/);
});

test('a merge of segments that KV does not show yet is read from the batches, without what was deleted', async () => {
  const w = witness();
  // eight of one size are merged
  for (let round = 0; round < 8; round += 1) {
    await w.ingest(w.names(1));
    if (round === 5) await w.delete(w.stored.slice(3, 5));
    await w.pass(1000);
    await settle();
  }
  const [[{ steps }]] = await deployed.sql('SELECT count(*) AS steps FROM replacements');
  assert.ok(steps >= 9, `${steps} replacements`);
  await hide(SPREAD);
  for (const wait of [0, SPREAD - 8000, 4000, 3999]) {
    await w.pass(wait);
    await isReadElsewhere(w);
  }
  await w.pass(1);
  await isReadFromKv(w);
  await quiet(w);
});

test('the grace of what a hidden segment builds upon ends at that moment', async () => {
  const w = witness();
  await w.ingest(w.names(5));
  await settle();
  const [, first] = await deployed.sql('SELECT 1', 'SELECT max(id) AS id FROM segments');
  await w.pass(GRACE - 10_000);
  await w.delete(w.stored.slice(0, 2));
  await settle();
  await hide(SPREAD);
  await w.pass(9_999);
  await deployed.tick();
  assert.ok((await count('batches')) > 0, 'the grace is not over');
  await w.pass(1);
  await deployed.tick();
  assert.equal(await count('batches'), 0, 'the grace is over');
  assert.ok((await count('deletions')) > 0, 'what was deleted is still stored');
  for (const wait of [0, SPREAD - 10_001]) {
    await w.pass(wait);
    await isReadElsewhere(w);
  }
  await w.pass(1);
  await isReadFromKv(w);
  await w.pass(GRACE);
  await deployed.tick();
  assert.ok(!(await deployed.control('values')).includes(`s/${first[0].id}/0`), 'what was replaced is gone');
  assert.equal(await count('deletions'), 0);
  await isReadFromKv(w);
});

test('a segment that KV hides for longer than the grace is asked for again, and is no empty page', async () => {
  const w = witness();
  await hide(GRACE + 1000);
  await w.ingest(w.names(4));
  await w.checkAll();
  await settle();
  await w.pass(GRACE);
  await isReadElsewhere(w);
  await deployed.tick();
  await forget();
  await w.isRefused();
  await deployed.tick();
  await w.pass(1000);
  await isReadFromKv(w);
});

test('what hides a segment from the compactor ends, and then deletions are made physical', async () => {
  const w = witness();
  await hide(SPREAD);
  await w.ingest(w.names(4));
  await settle();
  await w.delete(w.stored.slice(0, 1));
  await settle();
  await w.checkAll();
  await w.pass(SPREAD);
  await settle();
  await w.pass(GRACE);
  await deployed.tick();
  assert.equal(await count('deletions'), 0);
  await isReadFromKv(w);
});

/** What is asked for while calls fail one after the other in this way, and time passes for those that never answer. */
async function outlast(witness, asked, ...ways) {
  for (const [at, how] of ways.entries()) {
    const met = deployed.control('hit', { least: at + 1 });
    await witness.complete(Promise.race([met, asked]));
    if (how === 'hang' || how === 'stall') await witness.pass(PATIENCE);
  }
  return witness.complete(asked);
}

// three commits there are at least, as each writer waits for its answers
const COMMITS = ['fail', 'lose', 'hang', 'stall'].flatMap((how) => [0, 1, 2].map((skip) => ({ how, skip, times: skip < 2 ? 2 : 1 })));

for (const { how, skip, times } of COMMITS) {
  test(`three writers, and D1 does "${how}" with commit ${skip + 1}`, async () => {
    const w = witness();
    await fault({ on: 'd1', match: COMMIT, do: how, skip, times });
    const writer = async (name) => {
      for (let request = 0; request < 3; request += 1) {
        const names = w.names(2);
        const key = name && `${w.project}-${name}-${request}`;
        let status = await w.ingest(names, key);
        for (let again = 0; key && status !== 200; again += 1) {
          assert.ok(again < 5, 'it never ends');
          status = await w.ingest(names, key);
        }
      }
    };
    const all = Promise.all([writer('a'), writer('b'), writer()]);
    await outlast(w, all, ...Array(times).fill(how));
    assert.equal(await deployed.control('hit', { least: times }), times);
    assert.equal(w.stored.length, 18, 'one failure is gone over in silence');
    await w.checkAll();
    await deployed.control('release');
    await w.check();
    await fault();
    assert.equal(await w.complete(w.ingest(w.names(1))), 200);
    await w.check();
  });
}

test('a commit that hung is applied between the look for it and its repetition', async () => {
  const w = witness();
  await fault({ on: 'd1', match: COMMIT, do: 'hang', times: 2 });
  const asked = w.ingest(w.names(3));
  await deployed.control('hit', { least: 1 });
  const more = w.ingest(w.names(2), 'later');
  await w.pass(PATIENCE);
  // the head was loaded and did not have it: now it is asked for again
  const again = deployed.control('hit', { least: 2 });
  await w.complete(again);
  const { d1 } = await seen(() => deployed.control('release'));
  assert.equal(d1.refused, 1, 'the second of them found the first');
  await w.complete(Promise.all([asked, more]));
  assert.equal(w.stored.length, 5);
  await w.checkAll();
});

test('what nobody waits for any more is stored once or not at all, and a retry makes it once', async () => {
  for (const [how, isLate] of [['hang', false], ['hang', true], ['stall', false], ['lose', false], ['fail', false]]) {
    const w = witness();
    await w.ingest(w.names(1));
    // D1 is away from the commit on
    await fault({ on: 'd1', match: COMMIT, do: how }, { on: 'd1', match: '', do: 'fail', times: 1e6 });
    const [keyed, bare] = [w.names(2), w.names(2)];
    const asked = Promise.all([w.ingest(keyed, `${w.project}-key`), w.ingest(bare)]);
    const statuses = await w.complete(asked);
    assert.ok(statuses.every((status) => status !== 200));
    await fault();
    // before or after somebody else has taken its place
    if (isLate) assert.equal(await w.complete(w.ingest(w.names(1))), 200);
    await deployed.control('release');
    await w.check();
    assert.equal(await w.complete(w.ingest(keyed, `${w.project}-key`)), 200);
    await w.checkAll();
    // a control: without a key nobody can tell
    const { length } = await w.check();
    await w.ingest(bare);
    const shown = (await deployed.get(`/api/v1/stats?project=${w.project}`)).expect(200).json.total;
    assert.equal(shown, length + bare.length);
  }
});

test('the head cannot be loaded for a while', async () => {
  for (const how of ['fail', 'lose', 'hang']) {
    const w = witness();
    await fault({ on: 'd1', match: COMMIT, do: 'lose' }, { on: 'd1', match: LOAD, do: how, times: 2 });
    assert.equal(await outlast(w, w.ingest(w.names(2)), 'lose', how, how), 200);
    assert.equal(await deployed.control('hit', { least: 3 }), 3);
    await w.checkAll();
  }
});

for (const how of ['hang', 'stall']) {
  test(`the committer ends while a commit does "${how}"`, async () => {
    for (const end of ['evict', 'trap', 'restart']) {
      const w = witness();
      await w.ingest(w.names(2));
      await fault({ on: 'd1', match: COMMIT, do: how });
      const names = w.names(3);
      const asked = w.ingest(names, `${w.project}-key`).catch((error) => error);
      await deployed.control('hit', { least: 1 });
      await (end === 'restart' ? deployed.restart() : deployed.control(end));
      await asked;
      await w.check();
      await fault();
      assert.equal(await w.complete(w.ingest(w.names(1))), 200);
      if (how === 'hang' && end !== 'restart') {
        const { d1 } = await seen(() => deployed.control('release'));
        assert.equal(d1.refused, 1, 'its place is taken');
      }
      assert.equal(await w.complete(w.ingest(names, `${w.project}-key`)), 200);
      await w.checkAll();
    }
  });
}

test('two committers write at the same time', async () => {
  const w = witness();
  const by = (name) => deployed.control('writer', { name });
  await w.ingest(w.names(2));
  await by('another');
  await w.ingest(w.names(2));
  await by('committer');
  // it takes the head for what it was
  assert.equal(await w.complete(w.ingest(w.names(2), `${w.project}-a`)), 200);
  await by('another');
  await fault({ on: 'd1', match: COMMIT, do: 'hang' });
  const held = w.names(2);
  const asked = w.ingest(held, `${w.project}-held`);
  await deployed.control('hit', { least: 1 });
  await by('committer');
  assert.equal(await w.complete(w.ingest(w.names(2))), 200);
  await w.check();
  await w.pass(PATIENCE);
  assert.equal(await w.complete(asked), 200);
  const { d1 } = await seen(() => deployed.control('release'));
  assert.equal(d1.refused, 1);
  // what the other one has stored is not stored again
  assert.equal(await w.complete(w.ingest(held, `${w.project}-held`)), 200);
  await w.checkAll();
  assert.equal(w.stored.length, 10);
});

test('streams of both committers tell what either has written', async () => {
  const w = witness();
  const by = (name) => deployed.control('writer', { name });
  const streams = [];
  for (const name of ['committer', 'another']) {
    await by(name);
    streams.push(await open(deployed, `/api/v1/tail?project=${w.project}`));
  }
  for (const name of ['another', 'committer', 'committer', 'another', 'committer']) {
    await by(name);
    assert.equal(await w.complete(w.ingest(w.names(2))), 200);
  }
  await by('committer');
  const paths = (await w.check()).map(({ path }) => path);
  for (const stream of streams) {
    const told = () => stream.frames.filter(({ event, data }) => event === undefined && data !== undefined);
    await w.complete(stream.until(() => told().length >= paths.length));
    assert.deepEqual(told().map(({ data }) => JSON.parse(data).path), paths);
    stream.close();
  }
});

/** Ways to cut the compactor off: what fails, and how. */
const CUTS = [
  ['before the first value is in KV', { on: 'put', do: 'fail' }],
  ['between two values', { on: 'put', do: 'hang', skip: 1 }],
  ['between KV and D1', { on: 'd1', match: REPLACE, do: 'fail' }],
  ['between KV and D1, and D1 does it later', { on: 'd1', match: REPLACE, do: 'hang' }],
  ['after D1, without its answer', { on: 'd1', match: REPLACE, do: 'lose' }],
  ['after D1, which never answers', { on: 'd1', match: REPLACE, do: 'stall' }],
];
const TIDIES = [
  ['before what was replaced is gone from KV', { on: 'delete', do: 'fail' }],
  ['between its values', { on: 'delete', do: 'stall', skip: 1 }],
  ['when it is gone from KV and not from D1', { on: 'd1', match: FORGET, do: 'fail' }],
  ['when it is gone from KV and D1 goes on later', { on: 'd1', match: FORGET, do: 'hang' }],
  ['when D1 has forgotten it and does not say so', { on: 'd1', match: FORGET, do: 'stall' }],
];
const ENDS = ['evict', 'trap', 'restart'];

async function cutOff(rule, run, end) {
  await fault(rule);
  const ran = run().catch((error) => error);
  await deployed.control('hit', { least: 1 });
  await (end === 'restart' ? deployed.restart() : deployed.control(end));
  return ran;
}

for (const [at, [what, rule]] of CUTS.entries()) {
  const end = ENDS[at % ENDS.length];
  test(`the compactor is cut off ${what} (${end})`, async () => {
    const w = witness();
    await w.ingest(w.names(3));
    await settle();
    await w.delete(w.stored.slice(0, 1));
    await w.ingest(w.names(3));
    await cutOff(rule, settle, end);
    await w.checkAll();
    await deployed.tick();
    await w.check();
    await fault();
    await settle();
    await w.checkAll();
    await deployed.control('release');
    await forget();
    await w.checkAll();
    await hide(SPREAD);
    await forget();
    await w.checkAll();
    await quiet(w);
  });
}

for (const [at, [what, rule]] of TIDIES.entries()) {
  const end = ENDS[at % ENDS.length];
  test(`the compactor is cut off while it tidies, ${what} (${end})`, async () => {
    const w = witness();
    await w.ingest(w.names(3));
    await settle();
    await w.delete(w.stored.slice(0, 1));
    await settle();
    await w.pass(GRACE);
    await cutOff(rule, () => deployed.tick(), end);
    await forget();
    await w.checkAll();
    await fault();
    await deployed.tick();
    await w.checkAll();
    await deployed.control('release');
    await forget();
    await w.checkAll();
    await quiet(w);
  });
}

test('a compactor that gets no answer gives up, and the next run does its work', async () => {
  for (const rule of [{ on: 'd1', match: REPLACE, do: 'hang' }, { on: 'put', do: 'hang' }]) {
    const w = witness();
    await w.ingest(w.names(3));
    await fault(rule);
    const ran = settle().catch((error) => error);
    await deployed.control('hit', { least: 1 });
    const next = settle();
    await w.pass(RUN);
    assert.match(String(await w.complete(ran)), /the compactor answered 500/);
    await w.complete(next);
    await w.pass(GRACE);
    await deployed.tick();
    assert.equal(await count('batches'), 0);
    await deployed.control('release');
    await isReadFromKv(w);
  }
});

test('a replacement that D1 makes after everything newer was forgotten is refused', async () => {
  const w = witness();
  await w.ingest(w.names(3));
  await cutOff({ on: 'd1', match: REPLACE, do: 'hang' }, settle, 'evict');
  await fault();
  await settle();
  await w.pass(GRACE);
  await deployed.tick();
  assert.equal(await count('replacements'), 0);
  await deployed.control('release');
  await forget();
  await w.checkAll();
  await quiet(w);
});

test('values that nobody names go after an hour and not before, and others stay', async () => {
  const w = witness();
  await w.ingest(w.names(3));
  await cutOff({ on: 'd1', match: REPLACE, do: 'fail' }, settle, 'evict');
  await settle();
  assert.equal(await valuesAgree(), 1);
  await w.pass(ORPHANS);
  await deployed.tick();
  assert.equal(await valuesAgree(), 1);
  await w.pass(1);
  await deployed.tick();
  assert.equal(await valuesAgree(), 0);
  await isReadFromKv(w);
});

test('a value that is missing for good is told of, and not passed over', async () => {
  const w = witness();
  for (const volume of [0, 1]) {
    await w.ingest(w.names(4));
    await settle();
    await w.pass(GRACE);
    await deployed.tick();
    await isReadFromKv(w);
    const [[{ id }]] = await deployed.sql('SELECT max(id) AS id FROM segments');
    await deployed.control('discard', { key: `s/${id}/${volume}` });
    await forget();
    await w.isRefused({ hasColumns: volume > 0 });
    // the rest can still be deleted, read and written
    await deployed.send('DELETE', `/api/v1/logs?project=${w.project}`);
    await w.delete(w.stored);
    await settle();
  }
});
