// What Cloudflare runs: the exports of the WebAssembly module, and a second life after a panic.
//
// A panic in Rust ends in a trap. The memory it leaves behind is no longer to be trusted, and the promises it would have
// settled are never settled: workerd would let their requests hang. So everything that waits for the module is kept in
// `waiting`; when the module traps, all of it is rejected, the module starts anew from the same compiled code, and each
// Durable Object is rebuilt in it at its next call, from what it has stored. What was in flight in this isolate answers a
// plain 500, the next request finds everything in order.
//
// wasm-bindgen's own abort handler is left off: it would start anew at the next call into the module, whatever that is,
// and hand a pointer into the old memory to the new one.

import { DurableObject } from "cloudflare:workers";
import * as module from "./reqlog_worker.js";

/** Counts the lives of the module. */
let life = 0;

/** Rejects what waits for the present life, by call. */
const waiting = new Set();

/** Whether frames of the module were thrown away: by a trap, or by a stack that has no more room. */
function trapped(error) {
  return error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
}

function restart(error) {
  console.error("the module starts anew after", error);
  life += 1;
  module.__wbg_reset_state();
  const lost = [...waiting];
  waiting.clear();
  for (const reject of lost) reject(error);
}

/** Calls into the module; the promise fails at once when the module traps in whatever it does meanwhile. */
function guarded(call) {
  return new Promise((resolve, reject) => {
    waiting.add(reject);
    const done = (settle) => (value) => {
      waiting.delete(reject);
      settle(value);
    };
    let result;
    try {
      result = call();
    } catch (error) {
      done(reject)(error);
      if (trapped(error)) restart(error);
      return;
    }
    Promise.resolve(result).then(done(resolve), done(reject));
  });
}

// Futures are polled in microtasks of their own: a trap there has no caller, and is reported here before the next
// microtask runs.
addEventListener("error", (event) => {
  if (trapped(event.error)) restart(event.error);
});

// A body that streams from Rust waits for the module too: after a trap it is aborted, never ended as if complete.
const { pull } = module.IntoUnderlyingSource.prototype;
module.IntoUnderlyingSource.prototype.pull = function (controller) {
  return guarded(() => pull.call(this, controller));
};

async function answer(call) {
  const before = life;
  try {
    return await guarded(call);
  } catch (error) {
    if (life === before) throw error;
    return new Response("internal error\n", { status: 500 });
  }
}

function durable(name) {
  return class extends DurableObject {
    #life;
    #object;

    #now() {
      if (this.#life !== life) {
        this.#object = new module[name](this.ctx, this.env);
        this.#life = life;
      }
      return this.#object;
    }

    fetch(request) {
      return answer(() => this.#now().fetch(request));
    }

    alarm() {
      return guarded(() => this.#now().alarm());
    }
  };
}

export const Committer = durable("Committer");
export const Compactor = durable("Compactor");

export default {
  fetch(request, env, context) {
    return answer(() => module.fetch(request, env, context));
  },
  scheduled(event, env, context) {
    return guarded(() => module.scheduled(event, env, context));
  },
};
