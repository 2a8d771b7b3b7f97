// The one thing that views and state know of where records come from.
import type { ReadonlySignal } from "@preact/signals";

export interface Asked {
  method?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** How far an input is read; a server is always done. */
export interface Growth {
  /** Records that can be asked for. */
  records: number;
  /** Lines or entries that could not be read. */
  rejected: number;
  /** Bytes read, and in all. */
  bytes: number;
  size: number;
  done: boolean;
  files: OpenedFile[];
}

export interface OpenedFile {
  name: string;
  format: string | null;
  size: number;
  bytes: number;
  records: number;
  rejected: number;
  errors: { line: number; reason: string; excerpt: string }[];
  error: { code: string; message: string } | null;
  done: boolean;
}

/** What is read once more with its secrets; give it back by `close`. */
export interface Unredacted {
  readonly backend: Backend;
  close(): void;
}

export interface Backend {
  readonly kind: "server" | "file" | "demo";
  /** What the header shows: a host, a file's name. */
  readonly name: ReadonlySignal<string>;
  readonly growth: ReadonlySignal<Growth>;
  /** Asks reqlog's own API; `path` begins with `/api/v1/`. Streams come through the body. */
  request(path: string, asked?: Asked): Promise<Response>;
  /**
   * The same records, by the same ids, with the secrets that are replaced everywhere else; only where the origin of the records is at hand.
   * Resolves when all is read again, and rejects where that is not what it was.
   */
  readonly unredacted?: ((signal: AbortSignal, onprogress: (growth: Growth) => void) => Promise<Unredacted>) | undefined;
}
