// The compiled module and this realm's instance of it.

import initialise, * as bindings from "./reqlog.js";
import { EngineError } from "./api.js";

export { bindings };

/** What a module can be made of. */
export type Input = URL | Response | BufferSource | WebAssembly.Module;

let compiled: Promise<WebAssembly.Module> | undefined;
let isReady = false;

/** Compiles once and makes an instance; who asks first says from what. A failure is forgotten, so that it can be tried again. */
export function load(input: () => Input | Promise<Input>): Promise<WebAssembly.Module> {
  compiled ??= (async () => {
    const module = await compile(await input());
    await initialise({ module_or_path: module });
    isReady = true;
    return module;
  })();
  compiled.catch(() => (compiled = undefined));
  return compiled;
}

/** A new instance in place of one that trapped; what belongs to the old one throws from now on. */
export function reset(): void {
  bindings.__wbg_reset_state();
}

/** The instance, for what cannot wait. */
export function instance(): typeof bindings {
  if (!isReady) throw new EngineError("unsupported", "await init() before the first call");
  return bindings;
}

async function compile(input: Input): Promise<WebAssembly.Module> {
  if (typeof WebAssembly !== "object") throw new EngineError("unsupported", "this platform has no WebAssembly");
  try {
    if (input instanceof WebAssembly.Module) return input;
    if (!(input instanceof URL) && !(input instanceof Response)) return await WebAssembly.compile(input);
    const response = input instanceof URL ? await fetch(input) : input;
    if (!response.ok) throw new EngineError("read", `${response.url}: ${response.status} ${response.statusText}`);
    // servers that do not know the type of the file are many; the other way costs a copy
    const isTyped = response.headers.get("content-type")?.startsWith("application/wasm");
    return isTyped ? await WebAssembly.compileStreaming(response) : await WebAssembly.compile(await response.arrayBuffer());
  } catch (error) {
    if (error instanceof WebAssembly.CompileError) {
      throw new EngineError("unsupported", `WebAssembly with SIMD is needed: ${error.message}`);
    }
    throw error;
  }
}
