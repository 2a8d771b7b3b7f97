// The keys of the query language as `core/src/filter/keys.rs` has them (a test compares the two): what is known before the
// engine is there, and where it never is.
import type { Level } from "./api";

/** Name, what it is, other names. */
type Key = readonly [name: string, about: string, ...aliases: string[]];

export const KEYS: readonly Key[] = [
  ["time", "when it happened: -1h.., today, 2026-06-23", "ts", "timestamp", "@timestamp"],
  ["level", "trace, debug, info, warn, error, fatal", "lvl", "severity"],
  ["kind", "exchange, request, response, event"],
  ["method", "HTTP method", "verb", "http.method", "http.request.method"],
  ["status", "status code: 404, 5xx, 200..299", "code", "status_code", "statuscode", "http.status_code", "http.response.status_code"],
  ["path", "path without query", "url.path"],
  ["url", "path and query", "uri"],
  ["query", "the whole query string", "query_string", "url.query"],
  ["route", "template of the path", "http.route"],
  ["host", "host and port as requested", "hostname", "server.address"],
  ["scheme", "http or https", "url.scheme"],
  ["protocol", "HTTP/1.1, HTTP/2", "proto"],
  ["duration", "how long it took: >1.5s; bare numbers are ms", "duration_ms", "durationms", "dur", "latency", "elapsed"],
  ["size", "bytes of both bodies: >10kb", "bytes"],
  ["req.size", "bytes of the request body", "request.size", "request_size"],
  ["res.size", "bytes of the response body", "response.size", "response_size"],
  ["ip", "address of the client", "client_ip", "clientip", "remote_addr", "client.address"],
  ["ua", "User-Agent", "user_agent", "useragent", "user_agent.original"],
  ["service", "originating service", "svc", "service.name"],
  ["project", "project"],
  ["environment", "deployment environment", "env"],
  ["session", "test run or session key", "session_key", "sessionkey"],
  ["container", "container or instance", "container_id", "containerid"],
  ["source", "backend or edge"],
  ["trace", "trace id", "trace_id", "traceid"],
  ["span", "span id", "span_id", "spanid"],
  ["request_id", "request id", "requestid", "req_id"],
  ["user", "the caller", "user_id", "userid"],
  ["flow", "named flow", "flow_name", "flowname"],
  ["auth", "how the caller authenticated", "auth_type", "authtype"],
  ["error", "error code", "err", "error_code", "errorcode", "error.type"],
  ["message", "the whole message; bare text searches in it", "msg"],
  ["overridden", "true where a rule changed the answer"],
  ["req.body", "text in the request body", "request.body", "request_body"],
  ["res.body", "text in the response body", "response.body", "response_body"],
  ["body", "text in either body"],
  ["type", "media type: application/json, json", "content_type", "contenttype", "mime"],
  ["is", "error, slow, truncated, redacted, overridden"],
];

/** The beginnings of keys that go on with a name of the user's. */
export const PREFIXES: readonly Key[] = [
  ["query.", "one query parameter", "param."],
  ["req.header.", "one request header field", "req.headers.", "request.header.", "request.headers.", "http.request.header."],
  ["res.header.", "one response header field", "res.headers.", "response.header.", "response.headers.", "http.response.header."],
  ["req.json.", "the value at a path of the request body", "request.json."],
  ["res.json.", "the value at a path of the response body", "response.json."],
  ["attr.", "the value at a path of the attributes", "attrs.", "attribute.", "attributes."],
];

const LEVELS: readonly Level[] = ["trace", "debug", "info", "warn", "error", "fatal"];

/** Values that every log has, by key: value and what it means. */
export const VALUES: Readonly<Record<string, readonly (readonly [value: string, about?: string])[]>> = {
  level: LEVELS.map((level) => [level] as const),
  kind: [
    ["exchange", "a request with its response"],
    ["request", "a request by itself"],
    ["response", "a response by itself"],
    ["event", "a line of a log that is no request"],
  ],
  source: [["backend"], ["edge"]],
  method: ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"].map((method) => [method] as const),
  status: [
    ["2xx", "success"],
    ["3xx", "redirection"],
    ["4xx", "client error"],
    ["5xx", "server error"],
    ["1xx", "informational"],
    [">=400", "any error"],
  ],
  overridden: [["true"], ["false"]],
  scheme: [["http"], ["https"]],
  is: [
    ["error", "failed: level error or fatal, status 5xx, an error code"],
    ["slow", "took long"],
    ["truncated", "a body was cut"],
    ["redacted", "secrets were replaced"],
    ["overridden", "a rule changed the answer"],
  ],
  time: [
    ["-15m..", "the last 15 minutes"],
    ["-1h..", "the last hour"],
    ["-24h..", "the last 24 hours"],
    ["-7d..", "the last 7 days"],
    ["today"],
    ["yesterday"],
  ],
  duration: [[">100ms"], [">500ms"], [">1s"], [">5s"]],
  size: [[">10kb"], [">100kb"], [">1mb"]],
};

/** What `/api/v1/facets` counts by; `class` is the hundreds of `status`. */
export const FACETS = [
  "level", "class", "method", "status", "service", "host", "route", "error", "kind", "type", "user", "project", "environment", "session",
  "container", "source", "scheme", "protocol", "path", "ip", "ua", "auth", "flow", "message", "request_id", "trace", "span", "overridden",
] as const;
export type FacetField = (typeof FACETS)[number];

const named = new Map(KEYS.flatMap(([name, , ...aliases]) => [name, ...aliases].map((known) => [known, name] as const)));
const prefixed = PREFIXES.flatMap(([prefix, , ...aliases]) => [prefix, ...aliases].map((known) => [known, prefix] as const));

/** The beginning that `key` goes on from, as it is written there and as it is printed. */
export function prefixOf(key: string): { length: number; prefix: string } | null {
  const lower = key.toLowerCase();
  const found = prefixed.find(([known]) => lower.startsWith(known));
  return found ? { length: found[0].length, prefix: found[1] } : null;
}

/** The canonical name of a key; null of an unknown one, which is looked for in the attributes. */
export function canonical(key: string): string | null {
  const prefix = prefixOf(key);
  if (prefix && prefix.length < key.length) return prefix.prefix + key.slice(prefix.length);
  return named.get(key.toLowerCase()) ?? null;
}
