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
async function run(format, expected, secrets = "replaced") {
  const done = exports.run({ from, q: "status:5xx", format, secrets, sink: into, expected, what: "saved" });
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
  const done = exports.run({ from, q: "", format: "ndjson", secrets: "replaced", sink: into, expected: 1, what: "saved" });
  await settled();
  assert.equal(exports.exporting.value.at, "running");
  exports.cancel();
  await done;
  assert.equal(exports.exporting.value.at, "idle");
  assert.equal(into.state, "dropped");
});

/** A backend whose files can be read again: to `again`, which counts how often it is given back. */
function openedFiles() {
  const again = new Fake();
  const state = { opened: 0, closed: 0, fail: null };
  from.growth = { peek: () => ({ size: 100 }) };
  from.unredacted = (signal, onprogress) => {
    state.opened += 1;
    onprogress({ bytes: 40, size: 100 });
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
      state.fail = reject;
      state.go = () => resolve({ backend: again, close: () => (state.closed += 1) });
    });
  };
  return { again, state };
}

test("with secrets, the files are read again, counted and exported, and given back", async () => {
  const { again, state } = openedFiles();
  again.body(['{"items":[],"total":2}']);
  again.body([line("A"), line("B")]);
  const done = exports.run({ from, q: "a", format: "ndjson", secrets: "included", sink: into, expected: 5, what: "saved" });
  await settled();
  assert.deepEqual(exports.exporting.value, { at: "reading", bytes: 40, size: 100 });
  state.go();
  await done;
  const { at, rows, expected, secrets } = exports.exporting.value;
  assert.deepEqual({ at, rows, expected, secrets }, { at: "done", rows: 2, expected: 2, secrets: "included" });
  assert.deepEqual([from.asked, again.asked.map(({ q }) => q)], [[], ["a", "a"]]);
  assert.deepEqual([state.opened, state.closed, into.text, into.state], [1, 1, line("A") + line("B"), "kept"]);
});

test("what breaks off with secrets is taken up from where they are, and given back when it fails", async () => {
  const { again, state } = openedFiles();
  again.body(['{"items":[],"total":2}']);
  again.body([line("A")], "broken");
  again.body([line("B")]);
  const done = run("ndjson", 2, "included");
  state.go();
  assert.equal((await done, exports.exporting.value.at), "done");
  assert.deepEqual(again.asked.slice(1), [{ q: "status:5xx", format: "ndjson" }, { q: "status:5xx", format: "ndjson", cursor: "CURSOR.A" }]);
  again.body(['{"items":[],"total":2}']);
  again.body(['{"log":{"entries":[\n{'], "broken");
  const failing = run("har", 2, "included");
  state.go();
  await failing;
  assert.deepEqual([exports.exporting.value.at, state.opened, state.closed], ["failed", 2, 2]);
});

test("files that cannot be read again are a failure that says why", async () => {
  const { state } = openedFiles();
  const done = run("ndjson", 2, "included");
  state.fail(new Error("a.har is not what it was"));
  await done;
  const { at, why } = exports.exporting.value;
  assert.deepEqual([at, why, into.state], ["failed", "a.har is not what it was", "dropped"]);
});

test("cancelling while the files are read again keeps nothing", async () => {
  openedFiles();
  const done = exports.run({ from, q: "", format: "ndjson", secrets: "included", sink: into, expected: 1, what: "saved" });
  await settled();
  exports.cancel();
  await done;
  assert.deepEqual([exports.exporting.value.at, into.state], ["idle", "dropped"]);
});

test("a server has no secrets to include", async () => {
  const { at, why } = await run("ndjson", 2, "included");
  assert.deepEqual([at, why], ["failed", "There are no secrets that could be included."]);
});
