// Live streams of the Worker: whatever breaks, each subscriber has every record that it asked for once, in order.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { ADMIN, Deployed } from './deployed.mjs';
import { Stream, Subscriber, open } from './sse.mjs';

const ROUNDS = process.env.REQLOG_SOAK ? 24 : 8;
const WRITERS = 4;

/** The same numbers in every run (mulberry32). */
function numbers(seed) {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const some = (random, list) => list[random(list.length)];

function record(random, name) {
  const common = {
    time: new Date(Date.UTC(2026, 5, 23, 11, random(60), random(60), random(1000))).toISOString(),
    project: some(random, ['alpha', 'beta', 'gamma']),
    container: some(random, ['c1', 'c2', 'c3']),
    message: `${name} ${some(random, ['', 'needle', 'two words', 'two  words', 'Needless'])}`,
  };
  const status = some(random, [200, 200, 201, 304, 404, 404, 500, 503]);
  switch (random(10)) {
    case 0:
    case 1:
      return { ...common, kind: 'event', level: some(random, ['debug', 'info', 'warn', 'error']) };
    case 2:
      return { ...common, kind: 'request', method: some(random, ['GET', 'POST']), path: `/half/${random(9)}` };
    case 3:
      return { ...common, kind: 'response', status };
    default:
      return {
        ...common,
        kind: 'exchange',
        method: some(random, ['GET', 'POST', 'PUT']),
        path: `/orders/${random(9)}`,
        status,
        duration_ms: random(100),
      };
  }
}

const ndjson = (records) => records.map((record) => JSON.stringify(record)).join('\n');

/** A Worker, and what tests of streams ask of it. */
class World {
  #up = Promise.resolve();

  async start(vars) {
    this.deployed = await Deployed.start({ vars: { REQLOG_COMMIT_WINDOW: '0ms', ...vars } });
    return this;
  }

  up = () => this.#up;

  restart() {
    return (this.#up = this.deployed.restart());
  }

  advance(ms) {
    this.deployed.now += ms;
    return this.deployed.control('advance');
  }

  async json(method, path, body) {
    return (await this.deployed.send(method, path, { body: body && JSON.stringify(body) })).json;
  }

  async key(project) {
    const { id, secret } = await this.json('POST', '/api/v1/keys', { name: `reads ${project}`, role: 'read', project });
    return { id, secret };
  }

  /** Stores records. Where the answer is lost, or a failure, the same request again, which stores nothing twice. */
  async ingest(records, idempotencyKey) {
    const headers = idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey };
    for (let tries = 1; ; tries += 1) {
      await this.#up;
      try {
        const answer = await this.deployed.post('/api/v1/ingest?format=ndjson', ndjson(records), headers);
        if (answer.status === 200) {
          const { accepted, duplicates } = answer.json;
          assert.equal(accepted + duplicates, records.length, answer.text);
          return tries;
        }
        assert.ok(answer.status >= 500 && idempotencyKey !== undefined && tries < 50, `${answer.status} ${answer.text}`);
      } catch (error) {
        if (!['ECONNRESET', 'ECONNREFUSED'].includes(error.code) || idempotencyKey === undefined || tries === 50) throw error;
      }
    }
  }

  async records() {
    return (await this.deployed.get('/api/v1/export?format=ndjson&q=')).expect(200).lines;
  }

  async evict() {
    assert.equal(await this.deployed.control('evict', { binding: 'COMMITTER' }), 1);
  }
}

const whole = ({ seq }) => [seq];
const rows = ({ seq, kind }) => ({ exchange: [2 * seq - 1, 2 * seq], response: [2 * seq] })[kind] ?? [2 * seq - 1];
const halves = (half) => (record) => rows(record).filter((id) => id % 2 === half);

/** What 20 subscribers ask for: its path, whose key, which records that is, and what ids those have. */
const FILTERS = [
  ['q=', null, () => true],
  ['q=level:error', null, ({ level }) => level === 'error'],
  ['q=level:warn,error', null, ({ level }) => ['warn', 'error'].includes(level)],
  ['q=status:5xx', null, ({ status }) => status >= 500],
  ['q=status:404', null, ({ status }) => status === 404],
  ['q=-status:2xx', null, ({ status }) => !(status >= 200 && status < 300)],
  ['q=needle', null, ({ message }) => /needle/i.test(message)],
  ['q=%22two%20words%22', null, ({ message }) => message.includes('two words')],
  ['q=duration:>50ms', null, ({ duration_ms }) => duration_ms > 50],
  ['q=method:POST%20status>=400', null, ({ method, status }) => method === 'POST' && status >= 400],
  ['q=kind:event%20OR%20status:500', null, ({ kind, status }) => kind === 'event' || status === 500],
  ['q=&project=beta', null, ({ project }) => project === 'beta'],
  ['q=', 'alpha', ({ project }) => project === 'alpha'],
  ['q=level:error', 'beta', ({ project, level }) => project === 'beta' && level === 'error'],
  ['', null, () => true, rows],
  ['level=warn,error', null, ({ level }) => ['warn', 'error'].includes(level), rows],
  ['kind=response', null, ({ kind }) => ['exchange', 'response'].includes(kind), halves(0)],
  ['projectId=gamma&method=POST', null, ({ project, method }) => project === 'gamma' && method === 'POST', rows],
  ['containerId=c2', null, ({ container }) => container === 'c2', rows],
  ['kind=request', 'gamma', ({ project, kind }) => project === 'gamma' && ['exchange', 'request'].includes(kind), halves(1)],
].map(([query, project, matches, ids = whole]) => {
  const path = ids === whole ? `/api/v1/tail?${query}` : `/_logs/stream?${query}`;
  return { path, project, ids: (records) => records.filter(matches).flatMap(ids) };
});

const EVERYTHING = FILTERS[0];
const EVERY_ROW = FILTERS[14];

test('20 subscribers have every record once, whatever is evicted, restarted, compacted and deleted under them', async (t) => {
  const world = await new World().start();
  t.after(() => world.deployed.stop());
  const { deployed } = world;
  await world.ingest([record(numbers(0), 'before the first stream')]);
  const keys = {};
  for (const project of ['alpha', 'beta', 'gamma']) keys[project] = (await world.key(project)).secret;

  const random = numbers(1);
  const subscribe = ({ path, project }, options) => {
    const key = project === null ? ADMIN : keys[project];
    return new Subscriber(deployed, path, { key, ready: world.up, ...options });
  };
  const subscribers = FILTERS.map((filter) => ({ filter, subscriber: subscribe(filter) }));
  const stalled = { filter: EVERY_ROW, subscriber: subscribe(EVERY_ROW) };
  const leaving = { filter: EVERYTHING, subscriber: subscribe(EVERYTHING, { cut: () => 1 + random(6000) }) };
  const readers = [...subscribers, leaving];
  const all = [...readers, stalled];
  for (const { subscriber } of all) await subscriber.until(({ lastId }) => lastId !== undefined);
  const first = (await world.records()).length;

  const broken = async (breaks) => {
    const known = subscribers.map(({ subscriber }) => subscriber.opened);
    await breaks();
    for (const [at, { subscriber }] of subscribers.entries()) await subscriber.until(({ opened }) => opened > known[at]);
  };
  let written = 0;
  const write = async (round) => {
    const writers = Array.from({ length: WRITERS }, async (_, writer) => {
      const random = numbers(1000 * round + writer);
      for (let request = 0; request < 3; request += 1) {
        const name = `${round}/${writer}/${request}`;
        const records = Array.from({ length: 1 + random(20) }, (_, at) => record(random, `${name}/${at}`));
        await world.ingest(records, name);
        written += records.length;
      }
    });
    await Promise.all(writers);
  };
  const caughtUp = async (subscribers, records) => {
    for (const { filter, subscriber } of subscribers) {
      const ids = filter.ids(records);
      await subscriber.until((subscriber) => subscriber.ids.length >= ids.length);
    }
  };
  const happenings = [
    () => {},
    () => broken(() => world.evict()),
    () => deployed.control('settle'),
    () => broken(() => world.restart()),
    () => world.advance(15_000),
    () => Promise.all([deployed.control('settle'), broken(() => world.evict())]),
    async () => {
      await broken(() => world.evict());
      await broken(() => world.evict());
    },
    () => Promise.all([world.advance(16_000), deployed.control('settle')]),
  ];

  stalled.subscriber.pause();
  for (let round = 0; round < ROUNDS; round += 1) {
    await Promise.all([write(round), happenings[round % happenings.length]()]);
  }
  stalled.subscriber.resume();
  const records = await world.records();
  assert.equal(records.length, first + written);
  await caughtUp(all, records.slice(first));

  // who is away while records come and are deleted does not see them, who was there has seen them
  const here = [...readers.slice(1), stalled];
  const away = readers[0];
  await away.subscriber.stop();
  const doomed = Array.from({ length: 30 }, (_, at) => ({ ...record(random, `${at}`), message: `doomed ${at} needle` }));
  await world.ingest(doomed, 'doomed');
  const before = await world.records();
  await caughtUp(here, before.slice(first));
  const deleted = await world.json('DELETE', '/api/v1/logs?q=message:doomed*');
  assert.deepEqual(deleted, { deleted: doomed.length });
  const back = { filter: EVERYTHING, subscriber: subscribe(EVERYTHING, { lastId: away.subscriber.lastId }) };
  await Promise.all([write(ROUNDS), deployed.control('settle')]);

  const left = await world.records();
  assert.equal(left.length, first + written);
  const isNew = ({ seq }) => seq > before.at(-1).seq;
  const seen = [...before.slice(first), ...left.filter(isNew)];
  await caughtUp(here, seen);
  for (const { filter, subscriber } of here) assert.deepEqual(subscriber.ids, filter.ids(seen), subscriber.path);
  await back.subscriber.until(({ lastId }) => lastId === String(left.at(-1).seq));
  assert.deepEqual([...away.subscriber.ids, ...back.subscriber.ids], EVERYTHING.ids(left.slice(first)));

  // each was broken by every eviction and restart, and the clock went on for all of them
  for (const { subscriber } of subscribers.slice(1)) assert.ok(subscriber.opened >= 6, `${subscriber.opened}`);
  assert.ok(leaving.subscriber.opened > 20, `${leaving.subscriber.opened}`);
  await Promise.all([...here, back].map(({ subscriber }) => subscriber.stop()));
});

/** Until the Worker has asked the database for what was sent since this was asked last. */
async function arrived(deployed) {
  while ((await deployed.control('costs')).d1.calls === 0);
}

const marker = (message, more) => ({ time: '2026-06-23T12:00:00Z', kind: 'event', project: 'alpha', message, ...more });
const said = ({ data }) => JSON.parse(data).message;

describe('one Worker', () => {
  const world = new World();
  let deployed;
  before(async () => ({ deployed } = await world.start()));
  after(() => deployed?.stop());

  test('a stream is silent for 15 s at most, counted from what it sent last', async () => {
    await world.ingest([marker('before')]);
    const own = await open(deployed, '/api/v1/tail?q=message:seen');
    const documented = await open(deployed, '/_logs/stream?level=error');
    for (const stream of [own, documented]) await stream.until(({ frames }) => frames.length === 1);
    const place = Number(own.frames[0].id);
    assert.deepEqual([own.frames.pop(), documented.frames.pop().id], [{ id: `${place}` }, `${2 * place}`]);
    await world.advance(14_000);
    await world.ingest([marker('unseen'), marker('seen', { level: 'error' }), marker('unseen')]);
    for (const stream of [own, documented]) await stream.until(({ frames }) => frames.length === 1);
    assert.equal(documented.comments, 1, 'only the one that opens it');
    // 28 s after it began
    await world.advance(14_000);
    await world.advance(1_000);
    await world.advance(15_000);
    await world.ingest([marker('seen', { level: 'error' })]);
    const heartbeat = { id: `${place + 3}`, event: 'heartbeat', data: '{"delivered":1,"filtered":2}' };
    const frames = await own.take(4);
    assert.deepEqual([said(frames[0]), said(frames[3])], ['seen', 'seen']);
    assert.deepEqual(frames.slice(1, 3), [heartbeat, heartbeat]);
    assert.deepEqual((await documented.take(2)).map(({ id }) => id), [`${2 * (place + 2) - 1}`, `${2 * (place + 4) - 1}`]);
    assert.equal(documented.comments, 3);
    own.close();
    documented.close();
  });

  test('the streams of a revoked key end, and no others', async () => {
    const [revoked, kept] = [await world.key('alpha'), await world.key('alpha')];
    const paths = ['/api/v1/tail', '/_logs/stream'];
    const ends = await Promise.all(paths.map((path) => open(deployed, path, { key: revoked.secret })));
    const stays = await open(deployed, paths[0], { key: kept.secret });
    for (const stream of [...ends, stays]) await stream.until(({ frames }) => frames.length === 1);
    assert.equal((await deployed.send('DELETE', `/api/v1/keys/${revoked.id}`)).status, 204);
    for (const stream of ends) assert.equal((await stream.rest()).length, 1, 'nothing but the place it began at');
    await world.ingest([marker('after the key')]);
    assert.equal(said((await stays.take(2))[1]), 'after the key');
    const refused = new Stream(deployed, paths[0], { key: revoked.secret });
    await refused.rest();
    assert.equal(refused.status, 401);
    stays.close();
  });

  test('a key has 16 streams, of whatever dialect; the places of those who left are free', async () => {
    const { secret: key } = await world.key('beta');
    const paths = ['/api/v1/tail', '/_logs/stream'];
    const asked = async (path) => {
      const stream = new Stream(deployed, path, { key });
      await stream.until(({ status }) => status !== undefined);
      return stream;
    };
    const streams = [];
    for (let at = 0; at < 16; at += 1) streams.push(await open(deployed, paths[at % 2], { key }));
    for (const path of paths) {
      const stream = await asked(path);
      assert.deepEqual([stream.status, stream.headers['retry-after']], [429, '5']);
    }
    (await open(deployed, paths[0])).close();
    // who left is noticed when there is something to send, a record or a heartbeat
    const record = () => world.ingest([marker('is anybody there', { project: 'beta' })]);
    const heartbeat = () => world.advance(15_000);
    for (const sends of [record, heartbeat]) {
      for (const stream of streams.splice(0, 3)) stream.close();
      for (let tries = 0; streams.length < 16; tries += 1) {
        assert.ok(tries < 100, `${streams.length} streams`);
        const stream = await asked(paths[0]);
        if (stream.status === 200) streams.push(stream);
        else await sends();
      }
    }
    assert.equal((await asked(paths[0])).status, 429);
    for (const stream of streams) stream.close();
  });

  test('an id that was never given out resets the client', async () => {
    await world.ingest([marker('the head')]);
    const head = (await world.records()).at(-1).seq;
    const heads = { '/api/v1/tail': head, '/_logs/stream': 2 * head };
    const streams = [];
    for (const [path, last] of Object.entries(heads)) {
      for (const lastId of [String(last + 1), 'late', '-1', '007']) {
        const stream = await open(deployed, path, { lastId });
        assert.deepEqual(await stream.rest(), [{ id: '', event: 'reset', data: '{}' }], `${path} ${lastId}`);
      }
      streams.push(await open(deployed, path, { lastId: String(last) }));
    }
    await world.ingest([marker('the next')]);
    const ids = [];
    for (const stream of streams) ids.push((await stream.take(1))[0].id);
    assert.deepEqual(ids, [String(head + 1), String(2 * head + 1)]);
    for (const stream of streams) stream.close();
  });

  test('a commit that is applied too late, by a writer that is gone, is on no stream', async () => {
    const subscriber = new Subscriber(deployed, '/api/v1/tail?q=message:late*');
    await subscriber.until(({ lastId }) => lastId !== undefined);
    await deployed.control('fault', { faults: { rules: [{ on: 'd1', match: 'INSERT INTO batches', do: 'hang' }] } });
    const tries = world.ingest([marker('late')], 'late');
    await deployed.control('hit');
    await world.evict();
    assert.ok((await tries) > 1, 'its client has sent it again');
    assert.equal((await deployed.control('release')).length, 1);
    await world.ingest([marker('later')]);
    await subscriber.until(({ records }) => records.at(-1)?.message === 'later');
    assert.deepEqual(subscriber.records.map(({ message }) => message), ['late', 'later']);
    const stored = (await world.records()).filter(({ message }) => message.startsWith('late'));
    assert.deepEqual(stored.map(({ seq }) => seq), subscriber.ids);
    assert.ok(subscriber.opened > 1);
    await subscriber.stop();
  });

  test('a long poll is answered by what is committed, or at its time-out', async () => {
    const page = (target) => world.json('GET', target);
    const target = '/api/v1/logs?q=message:polled&sort=arrival&dir=asc&wait=20s';
    await world.ingest([marker('polled')]);
    const first = await page(target);
    assert.equal(first.items.length, 1);
    const next = `${target}&cursor=${encodeURIComponent(first.next)}`;

    await deployed.control('costs');
    const answered = page(next);
    await arrived(deployed);
    // it looks, and waits on
    await world.ingest([marker('something else')]);
    await world.ingest([marker('polled'), marker('something else')]);
    const second = await answered;
    assert.deepEqual(second.items.map(({ message }) => message), ['polled']);

    await deployed.control('costs');
    let isOver = false;
    const late = page(`${target}&cursor=${encodeURIComponent(second.next)}`).finally(() => (isOver = true));
    await arrived(deployed);
    let waited = 0;
    for (; !isOver; waited += 1) await world.advance(1000);
    assert.ok(waited >= 20 && waited < 40, `${waited} s`);
    const empty = await late;
    assert.deepEqual(empty.items, []);

    await world.ingest([marker('polled')]);
    const third = await page(`${target}&cursor=${encodeURIComponent(empty.next)}`);
    assert.equal(third.items.length, 1, 'an empty page goes on where it ended');
  });
});

/** Bytes that the kernel holds of a connection, both ways, at both ends; `undefined` where it does not tell. */
function inSockets(port) {
  let connections;
  try {
    connections = readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1, -1);
  } catch {
    return undefined;
  }
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const queues = connections.map((line) => line.trim().split(/\s+/));
  const own = queues.filter(([, here, there]) => here.endsWith(`:${hex}`) || there.endsWith(`:${hex}`));
  return own.flatMap((line) => line[4].split(':')).reduce((sum, bytes) => sum + parseInt(bytes, 16), 0);
}

