// Reading and completing a query: by the engine where it is, else by what is known here and by the answers of the backend.
import type { Backend } from "../backend/backend";
import { ApiError, get } from "./api";
import { KEYS, PREFIXES, VALUES } from "./keys";
import { lex, unclosed, type Term } from "./lexer";

/** What is wrong with a query and where, in UTF-16 code units. */
export interface Fault {
  message: string;
  position: number;
  length: number;
  hint?: string;
}

/** `canonical` is null where only the backend can tell whether the query can be read. */
export type Parsed = { canonical: string | null; hints: Fault[] } | { error: Fault };

export interface Completion {
  text: string;
  kind: "key" | "value" | "operator";
  detail?: string;
}

/** `items` would replace what stands from `from` to `to`; `key` is the one whose value is being written. */
export interface Completions {
  from: number;
  to: number;
  key: string | null;
  items: Completion[];
}

export interface Language {
  /** With `caret`, what is wrong right there is still being written and no error. */
  parse(query: string, caret?: number): Parsed;
  complete(query: string, caret: number): Completions;
}

interface Engine extends Language {
  init(): Promise<void>;
}

function atWord(query: string, caret: number, from: number, to: number, isFirst: boolean): Completions {
  const typed = query.slice(from, caret).toLowerCase();
  const begins = (name: string) => name.startsWith(typed);
  const known = [
    ...KEYS.filter(([name, , ...aliases]) => begins(name) || (typed && aliases.some(begins))).map(([name, about]) => [`${name}:`, about] as const),
    ...PREFIXES.filter(([name]) => begins(name)).map(([name, about]) => [name, about] as const),
  ];
  const items: Completion[] = known.map(([text, detail]) => ({ text, kind: "key", detail }));
  if (!isFirst && "or".startsWith(typed)) items.push({ text: "OR", kind: "operator", detail: "either side" });
  if (!isFirst && "and".startsWith(typed)) items.push({ text: "AND", kind: "operator", detail: "both sides, as a blank says too" });
  if ("not".startsWith(typed)) items.push({ text: "NOT", kind: "operator", detail: "what does not match, as - says too" });
  return { from, to: query[to] === ":" ? to + 1 : to, key: null, items };
}

function atValue(query: string, caret: number, term: Term): Completions {
  const at = term.values.find((value) => caret >= value.from && caret <= value.to) ?? { from: caret, to: caret, form: "word" };
  if (at.form === "regex") return { from: caret, to: caret, key: null, items: [] };
  const typed = query.slice(at.from, caret).replace(/^"/, "").toLowerCase();
  const items = (VALUES[term.key] ?? [])
    .filter(([text]) => text.toLowerCase().startsWith(typed))
    .map(([text, detail]): Completion => ({ text, kind: "value", ...(detail && { detail }) }));
  return { from: at.from, to: at.to, key: term.key, items };
}

/** What is known without the engine: keys, the values that every log has, parentheses without their other. */
export const basic: Language = {
  parse(query, caret) {
    const place = unclosed(query);
    // what else is wrong the backend says
    if (!place || place.kind === "broken") return { canonical: null, hints: [] };
    const isWritten = caret !== undefined && place.from <= caret && (caret <= place.to || place.kind === "open");
    if (isWritten) return { canonical: null, hints: [] };
    const message = place.kind === "open" ? "the parenthesis is not closed" : "there is no parenthesis to close";
    const hint = place.kind === "open" ? "close it with ), or quote it to search for it" : "quote it to search for it";
    return { error: { message, position: place.from, length: 1, hint } };
  },
  complete(query, caret) {
    const tokens = lex(query);
    const at = tokens.findLast((token) => token.from < caret && caret <= token.to);
    const isFirst = !tokens.some((token) => token.to < caret && (token.kind === "term" || token.kind === "text" || token.kind === "close"));
    if (!at || at.kind === "open" || at.kind === "close" || (at.kind === "not" && at.to - at.from === 1)) return atWord(query, caret, caret, caret, isFirst);
    if (at.kind === "term") return caret > at.keyEnd ? atValue(query, caret, at) : atWord(query, caret, at.from, at.keyEnd, isFirst);
    if (/^("|~\/)/.test(query.slice(at.from))) return { from: caret, to: caret, key: null, items: [] };
    return atWord(query, caret, at.from, at.to, isFirst);
  },
};

let loading: Promise<Language> | null = null;
let ready: Language = basic;

/** The engine's language, loaded once; what is known here where there is no engine. */
export function language(): Promise<Language> {
  // beside the script: the build copies the package there and leaves the import as it is
  const beside = "./engine/index.js";
  loading ??= (import(beside) as Promise<Engine>)
    .then(async (engine) => {
      await engine.init();
      return (ready = engine);
    })
    .catch(() => basic);
  return loading;
}

/** Where `position` of a problem, in bytes of UTF-8, is in `text`. */
function fromBytes(text: string, bytes: number): number {
  let at = 0;
  for (const character of text) {
    if (bytes <= 0) break;
    const point = character.codePointAt(0) ?? 0;
    bytes -= point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    at += character.length;
  }
  return at;
}

/** How much of a query an error at `position` is about: the value or word there. */
function extent(query: string, position: number): number {
  const token = lex(query).find(({ from, to }) => from <= position && position < to);
  if (!token) return 0;
  const value = token.kind === "term" ? token.values.find(({ from, to }) => from <= position && position < to) : token;
  return (value ?? token).to - position;
}

/** The fault that a backend found in `sent`, at its place in `query`, which stands `offset` bytes behind the beginning of it. */
export function placed(error: ApiError, query: string, offset = 0): Fault | null {
  const { position, detail, hint } = error.problem;
  if (position === undefined) return null;
  const at = Math.min(fromBytes(query, Math.max(0, position - offset)), query.length);
  const message = detail.replace(/ \(at byte \d+ of q\)$/, "");
  return { message, position: at, length: extent(query, at), ...(hint !== undefined && { hint }) };
}

/** The window of `check`: no record is in it, so that only the query is read. */
const NEVER = "time:1970-01-01T00:00:00Z..1970-01-01T00:00:00Z";

/** What is wrong with `query`, if anything is, by the engine if it is there; other failures than that are thrown. */
export async function check(backend: Backend, query: string, signal?: AbortSignal): Promise<Parsed> {
  const parsed = ready.parse(query);
  if ("error" in parsed || parsed.canonical !== null || !query.trim()) return parsed;
  try {
    const { hints } = await get<{ hints?: string[] }>(backend, "logs", { q: `(${query}) ${NEVER}`, limit: 1, fields: "id" }, signal);
    return { canonical: null, hints: (hints ?? []).map((message) => ({ message, position: 0, length: 0 })) };
  } catch (error) {
    const fault = error instanceof ApiError ? placed(error, query, 1) : null;
    if (!fault) throw error;
    return { error: fault };
  }
}

