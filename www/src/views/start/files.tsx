// The open files: how far each is read, why one could not be, and which lines were no records.
import type { OpenedFile } from "../../backend/backend";
import { bytes, count, counted } from "../../lib/format";
import { unread } from "../../lib/unread";
import { backend } from "../../state/question";
import { doors, pick } from "../../state/source";
import { close } from "../../state/dialogs";
import { Dialog } from "../commands/dialog";
import "./files.css";

export function Files() {
  const growth = backend.value?.growth.value;
  if (!growth) return null;
  return (
    <Dialog title={counted(growth.files.length, "file")} class="files">
      <p class="files-sum">
        {counted(growth.records, "record")} out of {bytes(growth.size)}
        {growth.done ? "" : `; ${bytes(growth.bytes)} are read`}
      </p>
      <ul class="files-list">{growth.files.map((file, place) => <Opened key={place} file={file} />)}</ul>
      <div class="files-buttons">
        {backend.value?.kind === "file" && <button type="button" class="button" onClick={() => pick("add")}>Add files…</button>}
        <button
          type="button"
          class="button"
          onClick={() => {
            close();
            doors.value?.close();
          }}
        >
          {growth.done ? "Close the files" : "Cancel and close"}
        </button>
      </div>
    </Dialog>
  );
}

function Opened({ file }: { file: OpenedFile }) {
  const { name, format, records, rejected, errors, error, done } = file;
  return (
    <li class="files-file">
      <div class="files-head">
        <b>{name}</b>
        <span class="quiet">{format ?? (done || error ? "unknown format" : "detecting the format")}, {bytes(file.size)}</span>
        <span class="files-count">{counted(records, "record")}</span>
      </div>
      {!done && !error && <progress value={file.bytes} max={file.size || 1} aria-label={`Read of ${name}`} />}
      {error && (
        <p class="files-error">
          <b>{records > 0 ? "Not read to its end" : "Not read"}: {unread(error, records).why}</b>
          <span>{unread(error, records).advice}</span>
        </p>
      )}
      {rejected > 0 && (
        <details open={rejected <= 10}>
          <summary>{counted(rejected, "line")} rejected{rejected > errors.length && `; the first ${count(errors.length)}`}</summary>
          <div class="files-scroll" tabIndex={0} role="region" aria-label={`Rejected lines of ${name}`}>
            <table>
              <thead><tr><th>Line</th><th>Reason</th><th>Excerpt</th></tr></thead>
              <tbody>
                {errors.map(({ line, reason, excerpt }, place) => (
                  <tr key={place}><td>{count(line)}</td><td>{reason}</td><td class="mono">{excerpt}</td></tr>
                ))}
              </tbody>
            </table>
          </div>
        </details>
      )}
    </li>
  );
}
