// The workers of a browser, and the ports between them.

import { EngineError } from "./api.js";
import type { Connected } from "./begin.js";
import type { Start as EngineStart } from "./engine.worker.js";
import { faultOf } from "./fault.js";
import type { Start as IndexerStart } from "./indexer.worker.js";
import type { Command, Event, Fault, Settings, Staffing } from "./protocol.js";
import { storage } from "./storage.js";

/**
 * One engine and `count` indexers, each a worker of its own; indexers talk to the engine only, which says when they are wanted. So many
 * as are `early` are taken to be wanted at once, and start while the engine does.
 */
export function connect(module: WebAssembly.Module, settings: Settings, count: number, early: number): Connected {
  if (typeof Worker !== "function") throw new EngineError("unsupported", "this platform has no workers");
  const folder = storage();
  // bundlers find workers by these words
  const engine = new Worker(new URL("./engine.worker.js", import.meta.url), { type: "module", name: "reqlog engine" });
  watch(engine, (fault) => connected.onfailure?.(fault));
  let indexers: Worker[] = [];
  const hire = (number: number, ports: MessagePort[]) => {
    indexers = ports.map((port, at) => {
      const indexer = new Worker(new URL("./indexer.worker.js", import.meta.url), { type: "module", name: `reqlog indexer ${at + 1}` });
      watch(indexer, (fault) => connected.port.post({ op: "lose", hire: number, fault }));
      const start: IndexerStart = { module, engine: port };
      indexer.postMessage(start, [port]);
      return indexer;
    });
  };
  const dismiss = () => {
    for (const indexer of indexers) indexer.terminate();
    indexers = [];
  };
  let isOver = false;
  const connected: Connected = {
    port: { post: (command: Command, transfer = []) => engine.postMessage(command, transfer), onmessage: null },
    onfailure: null,
    release() {
      isOver = true;
      engine.terminate();
      dismiss();
      folder?.remove();
    },
  };
  engine.addEventListener("message", ({ data }: MessageEvent<Event | Staffing>) => {
    // some may still be on its way from a worker that was ended
    if (isOver) return;
    if (data.op === "hire") hire(data.hire, data.indexers);
    else if (data.op === "dismiss") dismiss();
    else connected.port.onmessage?.(data);
  });
  const channels = Array.from({ length: early }, () => new MessageChannel());
  hire(1, channels.map(({ port2 }) => port2));
  const start: EngineStart = { module, settings: { ...settings, directory: folder?.name }, count, indexers: channels.map(({ port1 }) => port1) };
  engine.postMessage(start, start.indexers);
  return connected;
}

function watch(worker: Worker, fail: (fault: Fault) => void): void {
  worker.addEventListener("error", ({ message }) => fail(faultOf(failure(message))));
  worker.addEventListener("messageerror", () => fail({ code: "crashed", message: "a message between workers was lost" }));
}

// an event without a message is a script that could not be loaded
function failure(message: string | undefined): EngineError {
  if (message) return new EngineError("crashed", `a worker failed: ${message}`);
  const hint = "with a bundler that does not know workers, copy engine.worker.js and indexer.worker.js beside the bundle";
  return new EngineError("unsupported", `the script of a worker could not be loaded: its server may be gone; ${hint}`);
}
