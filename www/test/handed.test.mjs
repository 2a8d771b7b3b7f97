import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

// Node 20 has Blob and, from 20 on, File
const { handed, pasted } = await load("lib/handed.ts");
const item = ({ name, isDirectory = false }) => ({ webkitGetAsEntry: () => ({ name, isDirectory }) });
const data = (files, text = "") => ({ files, items: files.map(item), getData: (type) => (type === "text/plain" ? text : "") });

test("files win over the text that comes with them", () => {
  const file = new File(["{}"], "a.har");
  assert.deepEqual(handed(data([file], "a.har")), [file]);
});

test("a text is a file named pasted with its bytes", async () => {
  const [file] = handed(data([], '{"a":"ü"}\n'));
  assert.equal(file.name, "pasted");
  assert.equal(await file.text(), '{"a":"ü"}\n');
});

test("an empty file is a file", () => {
  const [empty, folder] = [new File([], "empty.ndjson"), Object.assign(new File([], "folder"), { isDirectory: true })];
  assert.deepEqual(handed(data([folder, empty])), [empty]);
});

test("blank texts, folders and nothing give nothing", () => {
  assert.deepEqual(pasted(" \n\t"), []);
  assert.deepEqual(handed(data([Object.assign(new File([], "folder"), { isDirectory: true })])), []);
  assert.deepEqual(handed(null), []);
});