test('a subscriber that does not read holds nobody up, fills no memory, and reads on from the store', async (t) => {
  const world = await new World().start();
  t.after(() => world.deployed.stop());
  const { deployed } = world;
  await world.ingest([marker('before')]);
  const [slow, quick] = ['/api/v1/tail', '/api/v1/tail'].map((path) => new Subscriber(deployed, path));
  for (const subscriber of [slow, quick]) await subscriber.until(({ lastId }) => lastId !== undefined);
  slow.pause();
  // more than the ring of 5000 records holds, and than sockets do
  const COUNT = 5600;
  const filling = 'x'.repeat(2400);
  for (let at = 0; at < COUNT; at += 400) {
    await world.ingest(Array.from({ length: 400 }, (_, more) => marker(`${(at + more) % 2 ? 'kept' : 'doomed'} ${filling}`)));
  }
  const seqs = (await world.records()).slice(1).map(({ seq }) => seq);
  assert.equal(seqs.length, COUNT);
  await quick.until(({ ids }) => ids.length === COUNT);
  const [inKernel, read] = [inSockets(slow.port), slow.bytes];
  assert.ok(slow.ids.length < 100, `${slow.ids.length} were read`);

  assert.deepEqual(await world.json('DELETE', '/api/v1/logs?q=message:doomed*'), { deleted: COUNT / 2 });
  slow.resume();
  await slow.until(({ lastId }) => lastId === quick.lastId);
  assert.equal(slow.opened, 1);
  // what was on its way when half of it was deleted, then the other half
  const isDoomed = (seq) => seq % 2 === seqs[0] % 2;
  const onItsWay = slow.ids.findLastIndex(isDoomed) + 1;
  assert.deepEqual(slow.ids, seqs.filter((seq, at) => at < onItsWay || !isDoomed(seq)));
  assert.ok(onItsWay < COUNT, 'some of it was not');
  // frames are as good as equal in length
  const inMemory = (onItsWay * slow.bytes) / slow.ids.length - read - inKernel;
  t.diagnostic(`on its way: ${onItsWay} records; ${inKernel} bytes in sockets, about ${Math.round(inMemory)} in memory`);
  if (inKernel !== undefined) assert.ok(inMemory < 1 << 18, `${inMemory} bytes`);
  await slow.stop();
  await quick.stop();
});
