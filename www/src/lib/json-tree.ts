// A JSON text as a flat tree of positions: every token is shown as it is written (no number is rounded, keys keep their
// order, doubles stay), nesting of any depth needs no stack, and what is cut off still shows as far as it goes.

export type JsonKind = "object" | "array" | "string" | "number" | "true" | "false" | "null";

const KINDS: JsonKind[] = ["object", "array", "string", "number", "true", "false", "null"];
const OBJECT = 0;
const ARRAY = 1;
const BLANK = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
export interface JsonFault {
  /** In UTF-16 units from the start of the text. */
  at: number;
  reason: string;
  /** Whether it is only that the text ends too early. */
  isEnd: boolean;
}

/** Nodes are numbers, in the order of the text; the root is 0 and a subtree is `node` to `after(node)`. */
export class JsonTree {
  readonly #kinds: number[] = [];
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  readonly #keys: number[] = [];
  readonly #keyEnds: number[] = [];
  readonly #parents: number[] = [];
  readonly #depths: number[] = [];
  readonly #sizes: number[] = [];
  readonly #afters: number[] = [];
  readonly #indexes: number[] = [];
  fault: JsonFault | null = null;

  constructor(readonly text: string) {}

  get length(): number {
    return this.#kinds.length;
  }
  kind(node: number): JsonKind {
    return KINDS[this.#kinds[node]!]!;
  }
  isContainer(node: number): boolean {
    return this.#kinds[node]! <= ARRAY;
  }
  /** The node's text as it is written. */
  raw(node: number): string {
    return this.text.slice(this.#starts[node], this.#ends[node]);
  }
  /** How long `raw` is. */
  width(node: number): number {
    return this.#ends[node]! - this.#starts[node]!;
  }
  /** The first characters of the node's text, without making all of it. */
  head(node: number, most: number): string {
    return this.text.slice(this.#starts[node], Math.min(this.#ends[node]!, this.#starts[node]! + most));
  }
  parent(node: number): number {
    return this.#parents[node]!;
  }
  depth(node: number): number {
    return this.#depths[node]!;
  }
  /** Members or elements. */
  size(node: number): number {
    return this.#sizes[node]!;
  }
  /** The first node that is not in the node's subtree. */
  after(node: number): number {
    return this.#afters[node]!;
  }
  hasKey(node: number): boolean {
    return this.#keys[node]! >= 0;
  }
  /** A member's name, escapes resolved; null for what is no member. */
  key(node: number): string | null {
    const start = this.#keys[node]!;
    return start < 0 ? null : unquote(this.text.slice(start, this.#keyEnds[node]));
  }
  /** A string's content; of others the text. */
  value(node: number): string {
    const raw = this.raw(node);
    return this.#kinds[node] === 2 ? unquote(raw) : raw;
  }
  *children(node: number): Generator<number> {
    for (let child = node + 1; child < this.after(node); child = this.after(child)) yield child;
  }
  /** The member's node; of equal names the last. */
  member(node: number, name: string): number | null {
    let found: number | null = null;
    if (this.#kinds[node] === OBJECT) for (const child of this.children(node)) if (this.key(child) === name) found = child;
    return found;
  }
  /** Place among its siblings, from 0. */
  index(node: number): number {
    return this.#indexes[node]!;
  }

  /** From the root to the node: names and indexes. */
  steps(node: number): (string | number)[] {
    const steps: (string | number)[] = [];
    for (let at = node; at > 0; at = this.parent(at)) steps.push(this.key(at) ?? this.index(at));
    return steps.reverse();
  }
  /** As JSONPath (RFC 9535). */
  path(node: number): string {
    return `$${this.steps(node).map(step).join("")}`;
  }

  // the parser's side
  open(kind: number, start: number, key: number, keyEnd: number, parent: number): number {
    this.#starts.push(start);
    this.#ends.push(start);
    this.#keys.push(key);
    this.#keyEnds.push(keyEnd);
    this.#parents.push(parent);
    this.#depths.push(parent < 0 ? 0 : this.#depths[parent]! + 1);
    this.#sizes.push(0);
    this.#afters.push(0);
    this.#indexes.push(parent < 0 ? 0 : this.#sizes[parent]!);
    if (parent >= 0) this.#sizes[parent]! += 1;
    return this.#kinds.push(kind) - 1;
  }
  close(node: number, end: number): void {
    this.#ends[node] = end;
    this.#afters[node] = this.length;
  }
}

const step = (step: string | number): string => {
  if (typeof step === "number") return `[${step}]`;
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(step) ? `.${step}` : `['${step.replace(/[\\']/g, "\\$&")}']`;
};

/** The path as the query language has it behind `res.json.`. */
export function dotted(steps: (string | number)[]): string {
  return steps.join(".");
}

export function unquote(raw: string): string {
  if (!raw.includes("\\")) return raw.slice(1, raw.endsWith('"') && raw.length > 1 ? -1 : undefined);
  try {
    return JSON.parse(raw) as string;
  } catch {
    return raw.slice(1);
  }
}

/** Reads a JSON text in steps, so that long ones stop nothing else. */
export class JsonReader {
  readonly tree: JsonTree;
  readonly #text: string;
  #at = 0;
  #open = -1;
  // whether a comma or the container's end comes next, rather than a value
  #isAfterValue = false;

  constructor(text: string) {
    this.tree = new JsonTree(text);
    this.#text = text;
    // RFC 8259 lets a reader ignore a byte order mark
    if (text.charCodeAt(0) === 0xfeff) this.#at = 1;
  }

  /** Reads at most so many values more; whether that was the last. */
  step(values: number): boolean {
    for (let left = values; left > 0; left -= 1) if (this.#next()) return true;
    return false;
  }

  #next(): boolean {
    const { tree } = this;
    this.#skip();
    const text = this.#text;
    if (this.#isAfterValue) {
      if (this.#open < 0) return this.#at < text.length ? this.#fail("Something follows the value") : true;
      const isObject = tree.kind(this.#open) === "object";
      const found = text[this.#at];
      if (found === (isObject ? "}" : "]")) return this.#end();
      if (found !== ",") return this.#fail(isObject ? "Expected , or }" : "Expected , or ]");
      this.#at += 1;
      this.#skip();
    } else if (this.#open >= 0 && text[this.#at] === (tree.kind(this.#open) === "object" ? "}" : "]")) {
      return this.#end();
    }
    let [key, keyEnd] = [-1, -1];
    if (this.#open >= 0 && tree.kind(this.#open) === "object") {
      key = this.#at;
      keyEnd = this.#string(key);
      if (keyEnd < 0) return this.#fail("Expected a name in quotes");
      this.#at = keyEnd;
      this.#skip();
      if (text[this.#at] !== ":") return this.#fail("Expected :");
      this.#at += 1;
      this.#skip();
    }
    const start = this.#at;
    const first = text[start];
    if (first === "{" || first === "[") {
      this.#open = tree.open(first === "{" ? OBJECT : ARRAY, start, key, keyEnd, this.#open);
      this.#at += 1;
      this.#isAfterValue = false;
      return false;
    }
    const [kind, end] = this.#scalar(start);
    if (end < 0) {
      // the beginning of a string is worth showing; it is closed where the text ends
      if (first === '"' && this.#stringEnd(start) === text.length) tree.close(tree.open(2, start, key, keyEnd, this.#open), text.length);
      return this.#fail("Expected a value");
    }
    tree.close(tree.open(kind, start, key, keyEnd, this.#open), end);
    this.#at = end;
    this.#isAfterValue = true;
    return false;
  }

  #end(): boolean {
    this.#at += 1;
    this.tree.close(this.#open, this.#at);
    this.#open = this.tree.parent(this.#open);
    this.#isAfterValue = true;
    return false;
  }

  #fail(reason: string): boolean {
    const { length } = this.#text;
    const isEnd = this.#at >= length || (this.#text[this.#at] === '"' && this.#stringEnd(this.#at) === length) || /^(?:t|tr|tru|f|fa|fal|fals|n|nu|nul|-)$/.test(this.#text.slice(this.#at));
    this.tree.fault = { at: this.#at, reason: isEnd ? "It ends here" : reason, isEnd };
    for (; this.#open >= 0; this.#open = this.tree.parent(this.#open)) this.tree.close(this.#open, isEnd ? length : this.#at);
    return true;
  }

  #skip(): void {
    BLANK.lastIndex = this.#at;
    BLANK.test(this.#text);
    this.#at = BLANK.lastIndex;
  }

  #scalar(start: number): [kind: number, end: number] {
    const text = this.#text;
    switch (text[start]) {
      case '"':
        return [2, this.#string(start)];
      case "t":
        return [4, text.startsWith("true", start) ? start + 4 : -1];
      case "f":
        return [5, text.startsWith("false", start) ? start + 5 : -1];
      case "n":
        return [6, text.startsWith("null", start) ? start + 4 : -1];
      default:
        NUMBER.lastIndex = start;
        return [3, NUMBER.test(text) ? NUMBER.lastIndex : -1];
    }
  }

  // where the string that begins here ends, -1 where it does not
  #string(start: number): number {
    if (this.#text[start] !== '"') return -1;
    const end = this.#stringEnd(start);
    return this.#text[end] === '"' ? end + 1 : -1;
  }

  // where the string's last good character ends
  #stringEnd(start: number): number {
    const text = this.#text;
    const { length } = text;
    let at = start + 1;
    while (at < length) {
      const code = text.charCodeAt(at);
      if (code === 0x22 || code < 0x20) return at;
      if (code !== 0x5c) {
        at += 1;
        continue;
      }
      const escape = text[at + 1];
      if (escape === undefined) return length;
      if (escape === "u") {
        const digits = text.slice(at + 2, at + 6);
        if (!/^[0-9a-fA-F]*$/.test(digits)) return at;
        if (digits.length < 4) return length;
        at += 6;
      } else if ('"\\/bfnrt'.includes(escape)) at += 2;
      else return at;
    }
    return length;
  }
}

/** Reads all of it at once: for texts that are known to be short. */
export function parseJson(text: string): JsonTree {
  const reader = new JsonReader(text);
  while (!reader.step(1 << 20));
  return reader.tree;
}

/** Reads all of it and lets others in between. */
export async function parseLong(text: string, signal: AbortSignal): Promise<JsonTree> {
  const reader = new JsonReader(text);
  while (!reader.step(50_000)) {
    await new Promise((resume) => setTimeout(resume));
    signal.throwIfAborted();
  }
  return reader.tree;
}

/** The text again with one value a line and two blanks a level; of at most `most` characters. */
export function indented(tree: JsonTree, most: number): { text: string; isCut: boolean } {
  const parts: string[] = [];
  const open: number[] = [];
  let length = 0;
  const put = (text: string) => {
    parts.push(text);
    length += text.length;
  };
  const line = () => put(`\n${"  ".repeat(Math.min(open.length, 100))}`);
  for (let node = 0; node < tree.length; node += 1) {
    while (open.length > 0 && node >= tree.after(open.at(-1)!)) {
      const closed = open.pop()!;
      line();
      put(tree.kind(closed) === "object" ? "}" : "]");
    }
    if (length > most) return { text: parts.join(""), isCut: true };
    if (node > 0) {
      if (tree.parent(node) !== node - 1) put(",");
      line();
    }
    const key = tree.key(node);
    if (key !== null) put(`${JSON.stringify(key)}: `);
    if (!tree.isContainer(node)) put(tree.raw(node));
    else if (tree.size(node) === 0) put(tree.kind(node) === "object" ? "{}" : "[]");
    else {
      put(tree.kind(node) === "object" ? "{" : "[");
      open.push(node);
    }
  }
  while (open.length > 0) {
    const closed = open.pop()!;
    line();
    put(tree.kind(closed) === "object" ? "}" : "]");
  }
  return { text: parts.join(""), isCut: false };
}
