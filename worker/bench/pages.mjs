// Pages over a store that grows: what each costs here, and the same page of the peer.
import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import { settings as deployment } from '../test/built.mjs';
import { RARE_WORD, records } from './corpus.mjs';
import { Deployed, plain, reqlog } from './deployed.mjs';
import { after, cold, warm } from './measure.mjs';
import { INGEST, Simulated, line, rows, sealed } from './traffic.mjs';

const STEP = 20;
const BULK = 2000;
// records of a commit window at 50 records/s
const WINDOW = 13;
// so that all pages and writes of a size leave what is fresh below what is sealed
const COMMITS = 12;
const START = Date.UTC(2026, 5, 23);

const api = (path, parameters) => `/api/v1/${path}?${new URLSearchParams(parameters)}`;

/** The questions, each with the page it is asked for; `service` has the most records, `cursor` stands in the middle. */
const questions = ({ service, cursor }) => ({
  newest: { label: 'newest 50', path: api('logs', {}) },
  status: { label: 'status:5xx', path: api('logs', { q: 'status:5xx' }) },
  errors: { label: "a service's errors", path: api('logs', { q: `service:${service} level:error` }) },
  text: { label: 'rare word', path: api('logs', { q: RARE_WORD }) },
  deep: { label: 'page in the middle', path: api('logs', { cursor }) },
  stats: { label: 'stats', path: api('stats', {}) },
});

const spans = (text) => JSON.parse(text).items.map(({ span_id }) => span_id);
const total = (text) => JSON.parse(text).total;

/** A cursor that has so many records before it. */
async function middle(ask, offset) {
  let cursor = {};
  for (let left = offset; left > 0; left -= 1000) {
    const page = JSON.parse(await ask(api('logs', { limit: Math.min(left, 1000), ...cursor })));
    cursor = { cursor: page.next };
  }
  return cursor.cursor;
}

function busiest(stored) {
  const counts = new Map();
  for (const { service } of stored) counts.set(service, (counts.get(service) ?? 0) + 1);
  return [...counts].toSorted(([, a], [, b]) => b - a)[0][0];
}

/** For each size: what is stored, and per question CPU, wall, rows read and KV gets, warm and cold; the answers. */
export async function ours(directory, { sizes, fresh, rounds, each, restarts, log }) {
  const simulatedly = reqlog(directory, { simulated: true, variables: { REQLOG_COMMIT_WINDOW: '0ms' } });
  const plainly = reqlog(directory);
  const deployed = await Deployed.start(simulatedly, { migrated: true });
  const draw = records(1, START, STEP);
  const stored = [];
  const simulated = new Simulated(deployed, START);
  const put = async (count) => {
    const some = Array.from({ length: count }, () => draw.next().value);
    simulated.now += count * STEP;
    assert.equal(await simulated.ingest(some.map(line).join('\n')), count);
    stored.push(...some);
  };
  const measured = [];
  for (const size of sizes) {
    while (stored.length < size - fresh) await put(Math.min(BULK, size - fresh - stored.length));
    if (stored.length > 0) await sealed(simulated);
    // its count of what is fresh begins anew
    await simulated.control('evict');
    while (stored.length < size) await put(Math.min(WINDOW, size - stored.length));
    const at = { size, stored: await rows(simulated), answers: {}, costs: {}, warm: {}, cold: {} };
    at.service = busiest(stored);
    const cursor = await middle((path) => simulated.ask(path), size / 2);
    for (const [name, { path }] of Object.entries(questions({ service: at.service, cursor }))) {
      await deployed.restart(simulatedly);
      await simulated.control('costs');
      const costs = [];
      for (const _ of ['cold', 'warm']) {
        at.answers[name] = await simulated.ask(path);
        costs.push(await simulated.control('costs'));
      }
      at.costs[name] = { cold: costs[0], warm: costs[1] };
      at.answers[name] = name === 'stats' ? total(at.answers[name]) : spans(at.answers[name]);
    }
    await deployed.restart(plainly);
    const floor = () => deployed.ask('/healthz');
    for (const [name, { path }] of Object.entries(questions({ service: at.service, cursor }))) {
      at.warm[name] = await warm(deployed, { floor, ask: () => deployed.ask(path), rounds, each });
      log(`reqlog, ${size} records, ${name}: ${at.warm[name].cpu.toFixed(2)} ms`);
    }
    const commit = async () => {
      stored.push(draw.next().value);
      await deployed.ask(INGEST, { method: 'POST', body: line(stored.at(-1)) });
    };
    const newest = () => deployed.ask(api('logs', {}));
    at.warm.commit = await after(deployed, { before: commit, floor, ask: newest, times: COMMITS });
    for (const [name, path] of Object.entries(firsts(questions({ service: at.service, cursor })))) {
      at.cold[name] = await cold(deployed, { settings: plainly, ask: () => deployed.ask(path), rounds: restarts });
    }
    measured.push(at);
    if (size !== sizes.at(-1)) await deployed.restart(simulatedly);
  }
  const one = () => deployed.ask(INGEST, { method: 'POST', body: line(draw.next().value) });
  await deployed.restart(reqlog(directory, { variables: { REQLOG_COMMIT_WINDOW: '0ms' } }));
  const ingest = await warm(deployed, { floor: () => deployed.ask('/healthz'), ask: one, rounds: 2, each: 8 });
  await deployed.stop();
  return { measured, stored, ingest };
}

