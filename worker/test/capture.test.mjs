// What passes through `capture.mjs` on real workerd, between a real client and a real origin.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import { after, before, test } from "node:test";
import zlib from "node:zlib";
import { Miniflare, Response, fetch } from "miniflare";

const CAP = 256 * 1024;

// a proxy of nothing but `capture.mjs`: what was seen of each exchange goes to the binding `SEEN`
const script = `
  import { proxy } from "./js/capture.mjs";

  export default {
    async fetch(request, env, context) {
      const url = new URL(request.url);
      const passage = proxy(request, env.UPSTREAM + request.url.slice(url.origin.length), request.headers, Number(env.CAP));
      context.waitUntil(
        passage.finished.then(async ({ request: sent, response: answered }) => {
          const side = ({ bytes, size, ended }) => ({ text: String.fromCharCode(...bytes.subarray(0, 1024)), kept: bytes.length, size, ended });
          const { status, failure, headers } = passage;
          const seen = { path: url.pathname, status, failure, headers, request: side(sent), response: side(answered) };
          await env.SEEN.fetch("http://seen/", { method: "POST", body: JSON.stringify(seen) });
        }),
      );
      await passage.answered;
      return passage.respond(passage.headers);
    },
  };
`;

/** What the origin does, by path. */
const routes = {};
/** What was seen of each exchange, by path. */
const seen = new Map();
const arrivals = new EventEmitter();
let origin, worker, address;

before(async () => {
  origin = http.createServer((request, response) => {
    const route = routes[request.url.split("?")[0]] ?? ((_, unknown) => unknown.writeHead(404).end());
    route(request, response);
  });
  origin.on("upgrade", (request, socket, head) => routes[request.url](request, socket, head));
  origin.listen(0, "127.0.0.1");
  await once(origin, "listening");
  worker = new Miniflare({
    modules: [
      { type: "ESModule", path: "proxy.mjs", contents: script },
      { type: "ESModule", path: "js/capture.mjs", contents: readFileSync(new URL("../js/capture.mjs", import.meta.url), "utf8") },
    ],
    compatibilityDate: "2026-04-20",
    compatibilityFlags: ["enable_request_signal"],
    cf: false,
    // no other worker of Miniflare's before this one: what the client gets is what it sent
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    bindings: { UPSTREAM: `http://127.0.0.1:${origin.address().port}`, CAP },
    serviceBindings: {
      async SEEN(request) {
        const exchange = await request.json();
        seen.set(exchange.path, exchange);
        arrivals.emit(exchange.path);
        return new Response(null, { status: 204 });
      },
    },
  });
  await worker.ready;
  address = await worker.unsafeGetDirectURL();
});

after(async () => {
  await worker?.dispose();
  origin?.closeAllConnections();
  origin?.close();
});

async function captured(path) {
  if (!seen.has(path)) await once(arrivals, path);
  return seen.get(path);
}

/** Sends a request; what is in `options` beside node's own: `body`. */
function send(path, { body, ...options } = {}) {
  const request = http.request({ host: address.hostname, port: address.port, path, agent: false, ...options });
  const answered = once(request, "response").then(([response]) => response);
  if (body !== undefined) request.end(body);
  return { request, answered };
}

/** The client goes, and says so: that it sends no more would not tell that it reads no more. */
function leave(request) {
  request.on("error", () => {});
  request.socket.resetAndDestroy();
}

async function text(stream) {
  const parts = [];
  for await (const part of stream) parts.push(Buffer.from(part));
  return Buffer.concat(parts).toString("latin1");
}

async function get(path, options = {}) {
  const response = await send(path, { body: "", ...options }).answered;
  return { response, body: await text(response) };
}

test("the first byte is with the client before the origin ends", async () => {
  const order = [];
  let finish;
  routes["/stream"] = (_, response) => {
    response.writeHead(200, { "content-type": "text/plain" });
    response.write("first ");
    finish = () => {
      order.push("the origin ends");
      response.end("last");
    };
  };
  const response = await send("/stream", { body: "" }).answered;
  response.setEncoding("utf8");
  const [first] = await once(response, "data");
  order.push("the client has the first byte");
  finish();
  assert.equal(first + (await text(response)), "first last");
  assert.deepEqual(order, ["the client has the first byte", "the origin ends"]);
  assert.equal(response.headers["transfer-encoding"], "chunked");
  assert.deepEqual((await captured("/stream")).response, { text: "first last", kept: 10, size: 10, ended: "whole" });
});

