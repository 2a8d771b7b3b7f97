import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { loadTogether } from "./load.mjs";

const line = (id) => `{"id":"${id}"}\n`;

/** Answers exports with what is prepared: parts of a body, and how it ends. */
class Fake {
  asked = [];
  #bodies = [];

  body(parts, end = "whole") {
    this.#bodies.push({ parts, end });
  }

  async request(path) {
    this.asked.push(Object.fromEntries(new URL(path, "http://x").searchParams));
    const { parts, end } = this.#bodies.shift();
    const left = [...parts];
    const body = new ReadableStream({
      pull(controller) {
        if (left.length > 0) controller.enqueue(new TextEncoder().encode(left.shift()));
        else if (end === "whole") controller.close();
        else if (end === "broken") controller.error(new TypeError("network error"));
        // otherwise it hangs
      },
    });
    return new Response(body, { headers: { "x-reqlog-cursor": "CURSOR" } });
  }
}

const sink = () => {
  const decoder = new TextDecoder();
  return {
    text: "",
    state: "open",
    async write(bytes) {
      this.text += decoder.decode(bytes);
    },
    async end() {
      this.state = "kept";
    },
    async drop() {
      this.state = "dropped";
    },
  };
};
const settled = async () => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
};

let exports, from, into;
beforeEach(async () => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  [exports] = await loadTogether("state/export.ts");
  [from, into] = [new Fake(), sink()];
});
async function run(format, expected) {
  const done = exports.run(from, "status:5xx", format, into, expected, "saved");
  for (let turn = 0; turn < 8; turn += 1) {
    await settled();
    mock.timers.tick(40_000);
  }
  await done;
  return exports.exporting.value;
}

test("a stream that breaks off is taken up after the last whole row", async () => {
  from.body([line("A"), line("B"), '{"id":'], "broken");
  from.body([line("C"), line("D")]);
  const { at, rows } = await run("ndjson", 4);
  assert.deepEqual({ at, rows }, { at: "done", rows: 4 });
  assert.deepEqual(from.asked, [{ q: "status:5xx", format: "ndjson" }, { q: "status:5xx", format: "ndjson", cursor: "CURSOR.B" }]);
  assert.equal(into.text, ["A", "B", "C", "D"].map(line).join(""));
  assert.equal(into.state, "kept");
});

test("a stream that ends within a row has broken off, also where nobody says so", async () => {
  from.body(['[\n{"id":"A"},\n{"id":"B"'], "whole");
  from.body(['[\n{"id":"B"}\n]\n']);
  const { at, rows } = await run("json", 2);
  assert.deepEqual({ at, rows }, { at: "done", rows: 2 });
  assert.deepEqual(JSON.parse(into.text), [{ id: "A" }, { id: "B" }]);
});

test("an archive that breaks off is not kept, and how far it came is said", async () => {
  from.body(['{"log":{"entries":[\n{"_reqlog":{"id":"A"}},', "\n{"], "broken");
  const now = await run("har", 3);
  assert.equal(now.at, "failed");
  assert.equal(now.rows, 1);
  assert.match(now.why, /archive/);
  assert.equal(into.state, "dropped");
  assert.equal(from.asked.length, 1);
});

test("five attempts are made to go on", async () => {
  for (let attempt = 0; attempt < 6; attempt += 1) from.body([], "broken");
  const now = await run("csv", 3);
  assert.equal(now.at, "failed");
  assert.match(now.why, /5 times/);
  assert.equal(from.asked.length, 6);
  assert.equal(into.state, "dropped");
});

test("cancelling keeps nothing and says nothing", async () => {
  from.body([line("A")], "hangs");
  const done = exports.run(from, "", "ndjson", into, 1, "saved");
  await settled();
  assert.equal(exports.exporting.value.at, "running");
  exports.cancel();
  await done;
  assert.equal(exports.exporting.value.at, "idle");
  assert.equal(into.state, "dropped");
});
