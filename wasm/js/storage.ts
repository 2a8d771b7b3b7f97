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
  let unlock = () => {};
  const held = new Promise<void>((resolve) => (unlock = resolve));
  // the lock is there before anything is, since names are drawn
  const lock = navigator.locks.request(name, () => held);
  lock.catch(() => {});
  void sweep().catch(() => {});
  return {
    name,
    remove() {
      unlock();
      // a worker that has just been ended may hold a file for a moment; then the next opening removes it
      void navigator.storage.getDirectory().then((root) => root.removeEntry(name, { recursive: true })).catch(() => {});
    },
  };
}

async function sweep(): Promise<void> {
  const root = await navigator.storage.getDirectory();
  for await (const name of root.keys()) {
    if (!name.startsWith(PREFIX)) continue;
    await navigator.locks.request(name, { ifAvailable: true }, async (lock) => {
      if (lock) await root.removeEntry(name, { recursive: true }).catch(() => {});
    });
  }
}
