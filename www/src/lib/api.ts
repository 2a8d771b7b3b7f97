// reqlog's own API as types and calls: `wire/reqlog.md` is its contract.
import type { Asked, Backend } from "../backend/backend";

export type Level = "trace" | "debug" | "info" | "warn" | "error" | "fatal";
export type Sort = "time" | "duration" | "status" | "size" | "arrival";
export type Direction = "asc" | "desc";

export interface Body {
  size: number;
  captured: number;
  truncated: boolean;
  /** Why not all of it was captured: `cap`, `undecodable`, `too_large`, `not_captured`. */
  reason?: string;
  content_type?: string;
  preview?: string;
}

export interface Message {
  headers: [string, string][];
  body?: Body;
}

/** A record; absent members are omitted. Lists hold the members that were asked for. */
export interface LogRecord {
  id: string;
  seq: number;
  time: string;
  kind: "exchange" | "request" | "response" | "event";
  level: Level;
  source?: string;
  project?: string;
  environment?: string;
  session?: string;
  service?: string;
  container?: string;
  method?: string;
  scheme?: string;
  host?: string;
  path?: string;
  query?: string;
  route?: string;
  status?: number;
  duration_ms?: number;
  client_ip?: string;
  user_agent?: string;
  protocol?: string;
  request_id?: string;
  trace_id?: string;
  span_id?: string;
  auth_type?: string;
  user_id?: string;
  flow_name?: string;
  error_code?: string;
  message?: string;
  overridden?: boolean;
  redacted?: boolean;
  request?: Message;
  response?: Message;
  attributes?: Record<string, unknown>;
  /** Bytes of both bodies together; only where `fields` names it. */
  size?: number;
}

export interface Page {
  items: LogRecord[];
  next: string | null;
  prev: string | null;
  total?: number;
  hints?: string[];
  scanned: { sources: number; opened: number; rows: number };
}

/** RFC 9457; of a query also where in it the error is, in characters from 0. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  parameter?: string;
  position?: number;
  hint?: string;
}

export class ApiError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail || problem.title);
    this.name = "ApiError";
  }
}

export type Parameters = Record<string, string | number | boolean | null | undefined>;

/** `/api/v1/` + `route` with its query string; parameters that are null, undefined or empty are left out. */
export function path(route: string, parameters: Parameters = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== "") query.set(name, String(value));
  }
  const text = query.toString();
  return `/api/v1/${route}${text && `?${text}`}`;
}

/** Asks and throws an `ApiError` for what is no success. */
export async function ask(backend: Backend, path: string, asked?: Asked): Promise<Response> {
  const response = await backend.request(path, asked);
  if (response.ok) return response;
  const text = await response.text();
  let problem: Problem = { type: "about:blank", title: response.statusText, status: response.status, detail: text };
  try {
    problem = { ...problem, ...JSON.parse(text) };
  } catch {
    // a proxy's answer, shown as it is
  }
  throw new ApiError(problem);
}

export async function get<T>(backend: Backend, route: string, parameters?: Parameters, signal?: AbortSignal): Promise<T> {
  const response = await ask(backend, path(route, parameters), signal ? { signal } : {});
  return (await response.json()) as T;
}
