import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { loadTogether } from "./load.mjs";

// what a window has, and Node has not
globalThis.addEventListener ??= () => {};
globalThis.removeEventListener ??= () => {};

/** A server whose streams are written by the test. */
class Fake {
  kind = "server";
  name = { value: "fake" };
  growth = { value: { records: 0 } };
  /** Of each connection: its question and the id it resumes after. */
  asked = [];
  #answers = [];
  stream;

  /** The next connection gets this status instead of a stream. */
  refuse(status, problem) {
    this.#answers.push(new Response(JSON.stringify(problem), { status, headers: { "content-type": "application/problem+json" } }));
  }

  async request(path, { headers, signal }) {
    this.asked.push({ q: new URL(path, "http://x").searchParams.get("q"), id: headers["last-event-id"] });
    const refused = this.#answers.shift();
    if (refused) return refused;
    const body = new ReadableStream({ start: (controller) => (this.stream = controller) });
    signal.addEventListener("abort", () => {
      try {
        this.stream.error(signal.reason);
      } catch {
        // it had ended
      }
    });
    return new Response(body);
  }

  async say(...ids) {
    this.stream.enqueue(new TextEncoder().encode(ids.map((id) => `id: ${id}\ndata: {}\n\n`).join("")));
    await settled();
  }

  async raw(text) {
    this.stream.enqueue(new TextEncoder().encode(text));
    await settled();
  }
}

/** Everything that needs no time has happened. */
const settled = async () => {
  for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
};
const pass = async (ms) => {
  await settled();
  mock.timers.tick(ms);
  await settled();
};

mock.method(performance, "now", () => Date.now());

let live, question, server;
beforeEach(async () => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
  [live, question] = await loadTogether("state/live.ts", "state/question.ts");
  server = new Fake();
  live.bindLive();
  question.backend.value = server;
});

async function connected() {
  live.tailing.value = true;
  await settled();
  await server.raw(":\nid: 100\n\n");
  await pass(1000);
  return question.revision.value;
}

test("it is off until it is asked for, and only servers have it", async () => {
  assert.equal(live.live.value.at, "off");
  assert.equal(server.asked.length, 0);
  question.backend.value = { kind: "file" };
  live.tailing.value = true;
  assert.equal(live.live.value.at, "off");
  assert.equal(live.offered.value, false);
});

test("what is new is asked for while the table is followed, and counted while it is not", async () => {
  const before = await connected();
  assert.equal(live.live.value.at, "live");
  await server.say(101, 102);
  await pass(1000);
  assert.equal(question.revision.value, before + 1, "two records, one question");
  live.paused.value = true;
  await server.say(103, 104, 105);
  await pass(1000);
  assert.equal(live.fresh.value, 3);
  assert.equal(question.revision.value, before + 1, "a table that is paused stays");
  live.paused.value = false;
  await pass(1000);
  assert.equal(live.fresh.value, 0);
  assert.equal(question.revision.value, before + 2, "what was counted is shown on resuming");
  live.scrolled.value = true;
  await server.say(106);
  assert.equal(live.fresh.value, 1);
  live.showFresh();
  assert.equal(live.fresh.value, 0);
  assert.equal(live.toTop.value, 1);
});

test("a stream that breaks off goes on after its last id, and nothing is counted twice", async () => {
  await connected();
  live.paused.value = true;
  await server.say(101, 102);
  server.stream.error(new TypeError("network error"));
  await settled();
  assert.equal(live.live.value.at, "retrying");
  assert.match(live.live.value.why, /network error/);
  await pass(1300);
  assert.deepEqual(server.asked.map(({ id }) => id), [undefined, "102"]);
  await server.say(102, 103);
  assert.equal(live.fresh.value, 3, "102 was counted already");
});

test("a heartbeat moves the place, and its silence ends the connection", async () => {
  await connected();
  await server.raw('id: 140\nevent: heartbeat\ndata: {"delivered":2,"filtered":38}\n\n');
  assert.deepEqual(live.counts.value, { delivered: 2, filtered: 38 });
  await pass(44_000);
  assert.equal(live.live.value.at, "live");
  await pass(1_100);
  assert.equal(live.live.value.at, "retrying");
  await pass(1_300);
  assert.equal(server.asked.at(-1).id, "140");
});

test("pauses between attempts grow to half a minute, and begin anew when something comes", async () => {
  await connected();
  for (let attempt = 0; attempt < 8; attempt += 1) server.refuse(502, { title: "Bad Gateway" });
  server.stream.close();
  const pauses = [];
  for (let attempt = 0; attempt < 8; attempt += 1) {
    await settled();
    pauses.push(live.live.value.seconds);
    await pass(40_000);
  }
  assert.ok(pauses[0] <= 2 && pauses[7] >= 20 && pauses[7] <= 38, pauses.join());
  await settled();
  await pass(40_000);
  await server.raw(":\n\n");
  server.stream.close();
  await settled();
  assert.ok(live.live.value.seconds <= 2, `after it worked: ${live.live.value.seconds}`);
});

test("what the server will not have is said and not tried again until the question changes", async () => {
  server.refuse(429, { title: "Too Many Requests", detail: "16 streams of this key are open" });
  live.tailing.value = true;
  await settled();
  assert.deepEqual(live.live.value, { at: "refused", why: "16 streams of this key are open" });
  await pass(600_000);
  assert.equal(server.asked.length, 1);
  question.query.value = "status:5xx";
  await settled();
  assert.deepEqual(server.asked[1], { q: "status:5xx", id: undefined });
  assert.equal(live.live.value.at, "live");
});

test("a store that is another one is asked for from its head, and everything is asked again", async () => {
  const before = await connected();
  await server.raw("id\nevent: reset\ndata:\n\n");
  await pass(1300);
  assert.equal(server.asked.at(-1).id, undefined);
  await server.raw(":\nid: 5\n\n");
  await pass(1000);
  assert.equal(question.revision.value, before + 1);
  await server.say(6);
  await pass(1000);
  assert.equal(question.revision.value, before + 2, "smaller ids than before count");
});

test("stopping ends the connection", async () => {
  await connected();
  live.toggleTail();
  await pass(60_000);
  assert.equal(live.live.value.at, "off");
  assert.equal(server.asked.length, 1);
});
