// The live tail: the server says what is committed, the table asks again. Records are not kept here, only counted.
import { computed, effect, signal, untracked } from "@preact/signals";
import { path, type Problem } from "../lib/api";
import { SseReader } from "../lib/sse";
import type { Backend } from "../backend/backend";
import { backend, effective } from "./question";
import { refresh } from "./refresh";
import { kept } from "./settings";

export type Live =
  | { at: "off" }
  | { at: "connecting" }
  | { at: "live" }
  /** The stream broke off; `seconds` until the next attempt. */
  | { at: "retrying"; why: string; seconds: number }
  /** The server will not have it; nothing is tried until the question changes or it is asked for again. */
  | { at: "refused"; why: string };

/** Whether records are to come in as they are committed. */
export const tailing = kept("live", false, (value): value is boolean => typeof value === "boolean");
export const live = signal<Live>({ at: "off" });
/** Whether the table stays as it is while records come. */
export const paused = signal(false);
/** Set by the table: its first row is out of sight, and rows that come on top would push away what is read. */
export const scrolled = signal(false);
/** Records that have come and are not shown. */
export const fresh = signal(0);
/** Counted up to bring the table back to its first row. */
export const toTop = signal(0);
/** Of the server's last heartbeat: what the stream carried, and what came by and did not match. */
export const counts = signal<{ delivered: number; filtered: number } | null>(null);
/** Whether the source has a tail. */
export const offered = computed(() => backend.value?.kind === "server");
const following = computed(() => !paused.value && !scrolled.value);
/** Counted up to connect again at once. */
const again = signal(0);

/** A heartbeat comes every 15 s; after three that did not, the connection is dead. */
const SILENCE = 45_000;
const LONGEST_PAUSE = 30_000;

export function toggleTail(): void {
  paused.value = false;
  tailing.value = !tailing.peek();
}

export function togglePause(): void {
  paused.value = !paused.peek();
}

export function reconnect(): void {
  again.value = again.peek() + 1;
}

/** Shows what has come, from the first row on. */
export function showFresh(): void {
  fresh.value = 0;
  toTop.value = toTop.peek() + 1;
  refresh();
}

function came(records: number): void {
  if (records === 0) return;
  if (following.peek()) refresh();
  else fresh.value = fresh.peek() + records;
}

class Refused extends Error {}

/** What is remembered between connections for one question. */
interface Place {
  /** The stream's last id; empty before the first. */
  id: string;
  opened: boolean;
}

/** Reads one connection to its end; throws when it cannot be had. `alive` is called whenever something came. */
async function read(from: Backend, question: string, place: Place, signal: AbortSignal, alive: () => void): Promise<void> {
  const headers: Record<string, string> = { accept: "text/event-stream" };
  if (place.id) headers["last-event-id"] = place.id;
  const response = await from.request(path("tail", { q: question }), { headers, signal });
  if (!response.ok || !response.body) throw await refusal(response);
  live.value = { at: "live" };
  // what was committed between the table's answer and the beginning of the stream
  if (!place.opened) refresh();
  place.opened = true;
  const events = new SseReader(place.id);
  const text = new TextDecoder();
  const parts = response.body.getReader();
  try {
    for (;;) {
      const { value, done } = await parts.read();
      if (done) return;
      alive();
      let records = 0;
      for (const event of events.push(text.decode(value, { stream: true }))) {
        if (event.type === "message") {
          // a resumed stream begins after the id; one that does not is not counted twice
          if (Number(event.id) > Number(place.id || -1)) records += 1;
        } else if (event.type === "heartbeat") {
          counts.value = JSON.parse(event.data) as { delivered: number; filtered: number };
        } else if (event.type === "reset") {
          // the store is another one: everything is asked for again, and the stream begins at its head
          place.id = "";
          place.opened = false;
          return;
        } else if (event.type === "scope-destroyed") {
          throw new Refused("The project has been destroyed.");
        }
        if (event.id) place.id = event.id;
      }
      place.id = events.id || place.id;
      came(records);
    }
  } finally {
    parts.cancel().catch(() => {});
  }
}

async function refusal(response: Response): Promise<Error> {
  const text = await response.text().catch(() => "");
  let why = response.statusText || `status ${response.status}`;
  try {
    const { detail, title } = JSON.parse(text) as Partial<Problem>;
    why = detail ?? title ?? why;
  } catch {
    // a proxy's page
  }
  const passing = response.status >= 500 || response.status === 408;
  return passing ? new Error(why) : new Refused(why);
}

/** Stays connected until it is aborted or refused. */
async function tail(from: Backend, question: string, signal: AbortSignal): Promise<void> {
  const place: Place = { id: "", opened: false };
  let pause = 1000;
  while (!signal.aborted) {
    live.value = { at: "connecting" };
    const connection = new AbortController();
    const end = () => connection.abort(signal.reason);
    signal.addEventListener("abort", end, { once: true });
    let silence: ReturnType<typeof setTimeout> | undefined;
    const alive = () => {
      pause = 1000;
      clearTimeout(silence);
      silence = setTimeout(() => connection.abort(new Error("nothing came for 45 s")), SILENCE);
    };
    let why = "The server ended the stream.";
    try {
      await read(from, question, place, connection.signal, alive);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Refused) {
        live.value = { at: "refused", why: error.message };
        return;
      }
      why = error instanceof Error ? error.message : String(error);
    } finally {
      clearTimeout(silence);
      signal.removeEventListener("abort", end);
    }
    if (signal.aborted) return;
    const wait = pause * (0.75 + Math.random() / 2);
    live.value = { at: "retrying", why, seconds: Math.ceil(wait / 1000) };
    pause = Math.min(pause * 2, LONGEST_PAUSE);
    await sleep(wait, signal);
  }
}

/** Ends early when the network comes back. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer);
      removeEventListener("online", over);
      signal.removeEventListener("abort", over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    addEventListener("online", over);
    signal.addEventListener("abort", over);
  });
}

export function bindLive(): void {
  effect(() => {
    const from = backend.value;
    const question = effective.value;
    again.value;
    fresh.value = 0;
    counts.value = null;
    if (!tailing.value || from?.kind !== "server") {
      live.value = { at: "off" };
      return;
    }
    const abort = new AbortController();
    void untracked(() => tail(from, question, abort.signal));
    return () => abort.abort();
  });
  // back at the top, or no longer paused: what has come is shown
  effect(() => {
    if (!following.value || fresh.peek() === 0) return;
    fresh.value = 0;
    refresh();
  });
}
