// Reads and parses, wherever it runs: portions of files, and files that are read from their beginning.

import { faultOf, isTrap } from "./fault.js";
import { bindings, reset } from "./module.js";
import type { Opening, Port, Reply, Task } from "./protocol.js";
import { scan } from "./scan.js";

/** Bytes that are read at a time. */
const READ = 8 << 20;

interface Known {
  opening: Opening;
  first: Uint8Array;
  input: bindings.Input | undefined;
}

/** A task was cancelled; it is not answered. */
class Cancelled extends Error {}

export class Indexer {
  #port: Port<Task, Reply>;
  #files = new Map<number, Known>();
  #running = new Set<number>();
  /** How many instances were lost. */
  #losses = 0;

  constructor(port: Port<Task, Reply>) {
    this.#port = port;
    port.onmessage = (task) => this.#take(task);
  }

  /** Ends all work in a thread that goes on. */
  close(): void {
    this.#running.clear();
    for (const known of this.#files.values()) known.input?.free();
    this.#files.clear();
  }

  #take(task: Task): void {
    if (task.op === "file") this.#files.set(task.opening.place, { ...task, input: undefined });
    else if (task.op === "cancel") this.#running.delete(task.task);
    else void this.#run(task);
  }

  async #run(task: Extract<Task, { blob: Blob }>): Promise<void> {
    const losses = this.#losses;
    this.#running.add(task.task);
    const read = async (start: number, end: number) => {
      const bytes = await task.blob.slice(start, Math.min(end, start + READ)).arrayBuffer();
      if (!this.#running.has(task.task)) throw new Cancelled();
      return new Uint8Array(bytes);
    };
    try {
      if (task.op === "scan") await scan(task, read, this.#port);
      else await this.#index(task, read);
    } catch (error) {
      if (error instanceof Cancelled) return;
      if (losses !== this.#losses) {
        this.#port.post({ op: "lost", task: task.task });
        return;
      }
      if (isTrap(error)) this.#lose();
      this.#port.post({ op: "failed", task: task.task, fault: faultOf(error) });
    } finally {
      this.#running.delete(task.task);
    }
  }

  /** A new instance; whatever was under way in the old one fails at its next step. */
  #lose(): void {
    this.#losses += 1;
    reset();
    for (const known of this.#files.values()) known.input = undefined;
  }

  async #index(task: Extract<Task, { op: "index" }>, read: (start: number, end: number) => Promise<Uint8Array>): Promise<void> {
    const portion = new bindings.Portion(this.#input(task.place), task.start, task.end, task.exact);
    try {
      for (let want = portion.want(); want; want = portion.want()) {
        const [start, end] = want as unknown as [number, number];
        portion.push(await read(start - task.base, end - task.base));
      }
    } catch (error) {
      if (error instanceof Cancelled) portion.free();
      throw error;
    }
    const bytes = portion.finish();
    this.#port.post({ op: "indexed", task: task.task, bytes }, [bytes.buffer]);
  }

  #input(place: number): bindings.Input {
    const known = this.#files.get(place);
    if (!known) throw new Error(`no file ${place} was told of`);
    known.input ??= inputOf(known.opening, known.first);
    if (!known.input) throw new Error(`there is nothing in file ${place}`);
    return known.input;
  }
}

/** The input that begins with these bytes; none where there is nothing. Throws with the code `format`. */
export function inputOf({ place, name, format, modified, key }: Opening, first: Uint8Array): bindings.Input | undefined {
  return bindings.Input.open(place, first, name, format, modified, key);
}
