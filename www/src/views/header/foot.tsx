// What is shown, of how much, and how far it is read.
import { get, type Page } from "../../lib/api";
import { bytes, count, counted } from "../../lib/format";
import { resource } from "../../lib/resource";
import { endpoints } from "../../state/aggregates";
import { dialog } from "../../state/dialogs";
import { counts, live } from "../../state/live";
import { backend, effective, revision, view } from "../../state/question";
import { shown } from "../../state/rows";
import { phase } from "../../state/source";
import { isOutdated, update } from "../../state/updates";
import { Icon } from "./icons";

/** Records of the source in all: an opened file counts them itself. */
const all = resource(
  () => {
    const from = backend.value;
    revision.value;
    return from?.kind === "server" && effective.value ? from : null;
  },
  async (from, signal) => (await get<Page>(from, "logs", { limit: 1, fields: "id", total: "exact" }, signal)).total ?? 0,
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
          <span>{bytes(growth.bytes)} of {bytes(growth.size)}</span>
          <button type="button" class="foot-link" onClick={() => (dialog.value = "files")}>Details</button>
        </span>
      )}
      {growth.rejected > 0 && (
        <button type="button" class="foot-link warn" onClick={() => (dialog.value = "files")}>{counted(growth.rejected, "line")} rejected</button>
      )}
      {failed > 0 && (
        <button type="button" class="foot-link bad" onClick={() => (dialog.value = "files")}>{counted(failed, "file")} not read{growth.files.some(({ error, records }) => error && records > 0) && " to the end"}</button>
      )}
    </>
  );
}

/** What the view that is shown was told of its question. */
function told(): { q: string; total: number; hints: readonly string[]; scanned: Page["scanned"] | null } | null {
  if (view.value === "requests") {
    const snapshot = shown.value?.snapshot;
    return snapshot ? { q: snapshot.question.q, total: snapshot.total, hints: snapshot.hints, scanned: snapshot.scanned } : null;
  }
  const counted = endpoints.value.value;
  return counted && { q: effective.value, total: counted.total, hints: [], scanned: null };
}

function Found() {
  const now = told();
  if (!now) return null;
  const { q, total, hints, scanned } = now;
  const whole = backend.value?.kind === "server" ? all.value.value : (backend.value?.growth.value.records ?? null);
  const isPart = q !== "" && whole !== null;
  return (
    <>
      <span>{isPart ? `${count(total)} of ${counted(whole, "record")}` : counted(total, "record")}</span>
      {scanned && <span class="foot-wide">First page: {counted(scanned.rows, "row")} scanned in {scanned.opened} of {counted(scanned.sources, "segment")}</span>}
      {hints.map((hint) => (
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
