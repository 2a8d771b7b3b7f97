// The question in the URL's fragment, so that a link and the back button bring it back; fragments are never sent to a server.
import { effect, signal } from "@preact/signals";
import type { Direction, Sort } from "../lib/api";
import { compared, direction, query, selected, sort, view, window as range, type View } from "./question";

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

/** Takes the question from the URL and keeps both alike; a new question is a step of the history, a look at a record is not. */
export function bindFragment(): void {
  read();
  addEventListener("popstate", read);
  let asked = `${query.value}|${range.value?.from}|${view.value}`;
  effect(() => {
    const next = text();
    if (next === location.hash.slice(1)) return;
    const url = next ? `#${next}` : location.pathname + location.search;
    const asks = `${query.value}|${range.value?.from}|${view.value}`;
    if (asks === asked) history.replaceState(null, "", url);
    else history.pushState(null, "", url);
    asked = asks;
  });
}
