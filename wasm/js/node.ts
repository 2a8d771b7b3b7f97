// The package in Node: everything in this thread, a portion at a time.

import { readFile } from "node:fs/promises";
import type { OpenOptions, Opened } from "./api.js";
import { begin } from "./begin.js";
import { local } from "./local.js";
import { type Input, load } from "./module.js";

export * from "./api.js";
export { complete, parse } from "./query.js";

const beside = new URL("./reqlog_bg.wasm", import.meta.url);

export async function init(input: Input = beside): Promise<void> {
  // fetch reads no files here
  await load(() => (input instanceof URL && input.protocol === "file:" ? readFile(input) : input));
}

export async function open(files: (File | Blob)[], options: OpenOptions = {}): Promise<Opened> {
  const module = await load(() => readFile(beside));
  // the thread has other work to do in between
  return begin(files, options, 2 << 20, (settings) => local(module, settings));
}
