// A panic costs what was in flight, and nothing after it. No way to panic is built into the Worker for this: a request
// whose headers are no strings makes the bindings panic in Rust, and an object at an address outside of the memory makes
// WebAssembly trap.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { start } from "./built.mjs";

// evaluated before the entry, so that the entry finds these methods in the place of the generated ones
const FAULTS = `
import * as module from "./reqlog_worker.js";

export const held = new Map();
const hold = (name) => new Promise((resolve) => held.set(name, resolve));

const { pull } = module.IntoUnderlyingSource.prototype;
module.IntoUnderlyingSource.prototype.pull = function (controller) {
  return this.held ? hold(this.held) : pull.call(this, controller);
};
function stream() {
  let sent = false;
  return new ReadableStream({
    pull(controller) {
      if (sent) return module.IntoUnderlyingSource.prototype.pull.call({ held: "stream" }, controller);
      sent = true;
      controller.enqueue(new TextEncoder().encode("data: 1\\n\\n"));
    },
  });
}
const { fetch } = module.Committer.prototype;
module.Committer.prototype.fetch = function (request) {
  switch (request.headers.get("fault")) {
    case "hold": return hold("object");
    case "stream": return Promise.resolve(new Response(stream()));
    case "trap": return fetch.call({ __wbg_ptr: 0xfffffff0 }, request);
    default: return fetch.call(this, request);
  }
};
`;

const FIRST = `
import { held } from "./faults.mjs";
import worker, { Committer, Compactor } from "./entry.mjs";
export { Committer, Compactor };

const broken = { url: "http://reqlog/", method: "GET", redirect: "follow", headers: { entries: () => [["accept", 1]].values() } };
const committer = (env) => env.COMMITTER.get(env.COMMITTER.idFromName("a committer of the test"));

export default {
  async fetch(request, env, context) {
    const { pathname } = new URL(request.url);
    switch (pathname) {
      case "/test/panic":
        return worker.fetch({ ...broken, signal: request.signal }, env, context);
      case "/test/object":
        return committer(env).fetch(request);
      case "/test/held":
        return new Response([...held.keys()].join());
      case "/test/read": {
        const { body } = await committer(env).fetch(request);
        let text = "";
        try {
          for await (const chunk of body) text += new TextDecoder().decode(chunk);
          return new Response(text + "then ended");
        } catch (error) {
          return new Response(text + "then aborted: " + error.message);
        }
      }
      default:
        return worker.fetch(request, env, context);
    }
  },
  scheduled: worker.scheduled,
};
`;

let host;
const logged = [];

before(async () => {
  host = await start({ handleRuntimeStdio: keep, first: FIRST, beside: { "faults.mjs": FAULTS } });
});
after(() => host.dispose());

function keep(stdout, stderr) {
  for (const stream of [stdout, stderr]) stream.on("data", (data) => logged.push(String(data)));
}

const get = (path, fault) => host.dispatchFetch(`http://reqlog${path}`, fault ? { headers: { fault } } : {});

async function isWell() {
  const answer = await get("/healthz");
  assert.equal(answer.status, 200, await answer.text());
}

async function answersPlainly(response) {
  assert.equal(response.status, 500);
  assert.equal(await response.text(), "internal error\n");
}

/** Waits until something holds, by asking workerd again and again: each answer is a turn of its loop. */
async function isHeld(name) {
  while (!(await (await get("/test/held")).text()).split(",").includes(name));
}

test("a panic answers its own request with 500, and the next request is answered", async () => {
  await isWell();
  for (let round = 0; round < 3; round += 1) {
    await answersPlainly(await get("/test/panic"));
    await isWell();
  }
  assert.match(logged.join(""), /panicked at/, "the log says where");
});

test("a trap in a Durable Object answers its own request with 500, and the object is rebuilt", async () => {
  for (let round = 0; round < 3; round += 1) {
    await answersPlainly(await get("/test/object", "trap"));
    const { status } = await get("/test/object");
    assert.ok(status < 500, `status ${status}`);
    await isWell();
  }
});

test("what waits for the module when it panics is answered at once, and does not hang", async () => {
  const waiting = get("/test/object", "hold");
  await isHeld("object");
  await answersPlainly(await get("/test/panic"));
  await answersPlainly(await waiting);
  await isWell();
});

// workerd's own HTTP server ends a chunked response as if complete when its stream fails (its issue 6818), so the reader
// is a Worker
test("a stream that waits for the module when it panics is aborted, not ended", async () => {
  const reading = get("/test/read", "stream");
  await isHeld("stream");
  await answersPlainly(await get("/test/panic"));
  assert.equal(await (await reading).text(), "data: 1\n\nthen aborted: unreachable");
  await isWell();
});
