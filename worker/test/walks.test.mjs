// Ten thousand lines of a real access log and archives of a browser, walked through every dialect while another client
// writes and the compactor seals, merges and forgets between the pages: each record once, in order.
//
// What a walk must show is an export of what was there when it began, sorted naively. What a page may cost is counted.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ADMIN, Deployed } from './deployed.mjs';
import { Random, accessLog, archives, essence, folder } from './corpus.mjs';
import { DIALECTS, PROJECT, SESSION, expected } from './dialects.mjs';

const SOAK = process.env.REQLOG_SOAK === '1';
const FOREIGN = 'zzzzzzzzzzzzzzzzzzzzzzzz';
const INGEST = `/api/v1/ingest?project=${PROJECT}&session=${SESSION}`;
// longer than what was replaced stays readable
const GRACE_OVER = 6 * 60_000;
// the page of each dialect before which the runtime ends
const RESTARTED = 5;

const log = accessLog();
const files = archives();

/** The store with everything in it, and what is done to it while somebody walks. */
class Store {
  /** Every record there is, as it is exported, by sequence. */
  rows = [];
  /** What others did between pages. */
  done = { commits: 0, puts: 0, discarded: 0, restarts: 0 };
  #random = new Random(1);
  #pages = 0;
  #keys = { admin: ADMIN };
  // since the last page: commits, whether more may have changed, whether the committer, which is asked for limits, has to
  // look, too, and values that this runtime may not have read yet
  #since = { commits: 0, changed: true, evicted: true, unread: 0 };

  static async start() {
    const store = new Store();
    store.worker = await Deployed.start({
      vars: { REQLOG_COMMIT_WINDOW: '0ms', LOGS_ADMIN_FANOUT: 'true', REQLOG_FANOUT_AGE: '86400000' },
    });
    return store;
  }

  async makeKey() {
    const key = await this.worker.post('/api/v1/keys', { name: 'walker', role: 'read', project: PROJECT });
    this.#keys.reader = key.expect(201).json.secret;
  }

  async ingest(path, body, headers) {
    const { accepted, duplicates, rejected } = (await this.worker.post(path, body, headers)).expect(200).json;
    return [accepted, duplicates, rejected];
  }

  /** Has `rows` what came since. */
  async refresh() {
    const list = (await this.worker.get('/api/v1/logs?sort=arrival&dir=desc&limit=1000')).expect(200).json.items;
    const head = this.rows.at(-1).seq;
    assert.ok(list.length < 1000 || list.at(-1).seq <= head, 'more has come than one page shows');
    this.rows.push(...list.filter(({ seq }) => seq > head).reverse());
    await this.worker.control('costs');
  }

  visible(key) {
    return key === 'admin' ? this.rows : this.rows.filter(({ project }) => project === PROJECT);
  }

