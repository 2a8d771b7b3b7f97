// Stores of the module, in Node or in a page: what `host.mjs` is told to do with them. Bytes go as base64.

import * as module from './reqlog.js';

const stores = new Map();
const KEY = new Uint8Array(32);

const bytes = (base64) => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));

function base64(parts) {
  let text = '';
  for (const part of parts) for (const byte of part) text += String.fromCharCode(byte);
  return btoa(text);
}

function open({ id, setup, indexed, head }) {
  let store = stores.get(id);
  if (store) store.reset(setup, KEY);
  else stores.set(id, (store = new module.Store(setup, KEY, 1 << 20)));
  const input = module.Input.open(0, bytes(btoa('{}\n')), undefined, undefined, 0, KEY);
  store.insert(0, input);
  input.free();
  store.adopt(0, bytes(indexed));
  if (head) store.raise(BigInt(head[0]), BigInt(head[1]));
}

function answer({ id, method, url, headers, body, now }) {
  const store = stores.get(id);
  const answer = store.answer(method, url, headers, bytes(body), BigInt(now));
  try {
    let head;
    const parts = [];
    for (;;) {
      const [what, ...more] = answer.step(store, BigInt(now));
      if (what === 'whole') return { status: more[0], headers: more[1], body: base64([more[2]]) };
      if (what === 'head') head = { status: more[0], headers: more[1] };
      else if (what === 'chunk') parts.push(more[0]);
      else if (what === 'end') return { ...head, body: base64(parts) };
      else if (what === 'read') answer.fail();
      else throw new Error(more[0]);
    }
  } finally {
    answer.free();
  }
}

function close({ id }) {
  stores.get(id)?.free();
  stores.delete(id);
}

const operations = { open, answer, close };

export function run(command) {
  return operations[command.op](command) ?? null;
}

/** Before anything else. */
export async function load(wasm) {
  await module.default({ module_or_path: wasm });
}
