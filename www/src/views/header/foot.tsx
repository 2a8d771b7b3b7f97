// What is shown, of how much, and how far it is read.
import { get, type Page } from "../../lib/api";
import { count, counted, size } from "../../lib/amounts";
import { resource } from "../../lib/resource";
import { dialog } from "../../state/dialogs";
import { counts, live } from "../../state/live";
import { backend, effective, revision } from "../../state/question";
import { phase } from "../../state/source";
import { isOutdated, update } from "../../state/updates";
import { Icon } from "./icons";

/** One row and its exact total: what the foot tells does not wait for the table, nor for a view that shows none. */
const found = resource(
  () => {
    const from = backend.value;
    revision.value;
    return from && { from, q: effective.value };
  },
  async ({ from, q }, signal) => {
    const started = performance.now();
    const [page, whole] = await Promise.all([
      get<Page>(from, "logs", { q, limit: 1, fields: "id", total: "exact" }, signal),
      q ? get<Page>(from, "logs", { limit: 1, fields: "id", total: "exact" }, signal) : null,
    ]);
    return { page, all: whole?.total ?? page.total ?? 0, took: performance.now() - started };
  },
);

function Growing() {
  const growth = backend.value?.growth.value;
  if (!growth || growth.files.length === 0) return null;
  const failed = growth.files.filter(({ error }) => error).length;
  return (
    <>
      {!growth.done && (
        <span class="foot-progress">
          <progress value={growth.bytes} max={growth.size || 1} aria-label="Reading" />
          <span>{size(growth.bytes)} of {size(growth.size)}</span>
          <button type="button" class="foot-link" onClick={() => (dialog.value = "files")}>Details</button>
        </span>
      )}
      {growth.rejected > 0 && (
        <button type="button" class="foot-link" onClick={() => (dialog.value = "files")}>{counted(growth.rejected, "line")} rejected</button>
      )}
      {failed > 0 && (
        <button type="button" class="foot-link bad" onClick={() => (dialog.value = "files")}>{counted(failed, "file")} not read</button>
      )}
    </>
  );
}

function Found() {
  const { value, error, pending } = found.value;
  if (error) return <span class="level-error">{error.message}</span>;
  if (!value) return pending ? <span>Counting…</span> : null;
  const { page, all, took } = value;
  const total = page.total ?? 0;
  return (
    <>
      <span role="status" aria-live="polite">{effective.value ? `${count(total)} of ${counted(all, "record")}` : counted(total, "record")}</span>
      <span class="foot-wide">{count(page.scanned.rows)} rows scanned in {page.scanned.opened} of {page.scanned.sources} segments, {Math.max(1, Math.round(took))} ms</span>
      {page.hints?.map((hint) => (
        <span key={hint} class="foot-hint" title={hint}><Icon name="warning" />{hint}</span>
      ))}
    </>
  );
}

function Tailed() {
  const seen = counts.value;
  if (live.value.at !== "live" || !seen) return null;
  return <span class="foot-wide">Tail: {count(seen.delivered)} matched, {count(seen.filtered)} did not</span>;
}

export function Foot() {
  return (
    <footer class="app-foot">
      {phase.value.at === "open" && <><Found /><Growing /></>}
      <span class="foot-end">
        <Tailed />
        {isOutdated.value && <button type="button" class="foot-update" onClick={update}>New version: reload</button>}
      </span>
    </footer>
  );
}
