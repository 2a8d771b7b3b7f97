// Opened files as the page holds them: the other end of the engine's port.

import { type Asked, EngineError, type OpenOptions, type Opened, type Progress } from "./api.js";
import type { Connected } from "./begin.js";
import { errorOf } from "./fault.js";
import type { Command, Event, State } from "./protocol.js";

/** Statuses of responses without a body (Fetch, 2.2.3). */
const BODILESS = new Set([101, 204, 205, 304]);

type Answers = Extract<Event, { id: number }>;

interface Waiting {
  settle(answer: Answers): void;
  fail(reason: unknown): void;
}

export class Session implements Opened {
  onprogress: ((progress: Progress) => void) | null;
  progress: Progress = { files: [], bytes: 0, size: 0, records: 0, rejected: 0, done: true };
  ready!: Promise<Progress>;
  #engine: Connected;
  #waiting = new Map<number, Waiting>();
  #numbers = 0;
  #opened = 0;
  #over: EngineError | undefined;
  #settleReady!: { resolve(progress: Progress): void; reject(reason: unknown): void };

  constructor(engine: Connected, onprogress: OpenOptions["onprogress"]) {
    this.#engine = engine;
    this.onprogress = onprogress ?? null;
    this.#unready();
    engine.port.onmessage = (event) => this.#take(event);
    engine.onfailure = (fault) => this.#end(errorOf(fault));
  }

  async add(files: (File | Blob)[], options: { signal?: AbortSignal; format?: string } = {}): Promise<void> {
    const { signal, format } = options;
    signal?.throwIfAborted();
    if (this.progress.done) this.#unready();
    const sources = files.map((blob) => {
      this.#opened += 1;
      const { name = `file-${this.#opened}`, lastModified = Date.now() } = blob as Partial<File>;
      return { blob, name, modified: lastModified };
    });
    try {
      await this.#ask((id) => ({ op: "open", id, sources, format }), signal);
    } catch (error) {
      // they were too many; after an abort they are there, and have failed
      if (error instanceof EngineError && error.code === "query") {
        this.#opened -= files.length;
        this.#settle();
      }
      throw error;
    }
  }

  async answer(request: Asked, { signal }: { signal?: AbortSignal } = {}): Promise<Response> {
    const asked = typeof request === "string" ? { url: request } : request;
    const { method = "GET", url, headers = {}, body = "" } = asked;
    const message = {
      op: "answer" as const,
      method,
      url: target(url),
      headers: [...new Headers(headers)].flat(),
      body: typeof body === "string" ? new TextEncoder().encode(body) : body,
    };
    const head = await this.#ask((id) => ({ ...message, id }), signal);
    if (head.op !== "head") throw new EngineError("crashed", `an answer began with ${head.op}`);
    const { status, headers: fields } = head;
    if (BODILESS.has(status) || method === "HEAD") return new Response(null, { status, headers: fields });
    const content = head.body ? (head.body as Uint8Array<ArrayBuffer>) : this.#stream(head.id, signal);
    return new Response(content, { status, headers: fields });
  }

  close(): void {
    this.#end(new EngineError("closed", "the files were closed"));
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** Sends a command and waits for the first answer to it. */
  #ask(command: (id: number) => Command, signal: AbortSignal | undefined): Promise<Answers> {
    this.#numbers += 1;
    const id = this.#numbers;
    return this.#wait(id, signal, () => this.#engine.port.post(command(id)));
  }

  #wait(id: number, signal: AbortSignal | undefined, send: () => void): Promise<Answers> {
    return new Promise((resolve, reject) => {
      if (this.#over) throw this.#over;
      signal?.throwIfAborted();
      const aborted = () => {
        this.#waiting.delete(id);
        this.#engine.port.post({ op: "cancel", id });
        reject(signal?.reason);
      };
      const over = () => {
        this.#waiting.delete(id);
        signal?.removeEventListener("abort", aborted);
      };
      this.#waiting.set(id, {
        settle: (answer) => {
          over();
          if (answer.op === "failed") reject(errorOf(answer.fault));
          else resolve(answer);
        },
        fail: (reason) => {
          over();
          reject(reason);
        },
      });
      signal?.addEventListener("abort", aborted, { once: true });
      send();
    });
  }

  /** The body of an answer, made as it is read. */
  #stream(id: number, signal: AbortSignal | undefined): ReadableStream<Uint8Array<ArrayBuffer>> {
    const cancel = () => {
      signal?.removeEventListener("abort", abort);
      this.#waiting.delete(id);
      if (!this.#over) this.#engine.port.post({ op: "cancel", id });
    };
    let fail = (_reason: unknown) => {};
    const abort = () => {
      cancel();
      fail(signal?.reason);
    };
    return new ReadableStream(
      {
        start(controller) {
          fail = (reason) => controller.error(reason);
          if (signal?.aborted) abort();
          else signal?.addEventListener("abort", abort, { once: true });
        },
        pull: async (controller) => {
          const answer = await this.#wait(id, undefined, () => this.#engine.port.post({ op: "pull", id }));
          if (answer.op === "part") return controller.enqueue(answer.bytes as Uint8Array<ArrayBuffer>);
          signal?.removeEventListener("abort", abort);
          controller.close();
        },
        cancel,
      },
      { highWaterMark: 0 },
    );
  }

  #take(event: Event): void {
    if (event.op === "progress") this.#show(event.files);
    else if (event.op === "crashed") this.#end(errorOf(event.fault));
    else this.#waiting.get(event.id)?.settle(event);
  }

  #show(states: State[]): void {
    const files = states.map((state) => ({ ...state, error: state.error && errorOf(state.error) }));
    const sum = (of: (file: State) => number) => states.reduce((total, file) => total + of(file), 0);
    this.progress = {
      files,
      bytes: sum((file) => file.bytes),
      size: sum((file) => file.size),
      records: sum((file) => file.records),
      rejected: sum((file) => file.rejected),
      done: states.every((file) => file.done),
    };
    this.#settle();
    this.onprogress?.(this.progress);
  }

  #settle(): void {
    const { done, files } = this.progress;
    if (done && files.length === this.#opened) this.#settleReady.resolve(this.progress);
  }

  #unready(): void {
    this.ready = new Promise((resolve, reject) => (this.#settleReady = { resolve, reject }));
    // who does not ask for it need not hear that it will never come
    this.ready.catch(() => {});
  }

  #end(error: EngineError): void {
    if (this.#over) return;
    this.#over = error;
    this.#engine.release();
    for (const waiting of [...this.#waiting.values()]) waiting.fail(error);
    this.#settleReady.reject(error);
  }
}

/** The path and query of a URL, which may be relative or whole, with what must be escaped. */
function target(url: string): string {
  const { pathname, search } = new URL(url, "http://reqlog.invalid");
  return pathname + search;
}