test("of a long body the beginning is kept, and all of it passes", async () => {
  const bytes = randomBytes(10 << 20);
  routes["/long"] = (_, response) => response.writeHead(200, { "content-length": bytes.length }).end(bytes);
  const { response, body } = await get("/long");
  assert.ok(Buffer.from(body, "latin1").equals(bytes));
  assert.equal(response.headers["content-length"], String(bytes.length));
  const { kept, size, ended } = (await captured("/long")).response;
  assert.deepEqual({ kept, size, ended }, { kept: CAP, size: bytes.length, ended: "whole" });
});

test("a client that does not read holds the origin back", async () => {
  // far more than the sockets between them hold
  const TOTAL = 256 << 20;
  const part = Buffer.alloc(1 << 20);
  let sent = 0;
  let full;
  const stalled = new Promise((resolve) => (full = resolve));
  routes["/slow"] = (_, response) => {
    response.writeHead(200);
    const more = () => {
      while (sent < TOTAL) {
        sent += part.length;
        if (!response.write(part)) {
          full();
          response.once("drain", more);
          return;
        }
      }
      response.end();
    };
    more();
  };
  const { request, answered } = send("/slow", { body: "" });
  const response = await answered;
  response.pause();
  await stalled;
  const before = sent;
  // another exchange, all the way: time enough for a proxy that would read ahead
  routes["/meanwhile"] = (_, other) => other.end(part);
  await get("/meanwhile");
  assert.ok(sent < TOTAL / 2, `${before} bytes, then ${sent} are sent of ${TOTAL} to nobody`);
  leave(request);
  const { kept, ended } = (await captured("/slow")).response;
  assert.deepEqual({ kept, ended }, { kept: CAP, ended: "cancelled" });
});

test("a client that goes stops the origin", async () => {
  let gone;
  const closed = new Promise((resolve) => (gone = resolve));
  routes["/gone"] = (request, response) => {
    response.on("close", gone);
    response.writeHead(200).write("part");
  };
  const { request, answered } = send("/gone", { body: "" });
  const response = await answered;
  await once(response, "data");
  leave(request);
  const exchange = await captured("/gone");
  assert.deepEqual(exchange.response, { text: "part", kept: 4, size: 4, ended: "cancelled" });
  await closed;
});

test("a client that goes before it was answered is seen too", async () => {
  let asked;
  const arrived = new Promise((resolve) => (asked = resolve));
  routes["/unanswered"] = () => asked();
  const { request, answered } = send("/unanswered", { body: "" });
  answered.catch(() => {});
  await arrived;
  leave(request);
  const exchange = await captured("/unanswered");
  assert.equal(exchange.status, undefined);
  assert.equal(exchange.failure, undefined);
  assert.equal(exchange.response.ended, "cancelled");
});

test("a body that its origin breaks off is broken off for the client", async () => {
  for (const [path, headers] of [["/broken", {}], ["/broken-sized", { "content-length": "1000" }]]) {
    let breakOff;
    routes[path] = (_, response) => {
      response.writeHead(200, headers).write("half");
      breakOff = () => response.destroy();
    };
    const response = await send(path, { body: "" }).answered;
    await once(response, "data");
    breakOff();
    // without a length, workerd's own server ends what breaks off with a last chunk, also of a response that no script touches
    if (headers["content-length"]) await assert.rejects(text(response), { code: "ECONNRESET" });
    else assert.equal(await text(response), "");
    assert.deepEqual((await captured(path)).response, { text: "half", kept: 4, size: 4, ended: "aborted" });
  }
});

