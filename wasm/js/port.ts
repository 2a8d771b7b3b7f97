// Connections: between workers, and within one thread.

import type { Port } from "./protocol.js";

/** One end of a channel; what comes before there is a receiver waits. */
export function portOf<In, Out>(port: MessagePort): Port<In, Out> {
  return {
    post: (message, transfer = []) => port.postMessage(message, transfer),
    set onmessage(receive: ((message: In) => void) | null) {
      port.onmessage = receive && (({ data }) => receive(data));
    },
  } as Port<In, Out>;
}

/** Both ends of a connection within a thread. Messages come later and in order, and are not copied. */
export function pair<A, B>(): [Port<A, B>, Port<B, A>] {
  const near: Port<A, B> = { post: (message) => later(() => far.onmessage?.(message)), onmessage: null };
  const far: Port<B, A> = { post: (message) => later(() => near.onmessage?.(message)), onmessage: null };
  return [near, far];
}

// other work of the thread goes on in between
const later = (work: () => void) => void setImmediate(work);
