// Opening, wherever the engine runs.

import type { OpenOptions, Opened } from "./api.js";
import type { Command, Event, Fault, Port, Settings } from "./protocol.js";
import { Session } from "./session.js";

const MIB = 1 << 20;

/** An engine with nothing in it. */
export interface Connected {
  port: Port<Event, Command>;
  /** Called when what it runs on fails. */
  onfailure: ((fault: Fault) => void) | null;
  /** Ends all work. */
  release(): void;
}

export async function begin(
  files: (File | Blob)[],
  options: OpenOptions,
  portionBytes: number,
  connect: (settings: Settings) => Connected,
): Promise<Opened> {
  const { signal, onprogress, format, cacheBytes = 64 * MIB, inflatedBytes = 32 * MIB } = options;
  signal?.throwIfAborted();
  // whatever else is said, secrets are replaced
  const redact = options.redact !== false;
  const session = new Session(connect({ redact, cacheBytes, inflatedBytes, directory: undefined, portionBytes }), onprogress);
  try {
    await session.add(files, { ...(signal && { signal }), ...(format !== undefined && { format }) });
    return session;
  } catch (error) {
    session.close();
    throw error;
  }
}
