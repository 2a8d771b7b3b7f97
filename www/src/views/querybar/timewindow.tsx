// The window of time: a chip that says it, quick ranges, and both ends as inputs.
import { signal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { get, type Page } from "../../lib/api";
import { backend, window as range } from "../../state/question";
import { times } from "../../state/settings";
import { fromInput, toInput, windowLabel } from "../../lib/moment";
import { opened } from "./opened";
import { Popover } from "./popover";

const MINUTE = 60_000;
const QUICK: readonly (readonly [label: string, length: number])[] = [
  ["15 minutes", 15 * MINUTE],
  ["1 hour", 60 * MINUTE],
  ["24 hours", 1440 * MINUTE],
  ["7 days", 7 * 1440 * MINUTE],
];

/** Why a quick range or the inputs gave no window. */
const trouble = signal("");

/** Where quick ranges end: now on a server, at the newest record of what was opened. */
async function latest(): Promise<number> {
  const source = backend.peek();
  if (!source || source.kind === "server") return Date.now();
  const { items } = await get<Page>(source, "logs", { limit: 1, sort: "time", dir: "desc", fields: "id,time" });
  return items[0] ? Date.parse(items[0].time) : Date.now();
}

async function quick(length: number): Promise<void> {
  trouble.value = "";
  try {
    const to = await latest();
    range.value = { from: new Date(to - length).toISOString(), to: new Date(to).toISOString() };
    opened.value = null;
  } catch (error) {
    trouble.value = (error as Error).message;
  }
}

export function clearWindow(): void {
  range.value = null;
}

function Inputs() {
  const from = useRef<HTMLInputElement>(null);
  const to = useRef<HTMLInputElement>(null);
  const utc = times.value === "utc";
  const submit = (event: Event) => {
    event.preventDefault();
    const first = fromInput(from.current?.value ?? "", utc);
    const last = fromInput(to.current?.value ?? "", utc, true);
    trouble.value = !first || !last ? "Both ends are needed." : first > last ? "The end is before the beginning." : "";
    if (!first || !last || trouble.value) return;
    range.value = { from: first, to: last };
    opened.value = null;
  };
  const given = (iso: string | undefined) => (iso ? toInput(iso, utc) : "");
  return (
    <form class="window-form" onSubmit={submit}>
      <label>From <input class="field" type="datetime-local" step="1" ref={from} defaultValue={given(range.value?.from)} /></label>
      <label>To <input class="field" type="datetime-local" step="1" ref={to} defaultValue={given(range.value?.to)} /></label>
      <div class="window-acts">
        <span class="quiet">{utc ? "UTC" : "Local time"}</span>
        <button type="submit" class="button primary">Apply</button>
      </div>
      <div role="alert" class="window-trouble">{trouble.value}</div>
    </form>
  );
}

export function TimeWindow() {
  const set = range.value;
  const label = set ? windowLabel(set, times.value === "utc") : "All time";
  const isServer = backend.value?.kind === "server";
  return (
    <div class="window">
      <Popover
        id="time" opened={opened} label={`Time window: ${label}`} isPressed={set !== null}
        button={
          <>
            <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true"><circle cx="8" cy="8" r="6" /><path d="M8 4.5V8l2.5 1.5" /></svg>
            <span class="window-label">{label}</span>
          </>
        }
      >
        <div class="window-quick" role="group" aria-label={isServer ? "Until now" : "Until the newest record"}>
          <div class="popover-title">{isServer ? "Last" : "Last, before the newest record"}</div>
          {QUICK.map(([name, length], index) => (
            <button key={name} type="button" class="button" data-first={index === 0 ? "" : undefined} onClick={() => void quick(length)}>{name}</button>
          ))}
          {set && <button type="button" class="button" onClick={() => { clearWindow(); opened.value = null; }}>All time</button>}
        </div>
        <Inputs />
      </Popover>
      {set && (
        <button type="button" class="button window-clear" aria-label="Clear the time window" title="Clear the time window" onClick={clearWindow}>
          <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true"><path d="M3 3l10 10M13 3L3 13" /></svg>
        </button>
      )}
    </div>
  );
}
