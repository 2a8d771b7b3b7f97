// What clients of a deployed Worker were told, and whether what it shows agrees with that: what was acknowledged is there
// once, what was deleted is not, and what nobody knows is there once or not at all.

import assert from 'node:assert/strict';
import { ADMIN } from './deployed.mjs';

// How far the clock goes on at a time while something is waited for: little at first, as brief waits are real.
const STEPS = [...Array(100).fill(20), ...Array(400).fill(250)];

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** When the record with this id arrived, in ms since 1970. */
export const arrival = (id) => [...id.slice(0, 10)].reduce((sum, char) => sum * 32 + ALPHABET.indexOf(char), 0);

/** Of what a client was told of a record: it is there, it may be, it may have been deleted, it was. */
const Told = { STORED: 'stored', MAYBE: 'maybe', DOUBTFUL: 'doubtful', DELETED: 'deleted' };

export class Witness {
  /** The project whose records these are. */
  project;
  #deployed;
  #told = new Map();
  #names = 0;
  #sequences = new Map();

  constructor(deployed, project) {
    this.#deployed = deployed;
    this.project = project;
  }

  /** So many new names of records. */
  names(count) {
    return Array.from({ length: count }, () => `/${this.project}/${++this.#names}`);
  }

  get stored() {
    return [...this.#told].filter(([, told]) => told === Told.STORED).map(([name]) => name);
  }

  /** Sends records of these names; with a key it may be sent again. The status of the answer. */
  async ingest(names, key) {
    const time = new Date(this.#deployed.now).toISOString();
    const line = (path) => JSON.stringify({ time, method: 'GET', path, status: 200, service: 'web', request: { body: `of ${path}` } });
    const headers = key === undefined ? {} : { 'idempotency-key': key };
    for (const name of names) if (!this.#told.has(name)) this.#told.set(name, Told.MAYBE);
    const answer = await this.#deployed.post(`/api/v1/ingest?project=${this.project}`, names.map((name) => `${line(name)}\n`).join(''), headers);
    if (answer.status === 200) {
      const { accepted, duplicates, rejected } = answer.json;
      assert.deepEqual([accepted + duplicates, rejected], [names.length, 0], answer.text);
      if (key === undefined) assert.equal(duplicates, 0);
      for (const name of names) if (this.#told.get(name) === Told.MAYBE) this.#told.set(name, Told.STORED);
    } else {
      asksToRetry(answer);
    }
    return answer.status;
  }

  /** Deletes records of these names; the status of the answer. */
  async delete(names) {
    const query = names.map((name) => `path:"${name}"`).join(' OR ');
    const wanted = names.filter((name) => this.#told.has(name));
    const answer = await this.#deployed.send('DELETE', `/api/v1/logs?project=${this.project}&q=${encodeURIComponent(query)}`);
    if (answer.status === 200) {
      // what nobody knew to be there may be committed after the deletion, which leaves it alone
      for (const name of wanted) if (this.#told.get(name) !== Told.MAYBE) this.#told.set(name, Told.DELETED);
    } else {
      asksToRetry(answer);
      for (const name of wanted) if (this.#told.get(name) === Told.STORED) this.#told.set(name, Told.DOUBTFUL);
    }
    return answer.status;
  }

  /** Lets time pass until this is done, which is to be within two minutes. */
  async complete(promise) {
    let isDone = false;
    const done = promise.finally(() => (isDone = true));
    done.catch(() => {});
    // whatever needs no time comes before the clock moves
    await this.pass(0);
    for (const step of STEPS) {
      if (isDone) return done;
      await this.pass(step);
    }
    assert.ok(isDone, 'there is no answer');
    return done;
  }

  /** Lets so many milliseconds pass, in which everything happens that is due. */
  async pass(milliseconds) {
    this.#deployed.now += milliseconds;
    await this.#deployed.control('advance');
  }

  /** Whether an export, a count and what was told agree; the records, by sequence. */
  async check() {
    const { status, text, aborted } = await this.#read(`/api/v1/export?format=ndjson&project=${this.project}`);
    assert.deepEqual([status, aborted], [200, undefined], text);
    const records = text.split('\n').slice(0, -1).map((line) => JSON.parse(line)).sort((a, b) => a.seq - b.seq);
    this.#agrees(records);
    const stats = (await this.#get('stats')).json;
    assert.equal(stats.total, records.length, 'the count');
    return records;
  }

  /** The same of every kind of answer, pages of some rows each. */
  async checkAll(limit = 5) {
    const records = await this.check();
    const paths = records.map(({ path }) => path).sort();
    assert.deepEqual((await this.#pages(limit)).sort(), paths, 'pages');
    const { facets } = (await this.#get('facets', 'fields=path&top=1000')).json;
    const counted = facets[0].values.flatMap(({ value, count }) => Array(count).fill(value));
    assert.deepEqual(counted.sort(), paths, 'facets');
    const sum = (list, of) => list.reduce((total, item) => total + of(item), 0);
    assert.equal(sum((await this.#get('histogram', 'buckets=3')).json.buckets, ({ total }) => total), paths.length, 'the histogram');
    assert.equal(sum((await this.#get('endpoints')).json.items, ({ count }) => count), paths.length, 'endpoints');
    const singles = await Promise.all(records.map(({ id }) => this.#deployed.get(`/api/v1/logs/${id}`)));
    assert.deepEqual(singles.map((answer) => answer.expect(200).json.path).sort(), paths, 'single records');
    const bodies = await Promise.all(records.map(({ id }) => this.#deployed.get(`/api/v1/logs/${id}/body?side=request`)));
    assert.deepEqual(bodies.map((answer) => answer.expect(200).text).sort(), paths.map((path) => `of ${path}`).sort(), 'bodies');
    return records;
  }

  /** Every kind of answer refuses, and says to try again; or those that show rows, where columns can be read. */
  async isRefused({ hasColumns = false } = {}) {
    const name = this.stored.at(-1);
    // without this some are answered from what the catalog knows, and rightly
    const query = `project=${this.project}&q=${encodeURIComponent(`path:"${name}"`)}`;
    const rows = ['logs', 'export?format=json', 'export?format=har'];
    const columns = ['stats', 'facets?fields=path', 'histogram?buckets=3', 'endpoints'];
    const targets = [...rows, ...(hasColumns ? [] : columns)].map((list) => `${list}${list.includes('?') ? '&' : '?'}${query}`);
    for (const target of [...targets, `logs/${this.#sequences.get(name)}`]) {
      asksToRetry(await this.#deployed.get(`/api/v1/${target}`), target);
    }
    const streamed = await this.#read(`/api/v1/export?format=ndjson&project=${this.project}`);
    assert.ok(streamed.status === 503 || streamed.aborted !== undefined, `an export ended as if complete: ${JSON.stringify(streamed)}`);
  }

  async #get(what, more = '') {
    return (await this.#deployed.get(`/api/v1/${what}?project=${this.project}&${more}`)).expect(200);
  }

  #read(path) {
    return this.#deployed.control('read', { path, headers: { 'x-api-key': ADMIN } });
  }

  async #pages(limit) {
    const paths = [];
    let target = `/api/v1/logs?project=${this.project}&limit=${limit}`;
    while (target !== null) {
      const page = (await this.#deployed.get(target)).expect(200);
      paths.push(...page.json.items.map(({ path }) => path));
      target = page.link('next');
    }
    return paths;
  }

  #agrees(records) {
    const counts = new Map();
    for (const { path } of records) counts.set(path, (counts.get(path) ?? 0) + 1);
    const wrong = [];
    for (const [name, told] of this.#told) {
      const count = counts.get(name) ?? 0;
      counts.delete(name);
      const isRight = { stored: count === 1, maybe: count <= 1, doubtful: count <= 1, deleted: count === 0 }[told];
      if (!isRight) wrong.push(`${name} is ${told} and shown ${count} times`);
      // what was seen stays, what went stays away
      if (told === Told.MAYBE && count === 1) this.#told.set(name, Told.STORED);
      if (told === Told.DOUBTFUL && count === 0) this.#told.set(name, Told.DELETED);
    }
    for (const name of counts.keys()) wrong.push(`${name} was never sent`);
    let last = { seq: 0, at: 0 };
    for (const { id, seq, path } of records) {
      const at = arrival(id);
      if (seq <= last.seq || at < last.at) wrong.push(`${path} has sequence ${seq} at ${at} after ${last.seq} at ${last.at}`);
      last = { seq, at };
      const known = this.#sequences.get(path);
      if (known !== undefined && known !== id) wrong.push(`${path} was ${known} and is ${id}`);
      this.#sequences.set(path, id);
    }
    assert.deepEqual(wrong, []);
  }
}

/** An answer that says that nothing is wrong with the request. */
export function asksToRetry({ status, headers, text }, what = '') {
  assert.ok(status === 503 || (status === 500 && text === 'internal error\n'), `${what} ${status} ${text}`);
  if (status === 503) assert.ok(headers['retry-after'] !== undefined || text.endsWith('try again.'), `${what} ${JSON.stringify(headers)}`);
}
