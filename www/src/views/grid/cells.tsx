// What the cells of a record show.
import type { ComponentChildren, CSSProperties } from "preact";
import type { LogRecord } from "../../lib/api";
import { absolute, bytes, count, duration, moment, since } from "../../lib/format";
import type { Shown } from "../../state/columns";
import type { Times } from "../../state/settings";
import { sizeOf } from "../../state/snapshot";

export interface Look {
  content: ComponentChildren;
  /** What hovering says. */
  title?: string | undefined;
  class?: string | undefined;
  style?: CSSProperties | undefined;
}

const LEVELS = { trace: "T", debug: "D", info: "I", warn: "W", error: "E", fatal: "F" } as const;
const METHODS = new Set(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]);
const NONE: Look = { content: "" };

/** Milliseconds at which the bar of a duration is full; it grows with the logarithm. */
const FULL_MS = 30_000;

export const isBad = ({ level, status }: LogRecord): boolean => level === "error" || level === "fatal" || (status !== undefined && status >= 500);

/** `before`: the record in the row above, to which relative times are. */
export function look(column: Shown, record: LogRecord, before: LogRecord | undefined, times: Times): Look {
  switch (column.id) {
    case "time":
      return timeLook(record, before, times, column.narrow === column.width);
    case "level":
      return { content: <span class={`mark level-${record.level}`} aria-label={record.level}>{LEVELS[record.level]}</span>, title: record.level };
    case "method":
      return methodLook(record);
    case "status":
      return statusLook(record);
    case "path":
      return pathLook(record);
    case "duration":
      return durationLook(record.duration_ms);
    case "size":
      return sizeLook(record);
    case "arrival":
      return { content: count(record.seq) };
    case "url_path":
      return text(record.path);
    case "type": {
      const type = record.response?.body?.content_type;
      return type === undefined ? NONE : { content: type.split(";", 1)[0], title: type };
    }
    default:
      return text(record[column.id as keyof LogRecord]);
  }
}

function text(value: unknown): Look {
  if (value === undefined || value === null) return NONE;
  if (typeof value === "boolean") return { content: value ? "yes" : "", title: value ? "yes" : "no" };
  const content = String(value);
  return { content, title: content };
}

function timeLook({ time }: LogRecord, before: LogRecord | undefined, times: Times, isNarrow: boolean): Look {
  const zone = times === "utc" ? "utc" : "local";
  const title = absolute(time, zone);
  const relative = times === "relative" && before ? since(time, before.time) : null;
  if (relative !== null) return { content: relative, title, class: "relative" };
  const [date, clock] = moment(time, zone);
  if (isNarrow) return { content: clock.slice(0, 8), title };
  return { content: <><span class="quiet">{date} </span>{clock}</>, title };
}

function methodLook({ method, kind }: LogRecord): Look {
  if (!method) return kind === "event" ? { content: "event", class: "none", title: "An event, no request" } : NONE;
  return { content: method, class: `method-${METHODS.has(method) ? method.toLowerCase() : "other"}`, title: method };
}

function statusLook({ status, kind, error_code: code }: LogRecord): Look {
  if (status !== undefined) {
    const family = `${Math.floor(status / 100)}xx`;
    return { content: <span class={`status status-${family}`}>{status}</span>, title: `${status}${code ? ` ${code}` : ""}` };
  }
  if (kind === "event") return NONE;
  if (code) return { content: <span class="status status-5xx">fail</span>, title: code };
  return { content: <span class="status status-none">–</span>, title: kind === "request" ? "No response yet" : "No status" };
}

function pathLook({ kind, scheme, host, path, query, route, message }: LogRecord): Look {
  if (kind === "event" || (!path && !host)) return { content: <span class="event">{message ?? ""}</span>, title: message, class: "where" };
  const search = query ? `?${query}` : "";
  const url = `${scheme ? `${scheme}://` : ""}${host ?? ""}${path ?? ""}${search}`;
  const content = (
    <>
      {host && <span class="host">{host}</span>}
      <span class="path">{path}{search && <span class="quiet">{search}</span>}</span>
    </>
  );
  return { content, title: route && route !== path ? `${url}\nRoute: ${route}` : url, class: "where" };
}

function durationLook(ms: number | undefined): Look {
  if (ms === undefined) return NONE;
  const share = Math.min(1, Math.log1p(ms) / Math.log1p(FULL_MS));
  const pace = ms >= 5000 ? "slowest" : ms >= 1000 ? "slow" : "";
  return { content: duration(ms), title: `${ms} ms`, class: pace, style: { "--share": `${Math.round(share * 100)}%` } };
}

function sizeLook(record: LogRecord): Look {
  const size = sizeOf(record);
  if (size === undefined) return NONE;
  const side = (name: string, of: number | undefined) => (of === undefined ? [] : [`${name}: ${count(of)} bytes`]);
  const title = [...side("Request", record.request?.body?.size), ...side("Response", record.response?.body?.size)].join("\n");
  return { content: bytes(size), title };
}
