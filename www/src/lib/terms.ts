// Editing a query's text by the values of facets: what is included or excluded is read from the text and written into it, and
// everything else of the text stays as it was typed.
import { lex, unclosed, type Term, type Token, type Value } from "./lexer";

/** A value of a facet; null stands for records that have none. */
export type FacetValue = string | null;
export type Choice = "include" | "exclude";

/** What of a facet's values the query chooses, in lower case, as the language compares them. */
export interface Chosen {
  include: Set<FacetValue>;
  exclude: Set<FacetValue>;
}

interface Conjunct {
  term: Term;
  /** Where it begins with its negations. */
  from: number;
  choice: Choice;
}

/** Plain where the language reads it as itself, else in quotes. The rule is that of `core/src/filter/print.rs`. */
export function quoted(value: string): string {
  const isPlain = /^[\p{Alphabetic}\p{N}_\-./@#%+$&][\p{Alphabetic}\p{N}_\-./@#%+$&:=;!~'[\]{}|]*$/u.test(value);
  if (isPlain && !value.includes("..") && !value.startsWith("//")) return value;
  const escaped = value.replace(/["\\\n\t]/g, (c) => (c === "\n" ? "\\n" : c === "\t" ? "\\t" : `\\${c}`));
  return `"${escaped}"`;
}

const keyOf = (field: string): string => (field === "class" ? "status" : field);
const isClass = (text: string): boolean => /^\dxx$/i.test(text);
const isPresence = (value: Value): boolean => value.form === "word" && value.sign === "" && value.text === "*" && value.glob;

/** What a term's value chooses of a facet; undefined where it is none of the facet's. */
function valueOf(field: string, value: Value): string | undefined {
  if ((value.sign !== "" && value.sign !== "=") || value.glob || value.form === "regex" || value.form === "range") return undefined;
  const isItsOwn = keyOf(field) !== "status" || isClass(value.text) === (field === "class");
  return isItsOwn ? value.text.toLowerCase() : undefined;
}

/** The terms that all must hold, or null where the query is a choice between sides. */
function conjuncts(tokens: Token[]): Conjunct[] | null {
  const found: Conjunct[] = [];
  let depth = 0;
  let negations = 0;
  let from: number | null = null;
  for (const token of tokens) {
    if (token.kind === "or" && depth === 0) return null;
    if (token.kind === "not" && depth === 0) {
      negations += 1;
      from ??= token.from;
      continue;
    }
    if (token.kind === "term" && depth === 0 && negations < 2) {
      found.push({ term: token, from: from ?? token.from, choice: negations ? "exclude" : "include" });
    }
    if (token.kind === "open") depth += 1;
    if (token.kind === "close") depth -= 1;
    negations = 0;
    from = null;
  }
  return found;
}

/** The query without the word at `caret`: what else must hold; nothing where it is a choice between sides. */
export function others(query: string, caret: number): string {
  const tokens = lex(query);
  if (!conjuncts(tokens)) return "";
  const at = tokens.findIndex(({ from, to }) => from <= caret && caret <= to);
  const token = tokens[at];
  if (!token) return query.trim();
  const before = tokens[at - 1];
  return cut(query, before?.kind === "not" ? before.from : token.from, token.to);
}

/** What `query` chooses of the values of `field`. */
export function chosen(query: string, field: string): Chosen {
  const result: Chosen = { include: new Set(), exclude: new Set() };
  for (const { term, choice } of conjuncts(lex(query)) ?? []) {
    if (term.key !== keyOf(field)) continue;
    for (const value of term.values) {
      // presence is the absence of what has no value
      if (isPresence(value)) result[choice === "include" ? "exclude" : "include"].add(null);
      const own = valueOf(field, value);
      if (own !== undefined) result[choice].add(own);
    }
  }
  return result;
}

/** `query` without what stands between `from` and `to`, an AND that joined it, and the blanks that then are too many. */
function cut(query: string, from: number, to: number): string {
  const before = query.slice(0, from).replace(/\s+$/, "");
  const after = query.slice(to).replace(/^\s+/, "");
  const trailing = /(^|[\s)])(?:AND|&&)$/.exec(before);
  if (trailing) return join(before.slice(0, trailing.index + (trailing[1] ?? "").length).trimEnd(), after);
  const leading = before === "" ? /^(?:AND|&&)(?=[\s(])\s*/.exec(after) : null;
  return join(before, leading ? after.slice(leading[0].length) : after);
}

const join = (before: string, after: string): string => (before && after ? `${before} ${after}` : before + after);

/** `query` with none of the values of `field` that `isIt` holds for, in terms of that choice. */
function dropped(query: string, field: string, choice: Choice, isIt: (value: Value) => boolean): string {
  const found = conjuncts(lex(query)) ?? [];
  let text = query;
  // from behind, so that places before stay right
  for (const { term, from, choice: its } of found.reverse()) {
    if (term.key !== keyOf(field) || its !== choice) continue;
    const left = term.values.filter((value) => !isIt(value));
    if (left.length === term.values.length) continue;
    if (left.length === 0) {
      text = cut(text, from, term.to);
      continue;
    }
    const [first] = term.values;
    const head = text.slice(from, first ? first.from : term.keyEnd);
    // of key=a,b the comparison belongs to the first value
    const colon = head.endsWith(":") ? "" : ":";
    text = text.slice(0, from) + head + colon + left.map((value) => query.slice(value.from, value.to)).join(",") + text.slice(term.to);
  }
  return text.trim();
}

const isValue = (field: string, wanted: FacetValue) => (value: Value): boolean =>
  wanted === null ? isPresence(value) : valueOf(field, value) === wanted.toLowerCase();

/** `query` that neither includes nor excludes `value`. */
export function without(query: string, field: string, value: FacetValue): string {
  const matches = isValue(field, value);
  return dropped(dropped(query, field, "include", matches), field, "exclude", matches);
}

/** `query` that includes no value of `field`. */
export function withoutIncluded(query: string, field: string): string {
  const text = dropped(query, field, "include", (value) => valueOf(field, value) !== undefined);
  return dropped(text, field, "exclude", isPresence);
}

/** `query` and what `term` says: around a choice between sides go parentheses, before what is not closed goes the term. */
export function and(query: string, term: string): string {
  const text = query.trim();
  if (!text) return term;
  if (unclosed(text)) return `${term} ${text}`;
  return conjuncts(lex(text)) ? `${text} ${term}` : `(${text}) ${term}`;
}

function add(query: string, field: string, value: FacetValue, choice: Choice): string {
  const key = keyOf(field);
  if (value === null) return and(query, choice === "include" ? `-${key}:*` : `${key}:*`);
  const written = quoted(value);
  for (const { term, choice: its } of conjuncts(lex(query)) ?? []) {
    if (term.key !== key || its !== choice || term.broken) continue;
    const isList = term.values.every((one) => valueOf("class", one) !== undefined || valueOf(key, one) !== undefined);
    const isOwn = term.values.some((one) => valueOf(field, one) !== undefined);
    if (isList && isOwn) return `${query.slice(0, term.to)},${written}${query.slice(term.to)}`.trim();
  }
  return and(query, `${choice === "exclude" ? "-" : ""}${key}:${written}`);
}

/** Includes or excludes a value; one that is already chosen so is let go. */
export function toggle(query: string, field: string, value: FacetValue, choice: Choice): string {
  const own = value?.toLowerCase() ?? null;
  const wasChosen = chosen(query, field)[choice].has(own);
  const text = without(query, field, value);
  return wasChosen ? text : add(text, field, value, choice);
}

/** `query` with `value` as the only one of `field` that is included. */
export function only(query: string, field: string, value: FacetValue): string {
  const text = without(withoutIncluded(query, field), field, value);
  return add(text, field, value, "include");
}
