import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { parseJson, JsonReader, indented, unquote } = await load("lib/json-tree.ts");

const scalars = (tree) => Array.from({ length: tree.length }, (_, node) => node).filter((node) => !tree.isContainer(node)).map((node) => [tree.path(node), tree.raw(node)]);

test("numbers stay as they are written", () => {
  const text = '[12345678901234567890, 1.0, 1e400, -0, 0.1000000000000000055511151231257827, 9007199254740993]';
  assert.deepEqual(scalars(parseJson(text)).map(([, raw]) => raw), text.slice(1, -1).split(", "));
});

test("names keep their order, doubles stay, the last counts", () => {
  const tree = parseJson('{"b":1,"2":2,"a":3,"1":4,"b":5}');
  assert.deepEqual([...tree.children(0)].map((node) => tree.key(node)), ["b", "2", "a", "1", "b"]);
  assert.equal(tree.raw(tree.member(0, "b")), "5");
  assert.equal(tree.member(0, "c"), null);
});

test("paths are JSONPath", () => {
  const tree = parseJson(`{"a":[{"b c":1,"it's":[true]},null]}`);
  assert.deepEqual(scalars(tree).map(([path]) => path), ["$.a[0]['b c']", "$.a[0]['it\\'s'][0]", "$.a[1]"]);
});

test("what is valid and what is not agrees with JSON.parse", () => {
  const good = ["null", "true", " false ", '""', '"\\u0041\\n\\/"', "0", "-1.5e+3", "[]", "{}", "[[],{}]", '{"":{"":[]}}', "\t[1 ,2]\r\n", '"\u2028"', '"\ud800"'];
  const bad = ["", " ", "nul", "TRUE", "01", "1.", ".5", "+1", "--1", "1e", "[1,]", "[,1]", "{,}", '{"a"}', '{"a":}', '{"a":1,}', "{a:1}", "[1 2]", "1 2", "]", "[}", '{"a":1]', '"\\x41"', '"\\u12g4"', '"a\nb"', '"', '"\\', "[", '{"a', "NaN", "'a'", "\u00a01", "// a\n1"];
  const isValid = (text) => {
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  };
  for (const text of [...good, ...bad]) {
    const tree = parseJson(text);
    assert.equal(tree.fault === null, isValid(text), JSON.stringify(text));
  }
});

test("random texts agree with JSON.parse and print what they mean", () => {
  let seed = 7;
  const next = (below) => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % 2 ** 31 % below;
  const make = (depth) => {
    switch (next(depth > 4 ? 5 : 7)) {
      case 0: return null;
      case 1: return next(2) === 0;
      case 2: return next(10_000) / 7 - 500;
      case 3: return String.fromCharCode(...Array.from({ length: next(6) }, () => next(300)));
      case 4: return "\\\"\u{1f600}\ud800".slice(next(4));
      case 5: return Array.from({ length: next(4) }, () => make(depth + 1));
      default: return Object.fromEntries(Array.from({ length: next(4) }, () => [`k${next(9)}"\\`, make(depth + 1)]));
    }
  };
  for (let round = 0; round < 500; round += 1) {
    const text = JSON.stringify(make(0), null, next(3));
    const tree = parseJson(text);
    assert.equal(tree.fault, null, text);
    assert.deepEqual(JSON.parse(indented(tree, Infinity).text), JSON.parse(text));
    // any damage is either noticed or still JSON
    const at = next(text.length);
    const broken = text.slice(0, at) + ["", "{", "]", ",", '"', "\\", "0"][next(7)] + text.slice(at + 1);
    const isValid = (() => { try { JSON.parse(broken); return true; } catch { return false; } })();
    assert.equal(parseJson(broken).fault === null, isValid, broken);
  }
});

test("a million levels need no stack", () => {
  const deep = 1_000_000;
  for (const text of ["[".repeat(deep) + "]".repeat(deep), '{"a":'.repeat(deep) + "1" + "}".repeat(deep), "[".repeat(deep)]) {
    const tree = parseJson(text);
    assert.ok(tree.length >= deep);
    assert.equal(tree.depth(deep - 1), deep - 1);
    assert.equal(tree.after(0), tree.length);
    assert.equal(tree.fault === null, !text.endsWith("["));
  }
  assert.ok(indented(parseJson("[".repeat(1000) + "]".repeat(1000)), 1e6).text.length < 500_000);
});

test("a cut text shows as far as it goes", () => {
  const whole = '{"a":[1,{"b":"text"}],"c":tru';
  const tree = parseJson(whole);
  assert.equal(tree.fault.isEnd, true);
  assert.deepEqual(scalars(tree), [["$.a[0]", "1"], ["$.a[1].b", '"text"']]);
  assert.equal(tree.after(0), tree.length);
  const inString = parseJson('{"a":"half a te');
  assert.equal(inString.fault.isEnd, true);
  assert.equal(inString.value(1), "half a te");
  const broken = parseJson('{"a":1,"b":oops,"c":2}');
  assert.deepEqual([broken.fault.isEnd, broken.fault.at, broken.length], [false, 11, 2]);
});

test("reading in steps gives the same tree", () => {
  const text = JSON.stringify(Array.from({ length: 300 }, (_, at) => ({ at, list: [at, { deep: [String(at)] }] })));
  const reader = new JsonReader(text);
  let steps = 0;
  while (!reader.step(7)) steps += 1;
  assert.ok(steps > 100);
  assert.deepEqual(scalars(reader.tree), scalars(parseJson(text)));
});

test("long strings and names are not followed by the regular expressions' stack", () => {
  const long = "\\u0041x".repeat(400_000);
  const tree = parseJson(`{"${long}":"${long}"}`);
  assert.equal(tree.fault, null);
  assert.equal(tree.value(1).length, 800_000);
});

test("indices are those of siblings", () => {
  const tree = parseJson("[[1,2],3,[4,[5]]]");
  assert.deepEqual([...tree.children(0)].map((node) => tree.index(node)), [0, 1, 2]);
  assert.deepEqual(tree.steps(tree.length - 1), [2, 1, 0]);
});

test("pretty text is cut where asked and says so", () => {
  const { text, isCut } = indented(parseJson(JSON.stringify(Array.from({ length: 1000 }, (_, at) => at))), 100);
  assert.ok(isCut && text.length < 200);
  assert.equal(indented(parseJson('{"a":[1.0,{}],"b":[]}'), 1e3).text, '{\n  "a": [\n    1.0,\n    {}\n  ],\n  "b": []\n}');
});

test("unquote takes what is cut", () => {
  assert.equal(unquote('"a\\u00e9"'), "aé");
  assert.equal(unquote('"half'), "half");
});
