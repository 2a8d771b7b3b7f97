// The answer to one question as a list by index: windows of rows, loaded where they are looked at, of one snapshot of the data.
import { signal } from "@preact/signals";
import type { Backend } from "../backend/backend";
import { get, type Direction, type LogRecord, type Page, type Sort } from "../lib/api";

/** Rows of a window, as a page of the API has them. */
export const WINDOW = 200;
/** How many windows are kept: those that were looked at longest ago go first. */
const KEPT = 64;
/** After a jump, how long the view must stay before windows are asked for: what a dragged thumb passes is not loaded. */
const SETTLED_MS = 60;

export interface Question {
  q: string;
  sort: Sort;
  direction: Direction;
}

export const isSame = (a: Question, b: Question): boolean => a.q === b.q && a.sort === b.sort && a.direction === b.direction;

interface Window {
  records: readonly LogRecord[];
  /** The projection that `records` have; empty while nothing has come. */
  fields: string;
  loading: AbortController | null;
  failed: boolean;
}

/** What an order is by: its key in queries, the members of a record it is made of, and its value, absent where the record has none. */
const ORDERS: Record<Sort, { key: string | null; fields: string; value: (record: LogRecord) => string | number | undefined }> = {
  time: { key: "time", fields: "time", value: ({ time }) => time },
  duration: { key: "duration", fields: "duration_ms", value: (record) => record.duration_ms },
  status: { key: "status", fields: "status", value: ({ status }) => status },
  size: { key: "size", fields: "size", value: ({ size }) => size },
  // arrival has no key in queries
  arrival: { key: null, fields: "seq", value: ({ seq }) => seq },
};

/** RFC 3339 in UTC as text that sorts by time: with all nine digits. */
const sortable = (time: string): string => time.slice(0, 19) + (/\.(\d+)/.exec(time)?.[1] ?? "").padEnd(9, "0");

/** Whether one value of an order is less than another; an absent one is less than all. */
function isLess(a: string | number | undefined, b: string | number | undefined): boolean {
  if (a === undefined || b === undefined) return a === undefined && b !== undefined;
  return typeof a === "string" && typeof b === "string" ? sortable(a) < sortable(b) : a < b;
}

/** Whether a projection has all members of another. */
function covers(fields: string, other: string): boolean {
  if (fields === other) return true;
  const has = new Set(fields.split(","));
  return other.split(",").every((field) => has.has(field));
}

export class Snapshot {
  total = 0;
  hints: readonly string[] = [];
  /** What the first page cost. */
  scanned: Page["scanned"] | null = null;
  /** Counted up when rows have come. */
  readonly changed = signal(0);
  /** Why rows that are looked at did not come. */
  readonly error = signal<Error | null>(null);
  /** Whether rows that were promised are no longer there. */
  readonly outdated = signal(false);

