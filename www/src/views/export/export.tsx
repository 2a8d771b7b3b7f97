// What the query finds, as a file or in the clipboard.
import { useSignal, useSignalEffect } from "@preact/signals";
import { bytes, count, counted } from "../../lib/format";
import { fileSink, textSink, writesToDisk } from "../../lib/sinks";
import { close } from "../../state/dialogs";
import { cancel, exporting, run, total, type Came, type ExportFormat, type Secrets } from "../../state/export";
import { backend, effective } from "../../state/question";
import { kept, oneOf } from "../../state/settings";
import { Dialog } from "../commands/dialog";
import "./export.css";

const FORMATS: { id: ExportFormat; name: string; type: string; about: string }[] = [
  { id: "ndjson", name: "NDJSON", type: "application/x-ndjson", about: "one record a line, nothing is lost; reqlog opens it again" },
  { id: "csv", name: "CSV", type: "text/csv", about: "a row each, for spreadsheets" },
  { id: "har", name: "HAR", type: "application/json", about: "HTTP Archive 1.2, for browsers and proxies; events have no place in it" },
  { id: "json", name: "JSON", type: "application/json", about: "one array of all records" },
];
/** Records, and bytes, up to which the clipboard is offered and taken. */
const COPIED = 1000;
const LONGEST = 8 << 20;

const format = kept<ExportFormat>("export", "ndjson", oneOf("ndjson", "csv", "har", "json"));

const filename = (source: string, secrets: Secrets, extension: string) => {
  const base = source.replace(/\.(ndjson|jsonl|json|har|csv|log|txt|gz|zst)\b/gi, "").replace(/[^\w.-]+/g, "-").replace(/^[-.]+|[-.]+$/g, "");
  return `${base || "reqlog"}${secrets === "included" ? "-with-secrets" : ""}.${extension}`;
};

