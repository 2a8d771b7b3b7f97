// Runs Workers on workerd for the Rust harness: commands are JSON lines on standard input, answers on standard output,
// each with the number `n` of its command and either `ok` or `error`. Ends with its input.
//
//   start {id, dir, vars, sql}   a Worker over stores in `dir`, migrated and filled by the statements `[{sql, params}]`;
//                                answers {url, took}; the address outlasts restarts
//   restart {id, now}            ends the process and starts another over the same stores; answers {took} in ms. What
//                                `fault` set for KV is set again
//   stop {id}
//
// All else goes to the Worker's test entry (entry.mjs has the list), as {id, now, …} where `now` is decimal nanoseconds.

import { readFileSync, readdirSync } from 'node:fs';
import { request } from 'node:http';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Miniflare, NoOpLog } from 'miniflare';

const here = dirname(fileURLToPath(import.meta.url));
const [built] = process.argv.slice(2);

const kinds = { mjs: 'ESModule', js: 'ESModule', wasm: 'CompiledWasm' };
const read = (from, path) => {
  const type = kinds[path.split('.').pop()];
  return { type, path, contents: type === 'CompiledWasm' ? readFileSync(from) : readFileSync(from, 'utf8') };
};
const modules = [
  ...['entry.mjs', 'clock.mjs', 'faults.mjs'].map((name) => read(join(here, name), `/${name}`)),
  ...readdirSync(built, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile() && file.name.split('.').pop() in kinds)
    .map((file) => join(file.parentPath, file.name))
    .map((path) => read(path, `/worker${path.slice(built.length)}`)),
];

const migrations = join(here, '..', 'migrations');
const schema = readdirSync(migrations)
  .filter((name) => name.endsWith('.sql'))
  .sort()
  .flatMap((name) => readFileSync(join(migrations, name), 'utf8').replace(/--.*$/gm, '').split(/;\s*$/m))
  .map((sql) => sql.trim())
  .filter((sql) => sql !== '')
  .map((sql) => ({ sql }));

const [, compatibilityDate] = /"compatibility_date": "(.*?)"/.exec(readFileSync(join(here, '..', 'wrangler.jsonc'), 'utf8'));

const running = new Map();

function options({ dir, vars }) {
  return {
    host: '127.0.0.1',
    port: 0,
    cf: false,
    cache: false,
    log: new NoOpLog(),
    modules,
    modulesRoot: '/',
    compatibilityDate,
    bindings: vars,
    d1Databases: { DB: 'catalog' },
    kvNamespaces: { SEGMENTS: 'segments' },
    durableObjects: {
      COMMITTER: { className: 'Committer', useSQLite: true },
      COMPACTOR: { className: 'Compactor', useSQLite: true },
    },
    d1Persist: join(dir, 'd1'),
    kvPersist: join(dir, 'kv'),
    durableObjectsPersist: join(dir, 'objects'),
  };
}

const since = (start) => Math.round(performance.now() - start);

async function start(command) {
  const began = performance.now();
  const server = { options: options(command), miniflare: undefined, url: undefined, faults: undefined };
  server.miniflare = new Miniflare(server.options);
  running.set(command.id, server);
  server.url = await server.miniflare.ready;
  await control({ op: 'sql', now: command.now, statements: [...schema, ...command.sql] }, server);
  return { url: server.url.href, took: since(began) };
}

async function restart({ now }, server) {
  const began = performance.now();
  await server.miniflare.setOptions(server.options);
  server.url = await server.miniflare.ready;
  // hung calls and armed rules die with the process, what KV has not spread yet does not come sooner
  const { fresh } = server.faults ?? {};
  if (fresh) await control({ op: 'fault', now, faults: { fresh } }, server);
  return { url: server.url.href, took: since(began) };
}

async function stop({ id }, server) {
  running.delete(id);
  await server.miniflare.dispose();
}

async function control({ op, now, ...command }, server) {
  if (op === 'fault') server.faults = command.faults;
  const headers = { 'x-test-control': op, 'x-test-now': now };
  const { status, text } = await post(server.url, headers, JSON.stringify(command));
  if (status !== 200) throw new Error(`${op}: ${status} ${text}`);
  const { ok, error } = JSON.parse(text);
  if (error !== undefined) throw new Error(error);
  return ok;
}

// a connection of its own each: none is left from before a restart
function post(url, headers, body) {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method: 'POST', headers, agent: false }, async (answer) => {
      let text = '';
      for await (const chunk of answer.setEncoding('utf8')) text += chunk;
      resolve({ status: answer.statusCode, text });
    });
    asked.on('error', reject).end(body);
  });
}

async function run(command) {
  if (command.op === 'start') return start(command);
  const server = running.get(command.id);
  if (server === undefined) throw new Error(`no Worker runs as ${command.id}`);
  const own = { restart, stop }[command.op];
  return own === undefined ? control(command, server) : own(command, server);
}

const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);

for await (const line of createInterface({ input: process.stdin })) {
  const { n, ...command } = JSON.parse(line);
  run(command).then(
    (ok) => say({ n, ok: ok ?? null }),
    (error) => say({ n, error: String(error?.stack ?? error) }),
  );
}
await Promise.all([...running.values()].map((server) => server.miniflare.dispose()));
