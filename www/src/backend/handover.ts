// Files go from the server's document to a tab of the file's: as File objects, whose bytes stay where they are.

const READY = "reqlog.ready";
const FILES = "reqlog.files";

interface Message {
  type: typeof READY | typeof FILES;
  files?: File[];
}

const isMessage = (data: unknown, type: Message["type"]): data is Message =>
  typeof data === "object" && data !== null && (data as Message).type === type;

/** Opens the tab; false when the browser does not let it be opened without a click. */
export function handOver(files: File[], to: URL): boolean {
  const tab = open(new URL("#handed", to), "_blank");
  if (!tab) return false;
  const listen = ({ origin, source, data }: MessageEvent) => {
    if (origin !== location.origin || source !== tab || !isMessage(data, READY)) return;
    removeEventListener("message", listen);
    tab.postMessage({ type: FILES, files } satisfies Message, location.origin);
  };
  addEventListener("message", listen);
  return true;
}

declare let opener: WindowProxy | null;

/** Asks the tab that opened this one, if one did, for the files; `take` gets them once. */
export function receive(take: (files: File[]) => void): void {
  const from = opener;
  if (!from) return;
  const listen = ({ origin, source, data }: MessageEvent) => {
    if (origin !== location.origin || source !== from || !isMessage(data, FILES)) return;
    removeEventListener("message", listen);
    // the document of files keeps no way to one that has connections
    opener = null;
    take((data.files ?? []).filter((file) => file instanceof File));
  };
  addEventListener("message", listen);
  from.postMessage({ type: READY } satisfies Message, location.origin);
}
