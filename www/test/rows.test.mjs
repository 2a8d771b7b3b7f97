import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { loadTogether } from "./load.mjs";

const START = Date.UTC(2026, 0, 1);
const WINDOW = 200;

/** A backend of records 1 to `total`, one a second, whose requests wait until they are answered. */
class Fake {
  kind = "server";
  total;
  asked = [];
  #waiting = [];

  constructor(total) {
    this.total = total;
  }

  request(path, { signal } = {}) {
    const url = new URL(path, "http://test");
    const query = Object.fromEntries(url.searchParams);
    this.asked.push(query);
    return new Promise((resolve, reject) => {
      signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
      this.#waiting.push({ query, signal, resolve, reject });
    });
  }

  /** Requests that wait and were not aborted. */
  get waiting() {
    return this.#waiting.filter(({ signal }) => !signal?.aborted).map(({ query }) => query);
  }

  page({ q = "", offset = "0", limit, cursor, dir, total }) {
    const all = cursor ? Number(cursor) : this.total;
    const later = /time:>(\S+)/.exec(q)?.[1];
    const count = later ? all - ((Date.parse(later) - START) / 1000) : q.startsWith("none") ? 0 : all;
    const items = [];
    for (let at = Number(offset); at < Math.min(Number(offset) + Number(limit), count); at += 1) {
      const seq = dir === "asc" ? at + 1 : count - at;
      items.push({ id: `r${seq}`, seq, time: new Date(START + seq * 1000).toISOString() });
    }
    return { items, next: String(all), prev: null, ...(total ? { total: count } : {}), scanned: {} };
  }

  /** Answers all that wait, and what is asked thereupon. */
  async answer(status = 200) {
    do {
      for (const { query, signal, resolve } of this.#waiting.splice(0)) {
        if (signal?.aborted) continue;
        const body = status === 200 ? this.page(query) : { type: "urn:reqlog:problem:busy", title: "Busy", status, detail: "The store is busy" };
        resolve(new Response(JSON.stringify(body), { status }));
      }
      for (let tick = 0; tick < 20; tick += 1) await new Promise(setImmediate);
    } while (this.waiting.length > 0);
  }
}

/** Records in any order, whose data grows by `grow` with every page without a cursor. */
class Ordered extends Fake {
  grow = 0;
  #sorted = new Map();

  constructor(total, value) {
    super(total);
    this.value = value;
  }

  static record(seq) {
    const duration = (seq * 7919) % 100_003;
    const time = new Date(START + seq * 1000).toISOString();
    return { id: `r${seq}`, seq, time, ...(seq % 10 ? { duration_ms: duration } : {}) };
  }

  page({ q = "", offset = "0", limit, cursor, dir, total }) {
    const all = cursor ? Number(cursor) : this.total;
    if (!cursor) this.total += this.grow;
    const key = `${all} ${dir}`;
    if (!this.#sorted.has(key)) {
      const list = Array.from({ length: all }, (_, at) => Ordered.record(at + 1)).sort((a, b) => this.value(a) - this.value(b) || a.seq - b.seq);
      this.#sorted.set(key, dir === "desc" ? list.reverse() : list);
    }
    let list = this.#sorted.get(key);
    const [, name, sign, value] = /(time|duration):([<>])(\S+)/.exec(q) ?? [];
    if (name) {
      const of = name === "time" ? ({ time }) => Date.parse(time) : ({ duration_ms: ms }) => ms;
      const than = name === "time" ? Date.parse(value) : Number(value);
      list = list.filter((record) => of(record) !== undefined && (sign === ">" ? of(record) > than : of(record) < than));
    }
    const items = list.slice(Number(offset), Number(offset) + Number(limit));
    return { items, next: String(all), prev: null, ...(total ? { total: list.length } : {}), scanned: {} };
  }
}

let fake, question, rows, columns;

beforeEach(async () => {
  [question, rows, columns] = await loadTogether("state/question.ts", "state/rows.ts", "state/columns.ts");
  fake = new Fake(1_000_000);
});

const snapshot = () => rows.shown.value?.snapshot;

