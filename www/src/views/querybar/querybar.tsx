// The query with completion, errors at their place, history and saved queries, and the window of time.
import { effect, untracked } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { register } from "../../state/commands";
import { query, window as range } from "../../state/question";
import { recent, saved } from "../../state/saved";
import { Editor, focusQuery } from "./editor";
import { Library } from "./library";
import { opened } from "./opened";
import "./querybar.css";
import { clearWindow, TimeWindow } from "./timewindow";
import { put } from "./typed";

function commands(): () => void {
  const fixed = register(
    { id: "query.focus", title: "Search", group: "Query", keys: ["/"], run: focusQuery },
    { id: "query.clear", title: "Clear the query", group: "Query", when: () => query.value !== "", run: () => put("") },
    { id: "query.save", title: "Save this query", group: "Query", when: () => query.value !== "", run: () => (opened.value = "library") },
    { id: "query.recent", title: "Recent and saved queries", group: "Query", run: () => (opened.value = "library") },
    { id: "time.choose", title: "Choose a time window", group: "Query", run: () => (opened.value = "time") },
    { id: "time.clear", title: "Clear the time window", group: "Query", when: () => range.value !== null, run: clearWindow },
  );
  const named = effect(() => {
    const texts = [
      ...saved.value.map(({ name, query }) => ({ name: `Saved query: ${name}`, query })),
      ...recent.value.slice(0, 10).map((query) => ({ name: `Recent query: ${query}`, query })),
    ];
    const loads = texts.map(({ name, query }) => ({ id: `query.load.${name}`, title: name, group: "Query" as const, run: () => put(query) }));
    return untracked(() => register(...loads));
  });
  return () => {
    named();
    fixed();
  };
}

export function QueryBar() {
  useEffect(commands, []);
  return (
    <search class="query">
      <Editor />
      <Library />
      <TimeWindow />
    </search>
  );
}
