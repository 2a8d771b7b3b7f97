// Opened files: the engine's package answers the API over them, in workers of this page.
import { computed, signal } from "@preact/signals";
import type { Opened, OpenOptions, Progress } from "@reqlog/engine";
import type { Asked, Backend, Growth, Unredacted } from "./backend";
import { counted } from "./pending";

interface Engine {
  open(files: (File | Blob)[], options?: OpenOptions): Promise<Opened>;
}

/** Beside the scripts, with its workers and its module; loaded when the first file is opened. */
const ENGINE = "./engine/index.js";
let loading: Promise<Engine> | null = null;
/** Codes of a file's error that say nothing of the file. */
const ELSEWHERE = new Set(["crashed", "storage", "unsupported"]);

function engine(): Promise<Engine> {
  loading ??= (import(ENGINE) as Promise<Engine>).catch((error: unknown) => {
    loading = null;
    throw new Error("The engine that reads files could not be loaded.", { cause: error });
  });
  return loading;
}

export interface Opening {
  kind: "file" | "demo";
  signal: AbortSignal;
  /** How far the first rows have come. */
  onprogress(growth: Growth): void;
}

export class OpenedFiles implements Backend {
  readonly kind;
  readonly growth;
  readonly name = computed(() => named(this.kind, this.growth.value));
  /** Why the engine ended by itself; no answer comes any more. */
  readonly failure = signal<string | null>(null);
  readonly unredacted;
  readonly #opened: Opened;
  /** In the order of their places, by which records have ids. */
  readonly #files: File[];
  /** Aborted when these files are closed, and with them whatever was opened beside. */
  readonly #end = new AbortController();

  private constructor(kind: "file" | "demo", opened: Opened, files: readonly File[]) {
    this.kind = kind;
    this.#files = [...files];
    // the demo has no secrets
    this.unredacted = kind === "file" ? (signal: AbortSignal, onprogress: (growth: Growth) => void) => this.#again(signal, onprogress) : undefined;
    this.#opened = opened;
    this.growth = signal<Growth>(opened.progress);
    opened.onprogress = (progress) => (this.growth.value = progress);
    this.#watch();
  }

  /** Resolves when there are rows, or there will be none. Aborting closes the files. */
  static async open(files: readonly File[], { kind, signal, onprogress }: Opening): Promise<OpenedFiles> {
    const { open } = await engine();
    signal.throwIfAborted();
    const opened = await open([...files], { signal, onprogress: (progress: Progress) => onprogress(progress) });
    return new OpenedFiles(kind, opened, files);
  }

  /** More files on the same time line. */
  async add(files: readonly File[]): Promise<void> {
    this.#files.push(...files);
    await this.#opened.add([...files]);
    this.#watch();
  }

  request(path: string, asked: Asked = {}): Promise<Response> {
    const { method = "GET", headers = {}, signal } = asked;
    return counted(this.#opened.answer({ method, url: path, headers }, signal ? { signal } : {}));
  }

  close(): void {
    this.#end.abort(new DOMException("the files were closed", "AbortError"));
    this.#opened.close();
  }

  /** An opening of its own, so that nothing but what is asked of it sees secrets. */
  async #again(wanted: AbortSignal, onprogress: (growth: Growth) => void): Promise<Unredacted> {
    const signal = AbortSignal.any([wanted, this.#end.signal]);
    const { open } = await engine();
    signal.throwIfAborted();
    const again = [...this.#files];
    const opened = await open(again, { signal, redact: false, onprogress });
    const close = () => opened.close();
    signal.addEventListener("abort", close, { once: true });
    try {
      signal.throwIfAborted();
      const { files } = await opened.ready;
      // others may have been added meanwhile
      for (const [at, before] of this.growth.peek().files.slice(0, again.length).entries()) {
        const now = files[at];
        const isSame = now && now.records === before.records && now.error?.code === before.error?.code;
        if (!before.done || isSame) continue;
        if (now?.error && ELSEWHERE.has(now.error.code)) throw now.error;
        throw new Error(`${before.name} is not what it was when it was opened: open it again.`);
      }
      return { backend: new OpenedFiles(this.kind, opened, again), close };
    } catch (error) {
      close();
      signal.throwIfAborted();
      throw error;
    }
  }

  #watch(): void {
    this.#opened.ready.then(
      (progress) => (this.growth.value = progress),
      (error: unknown) => {
        if (!this.#end.signal.aborted) this.failure.value = error instanceof Error ? error.message : String(error);
      },
    );
  }
}

function named(kind: "file" | "demo", { files }: Growth): string {
  if (kind === "demo" && files.length === 1) return "Demo";
  const [first, ...others] = files;
  if (!first) return "No file";
  return others.length === 0 ? first.name : `${first.name} + ${others.length} more`;
}
