// Reading and completing without the engine, and faults at their place.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { load } from "./load.mjs";

const { basic, check, placed, language } = await load("lib/language.ts");
const { KEYS, PREFIXES } = await load("lib/keys.ts");
const { lex, unclosed } = await load("lib/lexer.ts");
const { seen, merged } = await load("lib/seen.ts");

const at = (text) => [text.replace("|", ""), text.indexOf("|")];
const texts = (text) => basic.complete(...at(text)).items.map((item) => item.text);
const problem = (detail, position, hint) => new Response(JSON.stringify({ type: "urn:reqlog:problem:invalid-query", title: "Query not understood", status: 400, detail, position, hint }), { status: 400 });
/** A backend that gives one answer after the other and keeps what it was asked. */
const backend = (...answers) => ({
  asked: [],
  request(path) {
    this.asked.push(new URL(path, "http://x"));
    return Promise.resolve(answers.shift());
  },
});

test("keys are those of the engine", async () => {
  const source = await readFile(new URL("../../core/src/filter/keys.rs", import.meta.url), "utf8");
  const strings = (list) => [...list.matchAll(/"([^"]*)"/g)].map((match) => match[1]);
  const named = [...source.matchAll(/\bname\(\s*"([^"]+)",\s*&\[([^\]]*)\],\s*[\w:()]+,\s*"([^"]+)",?\s*\)/g)].map(([, name, aliases, about]) => [name, about, ...strings(aliases)]);
  assert.deepEqual(KEYS, named);
  const prefixed = [...source.matchAll(/prefix: "([^"]+)",\s*aliases: &\[([^\]]*)\],\s*about: "([^"]+)"/g)].map(([, name, aliases, about]) => [name, about, ...strings(aliases)]);
  assert.deepEqual(PREFIXES, prefixed);
});

test("keys are completed by name and alias, values by what every log has", () => {
  assert.deepEqual(texts("sta|"), ["status:"]);
  assert.deepEqual(texts("-svc|"), ["service:"]);
  assert.deepEqual(texts("level:w|"), ["warn"]);
  assert.deepEqual(texts("(is:tr|"), ["truncated"]);
  assert.deepEqual(texts("status:404,5|"), ["5xx"]);
  assert.deepEqual(texts("a AN|"), ["AND"]);
  assert.deepEqual(texts('"status:|'), []);
  assert.deepEqual(texts("path:~/a|"), []);
  assert.deepEqual(texts("req.h|"), ["req.header."]);
  assert.ok(!texts("|").includes("OR"));
});

test("a completion replaces the word or value at the caret and no more", () => {
  const { from, to, key } = basic.complete(...at("a level:in| b"));
  assert.deepEqual([from, to, key], [8, 10, "level"]);
  assert.deepEqual(basic.complete(...at("le|vel:x")).to, 6);
  assert.equal(basic.complete(...at("sev|")).items[0].text, "level:");
  assert.equal(basic.complete(...at("verb:G|")).key, "method");
});

test("what is not closed is told, but not where it is being written", () => {
  assert.equal(unclosed('a "b c" (d)'), null);
  assert.equal(unclosed('x "abc').from, 2);
  assert.equal(basic.parse("x (a").error.position, 2);
  assert.ok(!("error" in basic.parse("(a OR b", 7)));
  assert.deepEqual(basic.parse("a) b", 4).error.position, 1);
  assert.ok(!("error" in basic.parse("status:", 7)));
});

test("without an engine the language is what is known here", async () => assert.equal(await language(), basic));

test("the backend's errors stand at their characters, whatever bytes come before", async () => {
  const server = backend(problem('"(" is no number (at byte 18 of q)', 18, "for example 404"));
  const { error } = await check(server, "zz déjà status:(");
  assert.deepEqual(error, { message: '"(" is no number', position: 15, length: 1, hint: "for example 404" });
  assert.match(server.asked[0].searchParams.get("q"), /^\(zz déjà status:\(\) time:/);
  const emoji = { problem: { detail: "no", position: 5, status: 400, title: "", type: "" } };
  assert.equal(placed(emoji, "😀 x").position, 3);
  assert.equal(placed({ problem: { detail: "no", position: 99, status: 400, title: "", type: "" } }, "ab").position, 2);
  assert.equal(placed({ problem: { detail: "no", status: 500, title: "", type: "" } }, "ab"), null);
});

test("hints are told, other failures are thrown, and nothing is asked for an empty query", async () => {
  const told = await check(backend(Response.json({ items: [], hints: ["foo is no key"] })), "foo:1");
  assert.equal(told.hints[0].message, "foo is no key");
  await assert.rejects(check(backend(new Response("gone", { status: 502 })), "x"), /gone/);
  const server = backend();
  await check(server, " ");
  assert.equal(server.asked.length, 0);
});

test("the lexer covers every character that is no blank, in order", () => {
  for (const query of ['a:b,"c d" -(x OR y) ~/r\\/e/i >=5 k>=3,4', "std::io a=b http://x/y?z", '"', "((", "a:,b", 'x:"a".."b"', "AND", "NOT", "- !", "q:1..2", 'query."a b":x', "é:ü 😀"]) {
    let end = 0;
    for (const { from, to } of lex(query)) {
      assert.ok(from >= end && to > from, query);
      assert.match(query.slice(end, from), /^\s*$/, query);
      end = to;
    }
    assert.match(query.slice(end), /^\s*$/, query);
  }
});

test("seen values are asked among the rest of the query, kept, and asked again when data has changed", async () => {
  const answer = () => Response.json({ facets: [{ values: [{ value: "b a", count: 9 }, { value: "abc", count: 3 }] }] });
  const server = backend(answer(), answer());
  const signal = new AbortController().signal;
  const ask = (revision) => seen(server, "host", "A", "x OR y", revision, signal);
  assert.deepEqual((await ask(0)).map((item) => item.text), ["abc", '"b a"']);
  await ask(0);
  assert.equal(server.asked.length, 1);
  assert.equal(server.asked[0].searchParams.get("q"), "(x OR y) host:*a*");
  await ask(1);
  assert.equal(server.asked.length, 2);
});

test("seen and known values are one list", () => {
  const list = merged([{ text: "warn", kind: "value", detail: "3" }], [{ text: "WARN", kind: "value", detail: "level" }, { text: "info", kind: "value" }]);
  assert.deepEqual(list.map(({ text, detail }) => [text, detail]), [["warn", "level · 3"], ["info", undefined]]);
});