test("a question is asked once, with its total, and what its columns need", async () => {
  question.query.value = "status:5xx";
  question.backend.value = fake;
  assert.equal(rows.pending.value, true);
  await fake.answer();
  assert.equal(rows.pending.value, false);
  assert.deepEqual(fake.asked, [{ q: "status:5xx", sort: "time", dir: "desc", limit: "200", offset: "0", total: "exact", fields: columns.fields.value }]);
  assert.equal(rows.matched.value, 1_000_000);
  assert.equal(snapshot().row(0).id, "r1000000");
  assert.equal(snapshot().row(199).id, "r999801");
  assert.equal(snapshot().row(200), undefined);
});

test("windows are of the snapshot of the first page, the next in the direction of scrolling with them", async () => {
  question.backend.value = fake;
  await fake.answer();
  fake.total += 500;
  snapshot().want(0, 40, 1);
  assert.deepEqual(fake.waiting.map(({ offset, cursor, total }) => [offset, cursor, total]), [["200", "1000000", undefined]]);
  snapshot().want(390, 430, 1);
  await fake.answer();
  assert.equal(snapshot().row(390).id, "r999610");
  assert.equal(snapshot().row(430).id, "r999570");
  assert.ok(snapshot().row(799), "the window ahead");
  const before = fake.asked.length;
  snapshot().want(395, 435, -1);
  snapshot().want(0, 40, 1);
  assert.equal(fake.asked.length, before, "what is there is not asked again");
});

test("the last row is reached", async () => {
  question.backend.value = fake;
  fake.total = 1_000_001;
  await fake.answer();
  await Promise.all([snapshot().reach(1_000_000, 1_000_030, new AbortController().signal), fake.answer()]);
  assert.equal(snapshot().row(1_000_000).id, "r1");
  assert.equal(snapshot().row(1_000_001), undefined);
});

test("windows that were scrolled past are aborted, and a dragged thumb loads only where it stays", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    question.backend.value = fake;
    await fake.answer();
    snapshot().want(0, 40, 1);
    snapshot().want(1000, 1040, 1);
    assert.deepEqual(fake.waiting, [], "the first was passed, the second has not stayed");
    for (let at = 2000; at < 900_000; at += 50_000) snapshot().want(at, at + 40, 1);
    assert.equal(fake.asked.length, 2);
    mock.timers.tick(59);
    assert.equal(fake.asked.length, 2);
    mock.timers.tick(1);
    assert.deepEqual(fake.waiting.map(({ offset }) => offset), ["852000", "852200"]);
  } finally {
    mock.timers.reset();
  }
});

test("the windows that were looked at longest ago are let go", async () => {
  question.backend.value = fake;
  await fake.answer();
  for (let window = 0; window < 100; window += 1) {
    snapshot().want(window * WINDOW, window * WINDOW + 40, 1);
    await fake.answer();
  }
  assert.equal(snapshot().row(0), undefined);
  assert.ok(snapshot().row(99 * WINDOW) && snapshot().row(60 * WINDOW));
});

test("a new question keeps the rows until its own come, and drops answers to the one before", async () => {
  question.backend.value = fake;
  await fake.answer();
  question.query.value = "a";
  question.query.value = "none";
  assert.equal(snapshot().row(0).id, "r1000000");
  assert.deepEqual(fake.waiting.map(({ q }) => q), ["none"]);
  await fake.answer();
  assert.equal(rows.matched.value, 0);
  assert.equal(rows.shown.value.isNew, true);
});

test("grown data keeps the row that is looked at where it is", async () => {
  question.backend.value = fake;
  await fake.answer();
  await Promise.all([snapshot().reach(5000, 5040, new AbortController().signal), fake.answer()]);
  Object.assign(rows.eye, { first: 5000, last: 5040, position: 5000 * 26 + 11 });
  const seen = snapshot().row(5000).id;
  fake.total += 777;
  question.revision.value += 1;
  await fake.answer();
  assert.deepEqual([rows.shown.value.isNew, rows.shown.value.shift], [false, 777]);
  assert.equal(snapshot().row(5777).id, seen);
  assert.ok(snapshot().row(5817), "what is in view is there at once");
});

