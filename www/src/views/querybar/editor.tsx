// The input: a combobox with the list of what can be written, and what is wrong under the very characters.
import { useComputed } from "@preact/signals";
import { useCallback, useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { recent } from "../../state/saved";
import { Icon } from "../header/icons";
import { active, close, from, isPending, isShown, items, key, move, offer, taking } from "./completion";
import { Highlight } from "./highlight";
import { opened } from "./opened";
import { apply, bind, caret, enter, failure, fault, hints, leave, put, text, write } from "./typed";

const LIST = "query-list";
const option = (index: number) => `${LIST}-${index}`;
/** Which of the queries asked before stands in the input, while arrows go through them. */
let recalled = -1;

export const INPUT = "query";
export const focusQuery = (): void => {
  const input = document.getElementById(INPUT) as HTMLInputElement | null;
  input?.focus();
  input?.select();
};

function take(input: HTMLInputElement, index: number): void {
  const item = items.peek()[index];
  if (!item) return;
  const change = taking(item);
  input.focus();
  input.setSelectionRange(change.from, change.to);
  // the one way that the browser's undo knows of
  if (!document.execCommand("insertText", false, change.text)) {
    input.setRangeText(change.text, change.from, change.to, "end");
    write(input.value, input.selectionStart ?? input.value.length);
  }
  if (change.more) offer();
  else close();
}

function recall(by: number): void {
  const next = recalled + by;
  if (next < -1 || next >= recent.value.length) return;
  recalled = next;
  const query = recent.value[next] ?? "";
  write(query, query.length);
}

function onKeyDown(event: KeyboardEvent): void {
  // an input method has its own use for keys
  if (event.isComposing) return;
  const input = event.currentTarget as HTMLInputElement;
  const isOpen = isShown.peek();
  const done = () => event.preventDefault();
  switch (event.key) {
    case "ArrowDown":
    case "ArrowUp": {
      const by = event.key === "ArrowDown" ? 1 : -1;
      done();
      if (isOpen) move(by);
      else if (recalled >= 0 || (by < 0 && !text.peek() && recent.value.length > 0)) recall(-by);
      else offer();
      return;
    }
    case "Tab":
      if (isOpen && !event.shiftKey && items.peek().length > 0) {
        done();
        take(input, Math.max(active.peek(), 0));
      }
      return;
    case "Enter":
      done();
      if (isOpen && active.peek() >= 0) return take(input, active.peek());
      recalled = -1;
      close();
      return apply();
    case "Escape":
      done();
      if (isOpen) close();
      else input.blur();
      return;
    case " ":
      if (event.ctrlKey) {
        done();
        offer();
      }
      return;
    default:
  }
}

function onInput(event: Event): void {
  const input = event.currentTarget as HTMLInputElement;
  recalled = -1;
  write(input.value, input.selectionStart ?? input.value.length);
  offer(false);
}

function onBlur(): void {
  close();
  leave();
}

function List({ onTake }: { onTake: (index: number) => void }) {
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  });
  return (
    <ul class="query-list" id={LIST} role="listbox" aria-label={key.value ? `Values of ${key.value}` : "Keys"} ref={list}>
      {items.value.map((item, index) => (
        <li
          key={item.text} id={option(index)} role="option" aria-selected={index === active.value}
          onPointerDown={(event) => event.preventDefault()} onClick={() => onTake(index)}
        >
          <span class={`mono q-${item.kind === "operator" ? "and" : item.kind}`}>{item.text}</span>
          {item.detail && <span class="query-detail">{item.detail}</span>}
        </li>
      ))}
      {items.value.length === 0 && isPending.value && <li role="option" aria-selected="false" aria-disabled="true" class="quiet">Loading…</li>}
    </ul>
  );
}

function Message() {
  const wrong = fault.value;
  const failed = failure.value;
  const notes = hints.value.map(({ message }) => message).join("; ");
  if (isShown.value || opened.value || (!wrong && !failed && !notes)) return null;
  const kind = wrong || failed ? "query-error" : "query-hint";
  return (
    <div class={`query-message ${kind}`} id="query-message">
      {wrong ? <>{wrong.message}{wrong.hint && <span class="query-advice">{wrong.hint}</span>}</> : (failed?.message ?? notes)}
    </div>
  );
}

export function Editor() {
  const input = useRef<HTMLInputElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const drawn = useRef<HTMLDivElement>(null);
  useEffect(bind, []);
  const isWrong = useComputed(() => fault.value !== null);

  const scroll = useCallback(() => {
    if (input.current && drawn.current) drawn.current.style.transform = `translateX(${-input.current.scrollLeft}px)`;
  }, []);
  const onSelect = useCallback((event: Event) => {
    caret.value = (event.currentTarget as HTMLInputElement).selectionStart ?? 0;
    scroll();
  }, [scroll]);
  const onTake = useCallback((index: number) => input.current && take(input.current, index), []);

  // the list and the message stand under what they are about
  useLayoutEffect(() => {
    scroll();
    const field = input.current;
    const outer = box.current;
    if (!field || !outer) return;
    const at = isShown.value ? from.value : (fault.value?.position ?? 0);
    const width = Number.parseFloat(getComputedStyle(outer).getPropertyValue("--character")) || measure(field);
    outer.style.setProperty("--character", String(width));
    const room = Math.max(0, outer.clientWidth - (isShown.value ? 320 : 260));
    outer.style.setProperty("--at", `${Math.max(0, Math.min(room, at * width - field.scrollLeft))}px`);
  });

  return (
    <div class="query-box" ref={box}>
      <div class="query-drawn" aria-hidden="true"><div ref={drawn}><Highlight query={text.value} fault={fault.value} /></div></div>
      <input
        ref={input} id={INPUT} class="query-input" type="text" role="combobox" aria-label="Query" placeholder="Search, or status:5xx method:POST duration:>1s"
        aria-autocomplete="list" aria-expanded={isShown.value} aria-controls={isShown.value ? LIST : undefined}
        aria-activedescendant={isShown.value && active.value >= 0 ? option(active.value) : undefined}
        aria-invalid={isWrong.value} aria-describedby="query-told"
        autocomplete="off" autocapitalize="off" spellcheck={false} enterkeyhint="search"
        value={text.value} onFocus={enter} onInput={onInput} onKeyDown={onKeyDown} onBlur={onBlur} onSelect={onSelect} onScroll={scroll} onKeyUp={onSelect}
      />
      {text.value && (
        <button type="button" class="query-clear" aria-label="Clear the query" title="Clear the query" onClick={() => { put(""); input.current?.focus(); }}>
          <Icon name="close" />
        </button>
      )}
      {isShown.value && <List onTake={onTake} />}
      <div id="query-told" role="status"><Message /></div>
    </div>
  );
}

/** How wide a character is: the type is monospaced. */
function measure(input: HTMLInputElement): number {
  const context = document.createElement("canvas").getContext("2d");
  if (!context) return 7;
  context.font = getComputedStyle(input).font;
  return context.measureText("0".repeat(100)).width / 100;
}
