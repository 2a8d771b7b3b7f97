// What the Worker's bindings are asked, counted, and where a test wants it, answered as the platform does on a bad day.
// D1 is met at the HTTP request under its API, KV at its methods, so that both stay what they are to who looks at them.

import { now, pause } from './clock.mjs';

const none = () => ({
  d1: { calls: 0, statements: 0, rowsRead: 0, rowsWritten: 0, refused: 0 },
  kv: { gets: 0, misses: 0, puts: 0, deletes: 0, lists: 0, bytesRead: 0, bytesWritten: 0 },
});

let costs = none();
let rules = [];
let fresh = 0;
let hidden = /^/;
let hits = 0;
// calls that never answered and were not applied either
let held = [];

/** What was asked since this was called last. */
export function takeCosts() {
  const taken = costs;
  costs = none();
  return taken;
}

/**
 * Replaces every rule that is armed.
 *
 * - `fresh`: for so many milliseconds after it was put, KV says of a key that it is not there; of those that match the
 *   regular expression `hidden`, or all
 * - `rules`: each meets the calls `on` (`d1`, `get`, `put`, `delete`) whose text matches the regular expression `match`
 *   (SQL and parameters as JSON, or the key), but for the first `skip`, and no more than `times` (1), and does
 *   - `fail`: nothing is applied, the call throws
 *   - `lose`: it is applied, then the call throws
 *   - `hang`: nothing is applied, there is never an answer; `release` applies it later
 *   - `stall`: it is applied, there is never an answer
 */
export function arm(faults) {
  fresh = faults.fresh ?? 0;
  hidden = new RegExp(faults.hidden ?? '', 's');
  hits = 0;
  rules = (faults.rules ?? []).map((rule) => ({
    ...rule,
    match: new RegExp(rule.match ?? '', 's'),
    skip: rule.skip ?? 0,
    times: rule.times ?? 1,
  }));
}

/** Until so many calls have met a rule. */
export async function hit(least) {
  while (hits < least) await pause(2);
  return hits;
}

/** Applies every call that hung, in order; tells of each what came. Nobody hears of it who asked. */
export async function release() {
  const calls = held;
  held = [];
  const came = [];
  for (const call of calls) {
    try {
      came.push(await call());
    } catch (error) {
      came.push(String(error));
    }
  }
  return came;
}

function met(on, text) {
  for (const rule of rules) {
    if (rule.on !== on || rule.times === 0 || !rule.match.test(text)) continue;
    if (rule.skip > 0) {
      rule.skip -= 1;
      continue;
    }
    rule.times -= 1;
    hits += 1;
    return rule.do;
  }
  return undefined;
}

// a request that waits for nothing at all would be ended by the runtime, so it waits for a timer
function forever() {
  return new Promise(() => setInterval(() => {}, 250));
}

async function through(on, text, call) {
  const fault = met(on, text);
  switch (fault) {
    case undefined:
      return call();
    case 'fail':
      throw new Error(`${on} failed before it was applied (a test wants it)`);
    case 'lose':
      await call();
      throw new Error(`${on} failed after it was applied (a test wants it)`);
    case 'hang':
      held.push(call);
      return forever();
    case 'stall':
      await call();
      return forever();
    default:
      throw new Error(`no such fault: ${fault}`);
  }
}

/** Puts the tests between the Worker and its bindings; gives what goes to the database, and to KV, past them. */
export function install(env) {
  const database = env.DB.fetcher;
  const ask = async (url, init) => {
    const response = await database.fetch(url, init);
    const text = await response.text();
    const results = [JSON.parse(text)].flat();
    for (const { success, meta } of results) {
      if (!success) costs.d1.refused += 1;
      costs.d1.rowsRead += meta?.rows_read ?? 0;
      costs.d1.rowsWritten += meta?.rows_written ?? 0;
    }
    return new Response(text, response);
  };
  const between = {
    fetch(url, init) {
      costs.d1.calls += 1;
      costs.d1.statements += [JSON.parse(init.body)].flat().length;
      return through('d1', init.body, () => ask(url, init));
    },
  };
  env.DB.fetcher = between;
  env.DB.alwaysPrimarySession.fetcher = between;

  const kv = env.SEGMENTS;
  const { get, getWithMetadata, put, delete: remove, list } = Object.getPrototypeOf(kv);
  const size = (value) => value?.byteLength ?? value?.length ?? 0;
  const found = async (key, options) => {
    costs.kv.gets += 1;
    const { value, metadata } = await getWithMetadata.call(kv, key, options);
    const isFresh = value !== null && hidden.test(key) && now() < (metadata?.put ?? 0) + fresh;
    if (value === null || isFresh) costs.kv.misses += 1;
    if (isFresh) return { value: null, metadata: null };
    costs.kv.bytesRead += size(value);
    return { value, metadata: metadata?.of ?? null };
  };
  kv.get = (key, options) => {
    if (Array.isArray(key)) throw new Error('a get of many keys has no simulated form yet');
    return through('get', key, async () => (await found(key, options)).value);
  };
  kv.getWithMetadata = (key, options) => through('get', key, () => found(key, options));
  kv.put = (key, value, options) => {
    costs.kv.puts += 1;
    costs.kv.bytesWritten += size(value);
    // the moment is kept beside the value: a restart does not make it older
    const metadata = { put: now(), of: options?.metadata };
    return through('put', key, () => put.call(kv, key, value, { ...options, metadata }));
  };
  kv.delete = (key) => {
    costs.kv.deletes += 1;
    return through('delete', key, () => remove.call(kv, key));
  };
  kv.list = (options) => {
    costs.kv.lists += 1;
    return list.call(kv, options);
  };

  const query = async (statements) => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(statements) };
    const response = await database.fetch('http://d1/query', init);
    const results = [await response.json()].flat();
    const failed = results.find(({ success }) => !success);
    if (failed) throw new Error(failed.error);
    return results.map(({ results }) => results);
  };
  const names = async () => {
    const { keys, list_complete: isWhole } = await list.call(kv);
    if (!isWhole) throw new Error('more values than one list has');
    return keys.map(({ name }) => name);
  };
  return { query, names, discard: (key) => remove.call(kv, key) };
}
