// Whole rows out of the bytes of an export, so that a stream that breaks off is cut between two of them and goes on there.

export type ExportFormat = "ndjson" | "csv" | "har" | "json";

const [QUOTE, COMMA, FEED, BACKSLASH, OPEN, CLOSE, LIST, UNLIST] = [0x22, 0x2c, 0x0a, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d];

/** Takes the bytes of one response. */
export abstract class Rows {
  /** Rows that are whole so far, of all responses. */
  count = 0;
  /** The id of the last whole row. */
  last: string | null = null;
  protected held: Uint8Array<ArrayBuffer> = new Uint8Array(0);

  /** Whether what follows a break can be put behind what came before it. */
  abstract readonly resumable: boolean;
  /** Another response, which begins after the row `last`. */
  abstract resume(): void;
  /** Whether the file is whole. */
  abstract readonly complete: boolean;
  /** The next bytes of the response; returns those to write, up to the end of a row. */
  abstract push(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>;

  static of(format: ExportFormat): Rows {
    if (format === "ndjson" || format === "csv") return new Lines(format);
    return new Members(format);
  }

  /** The bytes that are held back with these behind them. */
  protected joined(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    if (this.held.length === 0) return bytes;
    const all = new Uint8Array(this.held.length + bytes.length);
    all.set(this.held);
    all.set(bytes, this.held.length);
    return all;
  }
}

/** Rows that end with a line feed, in CSV one outside of quotes. */
class Lines extends Rows {
  readonly resumable = true;
  #quoted = false;
  /** CSV's first line names columns: of a response that resumes it is left out. */
  #header: "none" | "write" | "drop";
  readonly #csv: boolean;

  constructor(format: "ndjson" | "csv") {
    super();
    this.#csv = format === "csv";
    this.#header = this.#csv ? "write" : "none";
  }

  get complete(): boolean {
    return this.held.length === 0;
  }

  resume(): void {
    this.held = new Uint8Array(0);
    this.#quoted = false;
    // a header that has not come whole is still to be written
    if (this.#header === "none" && this.#csv) this.#header = "drop";
  }

  push(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const all = this.joined(bytes);
    let [from, end, row] = [0, 0, -1];
    for (let at = this.held.length; at < all.length; at += 1) {
      if (all[at] === QUOTE) this.#quoted = this.#csv && !this.#quoted;
      if (all[at] !== FEED || this.#quoted) continue;
      if (this.#header === "none") {
        this.count += 1;
        row = end;
      } else {
        if (this.#header === "drop") from = at + 1;
        this.#header = "none";
      }
      end = at + 1;
    }
    if (row >= 0) this.last = this.#id(all.subarray(row, end));
    this.held = all.slice(end);
    return all.subarray(from, end);
  }

  #id(row: Uint8Array<ArrayBuffer>): string {
    if (this.#csv) return new TextDecoder().decode(row.subarray(0, row.indexOf(COMMA)));
    return String((JSON.parse(new TextDecoder().decode(row)) as { id: unknown }).id);
  }
}

/** Objects that are members of a list: in JSON the outermost list, in HAR the first within two objects. */
class Members extends Rows {
  readonly resumable: boolean;
  #depth = 0;
  #quoted = false;
  #escaped = false;
  /** How deep the rows are. */
  readonly #level: number;
  #listed = false;
  /** Where in the held bytes the row begins that is being read. */
  #row = -1;
  #ended = false;
  /** Whether the file had ended when its stream broke off: nothing is missing. */
  #over = false;
  /** Of a response that resumes, up to its first row or its end. */
  #skipping = false;

  constructor(format: "har" | "json") {
    super();
    this.#level = format === "har" ? 3 : 1;
    // an archive says at its end how many records it left out, of which a second response knows nothing
    this.resumable = format === "json";
  }

  get complete(): boolean {
    return this.#ended;
  }

  resume(): void {
    this.#over = this.#ended;
    this.held = new Uint8Array(0);
    this.#row = -1;
    this.#depth = 0;
    this.#quoted = false;
    this.#escaped = false;
    this.#listed = false;
    this.#skipping = this.count > 0;
  }

  push(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    if (this.#over) return new Uint8Array(0);
    const all = this.joined(bytes);
    let [from, end, row, rowEnd] = [0, 0, -1, -1];
    let comma = false;
    for (let at = this.held.length; at < all.length; at += 1) {
      const byte = all[at];
      if (this.#quoted) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) this.#quoted = false;
        continue;
      }
      if (byte === QUOTE) this.#quoted = true;
      else if (byte === OPEN || byte === LIST) {
        if (byte === LIST && this.#depth === this.#level - 1) this.#listed = true;
        if (byte === OPEN && this.#depth === this.#level && this.#listed) {
          this.#row = at;
          if (this.#skipping) {
            [from, comma, this.#skipping] = [at, true, false];
          }
        }
        this.#depth += 1;
      } else if (byte === CLOSE || byte === UNLIST) {
        this.#depth -= 1;
        if (byte === CLOSE && this.#depth === this.#level && this.#row >= 0) {
          this.count += 1;
          [row, rowEnd, end, this.#row] = [this.#row, at + 1, at + 1, -1];
        }
        if (byte === UNLIST && this.#depth === this.#level - 1) {
          this.#listed = false;
          if (this.#skipping) [from, this.#skipping] = [at, false];
        }
        if (this.#depth === 0) this.#ended = true;
      }
      if (this.#ended) end = all.length;
    }
    if (row >= 0 && this.resumable) this.last = String((JSON.parse(new TextDecoder().decode(all.subarray(row, rowEnd))) as { id: unknown }).id);
    // the beginning of a response that resumes is not held back, and not written
    if (this.#skipping) end = from = all.length;
    if (end < from) end = from;
    this.held = all.slice(end);
    if (this.#row >= 0) this.#row -= end;
    const whole = all.subarray(from, end);
    if (!comma) return whole;
    if (whole.length === 0) {
      // the first row is not whole yet: its comma comes with it
      this.#skipping = false;
      this.held = prefixed(this.held);
      if (this.#row >= 0) this.#row += 2;
      return whole;
    }
    return prefixed(whole);
  }
}

function prefixed(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(bytes.length + 2);
  all.set([COMMA, FEED]);
  all.set(bytes, 2);
  return all;
}
