// Asks again when the data behind the question has changed: a few times a second at most, and never before the last answers have come.
import { effect, signal } from "@preact/signals";
import { pending } from "../backend/pending";
import { backend, revision } from "./question";

const PAUSE = 400;
/** Whether there is more than what was asked for last, to be asked for soon. */
export const wanted = signal(false);
let last = 0;
let timer: ReturnType<typeof setTimeout> | null = null;

/** Soon counts `revision` up. */
export function refresh(): void {
  wanted.value = true;
  attempt();
}

function attempt(): void {
  if (!wanted.peek() || timer !== null || pending.peek() > 0) return;
  const wait = last + PAUSE - performance.now();
  if (wait > 0) {
    timer = setTimeout(() => {
      timer = null;
      attempt();
    }, wait);
    return;
  }
  wanted.value = false;
  last = performance.now();
  revision.value = revision.peek() + 1;
}

/** Files grow while they are read. */
export function bindRefresh(): void {
  effect(() => {
    if (pending.value === 0) attempt();
  });
  let known: { of: unknown; records: number } = { of: null, records: 0 };
  effect(() => {
    const of = backend.value;
    const records = of?.growth.value.records ?? 0;
    if (of === known.of && records !== known.records) refresh();
    known = { of, records };
  });
}
