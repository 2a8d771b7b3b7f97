// The rows of the question that is asked: a new question's come when they are there, and grown data keeps the place of the eye.
import { batch, computed, effect, signal } from "@preact/signals";
import { fields } from "./columns";
import { backend, direction, effective, revision, sort, view } from "./question";
import { isSame, Snapshot, type Question } from "./snapshot";

/** What is looked at, told by the table: rows, and pixels above them. Kept while the table is not shown. */
export const eye = { first: 0, last: 50, position: 0 };

export interface Rows {
  snapshot: Snapshot;
  /** Whether they are of another question than the rows before, to be looked at from the beginning. */
  isNew: boolean;
  /** By how many rows what is looked at has moved, where they are not. */
  shift: number;
}

/** The rows that are shown. */
export const shown = signal<Rows | null>(null);
/** Whether rows of another question, or newer ones, are on their way. */
export const pending = signal(false);
/** Why they did not come. */
export const failure = signal<Error | null>(null);
/** Records that match the question, of the rows that are shown. */
export const matched = computed(() => shown.value?.snapshot.total ?? null);

const asked = computed<Question>(() => ({ q: effective.value, sort: sort.value, direction: direction.value }));
const attempts = signal(0);
let loading: { question: Question; abort: AbortController } | null = null;
let isGrown = false;
let shownRevision = 0;
let refreshedAt = -1;

/** Asks again for what did not come. */
export function retry(): void {
  if (failure.peek() || !shown.peek()) attempts.value += 1;
  else shown.peek()?.snapshot.retry();
}

/** By how many rows what is looked at has moved in newer data; what is in view there is loaded. */
async function follow(old: Snapshot, next: Snapshot, signal: AbortSignal): Promise<number> {
  // who looks at the beginning looks for what is new
  if (eye.position === 0) return 0;
  const { first } = eye;
  const anchor = old.row(first);
  const found = anchor ? await next.find(anchor, signal) : null;
  const { sort, direction } = next.question;
  // by arrival what is new comes first, or last
  const guess = sort === "arrival" && direction === "desc" ? next.total - old.total : 0;
  const shift = found === null ? guess : found - first;
  // the eye may have moved on meanwhile
  await next.reach(eye.first + shift, eye.last + shift, signal);
  return shift;
}

function show(snapshot: Snapshot, shift: number): void {
  const old = shown.peek()?.snapshot;
  old?.close();
  batch(() => {
    pending.value = false;
    failure.value = null;
    shown.value = { snapshot, isNew: !old || !isSame(old.question, snapshot.question), shift };
  });
}

/** Rows of another source are none of this one. */
function forget(): void {
  shown.peek()?.snapshot.close();
  batch(() => {
    shown.value = null;
    failure.value = null;
  });
}

function load(question: Question): void {
  const source = backend.value;
  if (!source) return;
  loading?.abort.abort();
  const abort = new AbortController();
  const mine = { question, abort };
  loading = mine;
  isGrown = false;
  shownRevision = revision.peek();
  pending.value = true;
  const next = new Snapshot(source, question, fields.peek());
  const run = async (): Promise<void> => {
    await next.begin(abort.signal);
    const old = shown.peek()?.snapshot;
    const shift = old && isSame(old.question, question) ? await follow(old, next, abort.signal) : 0;
    if (!abort.signal.aborted) show(next, shift);
  };
  run()
    .catch((error: unknown) => {
      if (abort.signal.aborted) return;
      next.close();
      batch(() => {
        pending.value = false;
        failure.value = error as Error;
      });
    })
    .finally(() => {
      if (loading !== mine) return;
      loading = null;
      if (isGrown) load(question);
    });
}

// a question: asked when it changes, and not again where its rows are still there
let attempted = 0;
let source = backend.peek();
effect(() => {
  if (view.value !== "requests" || !backend.value) return;
  const question = asked.value;
  const isOther = backend.value !== source;
  const again = attempts.value !== attempted || isOther;
  attempted = attempts.value;
  source = backend.value;
  if (isOther) forget();
  const has = (other: Question | undefined) => other !== undefined && isSame(other, question);
  const isThere = has(shown.peek()?.snapshot.question) && shownRevision === revision.peek() && !failure.peek();
  if (!again && (loading ? has(loading.question) : isThere)) return;
  // a key that is given runs this again: the request reads its signal
  load(question);
});

// grown data: asked for after what is under way, so that fast growth does not keep anything from coming
effect(() => {
  if (revision.value === shownRevision || view.peek() !== "requests") return;
  if (loading) isGrown = true;
  else load(asked.peek());
});

effect(() => {
  shown.value?.snapshot.project(fields.value);
});

// rows that were promised are gone (evicted, destroyed): the question is asked anew, once for a total
effect(() => {
  const snapshot = shown.value?.snapshot;
  if (!snapshot?.outdated.value || snapshot.total === refreshedAt) return;
  refreshedAt = snapshot.total;
  attempts.value = attempts.peek() + 1;
});
