import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { SseReader } = await load("lib/sse.ts");
const all = (...parts) => {
  const reader = new SseReader();
  return parts.flatMap((part) => reader.push(part));
};

test("what the server writes is read: an opening id, records, heartbeats", () => {
  const reader = new SseReader();
  assert.deepEqual(reader.push(":\nid: 41\n\n"), []);
  assert.equal(reader.id, "41", "an id without data is remembered and told to nobody");
  assert.deepEqual(reader.push('id: 42\ndata: {"seq":42}\n\nid: 50\nevent: heartbeat\ndata: {"delivered":1,"filtered":8}\n\n'), [
    { type: "message", data: '{"seq":42}', id: "42" },
    { type: "heartbeat", data: '{"delivered":1,"filtered":8}', id: "50" },
  ]);
});

test("every way of cutting a stream gives the same events", () => {
  const text = '\uFEFFid: 1\r\ndata: a\r\ndata: b\r\n\r\n:c\rdata:x\r\revent: reset\nid\ndata:\n\nretry: 2500\ndata: last\n\n';
  const whole = all(text);
  assert.deepEqual(whole, [
    { type: "message", data: "a\nb", id: "1" },
    { type: "message", data: "x", id: "1" },
    { type: "reset", data: "", id: "" },
    { type: "message", data: "last", id: "" },
  ]);
  for (let cut = 0; cut <= text.length; cut += 1) assert.deepEqual(all(text.slice(0, cut), text.slice(cut)), whole, `cut at ${cut}`);
  assert.deepEqual(all(...text), whole, "a character at a time");
});

test("an event that the stream did not end is none", () => {
  assert.deepEqual(all("id: 7\ndata: half\n"), []);
  const reader = new SseReader("3");
  reader.push("id: 7\ndata: half\n");
  assert.equal(reader.id, "3", "nor is its id: the stream resumes before it");
});

test("ids with NUL, retries that are no number and unknown fields are ignored", () => {
  const reader = new SseReader("5");
  assert.deepEqual(reader.push("id: 6\0\nretry: soon\nfoo: bar\ndata: x\n\n"), [{ type: "message", data: "x", id: "5" }]);
  assert.equal(reader.retry, null);
  reader.push("retry: 1200\n\n");
  assert.equal(reader.retry, 1200);
});

test("one blank after the colon belongs to the field, others to the value", () => {
  assert.deepEqual(all("data:  two\n\n").map(({ data }) => data), [" two"]);
  assert.deepEqual(all("data\n\n").map(({ data }) => data), [""]);
});
