// The record that is looked at, the one it is compared with, and what can be done with them.
import { batch, computed, signal } from "@preact/signals";
import type { Backend } from "../backend/backend";
import { ask, path, type LogRecord } from "../lib/api";
import { JsonReader, type JsonTree } from "../lib/json-tree";
import { resource } from "../lib/resource";
import { and } from "../lib/terms";
import { commands } from "./commands";
import { backend, compared, query, selected, sort, view, window as range } from "./question";
import { kept, oneOf } from "./settings";

export interface Shown {
  record: LogRecord;
  /** The record as it was sent, in which numbers are exact. */
  tree: JsonTree;
}

interface Wanted {
  from: Backend;
  id: string;
}

async function load({ from, id }: Wanted, signal: AbortSignal): Promise<Shown> {
  const response = await ask(from, path(`logs/${encodeURIComponent(id)}`), { signal });
  const text = await response.text();
  const reader = new JsonReader(text);
  while (!reader.step(1 << 16));
  return { record: JSON.parse(text) as LogRecord, tree: reader.tree };
}

const wanted = (id: string | null): Wanted | null => (id && backend.value ? { from: backend.value, id } : null);

/** The record of `selected`; of the one before while it is `pending`. */
export const shown = resource(() => wanted(selected.value), load);
/** The record of `compared`. */
export const other = resource(() => wanted(compared.value), load);
export const current = computed(() => shown.value.value?.record ?? null);
/** Whether the two are shown beside each other. */
export const isComparing = computed(() => selected.value !== null && compared.value !== null);

/** Id of a record kept in mind to compare the next one with. */
export const marked = signal<string | null>(null);

export const TABS = ["overview", "headers", "query", "cookies", "request", "response", "timings", "related", "raw"] as const;
export type Tab = (typeof TABS)[number];
/** The tab that was chosen last; another is shown where a record has nothing for it. */
export const tab = kept<Tab>("detail.tab", "overview", oneOf(...TABS));

const hasCookies = (record: LogRecord): boolean =>
  [...(record.request?.headers ?? []), ...(record.response?.headers ?? [])].some(([name]) => /^(?:set-)?cookie$/i.test(name));

/** The tabs that have something to show for a record. */
export function tabsOf(record: LogRecord): Tab[] {
  const has: Record<Tab, boolean> = {
    overview: true,
    headers: Boolean(record.request?.headers?.length || record.response?.headers?.length),
    query: Boolean(record.query),
    cookies: hasCookies(record),
    request: record.request?.body !== undefined,
    response: record.response?.body !== undefined,
    timings: record.duration_ms !== undefined || record.attributes?.timings !== undefined,
    related: true,
    raw: true,
  };
  return TABS.filter((name) => has[name]);
}

export const tabs = computed(() => (current.value ? tabsOf(current.value) : []));
export const openTab = computed<Tab>(() => (tabs.value.includes(tab.value) ? tab.value : "overview"));

export function turnTab(by: 1 | -1): void {
  const at = tabs.value.indexOf(openTab.value);
  tab.value = tabs.value[(at + by + tabs.value.length) % tabs.value.length] ?? "overview";
}

/** Closes the comparison if there is one, else the record. */
export function close(): void {
  if (compared.value) {
    compared.value = null;
    return;
  }
  selected.value = null;
}

export function swap(): void {
  const [left, right] = [compared.value, selected.value];
  if (left && right) [selected.value, compared.value] = [left, right];
}

/** Runs a command of another part by its id; whether there is one that can be run now. */
export function run(id: string): boolean {
  const command = commands.value.find((known) => known.id === id);
  if (!command || command.when?.() === false) return false;
  command.run();
  return true;
}

/** Whether a command of another part can be run now. */
export const canRun = (id: string): boolean => commands.value.some((known) => known.id === id && known.when?.() !== false);

/** Adds a term to the query. */
export function narrow(term: string): void {
  const text = query.value;
  if (!` ${text} `.includes(` ${term} `)) query.value = and(text, term);
}

/** Asks for a term alone, at any time. */
export function only(term: string): void {
  batch(() => {
    query.value = term;
    range.value = null;
    view.value = "requests";
  });
}

/** Asks for everything in a stretch of time around the record. */
export function showInTable(from: string, to: string, project: string | null): void {
  batch(() => {
    query.value = project ?? "";
    range.value = { from, to };
    sort.value = "time";
    view.value = "requests";
  });
}
