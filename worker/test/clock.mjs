// Simulated time for a Worker that knows nothing of it: what tells time or waits for it is replaced before the Worker's
// modules are evaluated. Objects live in the isolate of the Worker that defines them, so one clock is everybody's.
//
// Waits of up to BRIEF are real, as what they wait for is (a commit window, a turn of the event loop). Longer ones end
// when the clock is set past them. Each is a poll in the request or object that waits: the runtime lets nobody else
// run its callback.

const BRIEF = 250;
const POLL = 20;
// a poll that has not run while another ran so often belongs to a request or an object that is gone
const GONE = 15;

const real = {
  Date,
  setTimeout: globalThis.setTimeout.bind(globalThis),
  clearTimeout: globalThis.clearTimeout.bind(globalThis),
  setInterval: globalThis.setInterval.bind(globalThis),
};

let simulated;
const waits = new Map();
// far from the runtime's own numbers, and still an i32
let lastWait = 1_000_000_000;

/** Milliseconds since 1970: simulated ones, as soon as the harness has told them. */
export const now = () => simulated ?? real.Date.now();

/** A real pause. */
export const pause = (milliseconds) => new Promise((resolve) => real.setTimeout(resolve, milliseconds));

/** Sets the clock; decimal nanoseconds, of which whole milliseconds count. */
export function set(nanoseconds) {
  simulated = Number(BigInt(nanoseconds) / 1_000_000n);
}

/** Until everything that waited for a moment that has come goes on. */
export async function settled() {
  for (let turn = 0; ; turn += 1) {
    const due = [...waits.values()].filter((wait) => wait.due <= now() && wait.silent < GONE);
    if (due.length === 0) return;
    await pause(POLL / 4);
    if (turn % 4 === 3) for (const wait of due) wait.silent += 1;
  }
}

function setTimeout(callback, milliseconds = 0, ...args) {
  if (!(milliseconds > BRIEF)) return real.setTimeout(callback, milliseconds, ...args);
  const id = ++lastWait;
  const wait = { due: now() + milliseconds, silent: 0, timer: 0 };
  const poll = () => {
    wait.silent = 0;
    if (now() < wait.due) {
      wait.timer = real.setTimeout(poll, POLL);
      return;
    }
    waits.delete(id);
    callback(...args);
  };
  waits.set(id, wait);
  wait.timer = real.setTimeout(poll, POLL);
  return id;
}

function clearTimeout(id) {
  const wait = waits.get(id);
  if (wait === undefined) return real.clearTimeout(id);
  waits.delete(id);
  real.clearTimeout(wait.timer);
}

globalThis.Date = new Proxy(Date, {
  construct: (target, args, as) => Reflect.construct(target, args.length > 0 ? args : [now()], as),
  apply: () => new real.Date(now()).toString(),
  get: (target, key) => (key === 'now' ? now : Reflect.get(target, key)),
});
globalThis.setTimeout = setTimeout;
globalThis.clearTimeout = clearTimeout;
globalThis.setInterval = (callback, milliseconds, ...args) => {
  if (milliseconds > BRIEF) throw new Error('an interval this long has no simulated form yet');
  return real.setInterval(callback, milliseconds, ...args);
};
scheduler.wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
performance.now = now;
