// Runs Workers on workerd for the Rust harness: commands are JSON lines on standard input, answers on standard output,
// each with the number `n` of its command and either `ok` or `error`. Ends with its input.
//
//   start {id, dir, ui, vars, sql}  a Worker over stores in `dir`, migrated and filled by the statements `[{sql, params}]`,
//                                with the web UI of the directory `ui`;
//                                answers {url, took}; the address outlasts restarts
//   restart {id, now}            ends the process and starts another over the same stores; answers {took} in ms. What
//                                `fault` set for KV is set again
//   said {id}                    the last lines on the output of workerd, and of the Worker's console
//   stop {id}
//
// All else goes to the Worker's test entry (controlled.mjs has the list), as {id, now, …} where `now` is decimal nanoseconds.

import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Miniflare, NoOpLog } from 'miniflare';
import { options, schema } from './built.mjs';

const ours = (name) => readFileSync(fileURLToPath(new URL(name, import.meta.url)), 'utf8');
const TEST = { first: ours('controlled.mjs'), beside: { 'clock.mjs': ours('clock.mjs'), 'bindings.mjs': ours('bindings.mjs') } };

const running = new Map();

const stores = ({ dir, vars, ui }) => ({
  ui,
  host: '127.0.0.1',
  port: 0,
  cache: false,
  log: new NoOpLog(),
  bindings: vars,
  d1Persist: join(dir, 'd1'),
  kvPersist: join(dir, 'kv'),
  durableObjectsPersist: join(dir, 'objects'),
});

// the last lines that the runtime said
const keep = (said) => (output) =>
  createInterface({ input: output }).on('line', (line) => {
    said.push(line);
    if (said.length > 40) said.shift();
  });

const since = (start) => Math.round(performance.now() - start);

async function start(command) {
  const began = performance.now();
  const said = [];
  const settings = options({ ...TEST, ...stores(command), handleRuntimeStdio: (...outputs) => outputs.forEach(keep(said)) });
  const server = { settings, miniflare: new Miniflare(settings), url: undefined, fresh: 0, said };
  running.set(command.id, server);
  server.url = await server.miniflare.ready;
  await control({ op: 'sql', now: command.now, statements: [...schema.map((sql) => ({ sql })), ...command.sql] }, server);
  return { url: server.url.href, took: since(began) };
}

async function restart({ now }, server) {
  const began = performance.now();
  await server.miniflare.setOptions(server.settings);
  server.url = await server.miniflare.ready;
  // hung calls and armed rules die with the process, what KV has not spread yet does not come sooner
  if (server.fresh > 0) await control({ op: 'fault', now, faults: { fresh: server.fresh } }, server);
  return { url: server.url.href, took: since(began) };
}

const said = (_, server) => server.said;

async function stop({ id }, server) {
  running.delete(id);
  await server.miniflare.dispose();
}

async function control({ op, now, ...command }, server) {
  if (op === 'fault') server.fresh = command.faults.fresh ?? 0;
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
  const own = { restart, said, stop }[command.op];
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
// whatever still waits for an answer
process.exit();
