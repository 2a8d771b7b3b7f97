// The query language's words, strings, terms and signs with their places, read as `core/src/filter/cursor.rs` reads them. What
// they mean is the engine's to say; this is enough to colour a query and to edit a term of it. Never fails: what is broken is text.
import { canonical, prefixOf } from "./keys";

/** A part of a query, in UTF-16 code units. */
export interface Span {
  from: number;
  to: number;
}

/** One of the values of a term, with its sign. */
export interface Value extends Span {
  sign: string;
  form: "word" | "string" | "regex" | "range";
  /** What it says: without quotes and escapes. */
  text: string;
  /** Whether it has wildcards. */
  glob: boolean;
}

export interface Term extends Span {
  kind: "term";
  /** In its canonical form. */
  key: string;
  /** Where its colon or comparison begins. */
  keyEnd: number;
  values: Value[];
  broken: boolean;
}

export interface Sign extends Span {
  kind: "open" | "close" | "not" | "and" | "or" | "text";
  broken: boolean;
}

export type Token = Term | Sign;

const KEY = /[\p{Alphabetic}_@][\p{Alphabetic}\p{N}_\-.@$[\]]*/uy;
const COMPARISON = />=|<=|!=|>|<|=/y;
const JOIN = /(AND|&&|OR|\|\|)(?=[\s()]|$)/y;
const NOT = /NOT(?=[\s()]|$)/y;
const BLANKS = /\s*/y;
const ESCAPABLE = /[\s,()"\\*?<>=!~/]/;

function match(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? "";
}

const isBoundary = (text: string, at: number): boolean => at >= text.length || /[\s)]/.test(text[at] ?? "");

/** Where a word ends that begins at `at`: at a blank, or a parenthesis that closes none of its own; a value also at `,` and `"`. */
function wordEnd(text: string, at: number, isValue: boolean): number {
  let open = 0;
  while (at < text.length) {
    const c = text[at] ?? "";
    if (isValue && c === "\\" && ESCAPABLE.test(text[at + 1] ?? "")) {
      at += 2;
      continue;
    }
    if (/\s/.test(c) || (isValue && (c === "," || c === '"')) || (c === ")" && open === 0)) break;
    if (c === "(") open += 1;
    if (c === ")") open -= 1;
    at += 1;
  }
  return at;
}

interface Quoted {
  end: number;
  text: string;
  closed: boolean;
}

function string(text: string, at: number): Quoted {
  let content = "";
  for (at += 1; at < text.length; at += 1) {
    const c = text[at] ?? "";
    if (c === '"') return { end: at + 1, text: content, closed: true };
    const next = text[at + 1] ?? "";
    if (c === "\\" && next && '"\\nt'.includes(next)) {
      content += next === "n" ? "\n" : next === "t" ? "\t" : next;
      at += 1;
    } else content += c;
  }
  return { end: at, text: content, closed: false };
}

function regex(text: string, at: number): Quoted {
  const start = at + 2;
  for (at = start; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === "/") return { end: text[at + 1] === "i" ? at + 2 : at + 1, text: text.slice(start, at), closed: true };
  }
  return { end: text.length, text: text.slice(start), closed: false };
}

function word(raw: string): { text: string; glob: boolean } {
  let text = "";
  let glob = false;
  for (let at = 0; at < raw.length; at += 1) {
    const c = raw[at] ?? "";
    if (c === "\\" && ESCAPABLE.test(raw[at + 1] ?? "")) text += raw[(at += 1)];
    else {
      glob ||= c === "*" || c === "?";
      text += c;
    }
  }
  return { text, glob };
}

