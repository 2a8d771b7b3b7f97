// What is asked: the query, a window of time, the order, the record that is looked at.
import { computed, signal } from "@preact/signals";
import type { Backend } from "../backend/backend";
import type { Direction, Sort } from "../lib/api";

export type View = "requests" | "endpoints";

/** A window of time, both ends included, as RFC 3339. */
export interface Window {
  from: string;
  to: string;
}

export const backend = signal<Backend | null>(null);
/** The query that is applied; the bar keeps what is being typed to itself. */
export const query = signal("");
/** The query where it is the last one written on, no step of the history of its own. */
export const amended = signal<string | null>(null);
export const window = signal<Window | null>(null);
export const sort = signal<Sort>("time");
export const direction = signal<Direction>("desc");
export const view = signal<View>("requests");
/** Id of the record in the detail pane. */
export const selected = signal<string | null>(null);
/** Id of the record that it is compared with. */
export const compared = signal<string | null>(null);
/** Counted up when the data behind the same question has changed and answers should be asked for again. */
export const revision = signal(0);

/** A query with the window as one text. */
export function within(query: string, range: Window | null): string {
  const text = query.trim();
  if (!range) return text;
  const time = `time:${range.from}..${range.to}`;
  return text ? `(${text}) ${time}` : time;
}

/** The query with the window, which every call takes as `q`. */
export const effective = computed(() => within(query.value, window.value));
