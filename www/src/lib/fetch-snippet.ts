// A request as a call of `fetch`, to be pasted into a console or a script.
import type { LogRecord } from "./api";
import { urlOf } from "./url";

// what fetch sets itself or refuses, and pseudo-fields of HTTP/2
const OWN = new Set(["host", "content-length", "connection", "transfer-encoding", "accept-encoding", "keep-alive", "te", "upgrade"]);

/** A text as a JavaScript string that can stand in a script element, too. */
export const literal = (text: string): string =>
  JSON.stringify(text).replace(/[\u2028\u2029\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`).replaceAll("<", "\\x3C");

/** `body` is what was captured of the request's body. */
export function fetchSnippet(record: LogRecord, body: Uint8Array): string {
  const lines: string[] = [];
  const headers = (record.request?.headers ?? []).filter(([name]) => !name.startsWith(":") && !OWN.has(name.toLowerCase()));
  const method = record.method ?? "GET";
  const type = record.request?.body?.content_type;
  // some sources name the type with the body only; fetch would make one up
  if (type && body.length > 0 && !headers.some(([name]) => name.toLowerCase() === "content-type")) headers.push(["content-type", type]);
  if (method !== "GET") lines.push(`  method: ${literal(method)},`);
  if (headers.length > 0) {
    // a list of pairs, because names may come twice
    lines.push("  headers: [", ...headers.map(([name, value]) => `    [${literal(name)}, ${literal(value)}],`), "  ],");
  }
  if (body.length > 0) {
    // fetch sends none with GET and HEAD
    const mark = method === "GET" || method === "HEAD" ? "  // " : "  ";
    lines.push(`${mark}body: ${bodyOf(body)},`);
  }
  const cut = record.request?.body?.truncated ? "// the body is not whole: it was cut when it was captured\n" : "";
  const rest = lines.length > 0 ? `, {\n${lines.join("\n")}\n}` : "";
  return `${cut}await fetch(${literal(urlOf(record))}${rest});\n`;
}

function bodyOf(body: Uint8Array): string {
  try {
    return literal(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body));
  } catch {
    let binary = "";
    for (let at = 0; at < body.length; at += 0x8000) binary += String.fromCharCode(...body.subarray(at, at + 0x8000));
    return `Uint8Array.from(atob("${btoa(binary)}"), (char) => char.charCodeAt(0))`;
  }
}
