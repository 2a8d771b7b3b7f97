// The table of records.
import { computed, effect, untracked } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { counted } from "../../lib/format";
import { COLUMNS } from "../../state/columns";
import { direction, selected, sort, compared, view } from "../../state/question";
import { eye, failure, matched, pending, shown } from "../../state/rows";
import { register } from "../../state/commands";
import { scrolled, toTop } from "../../state/live";
import { active, close, followSelected, go, mark, open } from "./cursor";
import "./grid.css";
import { Menu } from "./menu";
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
        if (toTop.value > 0) untracked(() => scroller.go(0));
      }),
      () => (scrolled.value = false),
      followSelected(scroller),
      register(
        { id: "grid.next", title: "Next record", group: "Navigate", keys: ["j"], when: isHere, run: () => go(scroller, active.value + 1) },
        { id: "grid.previous", title: "Previous record", group: "Navigate", keys: ["k"], when: isHere, run: () => go(scroller, active.value - 1) },
        { id: "grid.first", title: "First record", group: "Navigate", when: isHere, run: () => go(scroller, 0) },
        { id: "grid.last", title: "Last record", group: "Navigate", when: isHere, run: () => go(scroller, total.value - 1) },
        { id: "grid.open", title: "Open the record", group: "Record", when: isHere, run: () => open(active.value) },
        { id: "grid.mark", title: "Mark to compare, or unmark", group: "Record", keys: ["m"], when: isHere, run: () => mark(active.value) },
        { id: "grid.close", title: "Close the record", group: "Record", keys: ["Escape"], when: () => view.value === "requests" && (selected.value !== null || compared.value !== null), run: close },
      ),
    ];
    return () => ends.forEach((end) => end());
  }, [scroller]);

  const snapshot = shown.value?.snapshot;
  const fault = failure.value && !isOfQuery(failure.value) ? failure.value : snapshot?.error.value;
  return (
    <section class={`grid${pending.value ? " pending" : ""}`} aria-label="Records" style={{ "--row": `${ROW}px`, "--bar-width": `${scroller.bar.value}px` }}>
      {snapshot && snapshot.total > 0 ? (
        <>
          <Table scroller={scroller} total={snapshot.total} row={ROW} />
          <Menu />
        </>
      ) : snapshot && !failure.value ? <Empty /> : failure.value ? <Failed error={failure.value} /> : <Awaited />}
      {snapshot && snapshot.total > 0 && fault && <Fault error={fault} />}
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

function Progress() {
  return pending.value ? <div class="grid-progress" role="progressbar" aria-label="Loading records" /> : null;
}

/** Before the first rows. */
function Awaited() {
  return (
    <div class="grid-awaited" aria-hidden="true">
      {Array.from({ length: 24 }, (_, at) => <div key={at} class="grid-row"><span class="awaited" /></div>)}
    </div>
  );
}
