import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./load.mjs";

let kept, columns;

beforeEach(async () => {
  kept = new Map();
  globalThis.localStorage = { getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => kept.set(name, value) };
  columns = await load("state/columns.ts");
});

const ids = () => columns.columns.value.map(({ id }) => id);
const USUAL = ["time", "level", "method", "status", "path", "duration", "size", "service"];

test("columns are shown, hidden, moved, resized, kept and reset", async () => {
  assert.deepEqual(ids(), USUAL);
  columns.toggle("size");
  columns.toggle("trace_id");
  columns.move("trace_id", 0);
  columns.move("service", 99);
  columns.resize("path", 480.4);
  columns.resize("time", 1);
  assert.deepEqual(ids(), ["trace_id", "time", "level", "method", "status", "path", "duration", "service"]);
  assert.equal(columns.columns.value[5].width, 480);
  assert.equal(columns.columns.value[1].width, 28, "not narrower than can be grasped");
  assert.ok(columns.fields.value.includes("trace_id") && !columns.fields.value.includes("response"));

  const again = await load("state/columns.ts");
  assert.deepEqual(again.columns.value, columns.columns.value);
  again.reset();
  assert.deepEqual(again.columns.value.map(({ id, resized }) => [id, resized]), USUAL.map((id) => [id, false]));
  assert.ok(again.isUsual.value);
});

test("the last column cannot be hidden", () => {
  for (const id of USUAL) columns.toggle(id);
  assert.deepEqual(ids(), ["service"]);
});

test("what is kept and is no choice of columns counts as nothing kept", async () => {
  for (const bad of ["{", "[]", '[{"id":"nothing"}]', '[{"id":"time"},{"id":"time"}]', '[{"id":"time","width":-5}]', '["time"]', "null"]) {
    kept.set("reqlog.columns", bad);
    const { columns: read } = await load("state/columns.ts");
    assert.deepEqual(read.value.map(({ id }) => id), USUAL, bad);
  }
});

test("every member of a record but what it carries can be a column, and only what the API sorts is sorted", () => {
  const members = `id seq time kind level source project environment session service container method scheme host path query route status duration_ms
    client_ip user_agent protocol request_id trace_id span_id auth_type user_id flow_name error_code message overridden redacted size response`.split(/\s+/);
  const made = new Set(columns.COLUMNS.flatMap(({ fields }) => fields));
  assert.deepEqual(members.filter((member) => !made.has(member)), []);
  const sorts = columns.COLUMNS.flatMap(({ sort }) => sort ?? []);
  assert.deepEqual(sorts, ["time", "status", "duration", "size", "arrival"]);
});

test("a column that grows takes the room that is left until it is resized", () => {
  assert.deepEqual(columns.template(columns.columns.value), {
    tracks: "190px 34px 72px 62px minmax(200px, 1fr) 96px 76px 140px 36px",
    width: 906,
  });
  columns.resize("path", 300);
  assert.equal(columns.template(columns.columns.value).tracks, "190px 34px 72px 62px 300px 96px 76px 140px minmax(36px, 1fr)");
});

test("a narrow table has widths of its own, and columns are moved among those that are seen", () => {
  columns.reset();
  columns.resize("path", 260, true);
  columns.resize("time", 300);
  const seen = () => columns.fitting(columns.columns.value, 390);
  assert.deepEqual(seen().map(({ id, width, resized }) => [id, width, resized]), [["time", 72, false], ["method", 58, false], ["status", 54, false], ["path", 260, true], ["duration", 88, false]]);
  assert.deepEqual(columns.columns.value.filter(({ resized }) => resized).map(({ id }) => id), ["time"]);
  columns.toggle("id");
  assert.equal(seen().at(-1).id, "id", "what is chosen beyond the usual is shown");
  columns.toggle("id");
  columns.move("path", 0, seen());
  columns.move("time", 2, seen());
  assert.deepEqual(seen().map(({ id }) => id), ["path", "method", "time", "status", "duration"]);
  columns.move("path", 9, seen());
  assert.deepEqual(columns.columns.value.map(({ id }) => id), ["level", "method", "time", "status", "duration", "path", "size", "service"]);
  columns.reset();
});

test("a narrow table shows few columns, unless none of them is chosen", () => {
  assert.deepEqual(columns.fitting(columns.columns.value, 390).map(({ id }) => id), ["time", "method", "status", "path", "duration"]);
  for (const id of ["time", "method", "status", "path", "duration"]) columns.toggle(id);
  assert.deepEqual(columns.fitting(columns.columns.value, 390).map(({ id }) => id), ["level", "size", "service"]);
});
