// Values that the log has of a key, for completion: asked when it is written, kept, and let go when something else is.
import type { Backend } from "../backend/backend";
import { get } from "./api";
import { FACETS } from "./keys";
import { quoted } from "./terms";
import type { Completion } from "./language";

interface Answer {
  facets: { values: { value: string; count: number }[] }[];
}

const MOST = 20;
const KEPT = 60;
// columns of numbers: they take no wildcard, and have few values
const WHOLE = new Set(["level", "kind", "status", "source", "overridden"]);

/** Answers by backend, so that those of another are never shown. */
const answers = new WeakMap<Backend, Map<string, Promise<Answer>>>();

/** Whether the values of a key can be asked for. */
export const isSeen = (key: string): boolean => key !== "class" && (FACETS as readonly string[]).includes(key);



/**
 * Values of `key` that contain `typed`, most frequent first, those that begin with it before the others.
 * `among` is the rest of the query; it is left out where it cannot be read.
 */
export async function seen(backend: Backend, key: string, typed: string, among: string, revision: number, signal: AbortSignal): Promise<Completion[]> {
  const needle = typed.toLowerCase();
  const wildcard = needle && !WHOLE.has(key) ? `${key}:*${needle.replace(/[\s,()"\\*?<>=!~/]/g, "\\$&")}*` : "";
  const ask = async (q: string): Promise<Answer> => {
    const kept = answers.get(backend) ?? new Map<string, Promise<Answer>>();
    answers.set(backend, kept);
    const name = JSON.stringify([key, q, revision]);
    const known = kept.get(name);
    if (known) return known;
    const answer = get<Answer>(backend, "facets", { fields: key, top: WHOLE.has(key) ? 100 : MOST, q }, signal);
    kept.set(name, answer);
    // what failed or was given up is asked again
    answer.catch(() => kept.delete(name));
    for (const oldest of kept.keys()) {
      if (kept.size <= KEPT) break;
      kept.delete(oldest);
    }
    return answer;
  };
  const text = [among && `(${among})`, wildcard].filter(Boolean).join(" ");
  const answer = await ask(text).catch((error: unknown) => {
    if (signal.aborted || !among) throw error;
    return ask(wildcard);
  });
  const values = (answer.facets[0]?.values ?? []).filter(({ value }) => value.toLowerCase().includes(needle));
  const begins = (value: string) => Number(!value.toLowerCase().startsWith(needle));
  return values
    .toSorted((a, b) => begins(a.value) - begins(b.value))
    .slice(0, MOST)
    .map(({ value, count }) => ({ text: quoted(value), kind: "value", detail: count.toLocaleString() }));
}

/** Seen values and those that every log has, each once, case apart. */
export function merged(seen: readonly Completion[], known: readonly Completion[]): Completion[] {
  const has = new Map(known.map((item) => [item.text.toLowerCase(), item]));
  const first = seen.map((item) => {
    const about = has.get(item.text.toLowerCase())?.detail;
    return about && item.detail ? { ...item, detail: `${about} · ${item.detail}` } : item;
  });
  const told = new Set(first.map((item) => item.text.toLowerCase()));
  return [...first, ...known.filter((item) => !told.has(item.text.toLowerCase()))];
}

