// What one answer reads of the opened files. Short reads are done side by side; long ones come in pieces, of which the next
// ones are read while one is looked at.

import type { OpenedFile } from "./file.js";

/** Bytes of a piece; pieces begin at multiples of it. To read 4 MiB takes Chromium longer than half of 32 MiB. */
const PIECE = 16 << 20;
/** How many pieces are read before they are asked for: a browser takes longer for one than a filter does. */
const AHEAD = 2;
/** Shorter reads are done without pieces, side by side. */
const LONG = 256 << 10;

/** Bytes of a file from a first on up to a last, which is left out. */
export type Read = [place: number, start: number, end: number];

interface Piece {
  place: number;
  number: number;
  bytes: Promise<Uint8Array>;
}

export class Reads {
  #file: (place: number) => OpenedFile | undefined;
  /** Those that were wanted last are the last. */
  #pieces: Piece[] = [];
  /** The last piece that was not held, and where it went from the one before. */
  #missed: { place: number; number: number; step: number } | undefined;

  constructor(file: (place: number) => OpenedFile | undefined) {
    this.#file = file;
  }

  /** Begins a read if it is short. What is returned goes on with it: to all its bytes, or as many as are there at once, none
   * at the file's end. */
  begin([place, start, end]: Read): () => Promise<Uint8Array> {
    const isHeld = this.#holds(place, Math.floor(start / PIECE));
    if (end - start >= LONG && !isHeld) return () => this.#long(place, start, end);
    const bytes = isHeld ? this.#long(place, start, end) : this.#bytes(place, start, end);
    // whoever uses it hears of it
    bytes.catch(() => {});
    return () => bytes;
  }

  #holds(place: number, number: number): boolean {
    return this.#pieces.some((piece) => piece.place === place && piece.number === number);
  }

  async #long(place: number, start: number, end: number): Promise<Uint8Array> {
    const number = Math.floor(start / PIECE);
    if (!this.#holds(place, number)) {
      const { place: before, number: from } = this.#missed ?? { place: -1, number };
      this.#missed = { place, number, step: before === place ? Math.sign(number - from) : 0 };
    }
    const bytes = this.#piece(place, number);
    const step = this.#missed?.place === place ? this.#missed.step : 0;
    for (let next = 1; next <= AHEAD && step !== 0 && number + next * step >= 0; next += 1) {
      void this.#piece(place, number + next * step);
    }
    const base = number * PIECE;
    return (await bytes).subarray(start - base, end - base);
  }

  #piece(place: number, number: number): Promise<Uint8Array> {
    const at = this.#pieces.findIndex((piece) => piece.place === place && piece.number === number);
    const [held] = at < 0 ? [] : this.#pieces.splice(at, 1);
    const bytes = held?.bytes ?? this.#bytes(place, number * PIECE, (number + 1) * PIECE);
    // whoever uses it hears of it
    bytes.catch(() => {});
    this.#pieces.push({ place, number, bytes });
    // this one, those ahead, and the one before, where a read may have begun
    if (this.#pieces.length > AHEAD + 2) this.#pieces.shift();
    return bytes;
  }

  async #bytes(place: number, start: number, end: number): Promise<Uint8Array> {
    const file = this.#file(place);
    if (!file) throw new Error(`there is no file ${place}`);
    return new Uint8Array(await file.plain(start, end).arrayBuffer());
  }
}
