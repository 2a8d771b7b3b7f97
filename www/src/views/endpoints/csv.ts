// Endpoints as CSV (RFC 4180), as they are shown.
import type { Endpoint } from "../../state/aggregates";

const COLUMNS: readonly (keyof Endpoint)[] = [
  "method", "route", "count", "errors", "client_errors", "error_rate", "p50_ms", "p95_ms", "p99_ms", "request_bytes", "response_bytes",
];

function cell(value: string | number | null): string {
  if (typeof value !== "string") return String(value ?? "");
  // what a spreadsheet would run as a formula is shown as text by it
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csv(items: readonly Endpoint[]): string {
  const rows = items.map((item) => COLUMNS.map((column) => cell(item[column])).join(","));
  return [COLUMNS.join(","), ...rows, ""].join("\r\n");
}
