// What the benchmark of the edge rests on: the shape of its records, and what follows from measured costs and prices.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { records } from '../bench/corpus.mjs';
import { PUBLISHED, plans, use } from '../bench/plans.mjs';

const START = Date.UTC(2026, 5, 23);

function taken(seed, count) {
  const made = records(seed, START, 20);
  return Array.from({ length: count }, () => made.next().value);
}

test('equal seeds give equal records, others do not', () => {
  assert.deepEqual(taken(1, 50), taken(1, 50));
  assert.notDeepEqual(taken(1, 50), taken(2, 50));
});

test('the records have the shape of those of tests/src/corpus', () => {
  const all = taken(3, 10_000);
  const share = (of) => all.filter(of).length / all.length;
  const near = (value, least, most, what) => assert.ok(value >= least && value <= most, `${what}: ${value}`);
  near(all.reduce((sum, record) => sum + JSON.stringify(record).length + 1, 0) / all.length, 740, 810, 'bytes a line');
  near(share(({ status }) => status < 300), 0.89, 0.91, '2xx');
  near(share(({ status }) => status >= 500), 0.015, 0.025, '5xx');
  near(share(({ request, response }) => request?.body ?? response?.body), 0.19, 0.21, 'with bodies');
  assert.equal(new Set(all.map(({ span_id }) => span_id)).size, all.length);
  near(all.length / new Set(all.map(({ trace_id }) => trace_id)).size, 2, 6, 'records of a trace');
  const newest = Math.max(...all.map(({ time }) => Date.parse(time)));
  near((newest - START) / all.length, 18, 22, 'ms between records');
});

// 1000 records in 74 commits: their rows, as many deleted, and 20 more for what was sealed
const MEASURED = {
  cpu: 2,
  steady: {
    count: 1000,
    windows: 74,
    used: { d1: { rowsRead: 4000, rowsWritten: 74 }, kv: { gets: 0, puts: 0, deletes: 0 }, objects: { requests: 1000 } },
    sealing: { d1: { rowsRead: 500, rowsWritten: 94 }, kv: { gets: 1, puts: 2, deletes: 1 }, objects: { requests: 5 } },
    idle: { d1: { rowsRead: 40, rowsWritten: 0 }, kv: {}, objects: { requests: 5 } },
    ticks: 5,
  },
};

test('a commit is paid for twice, by as many records as its window takes', () => {
  // 50 a second: a window takes 13.5 records on average, and one more begins the next
  const { 'D1 rows written': fast } = use(MEASURED, 50, 1);
  assert.ok(Math.abs(fast / 50 - (2 / 13.5 + 0.02)) < 1e-9, String(fast));
  // rare ones have a commit each
  const { 'D1 rows written': slow } = use(MEASURED, 0.001, 1);
  assert.ok(Math.abs(slow / 0.001 - 2.02) < 0.001, String(slow));
  // and so have requests that come rarely, however many records they bring
  const { 'D1 rows written': shipped } = use(MEASURED, 0.1, 100);
  assert.ok(Math.abs(shipped / 0.1 - 0.04) < 0.001, String(shipped));
});

test('the rate that a plan carries uses up what it names, and no other meter', () => {
  for (const each of [1, 100]) {
    const { free, included } = plans(MEASURED, 50, each);
    for (const [{ rate, meter }, allowance] of [
      [free, (limits) => limits.free / 86_400],
      [included, (limits) => limits.included / (30 * 86_400)],
    ]) {
      for (const [name, used] of Object.entries(use(MEASURED, rate, each))) {
        const share = used / allowance(PUBLISHED.meters[name]);
        assert.ok(name === meter ? Math.abs(share - 1) < 1e-6 : share <= 1, `${each} a request: ${name} ${share}`);
      }
    }
  }
});
