import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { Rows } = await load("lib/rows.ts");
const encode = (text) => new TextEncoder().encode(text);
const ROWS = [
  { id: "01A", message: 'said "{[" and\\' },
  { id: "01B", nested: [{ id: "x" }, [{}]], path: "/a,b" },
  { id: "01C", message: "ünï\n" },
  { id: "01D" },
];
const cell = (text = "") => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const FILES = {
  ndjson: (rows) => rows.map((row) => `${JSON.stringify(row)}\n`).join(""),
  csv: (rows) => `id,message,path\n${rows.map(({ id, message, path }) => `${id},${cell(message)},${cell(path)}\n`).join("")}`,
  json: (rows) => `[${rows.map((row) => `\n${JSON.stringify(row)}`).join(",")}${rows.length ? "\n" : ""}]\n`,
  har: (rows) => `{"log":{"version":"1.2","creator":{"name":"r"},"entries":[${rows.map((row) => `\n${JSON.stringify({ request: { headers: [{ name: "a" }] }, _reqlog: row })}`).join(",")}\n],"_reqlog":{"skipped":0}}}\n`,
};

/** The bytes of a response in parts of `step`, through `rows`. */
function push(rows, text, step) {
  const bytes = encode(text);
  let out = "";
  for (let at = 0; at < bytes.length; at += step) out += Buffer.from(rows.push(bytes.slice(at, at + step))).toString("latin1");
  return out;
}
const latin = (text) => Buffer.from(encode(text)).toString("latin1");

for (const [format, write] of Object.entries(FILES)) {
  test(`${format}: what comes is written as it is, and its rows are counted`, () => {
    for (const count of [0, 1, ROWS.length]) {
      for (const step of [1, 2, 7, 64, 1 << 20]) {
        const [text, rows] = [write(ROWS.slice(0, count)), Rows.of(format)];
        assert.equal(push(rows, text, step), latin(text), `${count} rows in steps of ${step}`);
        assert.equal(rows.count, count);
        assert.equal(rows.complete, true);
      }
    }
  });
}

for (const format of ["ndjson", "csv", "json"]) {
  test(`${format}: a stream that breaks off anywhere is taken up after its last whole row, and the file is as if it had not`, () => {
    const write = FILES[format];
    const text = latin(write(ROWS));
    const bytes = encode(write(ROWS));
    for (let cut = 0; cut < bytes.length; cut += 1) {
      for (const step of [1, 1 << 20]) {
        const rows = Rows.of(format);
        let out = Buffer.from(rows.push(bytes.slice(0, cut))).toString("latin1");
        // of the last line what is left may be a line end only: that is a whole file
        rows.resume();
        const rest = ROWS.slice(rows.last === null ? 0 : ROWS.findIndex(({ id }) => id === rows.last) + 1);
        out += push(rows, write(rest), step);
        assert.deepEqual(parsed(format, out), parsed(format, text), `cut at ${cut}, then steps of ${step}`);
        assert.equal(rows.count, ROWS.length);
        assert.equal(rows.complete, true);
      }
    }
  });
}

/** JSON may differ in blanks between rows, the others in nothing. */
const parsed = (format, text) => (format === "json" ? JSON.parse(Buffer.from(text, "latin1").toString()) : text);

test("a file that ends before its time is not whole", () => {
  for (const [format, write] of Object.entries(FILES)) {
    const rows = Rows.of(format);
    const bytes = encode(write(ROWS));
    rows.push(bytes.slice(0, bytes.length - 12));
    assert.equal(rows.complete, false, format);
  }
});

test("an archive is not put together out of two", () => {
  assert.equal(Rows.of("har").resumable, false);
});
