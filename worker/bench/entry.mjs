// The Worker under its simulated clock, counting what its Durable Objects are asked and store. A request with COUNTS is for
// this file: it answers what was counted since the last one, as soon as `commits` submissions have come.

import './brisk.mjs';
import worker, * as controlled from './controlled.mjs';

const COUNTS = 'x-bench-counts';
const CONTROL = 'x-test-control';

const none = () => ({ requests: 0, commits: 0, puts: 0 });
let counts = none();

const counting = (Controlled) =>
  class extends Controlled {
    constructor(state, env) {
      const { storage } = state;
      const { put } = Object.getPrototypeOf(storage);
      storage.put = (...args) => {
        counts.puts += 1;
        return put.apply(storage, args);
      };
      super(state, env);
    }
    fetch(request) {
      if (!request.headers.has(CONTROL)) {
        counts.requests += 1;
        if (request.url.endsWith('/commit')) counts.commits += 1;
      }
      return super.fetch(request);
    }
  };

export const Committer = counting(controlled.Committer);
export const Compactor = counting(controlled.Compactor);

const turn = () => new Promise((resolve) => setTimeout(resolve, 1));

async function take({ commits }) {
  while (counts.commits < commits) await turn();
  // whoever came has its body read by now
  for (let n = 0; n < 3; n += 1) await turn();
  const taken = counts;
  counts = none();
  return taken;
}

export default {
  async fetch(request, env, context) {
    if (request.headers.has(COUNTS)) return Response.json(await take(await request.json()));
    return worker.fetch(request, env, context);
  },
};
