// Folders of the origin's private file system for inflated bytes, one for each opening.
//
// A lock by the folder's name is held as long as its page lives, so that what a page left that did not live to remove it is known.

const PREFIX = "reqlog-inflated-";

/** A folder by name; it need not be there yet. */
export interface Folder {
  name: string;
  remove(): void;
}

/** A folder of this opening's own, unless the platform has none. What others left behind is removed. */
export function storage(): Folder | undefined {
  if (!navigator.storage?.getDirectory || !navigator.locks) return undefined;
  const name = PREFIX + crypto.randomUUID();
  let close = () => {};
  const closed = new Promise<void>((resolve) => (close = resolve));
  // the lock is there before anything is, since names are drawn
  navigator.locks.request(name, () => closed.then(() => removed(name))).catch(() => {});
  sweep().catch(() => {});
  return { name, remove: close };
}

/** Tries for a second: a worker that has just been ended may hold a file for a moment. The next opening does the rest. */
async function removed(name: string): Promise<void> {
  const root = await navigator.storage.getDirectory();
  for (let attempt = 0; attempt < 20; attempt += 1) {
    try {
      await root.removeEntry(name, { recursive: true });
      return;
    } catch (error) {
      if ((error as DOMException).name === "NotFoundError") return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function sweep(): Promise<void> {
  const root = await navigator.storage.getDirectory();
  for await (const name of root.keys()) {
    if (!name.startsWith(PREFIX)) continue;
    await navigator.locks.request(name, { ifAvailable: true }, async (lock) => {
      if (lock) await removed(name);
    });
  }
}
