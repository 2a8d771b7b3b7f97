// The engine, wherever it runs: one store of all files, fed by indexers, asked by the page.

import { Answers } from "./answers.js";
import { faultOf, isTrap } from "./fault.js";
import { OpenedFile } from "./file.js";
import { inputOf } from "./indexer.js";
import { bindings } from "./module.js";
import { Pool, type Staff } from "./pool.js";
import type { Command, Event, Fault, Port, Reply, Settings } from "./protocol.js";
import { FIRST } from "./scan.js";

/** Milliseconds between two states that the page is told. */
const PACE = 50;
/** How many files can be opened together. */
const PLACES = 256;

export class Engine {
  #port: Port<Command, Event>;
  #settings: Settings;
  #pool: Pool;
  #store: bindings.Store;
  #answers: Answers;
  #key = crypto.getRandomValues(new Uint8Array(32));
  #files: OpenedFile[] = [];
  /** The first file that is not done. */
  #current = 0;
  /** Commands to open that are not answered. */
  #opening = new Set<number>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(port: Port<Command, Event>, staff: Staff, settings: Settings) {
    this.#port = port;
    this.#settings = settings;
    this.#store = new bindings.Store("{}", this.#key, settings.cacheBytes);
    this.#answers = new Answers(port, this.#store, (place) => this.#files[place]);
    this.#pool = new Pool(staff, (reply) => this.#guard(() => this.#reply(reply)));
    port.onmessage = (command) => this.#guard(() => this.#take(command));
  }

  /** Ends all work in a thread that goes on. */
  close(): void {
    clearTimeout(this.#timer);
    this.#answers.close();
    for (const file of this.#files) file.input?.free();
    this.#store.free();
  }

  /** After a trap nothing can be relied on. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#port.post({ op: "crashed", fault: { ...faultOf(error), code: "crashed" } });
    }
  }

  #take(command: Command): void {
    switch (command.op) {
      case "open":
        this.#open(command);
        break;
      case "answer":
        this.#answers.begin(command);
        break;
      case "pull":
        this.#answers.pull(command.id);
        break;
      case "cancel":
        this.#answers.cancel(command.id);
        this.#cancel(command.id);
        break;
      case "lose":
        this.#lose(command.hire, command.fault);
    }
  }

  #open({ id, sources, format }: Extract<Command, { op: "open" }>): void {
    if (this.#files.length + sources.length > PLACES) {
      const fault = { code: "query", message: `at most ${PLACES} files can be opened together` };
      this.#port.post({ op: "failed", id, fault });
      return;
    }
    const opened = sources.map((source) => {
      const key = this.#settings.redact ? this.#key : undefined;
      const opening = { place: this.#files.length, name: source.name, format, modified: source.modified, key };
      const file = new OpenedFile(source, opening, id);
      this.#files.push(file);
      return file;
    });
    this.#opening.add(id);
    if (opened.length > 0) this.#pool.hire();
    for (const file of opened) void this.#prepare(file);
    this.#settle();
  }

  #cancel(id: number): void {
    if (!this.#opening.delete(id)) return;
    for (const file of this.#files) {
      if (file.command === id) this.#fail(file, { code: "cancelled", message: "its opening was cancelled" });
    }
    this.#settle();
  }

  /** Who indexes cannot go on: fails what is not read, and is ready to hire others. */
  #lose(hire: number, fault: Fault): void {
    // they were dismissed before it was known
    if (!this.#pool.has(hire)) return;
    for (const file of this.#files) {
      if (!file.isRead) this.#fail(file, fault);
    }
    this.#settle();
  }

  /** Finds out what a file is. */
  async #prepare(file: OpenedFile): Promise<void> {
    try {
      const first = new Uint8Array(await file.blob.slice(0, FIRST).arrayBuffer());
      if (file.fault) return;
      const compression = bindings.compression(first, file.state.name);
      if (compression !== undefined) {
        file.inflate();
        this.#pool.scan(file, compression, this.#settings);
      } else {
        this.#begin(file, first);
        if (file.input?.splits()) file.split(this.#settings.portionBytes, this.#pool.size);
        else if (file.input) this.#pool.scan(file, undefined, this.#settings);
        else file.isCut = true;
      }
    } catch (error) {
      this.#guard(() => {
        if (isTrap(error)) throw error;
        this.#fail(file, faultOf(error));
      });
    }
    this.#guard(() => {
      this.#settle();
      this.#schedule();
    });
  }

  /** Its plain bytes begin with these; throws where they are of no format. */
  #begin(file: OpenedFile, first: Uint8Array): void {
    file.first = first;
    file.input = inputOf(file.opening, first);
    if (!file.input) return;
    file.state.format = file.input.format();
    this.#store.insert(file.place, file.input);
  }

  #reply(reply: Reply): void {
    const assigned = this.#pool.assigned(reply.task);
    // it was cancelled
    if (!assigned) return;
    const { file, portion } = assigned;
    switch (reply.op) {
      case "indexed":
        this.#pool.release(reply.task);
        if (portion) file.indexed(portion, reply.bytes);
        this.#settle();
        break;
      case "first":
        // the one who scans it has read it as well
        this.#begin(file, reply.bytes);
        break;
      case "part":
        file.part(reply.blob, reply.consumed);
        break;
      case "cut":
        file.cut(reply.start, reply.end, reply.line);
        break;
      case "scanned":
        this.#pool.release(reply.task);
        file.tail = reply.tail;
        file.fault ??= reply.fault;
        file.isCut = true;
        this.#settle();
        break;
      case "failed":
        this.#pool.release(reply.task);
        this.#fail(file, reply.fault);
        this.#settle();
        break;
      case "lost":
        this.#pool.release(reply.task);
        // what is half done cannot be gone on with
        if (portion) file.waiting.unshift(portion);
        else this.#fail(file, { code: "crashed", message: "the engine failed inside while it read another file" });
        this.#settle();
    }
    this.#schedule();
  }

  /** Gives portions to those who have few, in the order of files. */
  #schedule(): void {
    for (let at = this.#current; at < this.#files.length; at += 1) {
      const { waiting } = this.#files[at]!;
      while (waiting.length > 0) {
        if (!this.#pool.isIdle) return;
        this.#pool.index(waiting.shift()!);
      }
    }
  }

  #fail(file: OpenedFile, fault: Fault): void {
    file.fail(fault);
    this.#pool.cancel(file);
  }

  /** Adopts what is at its turn, and tells the page. */
  #settle(): void {
    for (let file = this.#files[this.#current]; file; file = this.#files[this.#current]) {
      while (file.pending[0]?.indexed) {
        const { indexed, line } = file.pending.shift()!;
        this.#adopt(file, indexed!, line);
      }
      if (!file.isCut || file.pending.length > 0) break;
      if (file.tail) {
        this.#adopt(file, file.tail, 1);
        const last = file.state.errors.at(-1);
        const where = last && file.state.rejected <= file.state.errors.length ? `: ${last.reason} (line ${last.line})` : "";
        file.fault ??= { code: "corrupt", message: `the file breaks off${where}` };
      }
      Object.assign(file.state, { error: file.fault ?? null, done: true, bytes: file.fault ? file.state.bytes : file.state.size });
      file.finish();
      this.#current += 1;
    }
    // before the page hears of it
    if (this.#current === this.#files.length) this.#pool.dismiss();
    this.#tell();
  }

  #adopt(file: OpenedFile, indexed: Uint8Array, line: number | undefined): void {
    Object.assign(file.state, JSON.parse(this.#store.adopt(file.place, indexed, line)));
  }

  #tell(): void {
    const isOver = this.#current === this.#files.length;
    const answered = [...this.#opening].filter((id) => {
      const files = this.#files.filter((file) => file.command === id);
      return files.some(({ state }) => state.records > 0) || files.every(({ state }) => state.done);
    });
    if (!isOver && answered.length === 0) {
      this.#timer ??= setTimeout(() => this.#show(), PACE);
      return;
    }
    this.#show();
    for (const id of answered) {
      this.#opening.delete(id);
      this.#port.post({ op: "opened", id });
    }
  }

  #show(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#port.post({ op: "progress", files: this.#files.map(({ state }) => ({ ...state })) });
  }
}
