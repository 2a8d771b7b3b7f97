// The worker that holds the store.

import { EngineError } from "./api.js";
import { Engine } from "./engine.js";
import { faultOf } from "./fault.js";
import { load } from "./module.js";
import type { Command, Event, Port, Reply, Settings, Task } from "./protocol.js";
import { portOf } from "./port.js";

/** The first message to it. */
export interface Start {
  module: WebAssembly.Module;
  settings: Settings;
  indexers: MessagePort[];
}

const page: Port<Command, Event> = { post: (event, transfer = []) => postMessage(event, { transfer }), onmessage: null };

// what comes before the module is ready waits
const early: Command[] = [];
onmessage = async ({ data }: MessageEvent<Start>) => {
  onmessage = ({ data }: MessageEvent<Command>) => (page.onmessage ? page.onmessage(data) : early.push(data));
  try {
    await load(() => data.module);
    new Engine(page, data.indexers.map((port) => portOf<Reply, Task>(port)), data.settings);
    for (const command of early) page.onmessage?.(command);
  } catch (error) {
    const fault = error instanceof EngineError ? faultOf(error) : { code: "unsupported", message: String(error) };
    page.post({ op: "crashed", fault });
  }
};
