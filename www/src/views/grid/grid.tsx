// The table of records.
import { computed, effect, untracked } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { counted } from "../../lib/format";
import { register } from "../../state/commands";
import { COLUMNS, isUsual, reset } from "../../state/columns";
import { scrolled, toTop } from "../../state/live";
import { direction, effective, sort, view } from "../../state/question";
import { wanted } from "../../state/refresh";
import { eye, failure, matched, pending, shown } from "../../state/rows";
import type { Snapshot } from "../../state/snapshot";
import { active, followSelected, go, mark, open } from "./cursor";
import "./grid.css";
import { Menu, opened } from "./menu";
import { Scroller } from "./scroller";
import { Empty, Failed, Fault, isOfQuery } from "./states";
import { Table } from "./table";

/** Rows are higher where they are touched. */
const ROW = matchMedia("(pointer: coarse)").matches ? 36 : 26;

/** The rows that the view was moved to; it is not moved again when it is shown again. */
let applied: unknown = null;
const total = computed(() => matched.value ?? 0);
const isHere = () => view.value === "requests" && total.value > 0;

export function Grid() {
  const scroller = useMemo(() => new Scroller(total, ROW, eye.position), []);

  useEffect(() => {
    let topped = toTop.peek();
    const ends = [
      // the rows that are shown have changed: to their beginning, or to where the eye was
      effect(() => {
        const now = shown.value;
        if (!now || now === applied) return;
        applied = now;
        untracked(() => {
          const { isNew, shift, snapshot } = now;
          active.value = isNew ? 0 : Math.min(Math.max(active.value + shift, 0), Math.max(snapshot.total - 1, 0));
          if (isNew) scroller.go(0);
          else if (shift !== 0) scroller.go(scroller.position.value + shift * ROW);
        });
      }),
      effect(() => {
        const [first, last] = [scroller.first.value, scroller.last.value];
        [eye.first, eye.last, eye.position] = [first, last, scroller.position.value];
        shown.value?.snapshot.want(first, last, scroller.ahead);
      }),
      // what comes on top is counted while something else is read, and shown when it is asked for
      effect(() => {
        scrolled.value = scroller.position.value > 0;
      }),
      effect(() => {
        if (toTop.value === topped) return;
        topped = toTop.value;
        untracked(() => scroller.go(0));
      }),
      () => (scrolled.value = false),
      followSelected(scroller),
      register(
        { id: "grid.next", title: "Next record", group: "Navigate", keys: ["j"], when: isHere, run: () => go(scroller, active.value + 1) },
        { id: "grid.previous", title: "Previous record", group: "Navigate", keys: ["k"], when: isHere, run: () => go(scroller, active.value - 1) },
        { id: "grid.first", title: "First record", group: "Navigate", when: isHere, run: () => go(scroller, 0) },
        { id: "grid.last", title: "Last record", group: "Navigate", when: isHere, run: () => go(scroller, total.value - 1) },
        { id: "grid.open", title: "Open the record", group: "Record", when: isHere, run: () => open(active.value) },
        { id: "grid.mark", title: "Mark to compare with the next one marked", group: "Record", keys: ["m"], when: isHere, run: () => mark(active.value) },
        { id: "grid.columns", title: "Choose columns", group: "View", when: isHere, run: () => (opened.value = "columns") },
        { id: "grid.columns.reset", title: "Reset columns", group: "View", when: () => isHere() && !isUsual.value, run: reset },
      ),
    ];
    return () => ends.forEach((end) => end());
  }, [scroller]);

  const snapshot = shown.value?.snapshot;
  return (
    <section class={`grid${pending.value ? " pending" : ""}`} aria-label="Records" style={{ "--row": `${ROW}px`, "--bar-width": `${scroller.bar.value}px` }}>
      {snapshot && snapshot.total > 0 ? (
        <>
          <Table scroller={scroller} total={snapshot.total} row={ROW} />
          <Menu />
        </>
      ) : snapshot && !failure.value ? <Empty /> : failure.value ? <Failed error={failure.value} /> : <Awaited />}
      {snapshot && snapshot.total > 0 && <Faults snapshot={snapshot} />}
      <Progress />
      <p class="visually-hidden" role="status">{snapshot ? told() : ""}</p>
    </section>
  );
}

/** What a screen reader is told when rows or their order change. */
function told(): string {
  const column = COLUMNS.find(({ sort: by }) => by === sort.value);
  return `${counted(total.value, "record")}, sorted by ${column?.label.toLowerCase()}, ${direction.value === "asc" ? "ascending" : "descending"}.`;
}

function Faults({ snapshot }: { snapshot: Snapshot }) {
  const [whole, part] = [failure.value, snapshot.error.value];
  if (whole && !isOfQuery(whole)) {
    const { q, sort: by, direction: way } = snapshot.question;
    const isOlder = q === effective.value && by === sort.value && way === direction.value;
    return <Fault what={isOlder ? "Newer records could not be loaded" : "The records could not be loaded, these are the ones before"} error={whole} />;
  }
  return part && <Fault what="Some rows could not be loaded" error={part} />;
}

function Progress() {
  return pending.value || wanted.value ? <div class="grid-progress" role="progressbar" aria-label="Loading records" /> : null;
}

/** Before the first rows. */
function Awaited() {
  return (
    <div class="grid-awaited" aria-hidden="true">
      {Array.from({ length: 24 }, (_, at) => <div key={at} class="grid-row"><span class="awaited" /></div>)}
    </div>
  );
}
