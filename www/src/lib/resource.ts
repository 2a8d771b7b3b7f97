// What is loaded for a question and loaded again when it changes: the last answer stays until the next has come.
import { effect, signal, untracked, type ReadonlySignal } from "@preact/signals";

export interface Loaded<T> {
  /** The last answer that came; of an earlier question while `pending`. */
  value: T | null;
  error: Error | null;
  pending: boolean;
}

/**
 * Runs `load` now and whenever a signal that `ask` reads changes; the answer to an older question is dropped and its
 * request aborted. `ask` returns null where there is nothing to load.
 */
export function resource<Q, T>(ask: () => Q | null, load: (question: Q, signal: AbortSignal) => Promise<T>): ReadonlySignal<Loaded<T>> {
  const state = signal<Loaded<T>>({ value: null, error: null, pending: false });
  effect(() => {
    const question = ask();
    const last = state.peek();
    if (question === null) {
      state.value = { value: null, error: null, pending: false };
      return;
    }
    const abort = new AbortController();
    state.value = { ...last, pending: true };
    // what a load reads on its way is no part of the question
    untracked(() => load(question, abort.signal)).then(
      (value) => !abort.signal.aborted && (state.value = { value, error: null, pending: false }),
      (error: unknown) => {
        if (!abort.signal.aborted) state.value = { value: last.value, error: error as Error, pending: false };
      },
    );
    return () => abort.abort();
  });
  return state;
}
