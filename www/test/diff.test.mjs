import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { diff, jsonChanges } = await load("lib/diff.ts");
const { parseJson } = await load("lib/json-tree.ts");

function check(left, right) {
  const hunks = diff(left, right);
  let [i, j] = [0, 0];
  let last = null;
  for (const hunk of hunks) {
    assert.deepEqual([hunk.left[0], hunk.right[0]], [i, j], "hunks follow one another");
    if (hunk.kind === "same") assert.deepEqual(left.slice(...hunk.left), right.slice(...hunk.right));
    assert.notEqual(hunk.kind, last, "hunks of one kind are one");
    [i, j, last] = [hunk.left[1], hunk.right[1], hunk.kind];
  }
  assert.deepEqual([i, j], [left.length, right.length], "hunks cover both lists");
  return hunks;
}

const changed = (hunks) => hunks.filter(({ kind }) => kind === "changed").reduce((sum, { left, right }) => sum + left[1] - left[0] + right[1] - right[0], 0);

// length of the longest common subsequence, the plain way
function common(left, right) {
  let row = new Array(right.length + 1).fill(0);
  for (const item of left) {
    const next = [0];
    for (let at = 0; at < right.length; at += 1) next.push(item === right[at] ? row[at] + 1 : Math.max(next[at], row[at + 1]));
    row = next;
  }
  return row.at(-1);
}

test("what is the same and what is not", () => {
  const lines = (text) => text.split("");
  assert.deepEqual(check(lines("abc"), lines("abc")), [{ kind: "same", left: [0, 3], right: [0, 3] }]);
  assert.deepEqual(check([], []), []);
  assert.deepEqual(check([], lines("ab")), [{ kind: "changed", left: [0, 0], right: [0, 2] }]);
  assert.deepEqual(check(lines("abcd"), lines("axcd")), [
    { kind: "same", left: [0, 1], right: [0, 1] },
    { kind: "changed", left: [1, 2], right: [1, 2] },
    { kind: "same", left: [2, 4], right: [2, 4] },
  ]);
  assert.equal(changed(check(lines("abcabba"), lines("cbabac"))), 5);
});

test("edit scripts are the shortest where no item is an anchor", () => {
  let seed = 3;
  const next = (below) => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % 2 ** 31 % below;
  for (let round = 0; round < 400; round += 1) {
    // few letters, twice each at least: none comes once
    const list = () => ["a", "a", "b", "b", ...Array.from({ length: next(20) }, () => "abc"[next(3)])].sort(() => next(3) - 1);
    const [left, right] = [list(), list()];
    const isAnchored = [...new Set(left)].some((item) => left.filter((x) => x === item).length === 1 && right.filter((x) => x === item).length === 1);
    const found = changed(check(left, right));
    const least = left.length + right.length - 2 * common(left, right);
    if (isAnchored) assert.ok(found >= least);
    else assert.equal(found, least, `${left.join("")} ${right.join("")}`);
  }
});

test("long and wholly different lists are bounded", () => {
  const list = (seed) => Array.from({ length: 200_000 }, (_, at) => `${(at * seed) % 1000}`);
  const begun = performance.now();
  check(list(7), list(13));
  check(list(7), list(7).reverse());
  assert.ok(performance.now() - begun < 10_000);
});

const changes = (left, right) => {
  const [a, b] = [parseJson(left), parseJson(right)];
  return jsonChanges(a, b, 1000).changes.map(({ kind, path, left: x, right: y }) => [kind, path, x === null ? null : a.raw(x), y === null ? null : b.raw(y)]);
};

test("JSON differs by path", () => {
  assert.deepEqual(changes('{"a":1,"b":{"c":[1,2]}}', '{"b":{"c":[1,2]},"a":1}'), []);
  assert.deepEqual(changes('{"a":1,"b":2,"d":{"e":"x"}}', '{"a":1,"c":3,"d":{"e":"y"}}'), [
    ["removed", "$.b", "2", null],
    ["changed", "$.d.e", '"x"', '"y"'],
    ["added", "$.c", null, "3"],
  ]);
  assert.deepEqual(changes('{"a":[1]}', '{"a":{"0":1}}'), [["changed", "$.a", "[1]", '{"0":1}']]);
  assert.deepEqual(changes("12345678901234567890", "12345678901234567891"), [["changed", "$", "12345678901234567890", "12345678901234567891"]]);
  assert.deepEqual(changes('"\\u0041"', '"A"'), []);
  assert.deepEqual(changes('"1"', "1"), [["changed", "$", '"1"', "1"]]);
});

test("an element before all others is one difference", () => {
  const rows = Array.from({ length: 50 }, (_, id) => ({ id, name: `n${id}` }));
  assert.deepEqual(changes(JSON.stringify(rows), JSON.stringify([{ id: "new" }, ...rows])), [["added", "$[0]", null, '{"id":"new"}']]);
  const edited = structuredClone(rows);
  edited[30].name = "other";
  assert.deepEqual(changes(JSON.stringify(rows), JSON.stringify(edited)), [["changed", "$[30].name", '"n30"', '"other"']]);
});

test("equal names are told apart by their order", () => {
  assert.deepEqual(changes('{"a":1,"a":2}', '{"a":1,"a":3}'), [["changed", "$.a", "2", "3"]]);
});

test("deep and large JSON is compared without a stack and bounded", () => {
  const deep = (value) => "[".repeat(100_000) + value + "]".repeat(100_000);
  const found = jsonChanges(parseJson(deep(1)), parseJson(deep(2)), 10);
  assert.equal(found.changes.length, 1);
  const wide = (by) => JSON.stringify(Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`k${at}`, at + by])));
  const many = jsonChanges(parseJson(wide(0)), parseJson(wide(1)), 100);
  assert.deepEqual([many.changes.length, many.isCut], [100, true]);
});
