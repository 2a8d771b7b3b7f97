// The worker that holds the store.

import { EngineError } from "./api.js";
import { Engine } from "./engine.js";
import { faultOf } from "./fault.js";
import { load } from "./module.js";
import { portOf } from "./port.js";
import type { Command, Event, Port, Reply, Settings, Staffing, Task } from "./protocol.js";

/** The first message to it. */
export interface Start {
  module: WebAssembly.Module;
  settings: Settings;
  /** How many indexers a hire has. */
  count: number;
  /** Those of the first hire, where they are there already. */
  indexers: MessagePort[];
}

const page: Port<Command, Event | Staffing> = { post: (event, transfer = []) => postMessage(event, { transfer }), onmessage: null };

// what comes before the module is ready waits
const early: Command[] = [];
onmessage = async ({ data }: MessageEvent<Start>) => {
  onmessage = ({ data }: MessageEvent<Command>) => (page.onmessage ? page.onmessage(data) : early.push(data));
  try {
    await load(() => data.module);
    new Engine(page, staff(data), data.settings);
    for (const command of early) page.onmessage?.(command);
  } catch (error) {
    const fault = error instanceof EngineError ? faultOf(error) : { code: "unsupported", message: String(error) };
    page.post({ op: "crashed", fault });
  }
};

/** Indexers are workers of the page's. */
function staff({ count, indexers }: Start) {
  let ports = indexers;
  return {
    hire(number: number) {
      if (ports.length === 0) {
        const channels = Array.from({ length: count }, () => new MessageChannel());
        ports = channels.map(({ port1 }) => port1);
        const others = channels.map(({ port2 }) => port2);
        page.post({ op: "hire", hire: number, indexers: others }, others);
      }
      return ports.map((port) => portOf<Reply, Task>(port));
    },
    dismiss() {
      for (const port of ports) port.close();
      ports = [];
      page.post({ op: "dismiss" });
    },
  };
}
