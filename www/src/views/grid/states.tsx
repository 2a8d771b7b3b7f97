// What stands where there are no rows, and what is said where some did not come.
import { batch } from "@preact/signals";
import { ApiError } from "../../lib/api";
import { backend, query, window as range } from "../../state/question";
import { retry } from "../../state/rows";

const clearQuery = () => (query.value = "");
const clearWindow = () => (range.value = null);
const clearBoth = () =>
  batch(() => {
    clearQuery();
    clearWindow();
  });

/** Whether the query bar is where an error is shown: it is one of the query. */
export const isOfQuery = (error: Error): boolean => error instanceof ApiError && error.problem.type.endsWith(":invalid-query");

export function Empty() {
  const [hasQuery, hasWindow] = [query.value.trim() !== "", range.value !== null];
  const opened = backend.value?.kind === "server" ? undefined : backend.value?.growth.value;
  if (!hasQuery && !hasWindow && opened?.done) {
    return (
      <div class="grid-state">
        <h2>No records</h2>
        <p>There is none in what was opened.</p>
      </div>
    );
  }
  if (!hasQuery && !hasWindow) {
    return (
      <div class="grid-state">
        <h2>No records yet</h2>
        <p>They appear here when some come in.</p>
      </div>
    );
  }
  const what = hasQuery && hasWindow ? "the query in this window of time" : hasQuery ? "the query" : "this window of time";
  return (
    <div class="grid-state">
      <h2>No record matches</h2>
      <p>Nothing is found for {what}.</p>
      <p class="grid-state-acts">
        {hasQuery && <button type="button" class="button" onClick={clearQuery}>Clear the query</button>}
        {hasWindow && <button type="button" class="button" onClick={clearWindow}>Clear the window</button>}
        {hasQuery && hasWindow && <button type="button" class="button" onClick={clearBoth}>Clear both</button>}
      </p>
    </div>
  );
}

export function Failed({ error }: { error: Error }) {
  if (isOfQuery(error)) {
    return (
      <div class="grid-state">
        <h2>The query is not understood</h2>
        <p>{error.message}</p>
        <p class="grid-state-acts"><button type="button" class="button" onClick={clearQuery}>Clear the query</button></p>
      </div>
    );
  }
  return (
    <div class="grid-state" role="alert">
      <h2>The records could not be loaded</h2>
      <p>{error.message}</p>
      <p class="grid-state-acts"><button type="button" class="button" onClick={retry}>Try again</button></p>
    </div>
  );
}

/** Over rows that are there: `what` did not come. */
export function Fault({ what, error }: { what: string; error: Error }) {
  return (
    <div class="grid-fault" role="alert">
      <span>{what}: {error.message}</span>
      <button type="button" class="button" onClick={retry}>Try again</button>
    </div>
  );
}
