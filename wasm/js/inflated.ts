// Where inflated bytes are kept until the files are closed: in memory, and in the origin's private file system when they are many.

import type { Settings } from "./protocol.js";

/** Bytes that wait to be written at most. */
const HEAVY = 8 << 20;

// what a worker's files can do beside
declare global {
  interface FileSystemFileHandle {
    createSyncAccessHandle(): Promise<{ write(bytes: Uint8Array, options: { at: number }): number; close(): void }>;
  }
}

/** The inflated bytes of one file on their way into parts, which together are all of it. */
export class Inflated {
  #settings: Settings;
  #place: number;
  #waiting: Uint8Array<ArrayBuffer>[] = [];
  #weight = 0;
  #inMemory = 0;
  #written = 0;

  constructor(settings: Settings, place: number) {
    this.#settings = settings;
    this.#place = place;
  }

  add(bytes: Uint8Array): void {
    this.#waiting.push(bytes as Uint8Array<ArrayBuffer>);
    this.#weight += bytes.length;
  }

  get isHeavy(): boolean {
    return this.#weight >= HEAVY;
  }

  /** What was added since, as a part that is not in this realm's memory; none if there is nothing. */
  async take(): Promise<Blob | undefined> {
    if (this.#weight === 0) return undefined;
    const [waiting, weight] = [this.#waiting, this.#weight];
    [this.#waiting, this.#weight] = [[], 0];
    const { directory, inflatedBytes } = this.#settings;
    if (directory === undefined || this.#inMemory + weight <= inflatedBytes) {
      this.#inMemory += weight;
      return new Blob(waiting);
    }
    return this.#write(directory, waiting);
  }

  async #write(directory: string, waiting: Uint8Array<ArrayBuffer>[]): Promise<Blob> {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle(directory, { create: true });
    this.#written += 1;
    const file = await folder.getFileHandle(`${this.#place}-${this.#written}`, { create: true });
    const access = await file.createSyncAccessHandle();
    try {
      let at = 0;
      for (const bytes of waiting) at += access.write(bytes, { at });
    } finally {
      access.close();
    }
    return file.getFile();
  }
}
