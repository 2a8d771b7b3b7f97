// A captured body by ranges of bytes.
import type { Backend } from "../backend/backend";
import { ask, path, type Body } from "./api";

export type Side = "request" | "response";

const PORTION = 1 << 20;

/** The bytes `from` to `to`, the end not included, or fewer where the body ends. */
export async function bodyRange(backend: Backend, id: string, side: Side, from: number, to: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  if (to <= from) return new Uint8Array();
  const headers = { range: `bytes=${from}-${to - 1}` };
  const response = await ask(backend, path(`logs/${encodeURIComponent(id)}/body`, { side }), signal ? { headers, signal } : { headers });
  const bytes = new Uint8Array(await response.arrayBuffer());
  // who knows no ranges sends all of it
  return response.status === 206 ? bytes : bytes.slice(from, to);
}

/** The first `most` bytes, portion by portion, after those that are `had`; `progress` is called with how many have come. */
export async function bodyHead(
  backend: Backend, id: string, side: Side, { captured }: Body, most: number, signal: AbortSignal, had: Uint8Array = new Uint8Array(), progress?: (bytes: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const size = Math.min(captured, most);
  const bytes = new Uint8Array(size);
  bytes.set(had.subarray(0, size));
  for (let at = Math.min(had.length, size); at < size; ) {
    const portion = await bodyRange(backend, id, side, at, Math.min(size, at + PORTION), signal);
    if (portion.length === 0) return bytes.slice(0, at);
    bytes.set(portion, at);
    at += portion.length;
    progress?.(at);
  }
  return bytes;
}
