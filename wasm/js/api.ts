/** A query for the wire: a path with its query string (or a whole URL, whose origin is ignored), or a request. */
export type Asked = string | { method?: string; url: string; headers?: Record<string, string>; body?: string | Uint8Array };

/** What is wrong with one unit (line, row, entry) of a file. */
export interface Rejection {
  /** The line of the file, decompressed, from 1. */
  line: number;
  reason: string;
  /** The beginning of the unit, at most 256 bytes. */
  excerpt: string;
}

/** How far one file has come. */
export interface FileProgress {
  /** The file's name; of a Blob `file-1`, `file-2`… in the order of opening. */
  name: string;
  /** `ndjson`, `json`, `har`, `access` or `csv`, once it is known. */
  format: string | null;
  /** Bytes of the file as it lies there, compressed or not. */
  size: number;
  /** Of these, how many have been read. */
  bytes: number;
  /** Records that answers are made of, so far. */
  records: number;
  /** Units that are none, so far. */
  rejected: number;
  /** The first 100 of them. */
  errors: Rejection[];
  /** Why the file could not be read, or not to its end. What was read before stays. */
  error: EngineError | null;
  /** Whether nothing more will come of it. */
  done: boolean;
}

/** How far the index has come; each is a snapshot that does not change. */
export interface Progress {
  files: FileProgress[];
  /** Sums over all files. */
  bytes: number;
  size: number;
  records: number;
  rejected: number;
  /** Whether every file is done. */
  done: boolean;
}

/** How files are opened. */
export interface OpenOptions {
  /** Ends the opening, until it resolves; then `close` does. */
  signal?: AbortSignal;
  /** Called with each new state, at most some twenty times a second, the last one always. */
  onprogress?: (progress: Progress) => void;
  /** The format's name, where it is not to be detected: `ndjson`, `json`, `har`, `access`, `csv`. */
  format?: string;
  /**
   * Whether secrets are replaced while files are read: tokens, cookies, passwords, by `[redacted]` or by a hash that is keyed for this
   * opening. True by default; with `false` records are as the files have them. Ids are the same either way; filters see what records hold.
   */
  redact?: boolean;
  /** How many workers parse; the machine's processors by default, at least 1, at most 8. */
  workers?: number;
  /** How much decoded data is kept for the next answer; 64 MiB by default. */
  cacheBytes?: number;
  /** Inflated bytes of a compressed file that are kept in memory; what is longer goes to the origin's private file system. 32 MiB by default. */
  inflatedBytes?: number;
}

/** Opened files: one store, one time line. Disposable: `using opened = await open(files)`. */
export interface Opened extends Disposable, AsyncDisposable {
  /** The latest state. */
  readonly progress: Progress;
  /** The whole index: resolves when every file that was opened is done, well or not. */
  readonly ready: Promise<Progress>;
  onprogress: ((progress: Progress) => void) | null;
  /**
   * Answers a request of any dialect over what is indexed by now.
   *
   * Refusals are answers, as over HTTP. Rejects with an {@link EngineError} where there is no answer: `closed`, `read`, `crashed`; with
   * the signal's reason when it is aborted. Bodies are streams: exports of any length pass through them, and cancelling one ends its work.
   */
  answer(request: Asked, options?: { signal?: AbortSignal }): Promise<Response>;
  /** More files on the same time line; resolves as `open` does. */
  add(files: (File | Blob)[], options?: { signal?: AbortSignal; format?: string }): Promise<void>;
  /** Ends all work and gives all memory back; answers under way reject with `closed`. */
  close(): void;
}

/** A query that was read, with what of it may be meant otherwise; or what is wrong with it. Positions are in UTF-16 code units. */
export type Parsed =
  | { canonical: string; hints: { message: string; position: number; length: number }[] }
  | { error: { message: string; position: number; length: number; hint?: string } };

/** What can stand at the caret: `items` would replace the text between `from` and `to`. */
export interface Completions {
  from: number;
  to: number;
  /** The key whose value is being written, in its canonical form. */
  key: string | null;
  items: { text: string; kind: "key" | "value" | "operator"; detail?: string }[];
}

/**
 * Why the engine could not do what it was asked.
 *
 * | code | what happened |
 * |---|---|
 * | `format` | the file is in no format that is read; the message says which are |
 * | `corrupt` | its compression cannot be undone, or it breaks off |
 * | `read` | its bytes cannot be read, or have changed since it was opened |
 * | `storage` | there is no room for its inflated bytes |
 * | `query` | an argument cannot be understood |
 * | `crashed` | the engine failed inside; open the files again |
 * | `closed` | it was closed |
 * | `cancelled` | the file's opening was aborted |
 * | `unsupported` | the platform lacks something: WebAssembly with SIMD, workers or their scripts |
 */
export class EngineError extends Error {
  readonly code: string;
  readonly position?: number;

  constructor(code: string, message: string, position?: number) {
    super(message);
    this.name = "EngineError";
    this.code = code;
    if (position !== undefined) this.position = position;
  }
}