function value(query: string, from: number, sign: string): { value: Value; broken: boolean } {
  const start = from + sign.length;
  const made = (to: number, form: Value["form"], text: string, glob = false) => ({ from, to, sign, form, text, glob });
  if (query.startsWith("~/", start)) {
    const read = regex(query, start);
    return { value: made(read.end, "regex", read.text), broken: !read.closed };
  }
  if (query[start] === '"') {
    const read = string(query, start);
    if (!read.closed || !query.startsWith("..", read.end)) return { value: made(read.end, "string", read.text), broken: !read.closed };
    const high = query[read.end + 2] === '"' ? string(query, read.end + 2) : { end: wordEnd(query, read.end + 2, true), closed: true };
    return { value: made(high.end, "range", query.slice(start, high.end)), broken: !high.closed };
  }
  const end = wordEnd(query, start, true);
  const raw = query.slice(start, end);
  if (query[end] === '"' && raw.endsWith("..")) {
    const high = string(query, end);
    return { value: made(high.end, "range", query.slice(start, high.end)), broken: !high.closed };
  }
  const { text, glob } = word(raw);
  return { value: made(end, raw.includes("..") ? "range" : "word", text, glob), broken: raw === "" };
}

// A term here, or null where the word is text.
function term(query: string, from: number): Term | null {
  const name = match(KEY, query, from);
  if (!name) return null;
  let at = from + name.length;
  let key = canonical(name);
  const prefix = prefixOf(name);
  if (prefix && prefix.length === name.length && query[at] === '"') {
    const own = string(query, at);
    key = prefix.prefix + own.text;
    at = own.end;
  }
  const keyEnd = at;
  const colon = query[at] === ":";
  if (colon) at += 1;
  else if (!match(COMPARISON, query, at)) return null;
  if (colon && (query.startsWith("//", at) || (key === null && query[at] === ":"))) return null;
  const values: Value[] = [];
  let broken = false;
  for (;;) {
    const sign = match(COMPARISON, query, at);
    const read = value(query, at, sign);
    values.push(read.value);
    broken ||= read.broken;
    at = read.value.to;
    if (query[at] !== ",") break;
    at += 1;
  }
  if (!isBoundary(query, at)) {
    broken = true;
    at = wordEnd(query, at, false);
  }
  return { kind: "term", from, to: at, key: key ?? `attr.${name}`, keyEnd, values, broken };
}

function token(query: string, from: number): Token {
  const made = (kind: Sign["kind"], to: number, broken = false): Sign => ({ kind, from, to, broken });
  const c = query[from] ?? "";
  if (c === "(") return made("open", from + 1);
  if (c === ")") return made("close", from + 1);
  const join = match(JOIN, query, from);
  if (join) return made(join === "OR" || join === "||" ? "or" : "and", from + join.length);
  if (match(NOT, query, from)) return made("not", from + 3);
  if ((c === "-" || c === "!") && !query.startsWith("!=", from) && !isBoundary(query, from + 1)) return made("not", from + 1);
  const quoted = c === '"' ? string(query, from) : query.startsWith("~/", from) ? regex(query, from) : null;
  if (quoted) {
    const isWhole = isBoundary(query, quoted.end);
    return made("text", isWhole ? quoted.end : wordEnd(query, quoted.end, false), !quoted.closed || !isWhole);
  }
  return term(query, from) ?? made("text", Math.max(wordEnd(query, from, false), from + 1));
}

/** All of a query but its blanks, in order. */
export function lex(query: string): Token[] {
  const tokens: Token[] = [];
  let at = match(BLANKS, query, 0).length;
  while (at < query.length) {
    const read = token(query, at);
    tokens.push(read);
    at = read.to + match(BLANKS, query, read.to).length;
  }
  return tokens;
}

/** The first place that keeps the query from being read, whatever its values are: a parenthesis without its other, or a broken token. */
export function unclosed(query: string): (Span & { kind: "open" | "close" | "broken" }) | null {
  const open: Sign[] = [];
  for (const token of lex(query)) {
    if (token.kind === "open") open.push(token);
    if (token.kind === "close" && !open.pop()) return { from: token.from, to: token.to, kind: "close" };
    if (token.broken) return { from: token.from, to: token.to, kind: "broken" };
  }
  const left = open.pop();
  return left ? { from: left.from, to: left.to, kind: "open" } : null;
}
