// Records on their way into the Worker, under its simulated clock.
import { setTimeout as pause } from 'node:timers/promises';
import { generator, records } from './corpus.mjs';

const WINDOW = 250;
const MINUTE = 60_000;
const nanoseconds = (ms) => `${Math.round(ms)}000000`;

export const INGEST = '/api/v1/ingest?format=ndjson&project=shop';

export const line = (record) => JSON.stringify(record);

/** The harness's end of the simulated Worker. */
export class Simulated {
  constructor(deployed, now) {
    this.deployed = deployed;
    this.now = now;
  }

  ask(path, { headers, ...options } = {}) {
    return this.deployed.ask(path, { ...options, headers: { ...headers, 'x-test-now': nanoseconds(this.now) } });
  }

  async control(op, command = {}) {
    const answer = await this.ask('/', { method: 'POST', headers: { 'x-test-control': op }, body: JSON.stringify(command) });
    const { ok, error } = JSON.parse(answer);
    if (error !== undefined) throw new Error(`${op}: ${error}`);
    return ok;
  }

  /** What the objects were asked since the last call, once so many submissions have come. */
  async counts(commits = 0) {
    const body = JSON.stringify({ commits });
    return JSON.parse(await this.ask('/', { method: 'POST', headers: { 'x-bench-counts': '1' }, body }));
  }

  async ingest(body) {
    const { accepted } = JSON.parse(await this.ask(INGEST, { method: 'POST', body }));
    return accepted;
  }

  async cron() {
    await this.control('advance');
    await this.control('scheduled', { cron: '* * * * *' });
  }
}

const sum = (into, from) => {
  for (const [name, value] of Object.entries(from)) into[name] = (into[name] ?? 0) + value;
};

async function costs(simulated, into) {
  const { d1, kv } = await simulated.control('costs');
  sum((into.d1 ??= {}), d1);
  sum((into.kv ??= {}), kv);
  sum((into.objects ??= {}), await simulated.counts());
}

/**
 * So many records at a steady rate, each in a request of its own at its own moment, as captured traffic comes; the cron
 * every minute; then everything is sealed, and the cron runs on until nothing of what was replaced is left.
 */
export async function steady(simulated, { count, rate, seed }) {
  const draw = records(seed, simulated.now, 1000 / rate);
  const gaps = generator(seed);
  const objects = {};
  const used = { minutes: 0, windows: 0, objects };
  // a new catalog is not part of the traffic
  await simulated.ask('/healthz');
  await costs(simulated, {});
  let cron = simulated.now + MINUTE;
  let left = count;
  let moment = simulated.now;
  while (left > 0) {
    const opened = simulated.now;
    const answers = [];
    // from the first submission, the window is open for its time
    while (left > 0 && simulated.now < opened + WINDOW) {
      answers.push(simulated.ingest(line(draw.next().value)));
      left -= 1;
      // it is the first that opens the window, at its moment
      if (answers.length === 1) sum(objects, await simulated.counts(1));
      moment += gaps.exponential(1000 / rate);
      simulated.now = Math.floor(moment);
    }
    sum(objects, await simulated.counts(answers.length - 1));
    await answered(simulated, answers);
    moment = Math.max(moment, simulated.now);
    used.windows += 1;
    if (simulated.now >= cron) {
      await simulated.cron();
      used.minutes += 1;
      cron += MINUTE;
    }
  }
  await costs(simulated, used);
  const sealing = {};
  await sealed(simulated);
  await costs(simulated, sealing);
  const [idle, ticks] = [{}, 5];
  for (let n = 0; n < ticks; n += 1) {
    simulated.now += MINUTE;
    await simulated.cron();
  }
  await costs(simulated, idle);
  const stored = await simulated.control('sql', { statements: [{ sql: 'SELECT sum(size) AS n FROM segments', params: [] }] });
  return { used, sealing, idle, ticks, left: await rows(simulated), bytes: stored[0][0].n };
}

/** Seals everything, and has the cron run until nothing of what was replaced is left. */
export async function sealed(simulated) {
  await simulated.control('settle');
  do {
    simulated.now += MINUTE;
    await simulated.cron();
  } while ((await rows(simulated)).replacements > 0);
}

/** Has the clock go on, a window at a time, until every record is committed. */
async function answered(simulated, answers) {
  let isDone = false;
  const all = Promise.all(answers).finally(() => {
    isDone = true;
  });
  while (!isDone) {
    await simulated.control('advance');
    await Promise.race([all, pause(20)]);
    // a request that was slow on its way has opened a window of its own
    if (!isDone) simulated.now += WINDOW / 5;
  }
  if ((await all).some((rows) => rows !== 1)) throw new Error('a record was not accepted');
}

/** Rows of each table of the catalog that grows. */
export async function rows(simulated) {
  const tables = ['batches', 'segments', 'replacements', 'written'];
  const statements = tables.map((table) => ({ sql: `SELECT count(*) AS n FROM ${table}`, params: [] }));
  const results = await simulated.control('sql', { statements });
  return Object.fromEntries(tables.map((table, n) => [table, results[n][0].n]));
}
