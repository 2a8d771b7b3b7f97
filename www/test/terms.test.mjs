// Queries edited by facets: what is chosen, and what each choice makes of the text.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { chosen, only, others, quoted, toggle, without } = await load("lib/terms.ts");

const include = (query, field, value) => toggle(query, field, value, "include");
const exclude = (query, field, value) => toggle(query, field, value, "exclude");

test("values are quoted where the language needs it", () => {
  const cases = [
    ["GET", "GET"], ["/v1/orders/{id}", "/v1/orders/{id}"], ["api.shop.test:8080", "api.shop.test:8080"], ["text/html", "text/html"],
    ["a b", '"a b"'], ["a,b", '"a,b"'], ["a..b", '"a..b"'], ["//cdn/x", '"//cdn/x"'], ["*", '"*"'], ["/a/*", '"/a/*"'], ["", '""'],
    ['say "hi"', '"say \\"hi\\""'], ["back\\slash", '"back\\\\slash"'], ["two\nlines\t", '"two\\nlines\\t"'], [">5", '">5"'], ["~/x/", '"~/x/"'],
    ["(x)", '"(x)"'], ["déjà", "déjà"], ["x?", '"x?"'], ["=1", '"=1"'], ["a=1", "a=1"],
  ];
  for (const [value, written] of cases) assert.equal(quoted(value), written, value);
});

test("an included value is added, joined to others of its field, and let go again", () => {
  const cases = [
    ["", "method", "GET", "method:GET"],
    ["timeout", "method", "GET", "timeout method:GET"],
    ["method:GET", "method", "POST", "method:GET,POST"],
    ["verb:GET timeout", "method", "POST", "verb:GET,POST timeout"],
    ["METHOD:get", "method", "GET", ""],
    ["method:GET,POST", "method", "GET", "method:POST"],
    ["method:GET,POST", "method", "POST", "method:GET"],
    ['host:"a b",c', "host", "a b", "host:c"],
    ['host:c,"a, b"', "host", "x y", 'host:c,"a, b","x y"'],
    ["a method:GET b", "method", "GET", "a b"],
    ["a AND method:GET AND b", "method", "GET", "a AND b"],
    ["method:GET AND b", "method", "GET", "b"],
    ["a && method:GET", "method", "GET", "a"],
    ["method=GET,POST", "method", "GET", "method:POST"],
    ["method=GET", "method", "POST", "method=GET,POST"],
    ["path:/a path:/b", "path", "/b", "path:/a"],
    ["  method:GET  ", "method", "POST", "method:GET,POST"],
    ["(a OR b) method:GET", "method", "GET", "(a OR b)"],
    ["method:GET (a OR b)", "method", "GET", "(a OR b)"],
  ];
  for (const [query, field, value, expected] of cases) assert.equal(include(query, field, value), expected, `${query} + ${value}`);
});

test("an excluded value is added with a minus, joined, moved over, and let go again", () => {
  const cases = [
    ["", "status", "404", "-status:404"],
    ["-status:404", "status", "500", "-status:404,500"],
    ["NOT status:404", "status", "500", "NOT status:404,500"],
    ["-status:404", "status", "404", ""],
    ["a NOT status:404 b", "status", "404", "a b"],
    ["!status:404,500", "status", "404", "!status:500"],
    ["status:404,500", "status", "404", "status:500 -status:404"],
    ["a AND NOT status:404 AND b", "status", "404", "a AND b"],
  ];
  for (const [query, field, value, expected] of cases) assert.equal(exclude(query, field, value), expected, `${query} - ${value}`);
  assert.equal(include("-status:404", "status", "404"), "status:404");
});

test("a choice between sides is put in parentheses", () => {
  assert.equal(include("a OR b", "method", "GET"), "(a OR b) method:GET");
  assert.equal(include("method:GET || method:POST", "method", "GET"), "(method:GET || method:POST) method:GET");
  assert.equal(exclude("(a OR b) c", "method", "GET"), "(a OR b) c -method:GET");
  assert.deepEqual([...chosen("method:GET OR b", "method").include], []);
});

