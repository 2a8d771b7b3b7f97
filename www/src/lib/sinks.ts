// Where an export goes: a file of the system, a download, a text.
import type { Sink } from "../state/export";

type Save = (options: { suggestedName: string }) => Promise<FileSystemFileHandle>;
const save = (globalThis as { showSaveFilePicker?: Save }).showSaveFilePicker?.bind(globalThis);

/** Whether an export can be of any length: it is written as it comes. */
export const writesToDisk = save !== undefined;

/** Asks where to, or collects a download; null when the choice was cancelled. */
export async function fileSink(suggestedName: string, type: string): Promise<Sink | null> {
  if (!save) return download(suggestedName, type);
  try {
    const handle = await save({ suggestedName });
    const stream = await handle.createWritable();
    return { write: (bytes) => stream.write(bytes), end: () => stream.close(), drop: () => stream.abort() };
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return null;
    // refused here (a frame, a policy): a download is not
    return download(suggestedName, type);
  }
}

function download(name: string, type: string): Sink {
  let parts: Uint8Array<ArrayBuffer>[] = [];
  return {
    async write(bytes) {
      // what comes may be a view of a larger buffer
      parts.push(bytes.slice());
    },
    async end() {
      const url = URL.createObjectURL(new Blob(parts, { type }));
      const link = document.createElement("a");
      link.href = url;
      link.download = name;
      link.click();
      // the download has its own hold of the blob once it has begun
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    },
    async drop() {
      parts = [];
    },
  };
}

/** Collects a text of at most `longest` bytes. */
export function textSink(longest: number): Sink & { text: Promise<string> } {
  const decoder = new TextDecoder();
  let [all, length] = ["", 0];
  let settle: { resolve(text: string): void; reject(error: Error): void };
  const text = new Promise<string>((resolve, reject) => (settle = { resolve, reject }));
  text.catch(() => {});
  return {
    text,
    async write(bytes) {
      length += bytes.length;
      if (length > longest) throw new RangeError("too long for the clipboard: save it as a file");
      all += decoder.decode(bytes, { stream: true });
    },
    end: async () => settle.resolve(all),
    drop: async () => settle.reject(new Error("not whole")),
  };
}
