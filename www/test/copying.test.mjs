import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { fetchSnippet, literal } = await load("lib/fetch-snippet.ts");
const { legible, pieces } = await load("lib/redacted.ts");
const { phases, serverTimings } = await load("lib/timings.ts");
const { layers, tokens, LIMIT } = await load("lib/layers.ts");
const { mediaOf, decoderFor, isText } = await load("lib/media.ts");

const utf8 = (text) => new TextEncoder().encode(text);

/** Runs a snippet with a `fetch` that tells what it was called with. */
async function called(snippet) {
  const AsyncFunction = (async () => {}).constructor;
  let got;
  await new AsyncFunction("fetch", snippet)(async (...args) => (got = args));
  return got;
}

const record = (more) => ({ id: "1", method: "POST", scheme: "https", host: "h.test", path: "/a", ...more });

test("a snippet sends what was sent", async () => {
  const hostile = "a'b\"c\\d`${1}\n\r\t\u0000\u2028\u2029</script><!--\u202e";
  const snippet = fetchSnippet(record({ query: "q=%27", request: { headers: [["x-a", hostile], ["x-a", "2"], [":authority", "h"], ["Host", "h"], ["Content-Length", "3"]] } }), utf8(hostile));
  assert.deepEqual(await called(snippet), ["https://h.test/a?q=%27", { method: "POST", headers: [["x-a", hostile], ["x-a", "2"]], body: hostile }]);
  assert.ok(!snippet.includes("</script") && !snippet.includes("\u202e") && !snippet.includes("\u2028"));
});

test("bytes that are no text are sent as bytes", async () => {
  const body = Uint8Array.from({ length: 100_000 }, (_, at) => at % 256);
  const [, options] = await called(fetchSnippet(record(), body));
  assert.deepEqual(options.body, body);
});

test("a plain request is a plain call", () => {
  assert.equal(fetchSnippet(record({ method: "GET", scheme: undefined, host: undefined, request: { headers: [["host", "from.test"]] } }), new Uint8Array()), 'await fetch("http://from.test/a");\n');
  assert.match(fetchSnippet(record({ method: "GET" }), utf8("x")), /\/\/ body: "x"/);
  assert.match(fetchSnippet(record({ request: { headers: [], body: { truncated: true } } }), utf8("x")), /^\/\/ the body is not whole/);
  const typed = record({ request: { headers: [], body: { content_type: "text/x-own" } } });
  assert.match(fetchSnippet(typed, utf8("x")), /\["content-type", "text\/x-own"\]/);
  assert.doesNotMatch(fetchSnippet(typed, new Uint8Array()), /content-type/);
  assert.equal(literal("<"), '"\\x3C"');
});

test("marks and characters that are not seen are told apart", () => {
  assert.deepEqual(pieces("a [redacted:0123abcd]\u202eb [redacted]\r\n[redacted:xyz]"), [
    { kind: "text", text: "a " },
    { kind: "redacted", text: "[redacted:0123abcd]", hash: "0123abcd" },
    { kind: "unseen", text: "\u202e", code: "U+202E" },
    { kind: "text", text: "b " },
    { kind: "redacted", text: "[redacted]", hash: null },
    { kind: "text", text: "\n[redacted:xyz]" },
  ]);
  assert.equal(legible("a\u202egpj.exe\r\n[redacted]"), "a[U+202E]gpj.exe \n[redacted]");
  assert.equal(pieces("\u0000\u001b").map(({ code }) => code).join(), "U+0000,U+001B");
});

test("phases follow one another and TLS ends connecting", () => {
  const found = phases({ blocked: 2, dns: -1, connect: 10, ssl: 4, send: 1, wait: 20, receive: 3, _blocked_queueing: 1 }, 36);
  assert.deepEqual(found.map(({ phase, start, length }) => [phase, start, length]), [["blocked", 0, 2], ["connect", 2, 10], ["ssl", 8, 4], ["send", 12, 1], ["wait", 13, 20], ["receive", 33, 3]]);
  for (const none of [undefined, null, {}, { wait: -1 }, { wait: "x" }, { wait: Infinity }]) {
    assert.deepEqual(phases(none, 5).map(({ name, start, length }) => [name, start, length]), [["Duration", 0, 5]]);
  }
  const timed = serverTimings([["Server-Timing", 'db;dur=5.2;desc="a, b", cache;desc=hit, total;dur=8'], ["server-timing", "x;dur=nope"]]);
  assert.deepEqual(timed.map(({ name, length }) => [name, length]), [["a, b", 5.2], ["total", 8]]);
});

