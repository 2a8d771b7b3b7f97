// The file document's source: files that are opened, one after the other or together, and the demo.
import { batch, effect } from "@preact/signals";
import { demoFile } from "../backend/demo";
import { OpenedFiles } from "../backend/file";
import { unread } from "../lib/unread";
import { extras } from "./fragment";
import { backend, compared, query, selected, window as range } from "./question";
import { phase, type Doors } from "./source";

let opened: OpenedFiles | null = null;
let opening: AbortController | null = null;

async function begin(kind: "file" | "demo", make: (signal: AbortSignal) => Promise<File[]>, name: string): Promise<void> {
  end();
  const abort = new AbortController();
  opening = abort;
  phase.value = { at: "opening", name, growth: null, cancel: end };
  try {
    const files = await make(abort.signal);
    const { signal } = abort;
    const found = await OpenedFiles.open(files, {
      kind,
      signal,
      onprogress: (growth) => {
        if (opening === abort) phase.value = { at: "opening", name, growth, cancel: end };
      },
    });
    if (signal.aborted) return found.close();
    // one file that cannot be read at all is no open source; of several the others stay
    const { files: read, records } = found.growth.peek();
    if (records === 0 && read.length > 0 && read.every(({ error }) => error)) {
      found.close();
      const faults = read.flatMap(({ name, error }) => (error ? [{ name, ...unread(error) }] : []));
      const advice = new Set(faults.map(({ advice }) => advice));
      throw new Error([...faults.map(({ name, why }) => `${name}: ${why}`), ...advice].filter(Boolean).join("\n"));
    }
    batch(() => {
      opened = found;
      backend.value = found;
      phase.value = { at: "open" };
    });
  } catch (error) {
    if (!abort.signal.aborted) phase.value = { at: "failed", why: error instanceof Error ? error.message : String(error) };
  } finally {
    if (opening === abort) opening = null;
  }
}

function end(): void {
  opening?.abort();
  opening = null;
  batch(() => {
    backend.value = null;
    phase.value = { at: "empty" };
  });
  opened?.close();
  opened = null;
}

const titled = (files: readonly File[]) => (files.length === 1 ? (files[0]?.name ?? "") : `${files.length} files`);

/** A record or a query of the last file means nothing in the next. */
function forget(): void {
  batch(() => {
    query.value = "";
    range.value = null;
    selected.value = null;
    compared.value = null;
  });
}

const without = (name: string) => (extras.value = Object.fromEntries(Object.entries(extras.peek()).filter(([known]) => known !== name)));

export const fileDoors: Doors = {
  document: "file",
  open(files, how) {
    if (how === "add" && opened?.kind === "file") {
      const into = opened;
      into.add(files).catch((error: unknown) => {
        into.failure.value = error instanceof Error ? error.message : String(error);
      });
      return;
    }
    if (backend.peek()) forget();
    without("demo");
    without("handed");
    void begin("file", async () => files, titled(files));
  },
  demo() {
    if (backend.peek()) forget();
    extras.value = { ...extras.peek(), demo: "1" };
    void begin("demo", async (signal) => [await demoFile(signal)], "Demo");
  },
  close() {
    forget();
    without("demo");
    end();
  },
  retry() {},
};

/** An engine that has failed answers no more: say so and begin again. */
export function bindFiles(): void {
  effect(() => {
    const now = backend.value;
    const why = now instanceof OpenedFiles ? now.failure.value : null;
    if (!why) return;
    end();
    phase.value = { at: "failed", why };
  });
}