  readonly #backend: Backend;
  readonly #windows = new Map<number, Window>();
  #fields: string;
  #cursor: string | null = null;
  #wanted: readonly number[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(backend: Backend, readonly question: Question, fields: string) {
    this.#backend = backend;
    this.#fields = fields;
  }

  /** Asks for the first window, how many rows there are in all, and the snapshot that other windows are of. */
  async begin(signal: AbortSignal): Promise<void> {
    const fields = this.#fields;
    const page = await this.#page({ offset: 0, total: "exact", fields }, signal);
    this.total = page.total ?? page.items.length;
    this.#cursor = page.next;
    this.hints = page.hints ?? [];
    this.scanned = page.scanned;
    this.#windows.set(0, { records: page.items, fields, loading: null, failed: false });
  }

  row(index: number): LogRecord | undefined {
    return this.#windows.get(Math.floor(index / WINDOW))?.records[index % WINDOW];
  }

  /** Where a record stands, if it is in what was loaded. */
  indexOf(id: string): number | null {
    for (const [window, { records }] of this.#windows) {
      const at = records.findIndex((record) => record.id === id);
      if (at >= 0) return window * WINDOW + at;
    }
    return null;
  }

  /** Loads what is looked at, rows `first` to `last`, and the window ahead (-1: above, 1: below); lets go of what was passed. */
  want(first: number, last: number, ahead: -1 | 1): void {
    const windows = this.#around(first, last, ahead);
    const isJump = this.#wanted.length > 0 && !windows.some((window) => this.#wanted.includes(window));
    this.#wanted = windows;
    for (const [number, window] of this.#windows) {
      if (window.loading && !windows.includes(number)) {
        window.loading.abort();
        window.loading = null;
        if (window.fields === "") this.#windows.delete(number);
      }
    }
    if (isJump) {
      if (this.#timer !== null) clearTimeout(this.#timer);
      this.#timer = setTimeout(() => {
        this.#timer = null;
        this.#load();
      }, SETTLED_MS);
    } else if (this.#timer === null) this.#load();
  }

  /** From now on rows have these members; those that were loaded with fewer are shown until they come again. */
  project(fields: string): void {
    if (fields === this.#fields) return;
    this.#fields = fields;
    this.#load();
  }

  /** Asks again for what failed. */
  retry(): void {
    this.error.value = null;
    for (const window of this.#windows.values()) window.failed = false;
    this.#load();
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const { loading } of this.#windows.values()) loading?.abort();
  }

  /** Loads the windows of rows `first` to `last`, to be there before they are looked at. */
  async reach(first: number, last: number, signal: AbortSignal): Promise<void> {
    const numbers = this.#around(first, last, null).filter((number) => !this.#windows.get(number));
    await Promise.all(numbers.map(async (number) => {
      const fields = this.#fields;
      const { items } = await this.#page({ offset: number * WINDOW, cursor: this.#cursor, fields }, signal);
      this.#put(number, items, fields);
    }));
  }

  /** Where a record stands, asked of the data if need be; null where it is none of these. */
  async find(record: LogRecord, signal: AbortSignal): Promise<number | null> {
    if (this.total === 0) return null;
    const near = this.indexOf(record.id);
    if (near !== null) return near;
    const { key, value } = ORDERS[this.question.sort];
    const sought = value(record);
    // counted in data that may be newer than this: most often right, or nearly
    const count = key !== null && sought !== undefined ? await this.#before(`${key}:`, sought, signal) : 0;
    const guess = Math.min(count, this.total - 1);
    await this.reach(guess, guess + WINDOW / 2, signal);
    const there = this.indexOf(record.id);
    if (there !== null) return there;
    const at = await this.#bisect(sought, guess, signal);
    await this.reach(at, at + WINDOW / 2, signal);
    return this.indexOf(record.id);
  }

  /** How many records come before a value. */
  async #before(key: string, value: string | number, signal: AbortSignal): Promise<number> {
    const { q, direction } = this.question;
    const before = `${key}${direction === "desc" ? ">" : "<"}${value}`;
    const page = await get<Page>(this.#backend, "logs", { q: q ? `(${q}) ${before}` : before, limit: 1, fields: "id", total: "exact" }, signal);
    return page.total ?? 0;
  }

  /** The first row that does not come before a value: from a guess in growing steps, then by halves. */
  async #bisect(value: string | number | undefined, guess: number, signal: AbortSignal): Promise<number> {
    const isBefore = async (index: number): Promise<boolean> => {
      const at = await this.#value(index, signal);
      return this.question.direction === "desc" ? isLess(value, at) : isLess(at, value);
    };
    let [from, to] = [0, this.total];
    if (await isBefore(guess)) {
      from = guess + 1;
      for (let step = WINDOW; from + step < to; step *= 4) {
        if (!(await isBefore(from + step))) to = from + step;
        else from += step + 1;
      }
    } else {
      to = guess;
      for (let step = WINDOW; to - step > from; step *= 4) {
        if (await isBefore(to - step)) from = to - step + 1;
        else to -= step;
      }
    }
    while (from < to) {
      const middle = Math.floor((from + to) / 2);
      if (await isBefore(middle)) from = middle + 1;
      else to = middle;
    }
    return Math.min(from, this.total - 1);
  }

  /** What a row is ordered by. */
  async #value(index: number, signal: AbortSignal): Promise<string | number | undefined> {
    const { fields, value } = ORDERS[this.question.sort];
    const here = this.row(index);
    const of = here && value(here);
    if (of !== undefined) return of;
    const { items } = await this.#page({ offset: index, limit: 1, cursor: this.#cursor, fields }, signal);
    return items[0] && value(items[0]);
  }

  /** The windows of rows, in the order they are needed. */
  #around(first: number, last: number, ahead: -1 | 1 | null): number[] {
    const end = Math.ceil(this.total / WINDOW) - 1;
    const from = Math.max(0, Math.floor(first / WINDOW));
    const to = Math.min(end, Math.floor(last / WINDOW));
    const windows = Array.from({ length: Math.max(0, to - from + 1) }, (_, at) => from + at);
    if (ahead === 1 && to < end) windows.push(to + 1);
    if (ahead === -1 && from > 0) windows.push(from - 1);
    return windows;
  }

  #load(): void {
    for (const number of this.#wanted) {
      const window = this.#windows.get(number);
      if (window) {
        // to the end of the order in which windows are let go
        this.#windows.delete(number);
        this.#windows.set(number, window);
        if (window.loading || window.failed || covers(window.fields, this.#fields)) continue;
      }
      void this.#fetch(number, window ?? { records: [], fields: "", loading: null, failed: false });
    }
  }

  async #fetch(number: number, window: Window): Promise<void> {
    const abort = new AbortController();
    const fields = this.#fields;
    window.loading = abort;
    this.#windows.set(number, window);
    try {
      const { items } = await this.#page({ offset: number * WINDOW, cursor: this.#cursor, fields }, abort.signal);
      if (abort.signal.aborted) return;
      if (items.length < Math.min(WINDOW, this.total - number * WINDOW)) this.outdated.value = true;
      this.#put(number, items, fields);
      // columns were added while it was under way
      if (!covers(fields, this.#fields)) this.#load();
    } catch (error) {
      if (abort.signal.aborted) return;
      window.loading = null;
      window.failed = true;
      this.error.value = error as Error;
    }
  }

  #put(number: number, records: readonly LogRecord[], fields: string): void {
    this.#windows.delete(number);
    this.#windows.set(number, { records, fields, loading: null, failed: false });
    for (const old of this.#windows.keys()) {
      if (this.#windows.size <= KEPT) break;
      if (!this.#wanted.includes(old)) this.#windows.delete(old);
    }
    this.changed.value += 1;
  }

  #page(more: Record<string, string | number | null>, signal: AbortSignal): Promise<Page> {
    const { q, sort, direction } = this.question;
    return get<Page>(this.#backend, "logs", { q, sort, dir: direction, limit: WINDOW, ...more }, signal);
  }
}
