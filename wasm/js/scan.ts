// A file read from its first byte to its last: its compression undone, and the places found where it may be cut.

import { faultOf, isTrap } from "./fault.js";
import { inputOf } from "./indexer.js";
import { Inflated } from "./inflated.js";
import { bindings } from "./module.js";
import type { Port, Reply, Task } from "./protocol.js";

/** Bytes that tell what a file is. */
export const FIRST = 64 << 10;
/** Bytes between the places where it may be cut. */
const CUT = 1 << 20;
/** Bytes that are read at a time; of compressed ones few, because they may grow a thousand times. */
const READ = 4 << 20;
const READ_COMPRESSED = 256 << 10;
/** Bytes that are inflated at a time. */
const INFLATED = 1 << 20;

type Scanning = Extract<Task, { op: "scan" }>;
type Read = (start: number, end: number) => Promise<Uint8Array>;

/** Tells of what comes until `scanned`, which has what is wrong with the file. */
export async function scan(task: Scanning, read: Read, port: Port<Task, Reply>): Promise<void> {
  const cutting = new Cutting(task, port);
  let fault;
  try {
    const { blob, compression } = task;
    const passing = compression === undefined ? plain(read, blob.size) : inflated(compression, read, blob.size);
    for await (const { bytes, consumed } of passing) await cutting.push(bytes, consumed);
  } catch (error) {
    // what came before it stays
    fault = faultOf(error);
    if (fault.code === "crashed" || isTrap(error)) throw error;
  }
  try {
    const tail = await cutting.end();
    port.post({ op: "scanned", task: task.task, tail, fault });
  } catch (error) {
    if (isTrap(error) || !fault) throw error;
    port.post({ op: "scanned", task: task.task, tail: undefined, fault });
  }
}

interface Passing {
  bytes: Uint8Array;
  /** Bytes of the file that have been read. */
  consumed: number;
}

async function* plain(read: Read, size: number): AsyncGenerator<Passing> {
  for (let at = 0; at < size; at += READ) yield { bytes: await read(at, at + READ), consumed: Math.min(at + READ, size) };
}

async function* inflated(compression: string, read: Read, size: number): AsyncGenerator<Passing> {
  const inflater = new bindings.Inflater(compression);
  for (let at = 0; at < size; at += READ_COMPRESSED) {
    inflater.push(await read(at, at + READ_COMPRESSED));
    const consumed = Math.min(at + READ_COMPRESSED, size);
    for (let bytes = inflater.pull(INFLATED); bytes.length > 0; bytes = inflater.pull(INFLATED)) yield { bytes, consumed };
  }
  inflater.finish();
}

class Cutting {
  #task: Scanning;
  #port: Port<Task, Reply>;
  #kept: Inflated | undefined;
  #cutter: bindings.Cutter | undefined;
  /** What comes before it is known what the file is. */
  #first = new Uint8Array();
  #isBegun = false;
  #cut: { start: number; end: number; line: number } | undefined;
  #consumed = 0;
  #told = false;

  constructor(task: Scanning, port: Port<Task, Reply>) {
    this.#task = task;
    this.#port = port;
    if (task.compression !== undefined) this.#kept = new Inflated(task.settings, task.opening.place);
  }

  async push(bytes: Uint8Array, consumed: number): Promise<void> {
    this.#consumed = consumed;
    if (this.#isBegun) return this.#take(bytes);
    this.#first = joined(this.#first, bytes);
    if (this.#first.length >= FIRST) await this.#begin();
  }

  /** What is cut off at the end of the file, as a portion without a row. */
  async end(): Promise<Uint8Array | undefined> {
    if (!this.#isBegun) await this.#begin();
    const tail = this.#cutter?.finish();
    await this.#tell(true);
    await this.#keep();
    this.#cutter?.free();
    return tail;
  }

  async #begin(): Promise<void> {
    const bytes = this.#first;
    const first = bytes.slice(0, FIRST);
    this.#isBegun = true;
    this.#first = new Uint8Array();
    const input = inputOf(this.#task.opening, first);
    if (this.#kept) this.#port.post({ op: "first", task: this.#task.task, bytes: first }, [first.buffer]);
    if (!input) return;
    this.#cutter = new bindings.Cutter(input, CUT);
    input.free();
    await this.#take(bytes);
  }

  async #take(bytes: Uint8Array): Promise<void> {
    this.#cutter?.push(bytes);
    this.#kept?.add(bytes);
    await this.#tell(false);
    if (this.#kept?.isHeavy) await this.#keep();
  }

  /** Tells of cuts, the first as soon as it is known, later ones when they are long enough. */
  async #tell(all: boolean): Promise<void> {
    for (let cut = this.#cutter?.next(); cut; cut = this.#cutter?.next()) {
      const [start, end, line] = cut as unknown as [number, number, number];
      this.#cut = this.#cut ? { ...this.#cut, end } : { start, end, line };
      if (!this.#told || end - this.#cut.start >= this.#task.settings.portionBytes) await this.#send();
    }
    if (all) await this.#send();
  }

  async #send(): Promise<void> {
    const cut = this.#cut;
    if (!cut) return;
    this.#cut = undefined;
    this.#told = true;
    // its bytes go before it
    await this.#keep();
    this.#port.post({ op: "cut", task: this.#task.task, ...cut });
  }

  async #keep(): Promise<void> {
    const blob = await this.#kept?.take();
    if (blob) this.#port.post({ op: "part", task: this.#task.task, blob, consumed: this.#consumed });
  }
}

function joined(before: Uint8Array, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(before.length + bytes.length);
  all.set(before);
  all.set(bytes, before.length);
  return all;
}
