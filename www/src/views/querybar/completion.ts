// What can be written at the caret: from the language at once, and what the log has as soon as it is known.
import { batch, computed, effect, signal } from "@preact/signals";
import type { Completion } from "../../lib/language";
import { isSeen, merged, seen } from "../../lib/seen";
import { others } from "../../lib/terms";
import { backend, revision, window as range, within } from "../../state/question";
import { caret, isHalf, known, text } from "./typed";

const PAUSE = 120;

export const isOpen = signal(false);
/** The item that Enter takes; -1 is none. */
export const active = signal(-1);

const now = signal<{ from: number; to: number; key: string | null; items: Completion[] }>({ from: 0, to: 0, key: null, items: [] });
const found = signal<{ key: string; from: number; items: Completion[] } | null>(null);
/** Whether values of the log are still to come. */
export const isPending = signal(false);

const typedValue = computed(() => text.value.slice(now.value.from, caret.value).replace(/^[<>=!]*"?/, ""));

export const items = computed((): Completion[] => {
  const { key, from, items } = now.value;
  const values = found.value;
  if (!key || !values || values.key !== key || values.from !== from) return items;
  const typed = typedValue.value.toLowerCase();
  const fitting = values.items.filter((item) => item.text.toLowerCase().includes(typed));
  // classes of the status say more than its codes
  const first = key === "status" ? items.filter((item) => item.text.endsWith("xx")) : [];
  return [...first, ...merged(fitting, items.filter((item) => !first.includes(item)))];
});
export const isShown = computed(() => isOpen.value && (items.value.length > 0 || isPending.value));
/** The place that the list belongs to. */
export const from = computed(() => now.value.from);
export const key = computed(() => now.value.key);

// a value of those that are known is whole when it is one of them; the beginning of a key may become one
effect(() => {
  const { key } = now.value;
  const typed = typedValue.value.toLowerCase();
  if (key === null) {
    isHalf.value = isOpen.value && typed !== "" && items.value.some((item) => item.kind === "key");
    return;
  }
  const isOne = items.value.some((item) => item.text.toLowerCase().replace(/^[<>=!]*"?/, "") === typed);
  isHalf.value = isOpen.value && !isOne && (isPending.value || items.value.some((item) => item.text.toLowerCase().includes(typed)));
});

let abort: AbortController | null = null;
let timer: ReturnType<typeof setTimeout> | null = null;

function give(): void {
  abort?.abort();
  abort = null;
  if (timer) clearTimeout(timer);
  timer = null;
  isPending.value = false;
}

async function look(asked: string, typed: string, at: number): Promise<void> {
  const source = backend.peek();
  if (!source) return;
  const stop = new AbortController();
  abort = stop;
  const among = within(others(text.peek(), at), range.peek());
  try {
    const values = await seen(source, asked, typed, among, revision.peek(), stop.signal);
    if (stop.signal.aborted) return;
    found.value = { key: asked, from: now.peek().from, items: values };
  } catch {
    // the bar goes without; what is wrong with the backend is told where records are
    if (stop.signal.aborted) return;
    found.value = null;
  }
  isPending.value = false;
}

/** Opens the list for the caret, or brings it up to date; with nothing written there only where it is asked for. */
export function offer(isAsked = true): void {
  give();
  const at = caret.peek();
  const language = known.peek();
  batch(() => {
    now.value = language.complete(text.peek(), at);
    active.value = -1;
    isOpen.value = isAsked || now.peek().key !== null || now.peek().from < at;
  });
  if (!isOpen.peek()) return;
  const asked = now.peek().key;
  if (!asked || !isSeen(asked)) return;
  const typed = typedValue.peek();
  isPending.value = true;
  timer = setTimeout(() => void look(asked, typed, at), PAUSE);
}

export function close(): void {
  give();
  batch(() => {
    isOpen.value = false;
    active.value = -1;
  });
}

/** Moves to the next or previous item, around. */
export function move(by: number): void {
  const count = items.peek().length;
  if (count === 0) return;
  active.value = active.peek() < 0 ? (by > 0 ? 0 : count - 1) : (active.peek() + by + count) % count;
}

/** What taking `item` makes of the text: what to replace with what, and whether there is more to write. */
export function taking(item: Completion): { from: number; to: number; text: string; more: boolean } {
  const { from, to } = now.peek();
  const more = item.kind === "key" || item.text.endsWith(".");
  const isLast = text.peek().slice(to).trim() === "";
  return { from, to, text: item.text + (!more && isLast ? " " : ""), more };
}
