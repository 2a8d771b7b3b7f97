// Loading within a component: again when what it was asked with changes, older answers dropped.
import { useEffect, useState } from "preact/hooks";
import type { Loaded } from "../../lib/resource";

/** `load` is null where there is nothing to load; `inputs` say when to load again. The last value stays meanwhile. */
export function useLoaded<T>(load: ((signal: AbortSignal) => Promise<T>) | null, inputs: readonly unknown[]): Loaded<T> {
  const [state, setState] = useState<Loaded<T>>({ value: null, error: null, pending: load !== null });
  useEffect(() => {
    if (!load) {
      setState({ value: null, error: null, pending: false });
      return;
    }
    const abort = new AbortController();
    setState((last) => ({ ...last, pending: true }));
    load(abort.signal).then(
      (value) => !abort.signal.aborted && setState({ value, error: null, pending: false }),
      (error: unknown) => !abort.signal.aborted && setState({ value: null, error: error as Error, pending: false }),
    );
    return () => abort.abort();
  }, inputs);
  return state;
}
