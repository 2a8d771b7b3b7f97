// Bytes as a dump: only rows in sight exist, and only their bytes are asked for.
import { useEffect, useRef, useState } from "preact/hooks";
import { Virtual } from "./virtual";

const ROW = 18;
const WIDTH = 16;
const PAGE = 1 << 16;
// pages that are kept: 4 MiB
const KEPT = 64;

type Read = (from: number, to: number, signal: AbortSignal) => Promise<Uint8Array>;

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export function dump(bytes: Uint8Array, offset: number): { hex: string; text: string } {
  let [hex, text] = ["", ""];
  for (let at = 0; at < WIDTH; at += 1) {
    const byte = bytes[offset + at];
    hex += (at === 8 ? "  " : at > 0 ? " " : "") + (byte === undefined ? "  " : HEX[byte]!);
    text += byte === undefined ? "" : byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·";
  }
  return { hex, text };
}

/** `size` bytes that `read` gives by ranges; it is not called again for the same ones while they are near. */
export function Hex({ size, read, label }: { size: number; read: Read; label: string }) {
  const pages = useRef(new Map<number, Uint8Array>());
  const asked = useRef(new Set<number>());
  const aborts = useRef(new AbortController());
  const [, redraw] = useState(0);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => {
    const controller = new AbortController();
    aborts.current = controller;
    return () => controller.abort();
  }, []);

  const want = (page: number) => {
    if (asked.current.has(page)) return;
    asked.current.add(page);
    const { signal } = aborts.current;
    read(page * PAGE, Math.min(size, (page + 1) * PAGE), signal).then(
      (bytes) => {
        pages.current.set(page, bytes);
        const oldest = pages.current.keys().next().value;
        if (pages.current.size > KEPT && oldest !== undefined) {
          pages.current.delete(oldest);
          asked.current.delete(oldest);
        }
        setError(null);
        redraw((count) => count + 1);
      },
      (failed: unknown) => {
        if (!signal.aborted) setError(failed instanceof Error ? failed.message : String(failed));
      },
    );
  };
  const retry = () => {
    for (const page of asked.current) if (!pages.current.has(page)) asked.current.delete(page);
    setError(null);
  };

  const row = (index: number) => {
    const offset = index * WIDTH;
    const page = Math.floor(offset / PAGE);
    const bytes = pages.current.get(page);
    if (!bytes) queueMicrotask(() => want(page));
    const { hex, text } = bytes ? dump(bytes, offset - page * PAGE) : { hex: "··", text: "" };
    return (
      <div key={index} class="hex-row">
        <span class="hex-offset">{offset.toString(16).padStart(8, "0")}</span>
        <span>{hex}</span>
        <span class="hex-text">{text}</span>
      </div>
    );
  };
  return (
    <div class="hex">
      {error && <p class="detail-warning">{error} <button type="button" class="button" onClick={retry}>Try again</button></p>}
      <Virtual count={Math.ceil(size / WIDTH)} rowHeight={ROW} row={row} class="hex-rows mono" role="group" tabIndex={0} aria-label={label} />
    </div>
  );
}