test("groups, comparisons, ranges, wildcards and regexes are left alone", () => {
  const cases = [
    ["(method:GET)", "(method:GET) method:GET"],
    ["-(method:GET)", "-(method:GET) method:GET"],
    ["method:!=GET", "method:!=GET method:GET"],
    ["method:G*", "method:G* method:GET"],
    ["method:~/GET/", "method:~/GET/ method:GET"],
    ["method:GET,P*", "method:P*"],
    ["--method:GET", "--method:GET method:GET"],
    ['"method:GET"', '"method:GET" method:GET'],
    ["~/method:GET/", "~/method:GET/ method:GET"],
    ["https://method:GET", "https://method:GET method:GET"],
  ];
  for (const [query, expected] of cases) assert.equal(include(query, "method", "GET"), expected, query);
  assert.equal(include("status:>=400", "status", "404"), "status:>=400 status:404");
  assert.equal(include("status:400..499", "status", "404"), "status:400..499 status:404");
});

test("classes and codes of the status are facets of their own, which may share a term", () => {
  assert.equal(include("", "class", "5xx"), "status:5xx");
  assert.equal(include("status:5xx", "class", "4xx"), "status:5xx,4xx");
  assert.equal(include("status:5xx", "status", "503"), "status:5xx status:503");
  assert.equal(include("status:5xx,404", "status", "429"), "status:5xx,404,429");
  assert.equal(include("status:5xx,404", "class", "5xx"), "status:404");
  assert.equal(include("code:5XX", "class", "5xx"), "");
  assert.deepEqual([...chosen("status:5xx,404", "class").include], ["5xx"]);
  assert.deepEqual([...chosen("status:5xx,404", "status").include], ["404"]);
});

test("the absence of a value is a choice too", () => {
  assert.equal(include("", "host", null), "-host:*");
  assert.equal(include("-host:*", "host", null), "");
  assert.equal(exclude("x", "host", null), "x host:*");
  assert.equal(exclude("x host:*", "host", null), "x");
  assert.equal(include("host:*", "host", null), "-host:*");
  assert.deepEqual([...chosen("-host:*", "host").include], [null]);
  assert.deepEqual([...chosen("host:*", "host").exclude], [null]);
  assert.equal(include("", "class", null), "-status:*");
});

test("what is chosen is read without regard to case, quotes and escapes", () => {
  assert.deepEqual([...chosen('host:A.Test,"b c",d\\,e', "host").include], ["a.test", "b c", "d,e"]);
  assert.deepEqual([...chosen("-level:Warn NOT level:info", "level").exclude], ["warn", "info"]);
  assert.deepEqual([...chosen("svc:api service.name:web", "service").include], ["api", "web"]);
});

test("a query that is not complete keeps its text", () => {
  assert.equal(include('"abc', "method", "GET"), 'method:GET "abc');
  assert.equal(include("(a OR b", "method", "GET"), "method:GET (a OR b");
  assert.equal(include("a)", "method", "GET"), "method:GET a)");
  assert.equal(include("host:", "method", "GET"), "method:GET host:");
});

test("one value alone", () => {
  assert.equal(only("method:GET,POST x", "method", "PUT"), "x method:PUT");
  assert.equal(only("-method:PUT", "method", "PUT"), "method:PUT");
  assert.equal(only("method:GET", "method", null), "-method:*");
  assert.equal(without("-method:PUT method:GET", "method", "PUT"), "method:GET");
});

test("the rest of a query is without the word at the caret, its minus and its AND", () => {
  const at = (text) => others(text.replace("|", ""), text.indexOf("|"));
  assert.equal(at("a -host:b| c"), "a c");
  assert.equal(at("status:5xx host:|"), "status:5xx");
  assert.equal(at("status:5xx |"), "status:5xx");
  assert.equal(at("a AND host:|"), "a");
  assert.equal(at("a OR host:|"), "");
});
