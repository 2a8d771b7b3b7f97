// The Worker as tests run it: the built entry, its clock and bindings in the harness's hands. A request with
// CONTROL is for this file; any other goes to the Worker, at the moment that NOW tells.

import * as clock from './clock.mjs';
import * as faults from './bindings.mjs';
import * as module from './reqlog_worker.js';
import { env as bindings } from 'cloudflare:workers';
import worker, * as objects from './entry.mjs';

const CONTROL = 'x-test-control';
const TRAP = 'x-test-trap';
const NOW = 'x-test-now';

const past = faults.install(bindings);
const live = new Map();

// the runtime would ring at a real time, so it is told one that does not come
const NEVER = 100 * 365 * 86_400_000;

/** An object that can be thrown out of memory, and whose alarm rings at a simulated time. */
const controlled = (Real, binding) =>
  class extends Real {
    #state;
    constructor(state, env) {
      const { storage } = state;
      const { setAlarm, getAlarm } = Object.getPrototypeOf(storage);
      storage.setAlarm = (at, options) => setAlarm.call(storage, Number(at) + NEVER, options);
      storage.getAlarm = async (options) => {
        const at = await getAlarm.call(storage, options);
        return at === null ? null : at - NEVER;
      };
      super(state, env);
      this.#state = state;
      live.set(`${binding}/${state.id}`, () => bindings[binding].get(state.id));
    }
    async fetch(request) {
      switch (request.headers.get(CONTROL)) {
        case 'evict':
          return this.#state.abort('evicted by a test');
        case 'ring':
          return Response.json(await this.#ring());
        default:
          return super.fetch(request);
      }
    }
    async #ring() {
      const at = await this.#state.storage.getAlarm();
      if (at === null || at > clock.now()) return false;
      await this.#state.storage.deleteAlarm();
      await this.alarm();
      return true;
    }
  };

// The platform may run two objects of one name for a moment: whom the Worker takes for its committer.
let writer = 'committer';
const { getByName } = Object.getPrototypeOf(bindings.COMMITTER);
bindings.COMMITTER.getByName = (name, ...options) => getByName.call(bindings.COMMITTER, name === 'committer' ? writer : name, ...options);

// an object at an address outside of the memory makes the module trap
const { fetch: answered } = module.Committer.prototype;
module.Committer.prototype.fetch = function (request) {
  return answered.call(request.headers.has(TRAP) ? { __wbg_ptr: 0xfffffff0 } : this, request);
};

export const Committer = controlled(objects.Committer, 'COMMITTER');
export const Compactor = controlled(objects.Compactor, 'COMPACTOR');

const tell = (stub, what) => stub.fetch('http://object/', { headers: { [CONTROL]: what } });

/** Until everything that is due has been done: waits that are over, and alarms of objects in memory. */
async function advance() {
  let rung;
  do {
    await clock.settled();
    rung = false;
    for (const stub of live.values()) rung = (await (await tell(stub(), 'ring')).json()) || rung;
  } while (rung);
}

/** Everything that is in batches goes into segments. */
async function settle() {
  const compactor = bindings.COMPACTOR;
  const answer = await compactor.get(compactor.idFromName('compactor')).fetch('http://compactor/settle', { method: 'POST' });
  if (!answer.ok) throw new Error(`the compactor answered ${answer.status}: ${await answer.text()}`);
}

async function scheduled(cron, env, context) {
  const promises = [];
  const waiting = { waitUntil: (promise) => promises.push(promise), passThroughOnException() {} };
  const event = { cron, scheduledTime: clock.now(), type: 'scheduled', noRetry() {} };
  promises.push(handlers(env, context).scheduled(event, env, waiting));
  await Promise.all(promises);
}

/** Every object of a binding, or every object. */
async function evict(binding) {
  const chosen = [...live].filter(([name]) => binding === undefined || name.startsWith(`${binding}/`));
  for (const [name, stub] of chosen) {
    live.delete(name);
    await tell(stub(), 'evict').catch(() => {});
  }
  return chosen.length;
}

// What waits for the module when it traps is rejected, and the module starts anew; the status that the trap was answered with.
async function trap() {
  const { COMMITTER: objects } = bindings;
  const { status } = await objects.get(objects.idFromName('trap')).fetch('http://object/', { headers: { [TRAP]: '1' } });
  return status;
}

/** What a Worker reads that asks this one: unlike an HTTP client of workerd it is told when a body was aborted. */
async function read({ path, headers }, env, context) {
  const { status, body } = await handlers(env, context).fetch(new Request(`http://reqlog${path}`, { headers }), env, context);
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const chunk of body ?? []) text += decoder.decode(chunk, { stream: true });
    return { status, text };
  } catch (error) {
    return { status, text, aborted: String(error) };
  }
}

const handlers = (env, context) => (typeof worker === 'function' ? new worker(context, env) : worker);

const controls = {
  advance,
  sql: ({ statements }) => past.query(statements),
  settle,
  scheduled: ({ cron }, env, context) => scheduled(cron, env, context),
  evict: ({ binding }) => evict(binding),
  fault: ({ faults: armed }) => faults.arm(armed),
  hit: ({ least }) => faults.hit(least ?? 1),
  release: faults.release,
  costs: faults.takeCosts,
  values: past.names,
  discard: ({ key }) => past.discard(key),
  read,
  trap,
  writer: ({ name }) => void (writer = name),
};

export default {
  async fetch(request, env, context) {
    if (request.headers.has(NOW)) clock.set(request.headers.get(NOW));
    const control = request.headers.get(CONTROL);
    if (control !== null) {
      try {
        return Response.json({ ok: (await controls[control](await request.json(), env, context)) ?? null });
      } catch (error) {
        return Response.json({ error: String(error?.stack ?? error) });
      }
    }
    const headers = new Headers(request.headers);
    headers.delete(NOW);
    return handlers(env, context).fetch(new Request(request, { headers }), env, context);
  },
};