  /** The rows of the catalog, which is loaded anew when more than commits has changed; found: up to one more a table. */
  async #catalog() {
    const tables = ['store', 'batches', 'segments', 'replacements', 'deletions', 'places', 'keys'];
    const sum = tables.map((table) => `(SELECT count(*) FROM ${table})`).join(' + ');
    return tables.length + (await this.count(`${sum} AS rows`));
  }

  /** A page, which costs no more than it may, however deep it is; `within` has the most that one did cost. */
  async page(path, { key, views }, within) {
    const { commits, changed, evicted, unread } = this.#since;
    const answer = (await this.worker.get(path, { 'x-api-key': this.#keys[key] })).expect(200);
    const { d1, kv } = await this.worker.control('costs');
    // found: two rows each time it asks, and each row that is new
    const calls = views + Number(changed) + Number(evicted);
    const least = 2 * calls + commits;
    const rows = changed && d1.rowsRead > least ? least + (await this.#catalog()) : least;
    const wrong = JSON.stringify({ path, d1, kv, rows, unread });
    assert.ok(d1.calls <= calls, `a page asks the catalog once, and again for all of it: ${wrong}`);
    assert.ok(d1.rowsRead <= rows, `a page reads what is new in the catalog: ${wrong}`);
    assert.equal(d1.rowsWritten + kv.puts + kv.deletes + kv.lists + kv.misses, 0, `a page writes nothing: ${wrong}`);
    assert.ok(kv.gets <= unread, `a value is read once while the runtime lives: ${wrong}`);
    within.rows = Math.max(within.rows ?? 0, d1.rowsRead);
    within.gets = Math.max(within.gets ?? 0, kv.gets);
    within.pages = (within.pages ?? 0) + 1;
    this.#since = { commits: 0, changed: false, evicted: false, unread: unread - kv.gets };
    // within the limits of Scrip and FlowMock: 10 in a second, 120 in a minute
    this.worker.now += 1000;
    return answer;
  }

  /** What others do between two pages. */
  async between() {
    const n = (this.#pages += 1);
    const [commits, changed] = [n % 3 === 0, n % 5 === 2 || n % 7 === 3];
    if (commits) await this.write();
    if (n % 5 === 2) await this.worker.control('settle');
    if (n % 7 === 3) {
      this.worker.now += GRACE_OVER;
      await this.worker.tick();
    }
    const evicted = n % 29 === 11;
    if (evicted) await this.worker.control('evict', { binding: ['COMMITTER', 'COMPACTOR', undefined][n % 3] });
    if (commits || changed || evicted) await this.changed({ commits: Number(commits), changed, evicted });
  }

  /** Has pages cost more for what has happened before them. */
  async changed({ commits = 0, changed = true, evicted = false } = {}) {
    const { kv } = await this.worker.control('costs');
    this.done.puts += kv.puts;
    this.done.discarded += kv.deletes;
    const since = this.#since;
    this.#since = {
      commits: since.commits + commits,
      changed: since.changed || changed,
      evicted: since.evicted || evicted,
      unread: since.unread + kv.puts,
    };
  }

  /** Ends the runtime, and all that it knew. */
  async restart() {
    await this.worker.restart();
    this.done.restarts += 1;
    await this.changed({ evicted: true });
    this.#since.unread = await this.count('sum(volumes) FROM written');
  }

  /** Another client: late, tied, with and without everything that is sorted by; now and then of another project. */
  async write() {
    const random = this.#random;
    const live = () => {
      const time = `2015-05-${random.pick([16, 18, 20, 21])}T${String(random.below(24)).padStart(2, '0')}:05:03Z`;
      const of = { time, client_ip: `203.0.113.${random.below(99)}` };
      if (random.below(5) === 0) return { ...of, kind: 'event', level: random.pick(['debug', 'warn', 'fatal']), message: 'ünlike' };
      const row = { ...of, kind: 'exchange', method: 'PUT', path: '/live' };
      if (random.below(4) > 0) Object.assign(row, { status: random.pick([200, 404, 503]), duration_ms: random.pick([0.5, 3, 3, 250.25]) });
      if (random.below(2) > 0) row.response = { body: { size: random.pick([0, 13, 5_000]) } };
      if (random.below(2) > 0) row.trace_id = random.pick(['a', 'b', 'c']).repeat(32);
      return row;
    };
    const rows = Array.from({ length: 1 + random.below(4) }, live);
    const path = random.below(8) === 0 ? INGEST.replace(PROJECT, FOREIGN) : INGEST;
    assert.deepEqual(await this.ingest(path, rows.map((row) => `${JSON.stringify(row)}\n`).join('')), [rows.length, 0, 0]);
    this.done.commits += 1;
  }

  /** Destroys what some clients sent to the project. */
  async erase(addresses) {
    await this.refresh();
    const isGone = ({ project, client_ip }) => project === PROJECT && addresses.includes(client_ip);
    const query = encodeURIComponent(`ip:${addresses}`);
    const { deleted } = (await this.worker.send('DELETE', `/api/v1/logs?project=${PROJECT}&q=${query}`)).expect(200).json;
    assert.equal(deleted, this.rows.filter(isGone).length);
    this.rows = this.rows.filter((row) => !isGone(row));
    await this.changed();
    return isGone;
  }

  /** One number from the database. */
  async count(sql) {
    return Object.values((await this.worker.sql(`SELECT ${sql}`))[0][0])[0];
  }
}

let store;
before(async () => {
  store = await Store.start();
  await store.makeKey();
});
after(() => store?.worker.stop());

test('the log, live and in parts, and the archives, as imports, are taken once', async (t) => {
  t.diagnostic(folder ? 'the real log and archives' : 'a generated log and archive: there is no folder of real files beside the repository');
  assert.equal(log.length, 10_000);
  const lines = (from, to) => Buffer.from(log.slice(from, to).join('\n') + '\n');
  for (let from = 0; from < log.length; from += 250) {
    const plain = lines(from, from + 250);
    const isPacked = (from / 250) % 2 === 1;
    const headers = { 'idempotency-key': `part ${from}`, ...(isPacked && { 'content-encoding': 'gzip' }) };
    const send = () => store.ingest(INGEST, isPacked ? gzipSync(plain) : plain, headers);
    assert.deepEqual(await send(), [250, 0, 0]);
    if (from % 2000 === 250) assert.deepEqual(await send(), [0, 250, 0], 'the same request again');
  }
  for (const { name, text, entries } of files) {
    const path = `${INGEST}&import=1&service=${encodeURIComponent(name)}`;
    assert.deepEqual(await store.ingest(path, text), [entries.length, 0, 0], name);
    assert.deepEqual(await store.ingest(path, gzipSync(text), { 'content-encoding': 'gzip' }), [0, entries.length, 0], name);
  }
  // what a key of the other project must never meet: a file that grows, imported each time
  const path = `${INGEST.replace(PROJECT, FOREIGN)}&import=1`;
  assert.deepEqual(await store.ingest(path, lines(0, 500)), [500, 0, 0]);
  assert.deepEqual(await store.ingest(path, gzipSync(lines(0, 2_000)), { 'content-encoding': 'gzip' }), [1_500, 500, 0]);
  assert.deepEqual(await store.ingest(path, lines(0, 2_000)), [0, 2_000, 0]);

  const exported = (await store.worker.get('/api/v1/export')).expect(200).lines;
  const recorded = files.flatMap(({ entries }) => entries);
  assert.equal(exported.length, 12_000 + recorded.length);
  const told = ({ client_ip, method, path, status }) => [client_ip, method, path, status];
  assert.deepEqual(exported.slice(0, 10_000).map(told), log.map(essence));
  assert.deepEqual(
    exported.slice(10_000, -2_000).map(({ method, status }) => [method, status]),
    recorded.map(({ request, response }) => [request.method, response.status]),
  );
  assert.deepEqual(exported.slice(-2_000).map(told), log.slice(0, 2_000).map(essence));
  store.rows = exported;
  // what the committer has asked for by itself is over
  await store.worker.control('settle');
  await store.changed();
  t.diagnostic(`${await store.count('count(*) FROM segments')} segments, ${await store.count('count(*) FROM batches')} batches`);
});

/** All in the largest pages, then in smaller ones and other orders as far as time allows, with `REQLOG_SOAK=1` farther. */
function plans(name) {
  const { sorts, directions, most, whole } = DIALECTS[name];
  const plans = [];
  for (const sort of Object.keys(sorts)) {
    for (const direction of directions) {
      const isMain = plans.length === 0;
      const plan = (limit, soaking, main, other) => {
        const rows = SOAK ? soaking : isMain ? main : other;
        if (rows > 0) plans.push({ dialect: name, sort, direction, limit, rows });
      };
      plan(most, Infinity, whole ? Infinity : 10 * most, 2 * most);
      // which is close to the largest of some
      plan(97, Infinity, 291, most > 100 ? 194 : 0);
      plan(7, 2_000, 70, 14);
      plan(1, 300, 10, 0);
    }
  }
  return plans;
}

const told = ({ dialect, sort, direction, limit }) => `${dialect}, ${sort} ${direction} by ${limit}`;

/** Fails where two lists differ, and says where. */
function same(shown, wanted, walk) {
  const differs = wanted.findIndex((row, at) => row !== shown[at]);
  if (differs < 0 && shown.length === wanted.length) return;
  const at = differs < 0 ? wanted.length : differs;
  const times = new Map();
  for (const row of shown) times.set(row, (times.get(row) ?? 0) + 1);
  const repeated = [...times].filter(([, times]) => times > 1).map(([row]) => row);
  const missing = wanted.filter((row) => !times.has(row));
  assert.fail(
    `${walk}: ${shown.length} rows of ${wanted.length}; from ${at} on ${shown.slice(at, at + 3)} instead of ` +
      `${wanted.slice(at, at + 3)}; missing ${missing.slice(0, 5)}, repeated ${repeated.slice(0, 5)}`,
  );
}

/**
 * Forward as far as it is planned, and back where the dialect can, in pages before all of which but the first others do
 * something. `before` is called with what was shown and what was wanted so far, and may say that some of it is gone.
 */
async function walk(plan, within, before) {
  const { dialect, rows: most } = plan;
  const { first, read, key, follows } = DIALECTS[dialect];
  await store.refresh();
  const there = store.visible(key);
  let wanted = follows ? undefined : expected(plan, there);
  let isGone = () => false;
  const page = async (path) => read(await store.page(path, DIALECTS[dialect], within), path, plan);
  const turn = async (path, shown) => {
    await store.between();
    if (within.pages === RESTARTED && !before) await store.restart();
    const gone = await before?.(shown, wanted);
    if (gone) {
      isGone = gone;
      // what was shown stays shown
      wanted = wanted.filter(([row], at) => at < shown.length || !gone(row));
    }
    return page(path);
  };

  let at = await page(first(plan, there));
  assert.equal(at.prev, null, `${told(plan)}: nothing is before the first page`);
  const shown = [...at.rows];
  let last = at.rows;
  while (at.next !== null && shown.length < most) {
    at = await turn(at.next, shown);
    assert.ok(at.rows.length > 0 || follows, `${told(plan)}: next promises rows`);
    shown.push(...at.rows);
    last = at.rows;
  }
  if (follows) {
    await store.refresh();
    // the oldest is where `since` begins
    wanted = expected(plan, store.visible(key)).slice(dialect === 'FlowMock, since' ? 1 : 0);
  }
  const cut = shown.length >= most ? wanted.slice(0, shown.length) : wanted;
  same(shown, cut.map(([, row]) => row), told(plan));
  if (at.prev === null) return;
  const back = [last];
  while (at.prev !== null) {
    at = await turn(at.prev, shown);
    assert.notEqual(at.next, null, `${told(plan)}: something is after every page before the last`);
    back.unshift(at.rows);
  }
  same(back.flat(), cut.filter(([row]) => !isGone(row)).map(([, row]) => row), `${told(plan)}, back`);
}

for (const name of Object.keys(DIALECTS)) {
  test(`${name}: each record once, in order`, async (t) => {
    const within = {};
    const begin = performance.now();
    for (const plan of plans(name)) await walk(plan, within);
    const { pages, rows, gets } = within;
    const each = ((performance.now() - begin) / pages).toFixed(0);
    t.diagnostic(`${pages} pages, one at most ${rows} rows of D1 and ${gets} values of KV; with what came between, ${each} ms each`);
  });
}

for (const name of Object.keys(DIALECTS).filter((name) => DIALECTS[name].stands)) {
  test(`${name}: what is destroyed during a walk is missing from then on, and nothing else`, async () => {
    const [sort] = Object.keys(DIALECTS[name].sorts);
    const [direction] = DIALECTS[name].directions;
    let pages = 0;
    await walk({ dialect: name, sort, direction, limit: 97, rows: 800 }, {}, async (shown, wanted) => {
      pages += 1;
      if (pages !== 3) return undefined;
      // of the row that the cursor stands on, unless the dialect needs it; of the next one and of one far behind
      const [position] = wanted[shown.length - 1];
      const places = [shown.length - 1, shown.length, shown.length + 250];
      let addresses = places.map((at) => wanted[at][0].client_ip).filter((address) => address !== undefined);
      if (DIALECTS[name].needs) addresses = addresses.filter((address) => address !== position.client_ip);
      assert.ok(addresses.length > 0);
      const isGone = await store.erase(addresses);
      assert.equal(isGone(position), !DIALECTS[name].needs && position.client_ip !== undefined);
      return isGone;
    });
  });
}

test('Cognigy: a cursor whose record was destroyed is refused', async () => {
  const { first, read } = DIALECTS['Cognigy, next'];
  const plan = { dialect: 'Cognigy, next', sort: '_id', direction: 'asc', limit: 97 };
  await store.refresh();
  const [position] = expected(plan, store.visible('reader'))[96];
  const { next } = read(await store.page(first(plan), DIALECTS[plan.dialect], {}), '', plan);
  await store.erase([position.client_ip]);
  const refused = (await store.worker.get(next)).expect(400).json;
  assert.equal(refused.code, 1005);
});

test('all of this went on between the pages, and the store has every record', async (t) => {
  await store.refresh();
  const { commits, puts, discarded, restarts } = store.done;
  const [batches, segments] = [await store.count('count(*) FROM batches'), await store.count('count(*) FROM segments')];
  t.diagnostic(`${commits} commits, ${puts} values written, ${discarded} discarded, ${restarts} restarts; ${segments} segments, ${batches} batches left`);
  assert.ok(commits > 200 && restarts >= 7);
  assert.ok(batches < commits && discarded > puts / 2 && discarded < puts, 'sealed, merged and forgotten');
  const exported = (await store.worker.get('/api/v1/export')).expect(200).lines;
  assert.deepEqual(exported.map(({ id }) => id), store.rows.map(({ id }) => id));
});
