// Runs the module for the Rust harness, `in` Node or in a page of Chromium: commands are JSON lines on standard input, answers on
// standard output, each with the number `n` of its command and either `ok` or `error`. Ends with its input.
//
//   open {id, setup, indexed, head}                    a store with these rows, the one that was there before it if there was one
//   answer {id, method, url, headers, body, now}       its answer to a request: {status, headers, body}
//   close {id}

import { readFileSync, rmSync } from 'node:fs';
import { cp, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';

const built = fileURLToPath(new URL('../../target/wasm/', import.meta.url));

// the bindings and their user side by side, for both
const directory = await mkdtemp(join(tmpdir(), 'reqlog-wasm-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
for (const name of ['reqlog.js', 'reqlog_bg.wasm']) await cp(join(built, name), join(directory, name));
await cp(fileURLToPath(new URL('stores.mjs', import.meta.url)), join(directory, 'stores.mjs'));

const places = {
  async node() {
    const stores = await import(pathToFileURL(join(directory, 'stores.mjs')).href);
    await stores.load(readFileSync(join(directory, 'reqlog_bg.wasm')));
    return { run: stores.run, close: () => {} };
  },
  async chromium() {
    const { launch, serve } = await import('./browser.mjs');
    const [browser, origin] = await Promise.all([launch(), serve(directory)]);
    const page = await browser.newPage();
    await page.goto(origin.url);
    await page.evaluate(async () => {
      globalThis.stores = await import('/stores.mjs');
      await globalThis.stores.load(new URL('/reqlog_bg.wasm', location.href));
    });
    const run = (command) => page.evaluate((command) => globalThis.stores.run(command), command);
    return { run, close: () => Promise.all([browser.close(), origin.close()]) };
  },
};

const started = new Map();

async function run(command) {
  const name = command.in;
  if (!started.has(name)) started.set(name, places[name]());
  return (await started.get(name)).run(command);
}

const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);

for await (const line of createInterface({ input: process.stdin })) {
  const { n, ...command } = JSON.parse(line);
  run(command).then(
    (ok) => say({ n, ok: ok ?? null }),
    (error) => say({ n, error: String(error?.stack ?? error) }),
  );
}
await Promise.all([...started.values()].map(async (place) => (await place).close()));
process.exit();
