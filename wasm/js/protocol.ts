// What the page, the engine and the indexers say to each other. Everything is cloned on its way, buffers are moved.

import type { FileProgress } from "./api.js";

/** An `EngineError` on its way. */
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

/** Page to engine; `id` numbers what is answered. */
export type Command =
  | { op: "open"; id: number; sources: Source[]; format: string | undefined }
  | { op: "answer"; id: number; method: string; url: string; headers: string[]; body: Uint8Array }
  // the next part of a body
  | { op: "pull"; id: number }
  | { op: "cancel"; id: number }
  // what indexers of a hire were to read will not come
  | { op: "lose"; hire: number; fault: Fault };

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

/** Engine to the page that makes workers for it, each to be connected with one of the ports; `dismiss` ends all of them. Hires count from 1. */
export type Staffing = { op: "hire"; hire: number; indexers: MessagePort[] } | { op: "dismiss" };

/** How an engine works. */
export interface Settings {
  /** Whether secrets are replaced. */
  redact: boolean;
  cacheBytes: number;
  /** Inflated bytes of a file that are kept in memory where there is a directory for more. */
  inflatedBytes: number;
  /** A folder of the origin's private file system, if there is any. */
  directory: string | undefined;
  /** Bytes of a portion after the first ones. */
  portionBytes: number;
}

/** What every realm makes an `Input` of. */
export interface Opening {
  place: number;
  name: string;
  format: string | undefined;
  modified: number;
  /** What hashes of replaced secrets are keyed with; without it they stay. */
  key: Uint8Array | undefined;
}

/** Engine to indexer; `task` numbers what is answered, none that was cancelled. */
export type Task =
  // before anything of it is indexed: the plain bytes that it begins with
  | { op: "file"; opening: Opening; first: Uint8Array }
  // `blob` is the plain bytes from `base` on
  | { op: "index"; task: number; place: number; blob: Blob; base: number; start: number; end: number; exact: boolean }
  // reads all of a file: undoes its compression, if it has any, and cuts it
  | { op: "scan"; task: number; opening: Opening; blob: Blob; compression: string | undefined; settings: Settings }
  | { op: "cancel"; task: number };

/** Indexer to engine. */
export type Reply =
  | { op: "indexed"; task: number; bytes: Uint8Array }
  // of what is inflated: what it begins with, then all of it; `consumed` bytes of the file have been read
  | { op: "first"; task: number; bytes: Uint8Array }
  | { op: "part"; task: number; blob: Blob; consumed: number }
  | { op: "cut"; task: number; start: number; end: number; line: number }
  // `tail` is what is cut off at the end, as a portion without a row
  | { op: "scanned"; task: number; tail: Uint8Array | undefined; fault: Fault | undefined }
  | { op: "failed"; task: number; fault: Fault }
  // the instance was lost to another task
  | { op: "lost"; task: number };

/** One end of a connection. */
export interface Port<In, Out> {
  post(message: Out, transfer?: Transferable[]): void;
  onmessage: ((message: In) => void) | null;
}