// what a process is asked first
const firsts = (all) => ({ healthz: '/healthz', newest: all.newest.path, status: all.status.path, text: all.text.path });

/** The same of the peer, which is given the same records; that it answers the same is checked. */
export async function theirs(directory, { sizes, rounds, each, restarts, log }, { measured, stored }) {
  const settings = plain('peer.mjs', join(directory, 'peer'), deployment.compatibility_date);
  const deployed = await Deployed.start(settings);
  const counted = async (path, options) => {
    const { status, text, rows } = await deployed.send(path, { method: 'GET', headers: {}, ...options });
    assert.equal(status, 200, text);
    const [read, written] = rows.split(' ').map(Number);
    return { text, read, written };
  };
  await counted('/create');
  let [filled, written] = [0, 0];
  const peers = [];
  for (const [nth, size] of sizes.entries()) {
    for (; filled < size; filled += Math.min(500, size - filled)) {
      const lines = stored.slice(filled, Math.min(filled + 500, size)).map(line);
      written += (await counted('/fill', { method: 'POST', body: lines.join('\n') })).written;
    }
    const { service, answers } = measured[nth];
    const position = JSON.parse((await counted(`/position?offset=${size / 2 - 1}`)).text);
    const paths = {
      newest: '/newest',
      status: '/status',
      errors: `/errors?service=${service}`,
      text: `/text?word=${RARE_WORD}`,
      deep: `/deep?${new URLSearchParams(position)}`,
      stats: '/stats',
    };
    const at = { size, written: written / filled, read: {}, warm: {}, cold: {} };
    for (const [name, path] of Object.entries(paths)) {
      const { text, read } = await counted(path);
      const same = name === 'stats' ? JSON.parse(text)[0].reduce((sum, { count }) => sum + count, 0) : spans(text);
      assert.deepEqual(answers[name], same, `${name} over ${size} records`);
      at.read[name] = read;
      at.warm[name] = await warm(deployed, { floor: () => counted('/floor'), ask: () => counted(path), rounds, each });
      log(`the peer, ${size} records, ${name}: ${at.warm[name].cpu.toFixed(2)} ms`);
    }
    const first = { healthz: '/floor', newest: paths.newest, status: paths.status, text: paths.text };
    for (const [name, path] of Object.entries(first)) {
      at.cold[name] = await cold(deployed, { settings, ask: () => counted(path), rounds: restarts });
    }
    peers.push(at);
  }
  await deployed.stop();
  return peers;
}

export const LABELS = {
  ...Object.fromEntries(Object.entries(questions({})).map(([name, { label }]) => [name, label])),
  commit: 'newest 50 after a commit',
};