test("also where data grows on between the page and the count, and in any order", async () => {
  const compare = { time: ({ seq }) => seq, duration: ({ duration_ms: ms }) => ms ?? -1, arrival: ({ seq }) => seq };
  for (const [sort, direction, grown] of [["time", "desc", 5000], ["time", "asc", 5000], ["duration", "desc", 4000], ["duration", "asc", 4000], ["arrival", "desc", 9000], ["arrival", "asc", 70]]) {
    const world = new Ordered(10_000, compare[sort]);
    [question, rows, columns] = await loadTogether("state/question.ts", "state/rows.ts", "state/columns.ts");
    [question.sort.value, question.direction.value, question.backend.value] = [sort, direction, world];
    await world.answer();
    const old = snapshot();
    await Promise.all([old.reach(6000, 6040, new AbortController().signal), world.answer()]);
    Object.assign(rows.eye, { first: 6000, last: 6040, position: 6000 * 26 + 11 });
    const seen = old.row(6000).id;
    world.grow = grown;
    question.revision.value += 1;
    await world.answer();
    assert.notEqual(snapshot(), old);
    assert.equal(snapshot().row(6000 + rows.shown.value.shift)?.id, seen, `${sort} ${direction}`);
    assert.ok(world.asked.length < 40, `${world.asked.length} requests`);
  }
});

test("who looks at the beginning sees what is new", async () => {
  question.backend.value = fake;
  await fake.answer();
  Object.assign(rows.eye, { first: 0, last: 40, position: 0 });
  fake.total += 3;
  question.revision.value += 1;
  await fake.answer();
  assert.deepEqual([rows.shown.value.isNew, rows.shown.value.shift], [false, 0]);
  assert.equal(snapshot().row(0).id, "r1000003");
});

test("growth that is faster than answers keeps none of them from coming", async () => {
  question.backend.value = fake;
  await fake.answer();
  fake.total += 1;
  question.revision.value += 1;
  for (let turn = 0; turn < 5; turn += 1) question.revision.value += 1;
  assert.equal(fake.waiting.length, 1);
  await fake.answer();
  assert.equal(fake.asked.length, 3, "the first, the one under way, and one for all that came meanwhile");
  assert.equal(rows.matched.value, 1_000_001);
});

test("a failure keeps the rows and is tried again", async () => {
  question.backend.value = fake;
  await fake.answer();
  question.query.value = "a";
  await fake.answer(503);
  assert.equal(rows.failure.value.message, "The store is busy");
  assert.equal(snapshot().row(0).id, "r1000000");
  rows.retry();
  await fake.answer();
  assert.equal(rows.failure.value, null);
  assert.equal(snapshot().question.q, "a");

  snapshot().want(0, 300, 1);
  await fake.answer(503);
  assert.equal(snapshot().error.value.message, "The store is busy");
  const before = fake.asked.length;
  snapshot().want(0, 310, 1);
  assert.equal(fake.asked.length, before, "not again on its own");
  rows.retry();
  await fake.answer();
  assert.equal(snapshot().error.value, null);
  assert.ok(snapshot().row(300));
});

test("growth after a failure asks what is asked now, not what is shown", async () => {
  question.backend.value = fake;
  await fake.answer();
  question.query.value = "a";
  await fake.answer(503);
  question.revision.value += 1;
  assert.deepEqual(fake.waiting.map(({ q }) => q), ["a"]);
  await fake.answer();
  assert.equal(snapshot().question.q, "a");
  assert.equal(rows.failure.value, null);
});

test("rows of one source are not shown as those of another", async () => {
  question.backend.value = fake;
  await fake.answer();
  Object.assign(rows.eye, { first: 5000, last: 5040, position: 5000 * 26 });
  const other = new Fake(7);
  question.backend.value = other;
  assert.equal(rows.shown.value, null);
  await other.answer();
  assert.equal(rows.matched.value, 7);
  assert.equal(rows.shown.value.isNew, true);
});

test("a column that is added asks for its members, and rows stay meanwhile", async () => {
  question.backend.value = fake;
  await fake.answer();
  snapshot().want(0, 40, -1);
  columns.toggle("trace_id");
  assert.equal(snapshot().row(0).id, "r1000000");
  assert.equal(fake.waiting.length, 1);
  assert.match(fake.waiting[0].fields, /trace_id/);
  await fake.answer();
  columns.toggle("trace_id");
  assert.equal(fake.waiting.length, 0, "fewer columns need nothing new");
});

test("rows that are gone are noticed", async () => {
  question.backend.value = fake;
  await fake.answer();
  const old = snapshot();
  fake.page = (query) => ({ ...Fake.prototype.page.call(fake, query), items: [], ...(query.total ? { total: 0 } : {}) });
  old.want(1000, 1040, 1);
  await fake.answer();
  assert.notEqual(snapshot(), old);
  assert.equal(rows.matched.value, 0);
});
