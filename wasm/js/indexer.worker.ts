// A worker that reads and parses for the engine.

import { Indexer } from "./indexer.js";
import { load } from "./module.js";
import { portOf } from "./port.js";
import type { Reply, Task } from "./protocol.js";

/** The only message to it; the engine is behind the port. */
export interface Start {
  module: WebAssembly.Module;
  engine: MessagePort;
}

onmessage = ({ data }: MessageEvent<Start>) => {
  load(() => data.module).then(
    // what came before waits in the port
    () => new Indexer(portOf<Task, Reply>(data.engine)),
    (error: unknown) =>
      // the page hears of errors, not of promises
      setTimeout(() => {
        throw error;
      }),
  );
};
