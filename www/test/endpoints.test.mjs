// The query of an endpoint, and endpoints as CSV.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { candidates, queryOf } = await load("views/endpoints/query.ts");
const { csv } = await load("views/endpoints/csv.ts");

const within = (text) => text;
const counting = (counts) => ({ asked: [], request(path) {
  const q = new URL(path, "http://x").searchParams.get("q");
  this.asked.push(q);
  return Promise.resolve(Response.json({ total: counts[q] ?? 0 }));
} });

test("an endpoint is asked for among what was asked", () => {
  assert.deepEqual(candidates("method:GET,POST x route:/a", { method: "GET", route: "/b" }), [
    "x method:GET route:/b", "x method:GET path:/b", "x method:GET (route:/b OR -route:* path:/b)",
  ]);
  assert.deepEqual(candidates("", { method: null, route: null }), ["-method:* -route:* -path:*"]);
  const [, glob, , exact] = candidates("", { method: "GET", route: "/a.b/{id}/c d" });
  assert.equal(glob, "method:GET path:/a.b/*/c\\ d");
  const [, pattern] = /path:~\/(.*)\/\)$/.exec(exact);
  const path = new RegExp(pattern);
  for (const id of ["7", "f47ac10b-58cc-4372-a567-0e02b2c3d479", "4bf92f3577b34da6", "01ARZ3NDEKTSV4RRFFQ69G5FAV"]) assert.match(`/a.b/${id}/c d`, path);
  for (const other of ["/a.b/word/c d", "/axb/7/c d", "/a.b/7/8/c d", "/a.b/7/c d/"]) assert.doesNotMatch(other, path);
});

test("the shortest query that counts the endpoint's calls is taken, else the one that is always right", async () => {
  const signal = new AbortController().signal;
  const endpoint = { method: "GET", route: "/b", count: 5 };
  const take = (counts) => queryOf(counting(counts), "", endpoint, within, signal);
  assert.equal(await take({ "method:GET route:/b": 5 }), "method:GET route:/b");
  assert.equal(await take({ "method:GET route:/b": 2, "method:GET path:/b": 5 }), "method:GET path:/b");
  assert.equal(await take({ "method:GET route:/b": 2, "method:GET path:/b": 3 }), "method:GET (route:/b OR -route:* path:/b)");
});

test("CSV quotes what it must and no route is run as a formula", () => {
  const numbers = { count: 2, errors: 1, client_errors: 0, error_rate: 0.5, p50_ms: 1.5, p95_ms: null, p99_ms: null, request_bytes: 0, response_bytes: 9 };
  assert.equal(
    csv([{ method: "GET", route: '/a,"b"', ...numbers }, { method: null, route: "=1+1", ...numbers }]),
    'method,route,count,errors,client_errors,error_rate,p50_ms,p95_ms,p99_ms,request_bytes,response_bytes\r\nGET,"/a,""b""",2,1,0,0.5,1.5,,,0,9\r\n,\'=1+1,2,1,0,0.5,1.5,,,0,9\r\n',
  );
});
