import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { requestCookies, setCookies } = await load("lib/cookies.ts");
const { pairs } = await load("lib/form.ts");
const { parts, parameter } = await load("lib/multipart.ts");
const { matched } = await load("lib/matched.ts");
const { term } = await load("lib/term.ts");

test("request cookies", () => {
  const headers = [["Cookie", 'a=1; b=x=y;c="q" ; =empty; lone;;'], ["accept", "x"], ["cookie", "d=[redacted:0123abcd]"]];
  assert.deepEqual(requestCookies(headers), [
    { name: "a", value: "1" }, { name: "b", value: "x=y" }, { name: "c", value: '"q"' }, { name: "", value: "empty" }, { name: "", value: "lone" },
    { name: "d", value: "[redacted:0123abcd]" },
  ]);
});

test("set cookies with their attributes and faults", () => {
  const headers = [["Set-Cookie", "id=a=b; expires=Wed, 21 Oct 2026 07:28:00 GMT; PATH=/; secure; HTTPONLY; samesite=Lax; x-own=1"]];
  assert.deepEqual(setCookies(headers), [{
    name: "id", value: "a=b", faults: [],
    attributes: [["Expires", "Wed, 21 Oct 2026 07:28:00 GMT"], ["Path", "/"], ["Secure", null], ["HttpOnly", null], ["SameSite", "Lax"], ["x-own", "1"]],
  }]);
  const faults = (line) => setCookies([["set-cookie", line]])[0].faults.length;
  assert.deepEqual(["a=1; SameSite=None", "a=1; SameSite=None; Secure", "__Host-a=1; Secure", "__Host-a=1; Secure; Path=/", "__Secure-a=1"].map(faults), [1, 0, 1, 0, 1]);
  assert.deepEqual(setCookies([["set-cookie", "a=1; Path=/\nb=2"]]).map(({ name }) => name), ["a", "b"]);
});

test("forms and query strings", () => {
  assert.deepEqual(pairs("a=1&b=x+y%20z&c&=v&&d=%C3%A9&e=%zz&f=%ff&?g=1&a=2").map(({ name, value }) => [name, value]), [
    ["a", "1"], ["b", "x y z"], ["c", ""], ["", "v"], ["d", "é"], ["e", "%zz"], ["f", "\ufffd"], ["?g", "1"], ["a", "2"],
  ]);
  assert.deepEqual(pairs(""), []);
});

const bytes = (text) => Uint8Array.from(text, (char) => char.charCodeAt(0));
const shown = (list) => list.map(({ name, filename, contentType, bytes, isCut }) => [name, filename, contentType, String.fromCharCode(...bytes), isCut]);

test("multipart parts", () => {
  const body = 'preamble\r\n--xx\r\nContent-Disposition: form-data; name="a"\r\n\r\none\r\n--xx\r\nContent-Disposition: form-data; name="f"; filename="a \\"b\\".bin"\r\n' +
    "Content-Type: application/octet-stream\r\n\r\n\u0000\u00ff\r\n--x\r\n\r\n--xx--\r\nepilogue";
  assert.deepEqual(shown(parts(bytes(body), "multipart/form-data; boundary=xx")), [
    ["a", null, null, "one", false],
    ["f", 'a "b".bin', "application/octet-stream", "\u0000\u00ff\r\n--x\r\n", false],
  ]);
});

test("multipart that is cut, without a boundary, with bare line feeds", () => {
  assert.deepEqual(shown(parts(bytes("--b\nContent-Disposition: form-data; name=a\n\nx\n--b\n\nhalf"), 'multipart/mixed; boundary="b"')), [
    ["a", null, null, "x", false], [null, null, null, "half", true],
  ]);
  assert.equal(parts(bytes("--b\r\n\r\nx"), "multipart/form-data"), null);
  assert.equal(parts(bytes("nothing"), "multipart/form-data; boundary=b"), null);
  assert.deepEqual(parts(bytes("--b--"), "multipart/form-data; boundary=b"), []);
  // a boundary within a line is content
  assert.deepEqual(shown(parts(bytes("--b\r\n\r\nx --b y\r\n--b--"), "multipart/form-data; boundary=b")).map((part) => part[3]), ["x --b y"]);
});

test("parameters of fields", () => {
  assert.equal(parameter(`attachment; filename="x.txt"; filename*=UTF-8''%e2%82%ac.txt`, "filename"), "€.txt");
  assert.equal(parameter(`attachment; filename*=UTF-8''%zz; filename=y`, "filename"), "y");
  assert.equal(parameter("text/html; Charset = utf-8 ; x=1", "charset"), "utf-8");
  assert.equal(parameter("text/html", "charset"), null);
});

test("equal names are matched by value first", () => {
  const left = [["A", "1"], ["set-cookie", "x"], ["set-cookie", "y"]];
  const right = [["set-cookie", "y"], ["a", "1"], ["set-cookie", "z"], ["b", "2"]];
  assert.deepEqual(matched(left, right, (name) => name.toLowerCase()), [
    { name: "A", left: "1", right: "1" },
    { name: "set-cookie", left: "x", right: "z" },
    { name: "set-cookie", left: "y", right: "y" },
    { name: "b", left: null, right: "2" },
  ]);
});

test("terms mean the value and nothing else", () => {
  assert.equal(term("host", "a.example"), "host:a.example");
  assert.equal(term("path", "/a b?*"), 'path:"/a b?*"');
  assert.equal(term("req.header.", 'W/"x\\y"', "etag"), 'req.header.etag:"W/\\"x\\\\y\\""');
  assert.equal(term("query.", "1..2", "a b"), 'query."a b":"1..2"');
  assert.equal(term("message", ">5"), 'message:">5"');
});
