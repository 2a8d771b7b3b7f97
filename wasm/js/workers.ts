// The workers of a browser, and the ports between them.

import { EngineError } from "./api.js";
import type { Connected } from "./begin.js";
import type { Start as EngineStart } from "./engine.worker.js";
import { faultOf } from "./fault.js";
import type { Start as IndexerStart } from "./indexer.worker.js";
import type { Command, Event, Settings } from "./protocol.js";
import { storage } from "./storage.js";

/** One engine and as many indexers, each a worker of its own; indexers talk to the engine only. */
export function connect(module: WebAssembly.Module, settings: Settings, count: number): Connected {
  if (typeof Worker !== "function") throw new EngineError("unsupported", "this platform has no workers");
  const folder = storage();
  // bundlers find workers by these words
  const engine = new Worker(new URL("./engine.worker.js", import.meta.url), { type: "module", name: "reqlog engine" });
  const workers = [engine];
  const indexers: MessagePort[] = [];
  for (let number = 1; number <= count; number += 1) {
    const indexer = new Worker(new URL("./indexer.worker.js", import.meta.url), { type: "module", name: `reqlog indexer ${number}` });
    const channel = new MessageChannel();
    const start: IndexerStart = { module, engine: channel.port2 };
    indexer.postMessage(start, [channel.port2]);
    indexers.push(channel.port1);
    workers.push(indexer);
  }
  const start: EngineStart = { module, settings: { ...settings, directory: folder?.name }, indexers };
  engine.postMessage(start, indexers);
  const connected: Connected = {
    port: { post: (command: Command, transfer = []) => engine.postMessage(command, transfer), onmessage: null },
    onfailure: null,
    release() {
      for (const worker of workers) worker.terminate();
      folder?.remove();
    },
  };
  engine.addEventListener("message", ({ data }: MessageEvent<Event>) => connected.port.onmessage?.(data));
  for (const worker of workers) {
    worker.addEventListener("error", ({ message }) => connected.onfailure?.(faultOf(failure(message))));
    worker.addEventListener("messageerror", () => connected.onfailure?.({ code: "crashed", message: "a message between workers was lost" }));
  }
  return connected;
}

// an event without a message is a script that could not be loaded
function failure(message: string | undefined): EngineError {
  if (message) return new EngineError("crashed", `a worker failed: ${message}`);
  const hint = "with a bundler that does not know workers, copy engine.worker.js and indexer.worker.js beside the bundle";
  return new EngineError("unsupported", `the script of a worker could not be loaded; ${hint}`);
}
