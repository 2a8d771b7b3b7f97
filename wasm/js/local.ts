// The engine in the thread of its caller, with one indexer beside it.

import type { Connected } from "./begin.js";
import { Engine } from "./engine.js";
import { Indexer } from "./indexer.js";
import { pair } from "./port.js";
import type { Command, Event, Reply, Settings, Task } from "./protocol.js";

export function local(_module: WebAssembly.Module, settings: Settings): Connected {
  const [near, far] = pair<Event, Command>();
  const [port, indexers] = pair<Reply, Task>();
  const indexer = new Indexer(indexers);
  // it shares the instance of the engine: its memory is not gained by ending it
  const engine = new Engine(far, { hire: () => [port], dismiss: () => indexer.close() }, settings);
  const release = () => {
    for (const end of [near, far, port, indexers]) end.onmessage = null;
    engine.close();
    indexer.close();
  };
  return { port: near, onfailure: null, release };
}
