import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { absolute, bytes, count, counted, duration, moment, since } = await load("lib/format.ts");

function check(run, cases) {
  for (const [given, expected] of cases) assert.deepEqual(run(...[given].flat()), expected, String(given));
}

test("durations have three digits and the unit that reads best", () => {
  check(duration, [
    [0, "0 ms"], [0.00025, "250 ns"], [0.0123, "12.3 µs"], [0.099, "99.0 µs"], [0.0995, "0.10 ms"], [0.854, "0.85 ms"],
    [5.47, "5.47 ms"], [9.996, "10.0 ms"], [24.54, "24.5 ms"], [102.4, "102 ms"], [999.4, "999 ms"], [999.6, "1.00 s"],
    [1500, "1.50 s"], [59_994, "60.0 s"], [59_996, "1 min 00 s"], [125_000, "2 min 05 s"], [3_599_600, "1 h 00 min"],
    [12_000_000, "3 h 20 min"], [187_200_000, "2 d 4 h"],
  ]);
});

test("sizes are decimal", () => {
  check(bytes, [
    [0, "0 B"], [412, "412 B"], [999, "999 B"], [1000, "1.00 kB"], [18_630, "18.6 kB"], [999_499, "999 kB"], [999_500, "1.00 MB"],
    [69_192_717, "69.2 MB"], [5e9, "5.00 GB"], [2.5e18, "2500 PB"],
  ]);
});

test("counts", () => {
  check(count, [[0, "0"], [10_000_000, "10,000,000"]]);
  check((value) => counted(value, "record"), [[1, "1 record"], [0, "0 records"], [2000, "2,000 records"]]);
});

test("times in UTC", () => {
  check((time) => moment(time, "utc"), [
    ["2026-06-23T12:00:00.000142Z", ["2026-06-23", "12:00:00.000"]],
    ["2026-06-23T23:30:00.5-02:00", ["2026-06-24", "01:30:00.500"]],
    ["never", ["", "never"]],
  ]);
  check((time) => absolute(time, "utc"), [
    ["2026-06-23T12:00:00.000142Z", "2026-06-23 12:00:00.000142 UTC"],
    ["2026-06-23T12:00:00Z", "2026-06-23 12:00:00 UTC"],
    ["never", "never"],
  ]);
});

test("times of the clock here", () => {
  const before = process.env.TZ;
  process.env.TZ = "Asia/Kolkata";
  assert.deepEqual(moment("2026-06-23T20:00:00.142Z", "local"), ["2026-06-24", "01:30:00.142"]);
  assert.equal(absolute("2026-06-23T20:00:00.142857Z", "local"), "2026-06-24 01:30:00.142857 +05:30");
  process.env.TZ = "America/New_York";
  assert.equal(absolute("2026-06-23T20:00:00Z", "local"), "2026-06-23 16:00:00 -04:00");
  if (before === undefined) delete process.env.TZ;
  else process.env.TZ = before;
});

test("time since another keeps its sign and digits beyond milliseconds", () => {
  check(since, [
    [["2026-06-23T12:00:00.142Z", "2026-06-23T12:00:00Z"], "+142 ms"],
    [["2026-06-23T12:00:00Z", "2026-06-23T12:00:03.5Z"], "-3.50 s"],
    [["2026-06-23T12:00:00.000142Z", "2026-06-23T12:00:00.000100Z"], "+42.0 µs"],
    [["2026-06-23T12:00:00.1234567Z", "2026-06-23T12:00:00.1234566Z"], "+100 ns"],
    [["2026-06-23T12:00:00Z", "2026-06-23T12:00:00Z"], "+0 ms"],
    [["2026-06-23T12:00:00Z", "never"], null],
  ]);
});
