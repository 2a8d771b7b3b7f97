// The columns of the table: which there are, which are shown, in what order and how wide. Kept in this browser.
import { computed } from "@preact/signals";
import type { LogRecord, Sort } from "../lib/api";
import { kept } from "./settings";

export interface Column {
  id: string;
  /** The heading; `name` is said where there is room for more. */
  label: string;
  name: string;
  /** What it is made of, to be asked for. */
  fields: readonly (keyof LogRecord)[];
  /** Usual width in CSS pixels, and in a narrow window, where those without are not shown. */
  width: number;
  narrow?: number;
  /** Takes what room is left until it is resized. */
  grows?: boolean;
  /** By what the API sorts it. */
  sort?: Sort;
  numeric?: boolean;
}

const plain = (id: keyof LogRecord, name: string, width: number, more: Partial<Column> = {}): Column => ({ id, label: name, name, fields: [id], width, ...more });

/** Every column there is, in the order of the menu. */
export const COLUMNS: readonly Column[] = [
  plain("time", "Time", 190, { sort: "time", narrow: 72 }),
  plain("level", "Level", 34, { label: "" }),
  plain("method", "Method", 72, { narrow: 58 }),
  plain("status", "Status", 62, { sort: "status", narrow: 54 }),
  { id: "path", label: "Host and path", name: "Host and path", fields: ["host", "path", "query", "route", "kind", "message"], width: 360, narrow: 120, grows: true },
  { id: "duration", label: "Duration", name: "Duration", fields: ["duration_ms"], width: 96, narrow: 88, sort: "duration", numeric: true },
  { id: "size", label: "Size", name: "Size of the bodies", fields: ["size"], width: 76, sort: "size", numeric: true },
  plain("service", "Service", 140),
  { id: "arrival", label: "Arrival", name: "Arrival (sequence number)", fields: ["seq"], width: 92, sort: "arrival", numeric: true },
  plain("id", "ID", 172),
  plain("kind", "Kind", 82),
  plain("source", "Source", 100),
  plain("project", "Project", 100),
  plain("environment", "Environment", 100),
  plain("session", "Session", 120),
  plain("container", "Container", 150),
  plain("scheme", "Scheme", 66),
  plain("host", "Host", 170),
  { id: "url_path", label: "Path", name: "Path", fields: ["path"], width: 240, grows: true },
  plain("query", "Query string", 200),
  plain("route", "Route", 200),
  { id: "type", label: "Type", name: "Content type of the response", fields: ["response"], width: 140 },
  plain("client_ip", "Client IP", 116, { name: "Address of the client" }),
  plain("user_agent", "User agent", 220),
  plain("protocol", "Protocol", 78),
  plain("request_id", "Request ID", 180),
  plain("trace_id", "Trace ID", 250),
  plain("span_id", "Span ID", 140),
  plain("auth_type", "Auth", 80, { name: "Authentication" }),
  plain("user_id", "User", 110, { name: "User ID" }),
  plain("flow_name", "Flow", 120),
  plain("error_code", "Error code", 120),
  plain("message", "Message", 320, { grows: true }),
  plain("overridden", "Overridden", 88),
  plain("redacted", "Redacted", 80),
];

const known = new Map(COLUMNS.map((column) => [column.id, column]));
const USUAL = ["time", "level", "method", "status", "path", "duration", "size", "service"];
const [LEAST, MOST] = [28, 1600];

interface Chosen {
  id: string;
  /** In CSS pixels, where it was resized; and where it was in a narrow table. */
  width?: number;
  narrow?: number;
}

const usual = (): Chosen[] => USUAL.map((id) => ({ id }));

function isChosen(value: unknown): value is Chosen[] {
  if (!Array.isArray(value) || value.length === 0) return false;
  const ids = new Set<unknown>();
  for (const one of value as unknown[]) {
    if (typeof one !== "object" || one === null) return false;
    const { id, width, narrow } = one as Partial<Record<keyof Chosen, unknown>>;
    if (typeof id !== "string" || !known.has(id) || ids.has(id)) return false;
    if (![width, narrow].every((size) => size === undefined || (typeof size === "number" && size >= LEAST && size <= MOST))) return false;
    ids.add(id);
  }
  return true;
}