test("a request that its client breaks off is broken off for the origin", async () => {
  let began, broken;
  const started = new Promise((resolve) => (began = resolve));
  const ended = new Promise((resolve) => (broken = resolve));
  routes["/upload-broken"] = (request) => {
    request.once("data", began);
    request.on("error", () => {});
    request.on("close", () => broken(request.complete));
  };
  const { request, answered } = send("/upload-broken", { method: "POST", headers: { "content-length": "1000" } });
  answered.catch(() => {});
  request.write("half");
  await started;
  leave(request);
  assert.equal(await ended, false);
  const exchange = await captured("/upload-broken");
  assert.equal(exchange.status, undefined);
  assert.equal(exchange.request.text, "half");
  assert.equal(exchange.request.ended, "aborted");
});

test("HEAD has the length of what GET would have", async () => {
  routes["/head"] = (_, response) => response.writeHead(200, { "content-length": "1234", etag: '"a"' }).end();
  const { response, body } = await get("/head", { method: "HEAD" });
  assert.deepEqual([response.statusCode, body, response.headers["content-length"], response.headers.etag], [200, "", "1234", '"a"']);
  assert.deepEqual((await captured("/head")).response, { text: "", kept: 0, size: 0, ended: "whole" });
});

test("statuses without a body, redirects and statuses with one pass as they are", async () => {
  for (const [status, headers, content] of [
    [204, {}, ""],
    [304, { etag: '"a"' }, ""],
    [302, { location: "/elsewhere", "set-cookie": ["a=1", "b=2"] }, ""],
    [404, { "content-length": "4" }, "none"],
    [503, { "retry-after": "3", "content-length": "0" }, ""],
  ]) {
    const path = `/status/${status}`;
    routes[path] = (_, response) => response.writeHead(status, headers).end(content);
    const { response, body } = await get(path);
    assert.deepEqual([response.statusCode, body], [status, content]);
    for (const [name, value] of Object.entries(headers)) assert.deepEqual(response.headers[name], value, `${status} ${name}`);
    const exchange = await captured(path);
    assert.deepEqual([exchange.status, exchange.response.text, exchange.response.ended], [status, content, "whole"]);
  }
});

test("packed bodies pass byte for byte", async () => {
  const plain = "a packed body ".repeat(100);
  for (const [encoding, packed] of [
    ["gzip", zlib.gzipSync(plain, { level: 9 })],
    ["br", zlib.brotliCompressSync(plain)],
    ["unheard-of", Buffer.from("as it is")],
  ]) {
    const path = `/packed/${encoding}`;
    let accepted;
    routes[path] = (request, response) => {
      accepted = request.headers["accept-encoding"];
      response.writeHead(200, { "content-encoding": encoding, "content-length": packed.length }).end(packed);
    };
    const { response, body } = await get(path, { headers: { "accept-encoding": encoding } });
    assert.equal(accepted, encoding);
    assert.ok(Buffer.from(body, "latin1").equals(packed), encoding);
    assert.equal(response.headers["content-encoding"], encoding);
    assert.equal(response.headers["content-length"], String(packed.length));
    assert.equal((await captured(path)).response.text, packed.toString("latin1"));
  }
});

test("a request's body passes as it is sent, with its length where it has one", async () => {
  const bodies = { "/sized": "x".repeat(CAP + 1), "/chunked": "first last" };
  const headers = {};
  const received = {};
  let first;
  const began = new Promise((resolve) => (first = resolve));
  for (const path of Object.keys(bodies)) {
    routes[path] = async (request, response) => {
      headers[path] = request.headers;
      request.once("data", first);
      received[path] = await text(request);
      response.end("taken");
    };
  }
  const chunked = send("/chunked", { method: "POST" });
  chunked.request.write("first ");
  await began;
  chunked.request.end("last");
  assert.equal(await text(await chunked.answered), "taken");
  const sized = await get("/sized", { method: "PUT", body: bodies["/sized"], headers: { "content-length": CAP + 1 } });
  assert.equal(sized.body, "taken");
  assert.deepEqual(received, bodies);
  assert.equal(headers["/sized"]["content-length"], String(CAP + 1));
  assert.equal(headers["/chunked"]["transfer-encoding"], "chunked");
  const { kept, size, ended } = (await captured("/sized")).request;
  assert.deepEqual({ kept, size, ended }, { kept: CAP, size: CAP + 1, ended: "whole" });
  assert.deepEqual((await captured("/chunked")).request, { text: "first last", kept: 10, size: 10, ended: "whole" });
});

