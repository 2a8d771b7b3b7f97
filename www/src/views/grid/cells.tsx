// What the cells of a record show.
import type { ComponentChildren, CSSProperties } from "preact";
import type { LogRecord } from "../../lib/api";
import { absolute, bytes, count, counted, duration, moment, since } from "../../lib/format";
import { legible } from "../../lib/redacted";
import type { Shown } from "../../state/columns";
import type { Times } from "../../state/settings";

export interface Look {
  content: ComponentChildren;
  class?: string;
  style?: CSSProperties;
}

const LEVELS = { trace: "T", debug: "D", info: "I", warn: "W", error: "E", fatal: "F" } as const;
const METHODS = new Set(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]);
const NONE: Look = { content: "" };

/** A width at which there is room for the date too. */
const DATED = 150;

/** Milliseconds at which the bar of a duration is full; it grows with the logarithm. */
const FULL_MS = 30_000;

export const isBad = ({ level, status }: LogRecord): boolean => level === "error" || level === "fatal" || (status !== undefined && status >= 500);

/** `before`: the record in the row above, to which relative times are. */
export function look(column: Shown, record: LogRecord, before: LogRecord | undefined, times: Times): Look {
  switch (column.id) {
    case "time":
      return timeLook(record, before, times, column.width < DATED);
    case "level":
      return { content: <span class={`mark level-${record.level}`} aria-label={record.level}>{LEVELS[record.level]}</span> };
    case "method":
      return methodLook(record);
    case "status":
      return statusLook(record);
    case "path":
      return pathLook(record);
    case "duration":
      return durationLook(record.duration_ms);
    case "size": {
      const { size } = record;
      return size === undefined ? NONE : { content: bytes(size) };
    }
    case "arrival":
      return { content: count(record.seq) };
    case "url_path":
      return { content: legible(record.path ?? "") };
    case "type":
      return { content: record.response?.body?.content_type?.split(";", 1)[0] ?? "" };
    default:
      return { content: legible(text(record, column)) };
  }
}

/** What hovering over a cell says; made when it is asked for, since rows pass by the hundred. */
export function hint(column: Shown, record: LogRecord, times: Times): string {
  switch (column.id) {
    case "time":
      return absolute(record.time, times === "utc" ? "utc" : "local");
    case "level":
      return record.level;
    case "method":
      return record.method ?? (record.kind === "event" ? "An event, no request" : "");
    case "status":
      if (record.status !== undefined) return [record.status, record.error_code].join(" ").trim();
      return record.error_code ?? (record.kind === "event" ? "" : record.kind === "request" ? "No response yet" : "No status");
    case "path":
      return pathHint(record);
    case "duration":
      return record.duration_ms === undefined ? "" : `${record.duration_ms} ms`;
    case "size":
      return record.size === undefined ? "" : `Both bodies: ${counted(record.size, "byte")}`;
    case "arrival":
      return "";
    case "url_path":
      return record.path ?? "";
    case "type":
      return record.response?.body?.content_type ?? "";
    default:
      return text(record, column);
  }
}

function text(record: LogRecord, { id }: Shown): string {
  const value = record[id as keyof LogRecord];
  if (value === undefined || value === null) return "";
  if (typeof value === "boolean") return value ? "yes" : "";
  return String(value);
}

function timeLook({ time }: LogRecord, before: LogRecord | undefined, times: Times, isNarrow: boolean): Look {
  const relative = times === "relative" && before ? since(time, before.time) : null;
  if (relative !== null) return { content: relative, class: "relative" };
  const [date, clock] = moment(time, times === "utc" ? "utc" : "local");
  if (isNarrow) return { content: clock.slice(0, 8) };
  return { content: <><span class="quiet">{date} </span>{clock}</> };
}

function methodLook({ method, kind }: LogRecord): Look {
  if (!method) return kind === "event" ? { content: "event", class: "none" } : NONE;
  return { content: legible(method), class: `method-${METHODS.has(method) ? method.toLowerCase() : "other"}` };
}

function statusLook({ status, kind, error_code: code }: LogRecord): Look {
  if (status !== undefined) return { content: <span class={`status status-${Math.floor(status / 100)}xx`}>{status}</span> };
  if (kind === "event") return NONE;
  return { content: code ? <span class="status status-5xx">fail</span> : <span class="status status-none">–</span> };
}

/** Whether there is no URL to show, but a message. */
const isTold = ({ kind, host, path }: LogRecord): boolean => kind === "event" || (!path && !host);

function pathLook(record: LogRecord): Look {
  const { host, path, query, message } = record;
  if (isTold(record)) return { content: <span class="event">{legible(message ?? "")}</span>, class: "where" };
  const content = (
    <>
      {host && <span class="host">{legible(host)}</span>}
      <span class="path">{legible(path ?? "")}{query && <span class="quiet">?{legible(query)}</span>}</span>
    </>
  );
  return { content, class: "where" };
}

function pathHint(record: LogRecord): string {
  const { host = "", path = "", query, route, message = "" } = record;
  if (isTold(record)) return message;
  const url = `${host}${path}${query ? `?${query}` : ""}`;
  return route && route !== path ? `${url}\nRoute: ${route}` : url;
}

function durationLook(ms: number | undefined): Look {
  if (ms === undefined) return NONE;
  const share = Math.min(1, Math.log1p(ms) / Math.log1p(FULL_MS));
  const pace = ms >= 5000 ? "slowest" : ms >= 1000 ? "slow" : "";
  return { content: duration(ms), class: pace, style: { "--share": share.toFixed(3) } };
}
