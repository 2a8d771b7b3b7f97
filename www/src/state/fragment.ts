// The question in the URL's fragment, so that a link and the back button bring it back; fragments are never sent to a server.
import { batch, effect, signal } from "@preact/signals";
import type { Direction, Sort } from "../lib/api";
import { amended, compared, direction, query, selected, sort, view, window as range, type View } from "./question";

const SORTS: Sort[] = ["time", "duration", "status", "size", "arrival"];

/** Other members of the fragment that parts of the UI keep there: name to value. */
export const extras = signal<Record<string, string>>({});
const own = new Set(["q", "from", "to", "sort", "dir", "view", "id", "with"]);

function read(): void {
  const given = new URLSearchParams(location.hash.slice(1));
  query.value = given.get("q") ?? "";
  const [from, to] = [given.get("from"), given.get("to")];
  range.value = from && to ? { from, to } : null;
  sort.value = SORTS.find((known) => known === given.get("sort")) ?? "time";
  direction.value = (given.get("dir") === "asc" ? "asc" : "desc") satisfies Direction;
  view.value = (given.get("view") === "endpoints" ? "endpoints" : "requests") satisfies View;
  selected.value = given.get("id");
  compared.value = given.get("with");
  extras.value = Object.fromEntries([...given].filter(([name]) => !own.has(name)));
}

function text(): string {
  const fragment = new URLSearchParams(extras.value);
  const set = (name: string, value: string | null | undefined, usual = "") => {
    if (value && value !== usual) fragment.set(name, value);
  };
  set("q", query.value);
  set("from", range.value?.from);
  set("to", range.value?.to);
  set("sort", sort.value, "time");
  set("dir", direction.value, "desc");
  set("view", view.value, "requests");
  set("id", selected.value);
  set("with", compared.value);
  return fragment.toString();
}

/** What makes a step of the history. */
const step = (): string => [query.value, range.value?.from, range.value?.to, view.value].join("|");

/** Takes the question from the URL and keeps both alike; a new question is a step of the history, a look at a record is not. */
export function bindFragment(): void {
  read();
  let last = step();
  addEventListener("popstate", () => {
    // all at once: a question that is half of this step and half of that one would become a step of its own
    batch(() => {
      read();
      last = step();
    });
  });
  effect(() => {
    const next = text();
    const now = step();
    const isStep = now !== last && amended.peek() !== query.value;
    last = now;
    if (next === location.hash.slice(1)) return;
    const url = next ? `#${next}` : location.pathname + location.search;
    if (isStep) history.pushState(null, "", url);
    else history.replaceState(null, "", url);
    amended.value = null;
  });
}
