// Windows of time as they are written and typed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { fromInput, toInput, windowLabel } = await load("lib/moment.ts");

test("inputs give back the window that they were given, to the second", () => {
  assert.equal(toInput("2026-06-23T12:00:05.142Z", "utc"), "2026-06-23T12:00:05");
  assert.equal(fromInput("2026-06-23T12:00:05", "utc"), "2026-06-23T12:00:05.000Z");
  assert.equal(fromInput("2026-06-23T12:00", "utc", true), "2026-06-23T12:00:00.999999999Z");
  assert.equal(fromInput("", "utc"), null);
  assert.equal(toInput("nonsense", "utc"), "");
  const local = toInput("2026-06-23T12:00:05.000Z", "local");
  assert.equal(fromInput(local, "local"), "2026-06-23T12:00:05.000Z");
});

test("a window says its date once, and seconds where they tell something", () => {
  const label = (from, to) => windowLabel({ from, to }, "utc", 2026);
  assert.equal(label("2026-06-23T12:00:00Z", "2026-06-23T12:04:59.999Z"), "23 Jun 12:00 – 12:04");
  assert.equal(label("2026-06-23T12:00:00Z", "2026-06-23T12:04:59.999999999Z"), "23 Jun 12:00 – 12:04");
  assert.equal(label("2026-06-23T12:00:07.5Z", "2026-06-23T12:00:09Z"), "23 Jun 12:00:07 – 12:00:09");
  assert.equal(label("2026-06-23T12:00:00Z", "2026-06-24T12:00:00Z"), "23 Jun 12:00 – 24 Jun 12:00");
  assert.equal(label("2025-12-31T12:00:00Z", "2026-01-01T12:00:00Z"), "31 Dec 2025 12:00 – 1 Jan 12:00");
  assert.equal(label("-1h", "now"), "-1h – now");
});
