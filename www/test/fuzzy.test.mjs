import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { fuzzy } = await load("lib/fuzzy.ts");
const first = (needle, ...texts) =>
  texts
    .map((text) => ({ text, found: fuzzy(needle, text) }))
    .filter(({ found }) => found)
    .sort((one, other) => other.found.score - one.found.score)
    .map(({ text }) => text);

test("all letters have to stand in order", () => {
  assert.equal(fuzzy("qx", "Export what the query finds"), null, "no x after the q");
  assert.deepEqual(fuzzy("ewq", "Export what the query").at, [0, 7, 16]);
  assert.equal(fuzzy("ee", "Export"), null, "one letter is not found twice");
});

test("beginnings of words win over letters within", () => {
  assert.deepEqual(first("th", "Next way to show times", "Dark theme"), ["Dark theme", "Next way to show times"]);
  assert.deepEqual(first("sf", "Transfer", "Show facets"), ["Show facets", "Transfer"]);
});

test("letters side by side win over scattered ones, wherever they are first met", () => {
  assert.deepEqual(fuzzy("ex", "Show the next export").at, [14, 15]);
});

test("case and blanks are ignored; nothing finds everything", () => {
  assert.deepEqual(fuzzy("Dark Th", "dark theme").at, [0, 1, 2, 3, 5, 6]);
  assert.deepEqual(fuzzy("", "Help"), { score: 0, at: [] });
});
