// The workers of a browser, and the ports between them.

import { type Engine } from "./begin.js";
import { EngineError } from "./api.js";
import { type Command, type Event, type Fault, faultOf, type Port } from "./protocol.js";
import { storage } from "./storage.js";

/** One engine and as many indexers, each a worker of its own; indexers talk to the engine only. */
export function connect(count: number): Engine {
  if (typeof Worker !== "function") throw new EngineError("unsupported", "this platform has no workers");
  // bundlers find workers by these words
  const engine = new Worker(new URL("./engine.worker.js", import.meta.url), { type: "module", name: "reqlog engine" });
  const workers = [engine];
  const indexers: MessagePort[] = [];
  for (let number = 1; number <= count; number += 1) {
    const indexer = new Worker(new URL("./indexer.worker.js", import.meta.url), { type: "module", name: `reqlog indexer ${number}` });
    const channel = new MessageChannel();
    indexer.postMessage(null, [channel.port2]);
    indexers.push(channel.port1);
    workers.push(indexer);
  }
  const folder = storage();
  const port = portOf(engine, workers);
  const release = () => {
    for (const worker of workers) worker.terminate();
    folder?.remove();
  };
  return { port, indexers, directory: folder?.name, release };
}

function portOf(engine: Worker, workers: Worker[]): Port<Event, Command> {
  const port: Port<Event, Command> = {
    post: (message, transfer = []) => engine.postMessage(message, transfer),
    onmessage: null,
    onfailure: null,
    close: () => engine.terminate(),
  };
  const fail = (fault: Fault) => port.onfailure?.(fault);
  engine.addEventListener("message", ({ data }: MessageEvent<Event>) => port.onmessage?.(data));
  for (const worker of workers) {
    // an event without a message is a script that could not be loaded
    worker.addEventListener("error", ({ message }) => {
      const what = message || "its script could not be loaded; bundlers that do not know workers need a copy of it beside the bundle";
      fail(faultOf(new EngineError(message ? "crashed" : "unsupported", `a worker failed: ${what}`)));
    });
    worker.addEventListener("messageerror", () => fail({ code: "crashed", message: "a message between workers was lost" }));
  }
  return port;
}
