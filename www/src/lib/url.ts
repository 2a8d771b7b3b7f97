// The URL of a record from its parts.
import type { LogRecord } from "./api";

/** Path and query. */
export function target({ path = "", query }: LogRecord): string {
  return query ? `${path}?${query}` : path;
}

/** The whole URL; where the record does not tell, `http` and the `host` field of the request, or localhost. */
export function urlOf(record: LogRecord): string {
  const field = record.request?.headers?.find(([name]) => name.toLowerCase() === "host")?.[1];
  return `${record.scheme ?? "http"}://${record.host ?? field ?? "localhost"}${target(record)}`;
}

/** What is known of the URL, nothing made up. */
export function shownUrl(record: LogRecord): string {
  const host = record.host ? `${record.scheme ? `${record.scheme}://` : ""}${record.host}` : "";
  return host + target(record);
}
