import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { load } from "./load.mjs";

const { demo } = await load("lib/demo.ts");
const text = [...demo()].join("");
const records = text.trimEnd().split("\n").map((line) => JSON.parse(line));

test("the demo is the same each time", () => {
  const digest = (of) => createHash("sha256").update(of).digest("hex");
  assert.equal(digest([...demo()].join("")), digest(text));
  assert.notEqual(digest([...demo(7)].join("")), digest(text), "another seed is another day");
});

test("20 000 records in the order of their times, in parts of 500", () => {
  assert.equal(records.length, 20_000);
  assert.equal([...demo(6, 1200)].length, 3);
  const times = records.map(({ time }) => Date.parse(time));
  assert.ok(times.every((time, place) => place === 0 || time >= times[place - 1] - 5000), "about in order, as logs are");
  assert.equal(times.some(Number.isNaN), false);
});

test("it has what there is to look for: errors, slow calls, sessions, traces, bodies", () => {
  const share = (holds) => records.filter(holds).length / records.length;
  const errors = share(({ status }) => status >= 500);
  assert.ok(errors > 0.005 && errors < 0.03, `server errors: ${errors}`);
  assert.ok(share(({ status }) => status === 429) > 0.001);
  assert.ok(share(({ duration_ms }) => duration_ms > 1000) > 0.005);
  assert.ok(share(({ request, response }) => request.body || response.body) > 0.5);
  for (const { request, response } of records) for (const body of [request.body, response.body]) if (body) JSON.parse(body.text);
  const groups = (key) => Map.groupBy ? Map.groupBy(records, key) : records.reduce((map, record) => map.set(key(record), [...(map.get(key(record)) ?? []), record]), new Map());
  const most = (key) => Math.max(...[...groups(key).values()].map((group) => group.length));
  assert.ok(most(({ session }) => session) >= 10);
  assert.ok(most(({ trace_id }) => trace_id) >= 3);
});

test("errors gather in the hour of the incident, in the services that pay", () => {
  const bad = records.filter(({ status }) => status === 502 || status === 504);
  assert.ok(bad.length > 20);
  assert.deepEqual([...new Set(bad.map(({ service }) => service))].sort(), ["orders", "payments"]);
  const hours = bad.map(({ time }) => Date.parse(time));
  assert.ok(Math.max(...hours) - Math.min(...hours) <= 3_600_000);
});
