// The server document's source: the reqlog that serves it, if one does, and the key it wants.
import { batch, effect } from "@preact/signals";
import { handOver } from "../backend/handover";
import { Server, key, lock, locked, unlock } from "../backend/server";
import { dialog } from "./dialogs";
import { backend } from "./question";
import { phase, waiting, type Doors } from "./source";

const base = new URL(".", document.baseURI);
/** The document of files, beside this one. */
export const filesUrl = new URL("open.html", base);
const server = new Server(base);
let looking: AbortController | null = null;

/** What a server of another kind, or a static host, answers is not the API. */
const isApi = (response: Response) => /\bjson\b/.test(response.headers.get("content-type") ?? "");

async function detail(response: Response): Promise<string> {
  try {
    const { detail, title } = (await response.json()) as { detail?: string; title?: string };
    return detail ?? title ?? response.statusText;
  } catch {
    return response.statusText;
  }
}

/** Asks for one record: it tells whether there is an API here, and whether the key may read. */
export async function look(): Promise<void> {
  looking?.abort();
  const abort = new AbortController();
  looking = abort;
  const given = key.peek();
  phase.value = { at: "looking" };
  try {
    const response = await server.request("/api/v1/logs?limit=1&fields=id", { signal: abort.signal });
    if (abort.signal.aborted) return;
    if (response.status === 401 || response.status === 403) {
      const why = await detail(response);
      const refused = given === null ? null : response.status === 401 ? "This key is not valid here." : why;
      if (given !== null) lock();
      phase.value = { at: "locked", refused };
    } else if (!isApi(response) || response.status === 404) {
      phase.value = { at: "static" };
    } else if (!response.ok) {
      phase.value = { at: "unreachable", why: await detail(response) };
    } else {
      batch(() => {
        locked.value = false;
        backend.value = server;
        phase.value = { at: "open" };
      });
    }
  } catch (error) {
    if (!abort.signal.aborted) phase.value = { at: "unreachable", why: error instanceof Error ? error.message : String(error) };
  }
}

export function give(typed: string): void {
  unlock(typed.trim());
  void look();
}

export function forgetKey(): void {
  batch(() => {
    lock();
    backend.value = null;
    phase.value = { at: "locked", refused: null };
  });
}

/** A key in the fragment is taken out of the URL before anything else sees it. */
export function takeKey(): void {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const given = fragment.get("key");
  if (!given) return;
  fragment.delete("key");
  const rest = fragment.toString();
  history.replaceState(null, "", rest ? `#${rest}` : location.pathname + location.search);
  unlock(given);
}

/** A key that ends while the page is open is asked for again; the question stays. */
export function bindLock(): void {
  effect(() => {
    if (!locked.value || !backend.value) return;
    batch(() => {
      lock();
      backend.value = null;
      phase.value = { at: "locked", refused: "The key is no longer valid." };
    });
  });
}

/** Opens a tab for the files that wait for a click. */
export function openWaiting(): void {
  if (handOver(waiting.peek(), filesUrl)) waiting.value = [];
}

export const serverDoors: Doors = {
  document: "server",
  open(files) {
    if (handOver(files, filesUrl)) return;
    waiting.value = files;
    dialog.value = "handover";
  },
  demo: () => location.assign(new URL("#demo", filesUrl)),
  close: forgetKey,
  retry: () => void look(),
};