const packed = async (bytes, format) => new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream(format))).arrayBuffer());
const unpack = async (bytes) => (await layers(bytes, new AbortController().signal)).map(({ name, bytes, isCut }) => [name, new TextDecoder().decode(bytes), isCut]);

test("layers are opened to the innermost", async () => {
  const gzip = await packed(utf8("the text inside"), "gzip");
  const base64 = utf8(btoa(String.fromCharCode(...gzip)));
  assert.deepEqual((await unpack(base64)).map(([name, , isCut]) => [name, isCut]), [["base64", false], ["gzip", false]]);
  assert.equal((await unpack(base64)).at(-1)[1], "the text inside");
  assert.deepEqual(await unpack(await packed(utf8("zlib"), "deflate")), [["zlib", "zlib", false]]);
  assert.deepEqual(await unpack(utf8(btoa("just a longer text with words"))), [["base64", "just a longer text with words", false]]);
  for (const plain of ["a plain text, as it is", "internationalization", "0123456789012345", "deadbeefdeadbeefdeadbeef", "", "01234567-89ab-cdef-0123-456789abcdef"]) {
    assert.deepEqual(await unpack(utf8(plain)), [], plain);
  }
});

test("what inflates without end or breaks off is cut", async () => {
  const bomb = await packed(new Uint8Array(LIMIT * 3), "gzip");
  const [bombed] = await layers(bomb, new AbortController().signal);
  assert.deepEqual([bombed.bytes.length, bombed.isCut], [LIMIT, true]);
  const random = Uint8Array.from({ length: 200_000 }, (_, at) => Math.imul(at, 2654435761) >>> 13);
  const whole = await packed(random, "gzip");
  const [broken] = await layers(whole.slice(0, whole.length >> 1), new AbortController().signal);
  assert.ok(broken.isCut && broken.bytes.length > 1000 && broken.bytes.length < random.length);
  assert.deepEqual(broken.bytes, random.slice(0, broken.bytes.length));
});

test("tokens in a text", () => {
  const url = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const token = `${url({ alg: "HS256" })}.${url({ sub: "é" })}.c2ln`;
  assert.deepEqual(tokens(`{"t":"${token}","u":"eyJx.eyJy.z"}`), [{ header: '{"alg":"HS256"}', payload: '{"sub":"é"}', text: token }]);
  assert.equal(tokens(`${token} `.repeat(50)).length, 20);
});

test("what a body is, by type and first bytes", () => {
  const kinds = [
    ["application/json", "x", "json"], ["application/problem+json; charset=utf-8", "", "json"], [undefined, ' {"a":1}', "json"], ["text/plain", "[1]", "json"],
    ["image/svg+xml", "<svg/>", "svg"], ["image/png", "x", "image"], ["text/html", "<p>", "text"], ["application/octet-stream", "\u0000\u0001", "binary"],
    ["application/octet-stream", "words", "text"], ["application/x-www-form-urlencoded", "a=1", "form"], ["multipart/form-data; boundary=x", "", "multipart"],
    ["application/x-ndjson", "{}\n{}", "lines"], ["image/x-unknown", "\u0000", "binary"],
  ];
  for (const [type, head, kind] of kinds) assert.equal(mediaOf(type, utf8(head)), kind, `${type} ${head}`);
});

test("texts are decoded by what they are, then by what they are named", () => {
  assert.equal(decoderFor("text/html; charset=iso-8859-1", utf8("é")).encoding, "utf-8");
  assert.equal(decoderFor("text/html; charset=iso-8859-1", Uint8Array.of(0xe9, 0x20)).encoding, "windows-1252");
  assert.equal(decoderFor("text/html; charset=none-such", Uint8Array.of(0xe9)).encoding, "utf-8");
  assert.equal(decoderFor(undefined, Uint8Array.of(0xff, 0xfe, 0x41, 0)).encoding, "utf-16le");
  assert.equal(isText(utf8("é".repeat(3000)).subarray(0, 4095)), true);
});
