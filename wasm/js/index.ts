// The package in a browser: one worker holds the store, others read and parse.

import type { OpenOptions, Opened } from "./api.js";
import { begin } from "./begin.js";
import { type Input, load } from "./module.js";
import { connect } from "./workers.js";

export * from "./api.js";
export { complete, parse } from "./query.js";

const beside = () => new URL("./reqlog_bg.wasm", import.meta.url);

/**
 * Compiles the module, from the file beside this one unless something else is given. `parse` and `complete` need it, `open` does it by
 * itself; only the first call that succeeds does anything.
 */
export async function init(input?: Input): Promise<void> {
  await load(() => input ?? beside());
}

/**
 * Opens files of any size, in any format that is read, compressed or not, as one store.
 *
 * Resolves when there are rows, or when there will be none; the index goes on, see `ready`. A file that cannot be read has its `error` in
 * `progress`, and those beside it stay. Rejects with an {@link EngineError} or the signal's reason.
 */
export async function open(files: (File | Blob)[], options: OpenOptions = {}): Promise<Opened> {
  const module = await load(beside);
  const processors = Math.min(navigator.hardwareConcurrency ?? 2, 8);
  const count = Math.max(1, Math.trunc(options.workers ?? processors));
  const early = files.length > 0 ? count : 0;
  return begin(files, options, 8 << 20, (settings) => connect(module, settings, count, early));
}
