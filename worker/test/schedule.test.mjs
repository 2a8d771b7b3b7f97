// Random days: what clients and the clock do, what fails and what ends, in an order that a seed tells. After every step
// what is shown agrees with what was told. `REQLOG_SOAK=1` makes more of them, `REQLOG_SEED=7` one.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Deployed } from './deployed.mjs';
import { Witness } from './witness.mjs';

const GRACE = 5 * 60_000;
const SPREAD = 60_000;
const PATIENCE = 10_000;
const STEPS = 40;

const { REQLOG_SOAK, REQLOG_SEED } = process.env;
const SEEDS = REQLOG_SEED ? [Number(REQLOG_SEED)] : Array.from({ length: REQLOG_SOAK ? 120 : 6 }, (_, at) => at + 1);

/** Numbers below 1 by a seed (mulberry32). */
function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What may fail: writers' calls, and the compactor's. */
const WRITES = ['INSERT INTO batches', 'SELECT token FROM batches'].map((match) => ({ on: 'd1', match }));
const COMPACTS = [
  ...['INSERT INTO replacements', 'DELETE FROM replacements', 'INSERT INTO written', 'DELETE FROM written', 'DELETE FROM deletions'].map(
    (match) => ({ on: 'd1', match }),
  ),
  { on: 'put' },
  { on: 'delete' },
];

class Day {
  #deployed;
  #random;
  #witness;
  #keys = 0;
  // to be sent again
  #open = [];
  #fresh = 0;
  #steps = [];

  constructor(deployed, seed) {
    this.#deployed = deployed;
    this.#random = random(seed);
    this.#witness = new Witness(deployed, `seed${seed}`);
  }

  #below(limit) {
    return Math.floor(this.#random() * limit);
  }

  #one(list) {
    return list[this.#below(list.length)];
  }

  #arm(...rules) {
    return this.#deployed.control('fault', { faults: { rules, fresh: this.#fresh } });
  }

  async #send() {
    const names = this.#witness.names(1 + this.#below(4));
    const key = this.#random() < 0.5 ? `${this.#witness.project}-${++this.#keys}` : undefined;
    const status = await this.#witness.ingest(names, key);
    if (key && status !== 200) this.#open.push({ names, key });
    return status;
  }

  async #end() {
    const end = this.#random() < 0.1 ? 'restart' : this.#one(['evict', 'evict', 'trap']);
    if (end !== 'restart') return this.#deployed.control(end);
    await this.#deployed.restart();
    return this.#arm();
  }

  // what the compactor is asked for, and where it may be cut off
  async #compact(run) {
    const how = this.#one(['', '', 'fail', 'lose', 'hang', 'stall']);
    if (how === '') return run();
    await this.#arm({ ...this.#one(COMPACTS), do: how, skip: this.#below(2) });
    let isDone = false;
    const ran = run()
      .catch((error) => assert.match(String(error), /compactor answered|evicted|ECONNRESET|socket hang up|internal error|restart|500/))
      .finally(() => (isDone = true));
    if (how === 'hang' || how === 'stall') {
      const waits = async () => (await this.#deployed.control('hit', { least: 0 })) > 0;
      while (!isDone && !(await waits()));
      if (!isDone) await this.#end();
    }
    await ran;
    await this.#arm();
    return how;
  }

  actions = {
    write: () => this.#witness.complete(this.#send()),
    'write together': () => this.#witness.complete(Promise.all([this.#send(), this.#send(), this.#send()])),
    'write with a fault': async () => {
      const rules = [{ ...this.#one(WRITES), do: this.#one(['fail', 'lose', 'hang', 'stall']), times: 1 + this.#below(2) }];
      // the head is looked for when a commit has failed
      if (rules[0].match.startsWith('SELECT')) rules.unshift({ ...WRITES[0], do: 'lose' });
      await this.#arm(...rules);
      const sent = Promise.all([this.#send(), this.#send()]);
      let least = 0;
      for (const { do: how, times = 1 } of rules) {
        for (let time = 0; time < times; time += 1) {
          const met = this.#deployed.control('hit', { least: (least += 1) });
          await this.#witness.complete(Promise.race([met, sent]));
          if (how === 'hang' || how === 'stall') await this.#witness.pass(PATIENCE);
        }
      }
      await this.#witness.complete(sent);
      return this.#arm();
    },
    'write and end': async () => {
      await this.#arm({ ...WRITES[0], do: this.#one(['hang', 'stall']) });
      const sent = this.#send().catch((error) => assert.match(String(error), /ECONNRESET|socket hang up/));
      await this.#witness.complete(this.#deployed.control('hit', { least: 1 }));
      await this.#end();
      await this.#arm();
      return this.#witness.complete(sent);
    },
    'write again': async () => {
      const one = this.#open.shift();
      if (one && (await this.#witness.complete(this.#witness.ingest(one.names, one.key))) !== 200) this.#open.push(one);
    },
    delete: async () => {
      const { stored } = this.#witness;
      if (stored.length > 0) return this.#witness.delete([this.#one(stored), this.#one(stored)]);
    },
    settle: () => this.#compact(() => this.#deployed.control('settle')),
    tick: () => this.#compact(() => this.#deployed.tick()),
    seconds: () => this.#witness.pass(1000 * (1 + this.#below(90))),
    minutes: () => this.#witness.pass(SPREAD * (1 + this.#below(7))),
    'KV lags': async () => {
      this.#fresh = this.#fresh > 0 ? 0 : SPREAD;
      await this.#arm();
      await this.#deployed.control('trap');
    },
    release: () => this.#deployed.control('release'),
    end: () => this.#end(),
    'another committer': () => this.#deployed.control('writer', { name: this.#one(['committer', 'another']) }),
  };

  async step() {
    const weights = ['write', 'write', 'write together', 'settle', 'settle', 'settle', 'tick', 'tick', 'delete', 'write again'];
    const name = this.#one([...Object.keys(this.actions), ...weights]);
    this.#steps.push(name);
    try {
      const came = await this.actions[name]();
      if (typeof came === 'string') this.#steps.push(`(${came})`);
      await this.#witness.check();
    } catch (error) {
      error.message = `after ${this.#steps.join(', ')}: ${error.message}`;
      throw error;
    }
  }

  /** Everything works again, and what was in doubt is cleared up. */
  async close() {
    const witness = this.#witness;
    this.#fresh = 0;
    await this.#arm();
    await this.#deployed.control('release');
    await this.#deployed.control('writer', { name: 'committer' });
    for (const { names, key } of this.#open) assert.equal(await witness.complete(witness.ingest(names, key)), 200);
    await witness.check();
    await this.#deployed.control('settle');
    await witness.pass(GRACE);
    await this.#deployed.tick();
    const [[{ batches }]] = await this.#deployed.sql('SELECT count(*) AS batches FROM batches');
    assert.equal(batches, 0);
    await this.#deployed.control('trap');
    const records = await witness.checkAll(7);
    (await this.#deployed.send('DELETE', `/api/v1/projects/${witness.project}`)).expect(204);
    await this.#deployed.control('settle');
    return records.length;
  }
}

let deployed;
before(async () => {
  deployed = await Deployed.start({ vars: { REQLOG_COMMIT_WINDOW: '0ms' } });
});
after(() => deployed.stop());

for (const seed of SEEDS) {
  test(`seed ${seed}`, async (t) => {
    const day = new Day(deployed, seed);
    for (let step = 0; step < STEPS; step += 1) await day.step();
    t.diagnostic(`${await day.close()} records are left`);
  });
}
