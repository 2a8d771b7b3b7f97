// The window of time: a chip that says it, quick ranges, and both ends as inputs.
import { signal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { get, type Page } from "../../lib/api";
import { backend, window as range } from "../../state/question";
import { zone as clock } from "../../state/settings";
import { fromInput, through, toInput, windowLabel } from "../../lib/moment";
import { Icon } from "../header/icons";
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
    range.value = { from: new Date(to - length).toISOString(), to: through(to) };
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
  const zone = clock.value;
  const submit = (event: Event) => {
    event.preventDefault();
    const first = fromInput(from.current?.value ?? "", zone);
    const last = fromInput(to.current?.value ?? "", zone, true);
    trouble.value = !first || !last ? "Both ends are needed." : first > last ? "The end is before the beginning." : "";
    if (!first || !last || trouble.value) return;
    range.value = { from: first, to: last };
    opened.value = null;
  };
  const given = (iso: string | undefined) => (iso ? toInput(iso, zone) : "");
  return (
    <form class="window-form" onSubmit={submit}>
      <label>From <input class="field" type="datetime-local" step="1" ref={from} defaultValue={given(range.value?.from)} /></label>
      <label>To <input class="field" type="datetime-local" step="1" ref={to} defaultValue={given(range.value?.to)} /></label>
      <div class="window-acts">
        <span class="quiet">{zone === "utc" ? "UTC" : "Local time"}</span>
        <button type="submit" class="button primary">Apply</button>
      </div>
      <div role="alert" class="window-trouble">{trouble.value}</div>
    </form>
  );
}

export function TimeWindow() {
  const set = range.value;
  const label = set ? windowLabel(set, clock.value) : "All time";
  const isServer = backend.value?.kind === "server";
  return (
    <div class="window">
      <Popover
        id="time" opened={opened} label={`Time window: ${label}`} isPressed={set !== null}
        button={
          <>
            <Icon name="clock" />
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
          <Icon name="close" />
        </button>
      )}
    </div>
  );
}
