// What the page, the engine and the indexers say to each other. Everything is cloned on its way, buffers are moved.

import type { EngineError, FileProgress } from "./api.js";

/** A {@link EngineError} on its way. */
export interface Fault {
  code: string;
  message: string;
  position?: number;
}

/** A file to be opened. Files lose their names on some ways, so they go beside. */
export interface Source {
  blob: Blob;
  name: string;
  /** Last modification in ms. */
  modified: number;
}

/** A state on its way. */
export type State = Omit<FileProgress, "error"> & { error: Fault | null };

export interface OpenCommand {
  op: "open";
  id: number;
  sources: Source[];
  format: string | undefined;
}

/** Page to engine; `id` numbers what is answered. */
export type Command =
  | { op: "start"; module: WebAssembly.Module; cacheBytes: number; inflatedBytes: number; directory: string | undefined; indexers: MessagePort[] }
  | OpenCommand
  | { op: "answer"; id: number; method: string; url: string; headers: [string, string][]; body: Uint8Array }
  // as much of the body as the reader has room for: one part
  | { op: "pull"; id: number }
  | { op: "cancel"; id: number };

/** Engine to page. */
export type Event =
  | { op: "progress"; files: State[] }
  | { op: "opened"; id: number }
  // `body` is all of it, or its parts are pulled
  | { op: "head"; id: number; status: number; headers: [string, string][]; body: Uint8Array | undefined }
  | { op: "part"; id: number; bytes: Uint8Array }
  | { op: "end"; id: number }
  | { op: "failed"; id: number; fault: Fault }
  // nothing works any longer
  | { op: "crashed"; fault: Fault };

/** One end of a connection: a worker, a port, or a call in the same realm. */
export interface Port<In, Out> {
  post(message: Out, transfer?: Transferable[]): void;
  onmessage: ((message: In) => void) | null;
  /** What came cannot be read, or the other end is gone. */
  onfailure: ((fault: Fault) => void) | null;
  close(): void;
}

export const faultOf = ({ code, message, position }: EngineError): Fault =>
  position === undefined ? { code, message } : { code, message, position };
