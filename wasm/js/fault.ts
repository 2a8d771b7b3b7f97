// What goes wrong, as an `EngineError` on its way.

import { EngineError } from "./api.js";
import type { Fault } from "./protocol.js";

const STORAGE = new Set(["QuotaExceededError", "NoModificationAllowedError", "InvalidStateError"]);

/** What was thrown by the module, a file, or the platform. */
export function faultOf(error: unknown): Fault {
  if (isTrap(error)) return { code: "crashed", message: `the engine failed inside: ${(error as Error).message}` };
  const { name, message = String(error), code, position } = error as Partial<EngineError>;
  if (typeof code === "string") return position === undefined ? { code, message } : { code, message, position };
  if (STORAGE.has(name ?? "")) return { code: "storage", message: `there is no room for what is inflated: ${message}` };
  if (error instanceof DOMException) return { code: "read", message: `the file cannot be read, or has changed: ${message}` };
  return { code: "crashed", message };
}

export function errorOf({ code, message, position }: Fault): EngineError {
  return new EngineError(code, message, position);
}

/** After these the instance's memory is in no known state. */
export function isTrap(error: unknown): boolean {
  return error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
}