test("an answer that does not wait for the request's body passes at once", async () => {
  routes["/early"] = (_, response) => response.writeHead(413).end("too long");
  const { request, answered } = send("/early", { method: "POST", headers: { "content-length": "13" } });
  request.write("begin");
  const response = await answered;
  response.setEncoding("utf8");
  const [first] = await once(response, "data");
  assert.deepEqual([response.statusCode, first], [413, "too long"]);
  // workerd holds back that an answer has ended until its request has
  request.end(" and end");
  assert.equal(await text(response), "");
  const exchange = await captured("/early");
  assert.deepEqual([exchange.response.text, exchange.response.ended], ["too long", "whole"]);
});

test("each event of a stream passes when it comes", async () => {
  let events;
  routes["/events"] = (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    events = response;
    response.write("id: 0\n\n");
  };
  const response = await send("/events", { body: "" }).answered;
  response.setEncoding("utf8");
  assert.equal(response.headers["content-type"], "text/event-stream");
  for (let id = 0; id < 5; id += 1) {
    const [event] = await once(response, "data");
    assert.equal(event, `id: ${id}\n\n`);
    events.write(`id: ${id + 1}\n\n`);
  }
  events.end();
  await text(response);
  assert.equal((await captured("/events")).response.size, 6 * "id: 0\n\n".length);
});

test("a WebSocket is passed through, both ways", async () => {
  routes["/socket"] = (request, socket) => {
    const key = request.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    const accept = createHash("sha1").update(key).digest("base64");
    const protocol = request.headers["sec-websocket-protocol"];
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n` +
        `Sec-WebSocket-Protocol: ${protocol}\r\n\r\n`,
    );
    // RFC 6455, 5.2: one short masked frame a read; its payload comes back unmasked, as a text
    socket.on("data", (frame) => {
      const opcode = frame[0] & 0xf;
      const payload = Buffer.from(frame.subarray(6)).map((byte, at) => byte ^ frame[2 + (at % 4)]);
      socket.write(Buffer.concat([Buffer.from([0x80 | opcode, payload.length]), payload]));
      if (opcode === 8) socket.end();
    });
  };
  const headers = { upgrade: "websocket", "sec-websocket-protocol": "echo.v1" };
  const response = await fetch(`http://${address.host}/socket`, { headers });
  assert.equal(response.status, 101);
  assert.equal(response.headers.get("sec-websocket-protocol"), "echo.v1");
  const socket = response.webSocket;
  socket.accept();
  for (const message of ["one", "zwei é"]) {
    const answered = once(socket, "message");
    socket.send(message);
    const [event] = await answered;
    assert.equal(event.data, message);
  }
  const closed = once(socket, "close");
  socket.close(1000, "done");
  await closed;
  const exchange = await captured("/socket");
  assert.deepEqual([exchange.status, exchange.response.ended], [101, "whole"]);
});

test("an upstream that is down is a 502 and is seen", async () => {
  routes["/reset"] = (request) => request.socket.destroy();
  const { response, body } = await get("/reset");
  assert.deepEqual([response.statusCode, response.headers["content-type"]], [502, "text/plain; charset=utf-8"]);
  assert.equal(body, "The upstream did not answer.\n");
  const exchange = await captured("/reset");
  assert.ok(exchange.failure.length > 0);
  assert.deepEqual([exchange.status, exchange.response.text, exchange.response.ended], [502, body, "whole"]);
});

// but what no URL has as it is: workerd resolves dots in paths and encodes blanks, quotes and the like, as browsers do
test("path and query pass byte for byte", async () => {
  const asked = [];
  const targets = ["/a%2Fb%20c/%e9?q=%20+&&=x,y&empty", "/a//b/;x=1?", "/'(a)|b~!$?c=(d)|{e}"];
  for (const target of targets) {
    routes[target.split("?")[0]] = (request, response) => {
      asked.push(request.url);
      response.end();
    };
    await get(target);
  }
  assert.deepEqual(asked, targets);
});
