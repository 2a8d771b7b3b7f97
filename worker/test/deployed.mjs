// A Worker under test on workerd, over a socket: the test entry (controlled.mjs) in front of it, its stores on disk in a
// directory of its own, its clock simulated and moved by the test alone.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Miniflare, NoOpLog } from 'miniflare';
import { options, schema } from './built.mjs';

/** The first admin key of every Worker that is deployed here. */
export const ADMIN = `reqlog_${'A'.repeat(43)}`;

const ours = (name) => readFileSync(fileURLToPath(new URL(name, import.meta.url)), 'utf8');
const TEST = { first: ours('controlled.mjs'), beside: { 'clock.mjs': ours('clock.mjs'), 'bindings.mjs': ours('bindings.mjs') } };

/** An answer that has come whole. */
export class Answer {
  constructor(status, headers, bytes) {
    Object.assign(this, { status, headers, bytes });
  }

  get text() {
    return this.bytes.toString();
  }

  get json() {
    return JSON.parse(this.text);
  }

  /** Lines of NDJSON. */
  get lines() {
    const lines = this.text.split('\n');
    if (lines.pop() !== '') throw new Error('the last line has no end');
    return lines.map((line) => JSON.parse(line));
  }

  /** Where a link of this relation leads. */
  link(relation) {
    const links = this.headers.link?.split(', ') ?? [];
    const found = links.map((link) => /^<(.*)>; rel="(.*)"$/.exec(link)).find(([, , rel]) => rel === relation);
    return found?.[1] ?? null;
  }

  /** This, if it has that status. */
  expect(status) {
    if (this.status !== status) throw new Error(`${this.status} instead of ${status}: ${this.text}`);
    return this;
  }
}

export class Deployed {
  /** Milliseconds since 1970, as every part of the Worker is told with each request. */
  now;
  #directory = mkdtempSync(join(tmpdir(), 'reqlog-deployed-'));
  #settings;
  #miniflare;
  #url;

  /** Starts a Worker with such variables over empty, migrated stores; it logs to `log`, which takes text, or nowhere. */
  static async start({ vars = {}, now = Date.parse('2026-06-23T12:00:00Z'), log, ui } = {}) {
    const deployed = new Deployed();
    deployed.now = now;
    const stored = (name) => join(deployed.#directory, name);
    deployed.#settings = options({
      ...TEST,
      ui,
      host: '127.0.0.1',
      port: 0,
      cache: false,
      log: new NoOpLog(),
      handleRuntimeStdio: (...streams) => streams.forEach((stream) => stream.on('data', (data) => log?.(String(data)))),
      bindings: { REQLOG_ADMIN_KEY: ADMIN, ...vars },
      d1Persist: stored('d1'),
      kvPersist: stored('kv'),
      durableObjectsPersist: stored('objects'),
    });
    deployed.#miniflare = new Miniflare(deployed.#settings);
    deployed.#url = await deployed.#miniflare.ready;
    await deployed.sql(...schema);
    return deployed;
  }

  /** Ends the runtime as a crash would and starts another over the same stores, with these variables changed. */
  async restart(vars = {}) {
    Object.assign(this.#settings.bindings, vars);
    await this.#miniflare.setOptions(this.#settings);
    this.#url = await this.#miniflare.ready;
  }

  /** Where it listens; another place after a restart. */
  get url() {
    return this.#url;
  }

  async stop() {
    await this.#miniflare.dispose();
    rmSync(this.#directory, { recursive: true });
  }

  /** Sends a request; the admin's unless the headers hold another key. */
  async send(method, target, { headers = {}, body } = {}) {
    // what this does not say, Miniflare would say for it
    const told = { 'x-api-key': ADMIN, 'accept-encoding': 'identity', 'x-test-now': `${this.now}000000`, ...headers };
    // a connection of its own each: none is left from before a restart
    const options = { method, headers: told, agent: false };
    const url = new URL(target, this.#url);
    return new Promise((resolve, reject) => {
      const asked = request(url, options, async (answer) => {
        const chunks = [];
        try {
          for await (const chunk of answer) chunks.push(chunk);
          resolve(new Answer(answer.statusCode, answer.headers, Buffer.concat(chunks)));
        } catch (error) {
          reject(error);
        }
      });
      asked.on('error', reject).end(body);
    });
  }

  get(target, headers) {
    return this.send('GET', target, { headers });
  }

  post(target, body, headers) {
    return this.send('POST', target, { headers, body: typeof body === 'object' && !Buffer.isBuffer(body) ? JSON.stringify(body) : body });
  }

  /** Does what a control of controlled.mjs says. */
  async control(op, command = {}) {
    const answer = await this.send('POST', '/', { headers: { 'x-test-control': op }, body: JSON.stringify(command) });
    const { ok, error } = answer.expect(200).json;
    if (error !== undefined) throw new Error(`${op}: ${error}`);
    return ok;
  }

  /** Runs statements past the counted binding, each a text or `{sql, params}`; the rows that each gives. */
  sql(...statements) {
    return this.control('sql', { statements: statements.map((sql) => (typeof sql === 'string' ? { sql } : sql)) });
  }

  /** Runs the cron trigger. */
  tick() {
    return this.control('scheduled', { cron: '* * * * *' });
  }
}
