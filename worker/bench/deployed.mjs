// Workers on workerd as the benchmark runs them, and the CPU time of that process.
import { readFileSync, readdirSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { Miniflare, NoOpLog } from 'miniflare';
import { options, schema } from '../test/built.mjs';

export const ADMIN_KEY = `reqlog_${'bench'.repeat(9).slice(0, 43)}`;

const text = (name) => readFileSync(new URL(name, import.meta.url), 'utf8');
const SIMULATED = {
  first: text('entry.mjs'),
  beside: {
    'brisk.mjs': text('brisk.mjs'),
    'controlled.mjs': text('../test/controlled.mjs'),
    'clock.mjs': text('../test/clock.mjs'),
    'bindings.mjs': text('../test/bindings.mjs'),
  },
};

const common = (directory) => ({
  cache: false,
  log: new NoOpLog(),
  // not through Miniflare's own Worker: its work would be counted
  unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
  handleRuntimeStdio: keep,
  d1Persist: join(directory, 'd1'),
  kvPersist: join(directory, 'kv'),
  durableObjectsPersist: join(directory, 'objects'),
});

let complaints = '';
function keep(stdout, stderr) {
  stdout.resume();
  stderr.on('data', (data) => {
    complaints = (complaints + data).slice(-4096);
  });
}

/** Settings of the Worker itself, over stores in a directory; `simulated` puts it under the tests' clock and counters. */
export function reqlog(directory, { simulated = false, variables = {} } = {}) {
  const bindings = { REQLOG_ADMIN_KEY: ADMIN_KEY, ...variables };
  return options({ ...(simulated ? SIMULATED : {}), ...common(directory), bindings });
}

/** Settings of a plain Worker in one file of this directory. */
export function plain(name, directory, date) {
  return {
    modules: [{ type: 'ESModule', path: name, contents: text(name) }],
    compatibilityDate: date,
    cf: false,
    d1Databases: ['DB'],
    ...common(directory),
  };
}

/** A running Worker. Only one runs at a time, so that the process to look at is known. */
export class Deployed {
  static async start(settings, { migrated = false } = {}) {
    const deployed = new Deployed();
    deployed.miniflare = new Miniflare(settings);
    await deployed.#ready();
    if (migrated) {
      const database = await deployed.miniflare.getD1Database('DB');
      await database.batch(schema.map((sql) => database.prepare(sql)));
    }
    return deployed;
  }

  /** Another process over the same stores. */
  async restart(settings) {
    this.agent.destroy();
    await this.miniflare.setOptions(settings);
    await this.#ready();
  }

  async #ready() {
    await this.miniflare.ready;
    this.url = await this.miniflare.unsafeGetDirectURL();
    // workerd closes connections that were idle for 5 s, perhaps while the next request is on its way
    this.agent = new Agent({ keepAlive: true, maxSockets: 64, timeout: 1000 });
    this.pid = child();
  }

  async stop() {
    this.agent.destroy();
    await this.miniflare.dispose();
  }

  /** A request with the admin key; anything but a 2xx is an error. */
  async ask(path, { method = 'GET', headers = {}, body } = {}) {
    const { status, text } = await this.send(path, { method, headers: { 'x-api-key': ADMIN_KEY, ...headers }, body });
    if (status < 200 || status > 299) throw new Error(`${method} ${path}: ${status} ${text}\n${complaints}`);
    return text;
  }

  send(path, { method, headers, body }) {
    return new Promise((resolve, reject) => {
      const asked = request(new URL(path, this.url), { method, headers, agent: this.agent }, async (answer) => {
        let text = '';
        for await (const chunk of answer.setEncoding('utf8')) text += chunk;
        resolve({ status: answer.statusCode, text, rows: answer.headers['x-rows'] });
      });
      asked.on('error', reject).end(body);
    });
  }

  /** Milliseconds that all threads of the process have computed: user and system, V8's compiler and collector with them. */
  cpu() {
    let nanoseconds = 0n;
    for (const thread of readdirSync(`/proc/${this.pid}/task`)) {
      nanoseconds += BigInt(readFileSync(`/proc/${this.pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
    }
    return Number(nanoseconds) / 1e6;
  }
}

// the one workerd that this process has started
function child() {
  const found = readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const [, name, parent] = /^\d+ \((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'));
      return name === 'workerd' && Number(parent) === process.pid;
    } catch {
      return false; // ended meanwhile
    }
  });
  if (found.length !== 1) throw new Error(`${found.length} processes of workerd run below this one`);
  return found[0];
}
