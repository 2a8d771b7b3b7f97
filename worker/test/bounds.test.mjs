// What is larger than an isolate keeps, longer than a part, or asked when something is missing: answers stay whole and
// within what an invocation may ask for.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { ADMIN, Deployed } from './deployed.mjs';

const vars = { REQLOG_COMMIT_WINDOW: '0ms' };
// queries of an invocation on the free plan
const QUERIES = 50;
const lines = (count, line) => Array.from({ length: count }, (_, at) => `${JSON.stringify(line(at))}\n`).join('');

let deployed;
before(async () => {
  deployed = await Deployed.start({ vars });
});
after(() => deployed.stop());

const total = async (project) => (await deployed.get(`/api/v1/stats?project=${project}`)).expect(200).json.total;
const queries = async () => (await deployed.control('costs')).d1.statements;

test('a store of many times what an isolate keeps is paged, sorted and exported whole', async () => {
  const [parts, count] = [4, 4000];
  for (let part = 0; part < parts; part += 1) {
    const body = lines(count, (at) => ({
      method: 'GET',
      path: `/${part}/${at}`,
      duration_ms: (at * 7919 + part * 104_729) % 1_000_003,
      message: randomBytes(1500).toString('base64'),
    }));
    (await deployed.post('/api/v1/ingest?project=large', body)).expect(200);
    await deployed.control('settle');
  }
  // until nothing is there to fall back to
  deployed.now += 6 * 60_000;
  await deployed.tick();
  const [[{ bytes }], [{ left }]] = await deployed.sql(
    'SELECT sum(size) AS bytes FROM segments',
    'SELECT count(*) AS left FROM replacements',
  );
  assert(bytes > 30e6 && left === 0, `${bytes} bytes, ${left} replacements`);
  for (let time = 0; time < 3; time += 1) {
    const page = await deployed.get('/api/v1/logs?project=large&sort=duration&dir=asc&limit=1000');
    assert.equal(page.expect(200).json.items.length, 1000);
  }
  const paths = (await deployed.get('/api/v1/export?format=ndjson&project=large')).expect(200).lines.map(({ path }) => path);
  assert.equal(new Set(paths).size, parts * count);
  assert.equal(paths.length, parts * count);
  const archive = await deployed.get('/api/v1/export?format=har&project=large');
  assert(archive.status >= 400 && archive.status < 500, `a HAR of that size: ${archive.status}`);
});

test('an import of several parts that fails in one of them is continued without a record twice', async () => {
  const file = lines(9000, (at) => ({ method: 'GET', path: `/${at}`, time: new Date(deployed.now - at).toISOString() }));
  await deployed.control('fault', { faults: { rules: [{ on: 'd1', match: 'UPDATE imports', do: 'fail', times: 1e6 }] } });
  const failing = deployed.post('/api/v1/ingest?project=parts&import=1', file);
  let answer;
  failing.then((came) => (answer = came));
  while (answer === undefined) {
    deployed.now += 1000;
    await deployed.control('advance');
  }
  await deployed.control('fault', { faults: {} });
  answer.expect(503);
  const stored = await total('parts');
  assert(stored > 0 && stored < 9000, `${stored} of the first parts are there`);
  const again = (await deployed.post('/api/v1/ingest?project=parts&import=1', file)).expect(200).json;
  assert.deepEqual([again.accepted, again.duplicates], [9000 - stored, stored]);
  assert.equal(await total('parts'), 9000);
  const [[{ sources }]] = await deployed.sql('SELECT count(*) AS sources FROM imports');
  assert.equal(sources, 1, 'one file is one source');
});

test('an import whose source is forgotten meanwhile stores nothing of it', async () => {
  const line = (at) => ({ method: 'GET', path: `/${at}`, time: new Date(1_782_000_000_000 + at).toISOString() });
  (await deployed.post('/api/v1/ingest?project=forgotten&import=1', lines(300, line))).expect(200);
  await deployed.control('fault', { faults: { rules: [{ on: 'd1', match: 'UPDATE imports', do: 'hang' }] } });
  let answer;
  deployed.post('/api/v1/ingest?project=forgotten&import=1', lines(310, line)).then((came) => (answer = came));
  await deployed.control('hit');
  await deployed.sql('DELETE FROM imports');
  while (answer === undefined) {
    deployed.now += 1000;
    await deployed.control('advance');
  }
  answer.expect(503);
  await deployed.control('release');
  await deployed.control('fault', { faults: {} });
  assert.equal(await total('forgotten'), 300);
});

test('pages and exports ask the database no more often than the free plan allows', async () => {
  await deployed.control('fault', {
    faults: { rules: [{ on: 'd1', match: 'INSERT INTO replacements', do: 'fail', times: 1e6 }] },
  });
  for (let part = 0; part < 40; part += 1) {
    const body = lines(300, (at) => ({ method: 'GET', path: `/${part}/${at}`, message: randomBytes(300).toString('base64') }));
    (await deployed.post('/api/v1/ingest?project=fresh', body)).expect(200);
  }
  await deployed.control('fault', { faults: {} });
  await deployed.restart();
  await queries();
  (await deployed.get('/api/v1/logs?project=fresh&limit=5&q=message:*zzzzzz*')).expect(200);
  const page = await queries();
  assert(page > 9 && page <= QUERIES, `a cold page over unsealed batches: ${page}`);
  assert.equal((await deployed.get('/api/v1/export?format=ndjson&project=fresh')).expect(200).lines.length, 12_000);
  const walk = await queries();
  assert(walk <= QUERIES, `an export: ${walk}`);
});

test('without a catalog what needs none is answered, and the rest in its own words', async () => {
  await deployed.control('fault', { faults: { rules: [{ on: 'd1', do: 'fail', times: 1e6 }] } });
  assert.equal((await deployed.get('/healthz')).expect(200).json.status, 'ok');
  const own = (await deployed.get('/api/v1/logs')).expect(503);
  assert.equal(own.json.type, 'urn:reqlog:problem:busy');
  assert(own.headers['retry-after']);
  assert.equal(typeof (await deployed.get('/v1/logs')).expect(503).json.code, 'string');
  await deployed.control('fault', { faults: {} });
  (await deployed.get('/api/v1/logs')).expect(200);
});

test('an admin key that is given late opens a catalog that is there', async () => {
  const late = await Deployed.start({ vars: { ...vars, REQLOG_ADMIN_KEY: '' } });
  try {
    (await late.get('/healthz')).expect(200);
    (await late.get('/api/v1/logs')).expect(401);
    await late.restart({ REQLOG_ADMIN_KEY: ADMIN });
    (await late.get('/api/v1/logs')).expect(200);
  } finally {
    await late.stop();
  }
});