const chosen = kept<Chosen[]>("columns", usual(), isChosen);

export interface Shown extends Column {
  /** Whether `width` is what was chosen by resizing. */
  resized: boolean;
  /** Its width in a narrow table, where it was resized there. */
  chosenNarrow?: number | undefined;
}

/** The columns that are shown, in their order. */
export const columns = computed<readonly Shown[]>(() =>
  chosen.value.flatMap(({ id, width, narrow }) => {
    const column = known.get(id);
    return column ? [{ ...column, width: width ?? column.width, resized: width !== undefined, chosenNarrow: narrow }] : [];
  }),
);

/** What of a record is asked for: what columns are made of and what rows look at themselves. */
export const fields = computed(() => {
  const all = new Set<keyof LogRecord>(["id", "time", "kind", "level", "status", "duration_ms", "error_code"]);
  for (const column of columns.value) for (const field of column.fields) all.add(field);
  return [...all].sort().join();
});

export const isUsual = computed(() => JSON.stringify(chosen.value) === JSON.stringify(usual()));

export function reset(): void {
  chosen.value = usual();
}

/** Shows a column, after those that are shown; or hides it. The last one stays. */
export function toggle(id: string): void {
  const now = chosen.value;
  if (now.some((one) => one.id === id)) {
    if (now.length > 1) chosen.value = now.filter((one) => one.id !== id);
    return;
  }
  chosen.value = [...now, { id }];
}

/** Moves a column to a place among those that are `seen`, which in a narrow table are not all of them. */
export function move(id: string, to: number, seen: readonly { id: string }[] = chosen.value): void {
  const one = chosen.value.find((one) => one.id === id);
  if (!one) return;
  const rest = chosen.value.filter((other) => other !== one);
  const others = seen.filter((other) => other.id !== id);
  const at = Math.min(Math.max(to, 0), others.length);
  const [before, after] = [others[at - 1], others[at]];
  const place = after ? rest.findIndex((other) => other.id === after.id) : rest.findIndex((other) => other.id === before?.id) + 1;
  chosen.value = [...rest.slice(0, place), one, ...rest.slice(place)];
}

/** Sets a column's width, within what can be seen and grasped; narrow tables have their own widths. */
export function resize(id: string, width: number, inNarrow = false): void {
  const within = Math.round(Math.min(Math.max(width, LEAST), MOST));
  chosen.value = chosen.value.map((one) => (one.id === id ? { ...one, [inNarrow ? "narrow" : "width"]: within } : one));
}

/** A table of this width or less, in CSS pixels, shows few of the usual columns, and these narrow. */
const NARROW = 560;
export const isNarrow = (width: number): boolean => width > 0 && width <= NARROW;

/** The columns that are shown at a width of the table, and how wide. */
export function fitting(all: readonly Shown[], width: number): readonly Shown[] {
  if (!isNarrow(width)) return all;
  // what was chosen beyond the usual is meant to be seen
  const few = all.filter(({ id, narrow }) => narrow !== undefined || !USUAL.includes(id));
  const isAll = few.length === 0;
  return (isAll ? all : few).map((column) => {
    const { chosenNarrow } = column;
    const usual = isAll ? column.width : (column.narrow ?? column.width);
    return { ...column, width: chosenNarrow ?? usual, resized: chosenNarrow !== undefined || (isAll && column.resized) };
  });
}

/** Room at the right end, under the menu's button; narrow tables have it in the heading only. */
const END = 36;
/** The least width of a column that grows. */
const GROWS_FROM = 200;

const least = ({ width, grows, resized }: Shown): number => (grows && !resized ? Math.min(width, GROWS_FROM) : width);

/** Columns as `grid-template-columns`, and the least width that they take together. */
export function template(shown: readonly Shown[], end = END): { tracks: string; width: number } {
  const isGrowing = (column: Shown) => column.grows === true && !column.resized;
  const tracks = shown.map((column) => (isGrowing(column) ? `minmax(${least(column)}px, 1fr)` : `${column.width}px`));
  tracks.push(shown.some(isGrowing) ? `${end}px` : `minmax(${end}px, 1fr)`);
  return { tracks: tracks.join(" "), width: shown.reduce((sum, column) => sum + least(column), end) };
}
