// Opening, wherever the engine runs.

import type { OpenOptions, Opened } from "./api.js";
import type { Command, Event, Port } from "./protocol.js";
import { Session } from "./session.js";

const MIB = 1 << 20;

/** An engine that has begun, with nothing in it. */
export interface Engine {
  port: Port<Event, Command>;
  /** What `start` brings to it beside the module. */
  indexers: MessagePort[];
  /** A folder of the origin's private file system for inflated bytes, if there can be one. */
  directory: string | undefined;
  release(): void;
}

export async function begin(
  module: WebAssembly.Module,
  files: (File | Blob)[],
  options: OpenOptions,
  make: () => Engine,
): Promise<Opened> {
  const { signal, onprogress, format, cacheBytes = 64 * MIB, inflatedBytes = 32 * MIB } = options;
  signal?.throwIfAborted();
  const { port, indexers, directory, release } = make();
  const session = new Session(port, onprogress, release);
  port.post({ op: "start", module, cacheBytes, inflatedBytes, directory, indexers }, indexers);
  try {
    await session.add(files, { ...(signal && { signal }), ...(format !== undefined && { format }) });
    return session;
  } catch (error) {
    session.close();
    throw error;
  }
}
