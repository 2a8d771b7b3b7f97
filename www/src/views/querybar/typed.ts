// What is being typed in the bar, what is wrong with it, and when it is applied.
import { batch, computed, effect, signal } from "@preact/signals";
import { basic, check, language, type Fault, type Language, type Parsed } from "../../lib/language";
import { resource } from "../../lib/resource";
import { amended, backend, query } from "../../state/question";
import { remember } from "../../state/saved";

const SETTLES = 300;

export const text = signal(query.peek());
export const caret = signal(0);
export const isFocused = signal(false);
/** Whether the text is being written, so that what is wrong at the caret may become right. */
export const isWriting = signal(false);
/** The engine's language, once it is there. */
export const known = signal<Language>(basic);

/** Whether the word at the caret is one to wait for: a value that is half written finds nothing. Told by the completion. */
export const isHalf = signal(false);

/** What was typed when it was last left alone for a while, whether it is wanted as the query, and to be remembered. */
const settled = signal({ text: text.peek(), apply: false, keep: false });
let timer: ReturnType<typeof setTimeout> | null = null;

function settle(apply: boolean, keep = false): void {
  if (timer) clearTimeout(timer);
  timer = null;
  settled.value = { text: text.peek(), apply, keep };
}

export function write(value: string, at: number): void {
  batch(() => {
    text.value = value;
    caret.value = at;
    isWriting.value = true;
  });
  if (timer) clearTimeout(timer);
  timer = setTimeout(() => settle(!isHalf.peek()), SETTLES);
}

/** Applies what stands there now, if it can be read, and remembers it. */
export function apply(): void {
  isWriting.value = false;
  settle(true, true);
}

/** The bar is left: what was being written is meant so. */
export function leave(): void {
  isFocused.value = false;
  if (isWriting.peek()) apply();
}

/** Replaces the query, as a saved one does. */
export function put(value: string): void {
  batch(() => {
    text.value = value;
    caret.value = value.length;
  });
  apply();
}

/** The query as it was applied while it is still being written. */
let written: string | null = null;

function ask(next: string, isDone: boolean): void {
  if (next !== query.peek()) {
    batch(() => {
      amended.value = written === query.peek() ? next : null;
      query.value = next;
    });
  }
  written = isDone ? null : next;
}

interface Judged {
  text: string;
  parsed: Parsed;
}

const judged = resource(
  () => backend.value && { source: backend.value, ...settled.value },
  async ({ source, text: judgedText, apply, keep }, stop): Promise<Judged> => {
    const parsed = await check(source, judgedText, stop);
    // what was typed on in the meantime is judged next
    if (apply && !stop.aborted && judgedText === text.peek() && !("error" in parsed)) {
      ask(judgedText.trim(), keep);
      if (keep) remember(judgedText);
    }
    return { text: judgedText, parsed };
  },
);

/** Why it could not be told whether the query can be read. */
export const failure = computed(() => judged.value.error);

/** What is wrong with the text as it stands, and no longer being written. */
export const fault = computed((): Fault | null => {
  const answer = judged.value.value;
  if (!answer || answer.text !== text.value || !("error" in answer.parsed)) return null;
  const { error } = answer.parsed;
  if (!isWriting.value) return error;
  const isAtCaret = error.position <= caret.value && caret.value <= error.position + error.length;
  return isAtCaret || !("error" in known.value.parse(text.value, caret.value)) ? null : error;
});

/** What of it may be meant otherwise. */
export const hints = computed((): Fault[] => {
  const answer = judged.value.value;
  return isFocused.value && answer && answer.text === text.value && "hints" in answer.parsed && !isWriting.value ? answer.parsed.hints : [];
});

/** The bar is gone to: the engine's language is loaded, as something is going to be written. */
export function enter(): void {
  isFocused.value = true;
  void language().then((loaded) => (known.value = loaded));
}

/** Begins to follow the query that others set. */
export function bind(): () => void {
  let shown = query.peek();
  return effect(() => {
    const next = query.value;
    const [last, typed] = [shown, text.peek().trim()];
    shown = next;
    if (next === typed) return;
    // what was typed and could not be applied would be lost: it is found again among the last queries
    if (typed !== last) remember(typed);
    batch(() => {
      text.value = next;
      caret.value = next.length;
      isWriting.value = false;
    });
    settle(false);
  });
}
