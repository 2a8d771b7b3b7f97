// Queries that were asked before, and those that were given a name; both stay in this browser.
import { kept } from "./settings";

export interface Saved {
  name: string;
  query: string;
}

const MOST = 50;

const isText = (value: unknown): value is string => typeof value === "string";
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);
const isSaved = (value: unknown): value is Saved =>
  typeof value === "object" && value !== null && isText((value as Saved).name) && isText((value as Saved).query);
const isAllSaved = (value: unknown): value is Saved[] => Array.isArray(value) && value.every(isSaved);

/** The last queries, the latest first, each once. */
export const recent = kept<string[]>("history", [], isTexts);
/** Named queries, by name. */
export const saved = kept<Saved[]>("saved", [], isAllSaved);

export function remember(query: string): void {
  const text = query.trim();
  if (!text || recent.value[0] === text) return;
  recent.value = [text, ...recent.value.filter((other) => other !== text)].slice(0, MOST);
}

export function forgetAll(): void {
  recent.value = [];
}

/** Keeps a query under a name, in place of another of that name. */
export function save(name: string, query: string): void {
  const others = saved.value.filter((other) => other.name !== name);
  saved.value = [...others, { name, query: query.trim() }].toSorted((a, b) => a.name.localeCompare(b.name));
}

export function remove(name: string): void {
  saved.value = saved.value.filter((other) => other.name !== name);
}
