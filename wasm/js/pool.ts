// The indexers that an engine has: hired when there is something to read, dismissed when all of it is read, because an instance never
// gives memory back.

import type { OpenedFile, Portion } from "./file.js";
import type { Port, Reply, Settings, Task } from "./protocol.js";

/** How many portions an indexer has at a time, so that it reads one while it parses another. */
const AHEAD = 2;

/** Where indexers come from. */
export interface Staff {
  /** Connections to new ones, of the hire with this number, from 1; what they are sent may wait until they are there. */
  hire(number: number): Port<Reply, Task>[];
  /** Ends all of them. */
  dismiss(): void;
}

interface Indexer {
  port: Port<Reply, Task>;
  tasks: Set<number>;
  /** Places that it was told of. */
  files: Set<number>;
}

/** Part of a file that is being indexed; without a portion, the file is being scanned. */
export interface Assigned {
  indexer: Indexer;
  file: OpenedFile;
  portion: Portion | undefined;
}

export class Pool {
  #staff: Staff;
  #onreply: (reply: Reply) => void;
  #indexers: Indexer[] = [];
  #hires = 0;
  #tasks = new Map<number, Assigned>();
  #numbers = 0;

  constructor(staff: Staff, onreply: (reply: Reply) => void) {
    this.#staff = staff;
    this.#onreply = onreply;
  }

  /** Whether those of this hire are there. */
  has(hire: number): boolean {
    return this.size > 0 && hire === this.#hires;
  }

  get size(): number {
    return this.#indexers.length;
  }

  /** Before anything is given to them. */
  hire(): void {
    if (this.size > 0) return;
    this.#hires += 1;
    this.#indexers = this.#staff.hire(this.#hires).map((port) => ({ port, tasks: new Set(), files: new Set() }));
    for (const { port } of this.#indexers) port.onmessage = this.#onreply;
  }

  /** When no file wants anything any more. What was cancelled and still goes on ends with them. */
  dismiss(): void {
    if (this.size === 0) return;
    for (const { port } of this.#indexers) port.onmessage = null;
    this.#indexers = [];
    this.#tasks.clear();
    this.#staff.dismiss();
  }

  /** Whether one of them has few portions. */
  get isIdle(): boolean {
    return this.#least.tasks.size < AHEAD;
  }

  get #least(): Indexer {
    return this.#indexers.reduce((best, other) => (other.tasks.size < best.tasks.size ? other : best));
  }

  scan(file: OpenedFile, compression: string | undefined, settings: Settings): void {
    const { opening, blob } = file;
    const { indexer, task } = this.#assign(file, undefined);
    indexer.port.post({ op: "scan", task, opening, blob, compression, settings });
  }

  index(portion: Portion): void {
    const { file, start, end, line } = portion;
    const { place, opening, first } = file;
    const { indexer, task } = this.#assign(file, portion);
    if (!indexer.files.has(place)) {
      indexer.files.add(place);
      indexer.port.post({ op: "file", opening, first });
    }
    const exact = line !== undefined;
    // a line may go on behind its portion
    const [blob, base] = exact ? [file.plain(start, end), start] : [file.blob, 0];
    indexer.port.post({ op: "index", task, place, blob, base, start, end, exact });
  }

  #assign(file: OpenedFile, portion: Portion | undefined): { indexer: Indexer; task: number } {
    const indexer = this.#least;
    this.#numbers += 1;
    this.#tasks.set(this.#numbers, { indexer, file, portion });
    indexer.tasks.add(this.#numbers);
    return { indexer, task: this.#numbers };
  }

  /** What a reply is about; nothing where it was cancelled. */
  assigned(task: number): Assigned | undefined {
    return this.#tasks.get(task);
  }

  /** A task is answered. */
  release(task: number): void {
    this.#tasks.get(task)?.indexer.tasks.delete(task);
    this.#tasks.delete(task);
  }

  /** Nobody wants anything of a file any more. */
  cancel(file: OpenedFile): void {
    for (const [task, assigned] of this.#tasks) {
      if (assigned.file !== file) continue;
      assigned.indexer.port.post({ op: "cancel", task });
      this.release(task);
    }
  }
}
