// The engine in the thread of its caller, with one indexer beside it.

import type { Connected } from "./begin.js";
import { Engine } from "./engine.js";
import { Indexer } from "./indexer.js";
import { pair } from "./port.js";
import type { Command, Event, Reply, Settings, Task } from "./protocol.js";

export function local(_module: WebAssembly.Module, settings: Settings): Connected {
  const [near, far] = pair<Event, Command>();
  const [engine, indexer] = pair<Reply, Task>();
  const running = [new Engine(far, [engine], settings), new Indexer(indexer)];
  const release = () => {
    for (const port of [near, far, engine, indexer]) port.onmessage = null;
    for (const part of running) part.close();
  };
  return { port: near, onfailure: null, release };
}
