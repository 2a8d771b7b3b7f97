// Evaluated before clock.mjs, which leaves waits of up to a commit window real: they end after a moment. Who waited looks
// at the simulated clock and waits on.
const MOMENT = 2;
const { setTimeout } = globalThis;
globalThis.setTimeout = (callback, milliseconds, ...args) => setTimeout(callback, Math.min(milliseconds ?? 0, MOMENT), ...args);
