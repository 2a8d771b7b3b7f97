// The row that keys act on, and what is done with it: opened, marked to compare.
import { effect, signal } from "@preact/signals";
import { get, type LogRecord } from "../../lib/api";
import { backend, compared, selected } from "../../state/question";
import { marked } from "../../state/record";
import { shown } from "../../state/rows";
import type { Scroller } from "./scroller";

/** Index of the row that keys act on. */
export const active = signal(0);

/** While keys repeat, the record that is passed is not opened. */
const PASSING_MS = 60;

let timer: ReturnType<typeof setTimeout> | null = null;
/** What this table opened itself: no need to go there. */
let opened: string | null = null;

const at = (index: number): LogRecord | undefined => shown.peek()?.snapshot.row(index);
const total = (): number => shown.peek()?.snapshot.total ?? 0;

/** Opens the record of a row, now or, if it is not there, when it comes. */
export function open(index: number): void {
  if (timer !== null) clearTimeout(timer);
  timer = null;
  const record = at(index);
  if (record) {
    opened = record.id;
    selected.value = record.id;
    return;
  }
  const stop = effect(() => {
    const snapshot = shown.value?.snapshot;
    if (!snapshot || (snapshot.changed.value >= 0 && !snapshot.row(index) && active.value === index)) return;
    queueMicrotask(() => {
      stop();
      if (active.peek() === index && at(index)) open(index);
    });
  });
}

/** Makes a row the one that keys act on and shows it; the open pane follows. */
export function go(scroller: Scroller, index: number): void {
  if (total() === 0) return;
  active.value = Math.min(Math.max(index, 0), total() - 1);
  scroller.reveal(active.value);
  if (selected.peek() === null) return;
  if (timer !== null) clearTimeout(timer);
  timer = setTimeout(() => {
    if (selected.peek() !== null) open(active.peek());
  }, PASSING_MS);
}

/** Marks a row's record to be compared, or takes the mark back; the second that is marked is compared with the first. */
export function mark(index: number): void {
  const id = at(index)?.id;
  if (id === undefined) return;
  const first = marked.peek();
  if (first === null || first === id) {
    marked.value = first === null ? id : null;
    return;
  }
  marked.value = null;
  open(index);
  compared.value = first;
}

/** Ctrl or Cmd with a click: the row to compare the open one with; without an open one, it is opened. */
export function pick(index: number): void {
  const id = at(index)?.id;
  if (id === undefined) return;
  active.value = index;
  if (selected.peek() === null) open(index);
  else if (selected.peek() !== id) compared.value = compared.peek() === id ? null : id;
}

/** Goes to the record that is selected from elsewhere (a link, another view) where it is among the rows; the result ends it. */
export function followSelected(scroller: Scroller): () => void {
  return effect(() => {
    const [id, now] = [selected.value, shown.value];
    if (id === null || id === opened || !now || !backend.value) return;
    const { snapshot } = now;
    const to = (index: number | null) => {
      opened = id;
      if (index === null) return;
      active.value = index;
      scroller.center(index);
    };
    const near = snapshot.indexOf(id);
    if (near !== null) {
      to(near);
      return;
    }
    const abort = new AbortController();
    get<LogRecord>(backend.value, `logs/${encodeURIComponent(id)}`, {}, abort.signal)
      .then((record) => snapshot.find(record, abort.signal))
      // the pane of the record says what is wrong with it
      .then((index) => !abort.signal.aborted && to(index), () => undefined);
    return () => abort.abort();
  });
}