export function Export() {
  const from = backend.value;
  const expected = useSignal<number | null>(null);
  const trouble = useSignal<string | null>(null);
  // never kept: it is asked for each time
  const secrets = useSignal<Secrets>("replaced");
  useSignalEffect(() => {
    const asked = backend.value;
    if (!asked) return;
    const abort = new AbortController();
    total(asked, effective.value, abort.signal).then(
      (found) => (expected.value = found),
      (error: unknown) => {
        if (!abort.signal.aborted) trouble.value = error instanceof Error ? error.message : String(error);
      },
    );
    return () => abort.abort();
  });
  if (!from) return null;
  const now = exporting.value;
  const chosen = FORMATS.find(({ id }) => id === format.value) ?? FORMATS[0];
  if (!chosen) return null;
  const isRunning = now.at === "running" || now.at === "reading";
  const isIncluded = secrets.value === "included";
  const isFile = from.kind !== "server";
  const growing = !from.growth.value.done;

  // as they are at the click, however long a place is looked for
  const asked = () => ({ from, q: effective.peek(), format: chosen.id, secrets: secrets.peek(), expected: expected.peek() ?? 0 });
  const start = async () => {
    const wanted = asked();
    const sink = await fileSink(filename(from.name.value, wanted.secrets, chosen.id), chosen.type);
    if (sink) await run({ ...wanted, sink, what: "saved" });
  };
  const copy = async () => {
    const sink = textSink(LONGEST);
    const kind = "text/plain";
    // the text is a promise, so that the click still counts when it has come
    const item = new ClipboardItem({ [kind]: sink.text.then((text) => new Blob([text], { type: kind })) });
    const written = navigator.clipboard.write([item]).catch((error: unknown) => {
      // a failed export says so itself
      if (exporting.peek().at === "done") trouble.value = `The browser does not let the clipboard be written: ${String(error)}`;
    });
    await run({ ...asked(), sink, what: "copied" });
    await written;
  };
  const leave = () => {
    cancel();
    close();
  };

  return (
    <Dialog title="Export" class="export" onClose={leave}>
      <form
        class="export-form"
        onSubmit={(event) => {
          event.preventDefault();
          void start();
        }}
      >
        <p class="export-what">
          {expected.value === null ? "Counting…" : <b>{counted(expected.value, "record")}</b>}
          {effective.value ? <> that match <code>{effective.value}</code></> : ", all there are"}
        </p>
        {growing && !isIncluded && <p class="export-note warn">Files are still being read: the export holds what is indexed when it begins.</p>}
        <fieldset disabled={isRunning}>
          <legend>Format</legend>
          {FORMATS.map(({ id, name, about }) => (
            <label key={id} class="export-format">
              <input type="radio" name="format" value={id} checked={format.value === id} autofocus={format.value === id} onChange={() => (format.value = id)} />
              <b>{name}</b>
              <span>{about}</span>
            </label>
          ))}
        </fieldset>
        {from.unredacted && (
          <label class="export-secrets">
            <input
              type="checkbox"
              checked={isIncluded}
              disabled={isRunning}
              aria-describedby="export-about-secrets"
              onChange={({ currentTarget }) => (secrets.value = currentTarget.checked ? "included" : "replaced")}
            />
            <b>Include secrets</b>
            <span>tokens, cookies and passwords as they are in the file</span>
          </label>
        )}
        <p class={isIncluded ? "export-note warn" : "export-note"} id="export-about-secrets" role="status">
          {isIncluded
            ? "Whoever gets this export can use the passwords, tokens and cookies in it. The files are read once more for it; a filter that names a redacted text finds nothing then."
            : isFile
              ? "Secrets are redacted while files are read: the export has them replaced. The files themselves are not changed."
              : "Secrets were redacted before records were stored: the export cannot have them."}
          {!writesToDisk && " This browser collects the file in memory before it saves it."}
        </p>
        <div class="export-state" aria-live="polite"><State counted={expected.value} /></div>
        {trouble.value && <p class="export-note bad" role="alert">{trouble.value}</p>}
        <div class="export-buttons">
          {isRunning ? (
            <button type="button" class="button" onClick={cancel}>Cancel the export</button>
          ) : (
            <>
              {expected.value !== null && expected.value > 0 && expected.value <= COPIED && <button type="button" class="button" onClick={() => void copy()}>Copy to the clipboard</button>}
              <button type="submit" class="button primary" disabled={!expected.value}>{now.at === "failed" ? "Try again" : writesToDisk ? "Save as…" : "Download"}</button>
            </>
          )}
        </div>
      </form>
    </Dialog>
  );
}

const far = (came: Came) => `${counted(came.rows, "record")}, ${bytes(came.bytes)}`;

function State({ counted: before }: { counted: number | null }) {
  const now = exporting.value;
  switch (now.at) {
    case "idle":
      return null;
    case "reading":
      return (
        <>
          <progress value={now.bytes} max={now.size || 1} aria-label="Read again" />
          <p>Reading the files with their secrets: {bytes(now.bytes)} of {bytes(now.size)}</p>
        </>
      );
    case "running":
      return (
        <>
          <progress value={now.rows} max={now.expected || 1} aria-label="Exported" />
          <p>{far(now)} of {count(now.expected)}{now.resumed > 0 && `; the stream broke off and was taken up again ${now.resumed === 1 ? "once" : `${now.resumed} times`}`}</p>
        </>
      );
    case "done":
      return (
        <>
          <p class="good">{now.what === "copied" ? "Copied" : "Exported whole"}{now.secrets === "included" && ", secrets included"}: {far(now)}.</p>
          {now.secrets === "included" && before !== null && now.expected !== before && (
            <p class="warn">With secrets the filter finds {counted(now.expected, "record")}, with redacted ones {count(before)}: it names what is redacted.</p>
          )}
          {now.rows < now.expected && <p class="warn">{count(now.expected)} were counted before: {format.value === "har" ? "events have no place in HAR" : "the others are no longer there"}.</p>}
        </>
      );
    case "failed":
      return <p class="bad" role="alert">Not whole, and not kept: it broke off after {far(now)} of {count(now.expected)}. {now.why}</p>;
  }
}
