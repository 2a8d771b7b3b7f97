// An export under way: the stream goes where it is kept, row by whole row, and is taken up again where it broke off.
import { signal } from "@preact/signals";
import type { Backend, Growth, Unredacted } from "../backend/backend";
import { ask, get, path, type Page } from "../lib/api";
import { Rows, type ExportFormat } from "../lib/rows";

export type { ExportFormat } from "../lib/rows";

/** Where the bytes go. */
export interface Sink {
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Everything came. */
  end(): Promise<void>;
  /** It did not: what was written is not kept. */
  drop(): Promise<void>;
}

export interface Came {
  rows: number;
  bytes: number;
  /** Records that the query finds, as counted before. */
  expected: number;
}

/** What becomes of secrets in an export. */
export type Secrets = "replaced" | "included";

export type Exporting =
  | { at: "idle" }
  /** Files are read once more, with their secrets. */
  | { at: "reading"; bytes: number; size: number }
  | ({ at: "running"; resumed: number } & Came)
  | ({ at: "done"; what: "saved" | "copied"; secrets: Secrets } & Came)
  | ({ at: "failed"; why: string } & Came);

export const exporting = signal<Exporting>({ at: "idle" });

const ATTEMPTS = 5;
let running: AbortController | null = null;

export async function total(from: Backend, q: string, abort: AbortSignal): Promise<number> {
  const { total = 0 } = await get<Page>(from, "logs", { q, limit: 1, fields: "id", total: "exact" }, abort);
  return total;
}

export function cancel(): void {
  running?.abort();
  running = null;
  exporting.value = { at: "idle" };
}

/** A response that ended before its file did. */
class Broken extends Error {}

interface Stream {
  from: Backend;
  q: string;
  format: ExportFormat;
  sink: Sink;
  rows: Rows;
  signal: AbortSignal;
  progress(bytes: number): void;
}

/** Reads one response; returns its cursor at once by `cursor`. */
async function read({ from, q, format, sink, rows, signal, progress }: Stream, cursor: { text: string | null }): Promise<void> {
  const place = cursor.text && rows.last ? `${cursor.text}.${rows.last}` : cursor.text;
  const response = await ask(from, path("export", { q, format, cursor: place }), { signal });
  cursor.text ??= response.headers.get("x-reqlog-cursor");
  if (!response.body) throw new Broken("the answer has no body");
  const parts = response.body.getReader();
  signal.addEventListener("abort", () => void parts.cancel().catch(() => {}), { once: true });
  for (;;) {
    const { value, done } = await parts.read().catch((error: unknown) => {
      signal.throwIfAborted();
      throw new Broken(error instanceof Error ? error.message : String(error));
    });
    if (done) break;
    const whole = rows.push(value);
    if (whole.length > 0) await sink.write(whole);
    progress(value.length);
  }
  signal.throwIfAborted();
  if (!rows.complete) throw new Broken("the answer ended before the file did");
}

/** What is exported, and where to; `q` is the query with its window. */
export interface Wanted {
  from: Backend;
  q: string;
  format: ExportFormat;
  secrets: Secrets;
  sink: Sink;
  /** Records that the query finds, as counted before. */
  expected: number;
  what: "saved" | "copied";
}

/**
 * Runs until everything is in the sink, or says why not.
 *
 * With secrets included, the query is asked over records that hold them: what names a redacted text finds other records then.
 */
export async function run({ from, q, format, secrets, sink, expected, what }: Wanted): Promise<void> {
  cancel();
  const abort = new AbortController();
  running = abort;
  const { signal } = abort;
  const rows = Rows.of(format);
  const cursor = { text: null as string | null };
  const came: Came = { rows: 0, bytes: 0, expected };
  let resumed = 0;
  let shown = 0;
  const show = () => {
    exporting.value = { at: "running", resumed, ...came };
  };
  const progress = (bytes: number) => {
    came.bytes += bytes;
    came.rows = rows.count;
    const now = performance.now();
    if (now - shown < 100 || signal.aborted) return;
    shown = now;
    show();
  };
  let unredacted: Unredacted | null = null;
  try {
    let source = from;
    if (secrets === "included") {
      unredacted = await again(from, signal);
      source = unredacted.backend;
      came.expected = await total(source, q, signal);
    }
    show();
    for (;;) {
      try {
        await read({ from: source, q, format, sink, rows, signal, progress }, cursor);
        break;
      } catch (error) {
        const goesOn = (error instanceof Broken || error instanceof TypeError) && rows.resumable && cursor.text !== null && resumed < ATTEMPTS;
        if (signal.aborted || !goesOn) throw error;
        resumed += 1;
        rows.resume();
        show();
        await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** resumed));
        signal.throwIfAborted();
      }
    }
    came.rows = rows.count;
    await sink.end();
    exporting.value = { at: "done", what, secrets, ...came };
  } catch (error) {
    await sink.drop().catch(() => {});
    if (signal.aborted) return;
    let why = error instanceof Error ? error.message : String(error);
    if (error instanceof Broken) why = rows.resumable ? `Taking it up again failed ${resumed} times: ${why}.` : "An archive cannot be taken up where it broke off; NDJSON, CSV and JSON can.";
    exporting.value = { at: "failed", why, ...came, rows: rows.count };
  } finally {
    unredacted?.close();
    if (running === abort) running = null;
  }
}

async function again(from: Backend, signal: AbortSignal): Promise<Unredacted> {
  if (!from.unredacted) throw new Error("There are no secrets that could be included.");
  const show = ({ bytes, size }: Pick<Growth, "bytes" | "size">) => {
    if (!signal.aborted) exporting.value = { at: "reading", bytes, size };
  };
  show({ bytes: 0, size: from.growth.peek().size });
  return from.unredacted(signal, show);
}
