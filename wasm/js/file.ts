// One opened file: its plain bytes, the portions it is cut into, and what it has come to.

import type { Fault, Opening, Source, State } from "./protocol.js";
import type { bindings } from "./module.js";

/** Bytes of the first portion, so that there are rows at once. */
const FIRST_PORTION = 512 << 10;

/** Part of a file on its way into the store. */
export interface Portion {
  file: OpenedFile;
  start: number;
  end: number;
  /** The line it begins on, where a cutter said so; then its borders are exact. */
  line: number | undefined;
  /** What it came to; portions are adopted in their order. */
  indexed: Uint8Array | undefined;
}

export class OpenedFile {
  readonly opening: Opening;
  readonly blob: Blob;
  readonly state: State;
  /** What the command that opened it is answered by. */
  readonly command: number;
  input: bindings.Input | undefined;
  /** Its first plain bytes, as long as there is something to be indexed. */
  first: Uint8Array = new Uint8Array();
  /** Not given to an indexer yet, in order. */
  waiting: Portion[] = [];
  /** Not adopted yet, in order. */
  pending: Portion[] = [];
  /** Whether all portions are known. */
  isCut = false;
  /** What is cut off at its end. */
  tail: Uint8Array | undefined;
  fault: Fault | undefined;
  // of inflated bytes: parts and where each ends
  #parts: { blob: Blob; end: number }[] | undefined;
  #consumed = 0;
  #indexed = 0;

  constructor(source: Source, opening: Opening, command: number) {
    this.blob = source.blob;
    this.opening = opening;
    this.command = command;
    const { name, blob } = source;
    this.state = { name, format: null, size: blob.size, bytes: 0, records: 0, rejected: 0, errors: [], error: null, done: false };
  }

  get place(): number {
    return this.opening.place;
  }

  /** From now on its plain bytes are those of its parts. */
  inflate(): void {
    this.#parts = [];
  }

  part(blob: Blob, consumed: number): void {
    this.#parts?.push({ blob, end: this.#size + blob.size });
    this.#consumed = consumed;
  }

  /** Whether nothing of it is with an indexer, or will be. */
  get isRead(): boolean {
    return this.isCut && this.pending.every(({ indexed }) => indexed);
  }

  get #size(): number {
    return this.#parts ? (this.#parts.at(-1)?.end ?? 0) : this.blob.size;
  }

  /** Plain bytes, as many of these as there are. */
  plain(start: number, end: number): Blob {
    if (!this.#parts) return this.blob.slice(start, end);
    const slices = [];
    for (let at = firstBehind(this.#parts, start); at < this.#parts.length; at += 1) {
      const part = this.#parts[at]!;
      const begin = part.end - part.blob.size;
      if (begin >= end) break;
      slices.push(part.blob.slice(Math.max(0, start - begin), Math.min(part.blob.size, end - begin)));
    }
    return slices.length === 1 ? slices[0]! : new Blob(slices);
  }

  /** Cuts a file that can be cut anywhere: small pieces first, later ones of `most` bytes or less, so that all indexers have some. */
  split(most: number, indexers: number): void {
    const even = Math.ceil(this.blob.size / (2 * indexers));
    const target = Math.max(2 * FIRST_PORTION, Math.min(most, even));
    for (let start = 0; start < this.blob.size; ) {
      const end = Math.min(start + (start === 0 ? FIRST_PORTION : target), this.blob.size);
      this.cut(start, end, undefined);
      start = end;
    }
    this.isCut = true;
  }

  cut(start: number, end: number, line: number | undefined): void {
    const portion = { file: this, start, end, line, indexed: undefined };
    this.waiting.push(portion);
    this.pending.push(portion);
  }

  /** A portion came to this. */
  indexed(portion: Portion, bytes: Uint8Array): void {
    portion.indexed = bytes;
    this.#indexed += portion.end - portion.start;
    const share = this.#parts ? this.#consumed / Math.max(1, this.#size) : 1;
    this.state.bytes = Math.min(this.state.size, Math.max(this.state.bytes, Math.floor(this.#indexed * share)));
  }

  /** Nothing of it will be indexed any more. */
  finish(): void {
    this.first = new Uint8Array();
    this.tail = undefined;
  }

  /** Takes no more of it; what was adopted stays. */
  fail(fault: Fault): void {
    this.fault ??= fault;
    this.isCut = true;
    this.waiting = [];
    this.pending = [];
    this.tail = undefined;
  }
}

function firstBehind(parts: { end: number }[], offset: number): number {
  let [low, high] = [0, parts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (parts[middle]!.end <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
