// The headings: sorting, resizing, moving of columns, by pointer and by keys.
import { batch } from "@preact/signals";
import type { RefObject } from "preact";
import { useRef, useState } from "preact/hooks";
import { move, resize, type Shown } from "../../state/columns";
import { direction, sort } from "../../state/question";
import { fitWidth } from "./fit";

/** Pixels that a pointer moves until it drags. */
const SLACK = 5;
const STEP = 16;

function sortBy({ sort: by }: Shown): void {
  if (!by) return;
  if (sort.peek() === by) direction.value = direction.peek() === "desc" ? "asc" : "desc";
  else batch(() => ([sort.value, direction.value] = [by, "desc"]));
}

const hint = ({ name, sort: by }: Shown): string => `${name}\n${by ? "Click to sort" : "Cannot be sorted by"}. Drag to move, drag the edge to resize, double click it to fit.\nKeys: Enter sorts, Shift+arrows resize, Ctrl+arrows move.`;

interface Props {
  columns: readonly Shown[];
  isNarrow: boolean;
  /** The table, whose cells are measured. */
  table: RefObject<HTMLElement | null>;
  /** Called where the rows are to have the focus. */
  onLeave: () => void;
}

export function Head({ columns, isNarrow, table, onLeave }: Props) {
  const row = useRef<HTMLDivElement>(null);
  const [focused, setFocused] = useState(0);
  const [drop, setDrop] = useState<number | null>(null);
  const isDragged = useRef(false);
  const stop = Math.min(focused, columns.length - 1);

  const cells = () => [...(row.current?.children ?? [])] as HTMLElement[];
  const focus = (at: number) => {
    const to = Math.min(Math.max(at, 0), columns.length - 1);
    setFocused(to);
    cells()[to]?.focus();
  };
  const fit = ({ id }: Shown) => table.current && resize(id, fitWidth(table.current, id), isNarrow);

  const onKeyDown = (event: KeyboardEvent) => {
    const at = cells().indexOf(event.target as HTMLElement);
    const column = columns[at];
    if (!column) return;
    const by = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
    if (by && event.shiftKey) resize(column.id, (event.target as HTMLElement).offsetWidth + by * STEP, isNarrow);
    else if (by && (event.ctrlKey || event.metaKey)) {
      move(column.id, at + by, columns);
      setFocused(Math.min(Math.max(at + by, 0), columns.length - 1));
    } else if (by) focus(at + by);
    else if (event.key === "Home") focus(0);
    else if (event.key === "End") focus(columns.length - 1);
    else if (event.key === "Enter" || event.key === " ") sortBy(column);
    else if (event.key === "ArrowDown") onLeave();
    else if (event.key === "f" && !event.ctrlKey && !event.metaKey) fit(column);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  /** Follows the pointer until it is let go. */
  const follow = (event: PointerEvent, moved: (x: number) => void, done: () => void) => {
    const target = event.currentTarget as HTMLElement;
    target.setPointerCapture(event.pointerId);
    const onMove = (moving: PointerEvent) => moved(moving.clientX);
    const onEnd = (ending: PointerEvent) => {
      target.removeEventListener("pointermove", onMove);
      target.removeEventListener("pointerup", onEnd);
      target.removeEventListener("pointercancel", onEnd);
      if (ending.type === "pointerup") done();
      else setDrop(null);
    };
    target.addEventListener("pointermove", onMove);
    target.addEventListener("pointerup", onEnd);
    target.addEventListener("pointercancel", onEnd);
  };

  const onResize = (event: PointerEvent, column: Shown) => {
    if (event.button !== 0) return;
    event.stopPropagation();
    const [from, width] = [event.clientX, (event.currentTarget as HTMLElement).parentElement?.offsetWidth ?? column.width];
    follow(event, (x) => resize(column.id, width + x - from, isNarrow), () => undefined);
  };

  const onDrag = (event: PointerEvent, column: Shown) => {
    isDragged.current = false;
    if (event.button !== 0 || event.pointerType === "touch") return;
    const from = event.clientX;
    let to: number | null = null;
    follow(
      event,
      (x) => {
        if (!isDragged.current && Math.abs(x - from) < SLACK) return;
        isDragged.current = true;
        to = cells().filter((cell) => {
          const { left, width } = cell.getBoundingClientRect();
          return left + width / 2 < x;
        }).length;
        setDrop(to);
      },
      () => {
        setDrop(null);
        const at = columns.indexOf(column);
        if (to !== null) move(column.id, to > at ? to - 1 : to, columns);
      },
    );
  };

  return (
    <div class="grid-head" role="row" aria-rowindex={1} ref={row} onKeyDown={onKeyDown}>
      {columns.map((column, at) => {
        const isSorted = column.sort !== undefined && column.sort === sort.value;
        const order = direction.value === "asc" ? "ascending" : "descending";
        const edge = drop === at ? " drop-before" : drop === columns.length && at === columns.length - 1 ? " drop-after" : "";
        return (
          <div
            key={column.id}
            class={`column-head${column.numeric ? " numeric" : ""}${column.sort ? " sortable" : ""}${edge}`}
            role="columnheader"
            aria-colindex={at + 1}
            {...(column.sort ? { "aria-sort": isSorted ? order : ("none" as const) } : {})}
            tabIndex={at === stop ? 0 : -1}
            title={hint(column)}
            onFocus={() => setFocused(at)}
            onPointerDown={(event) => onDrag(event, column)}
            onClick={() => !isDragged.current && sortBy(column)}
          >
            {column.label ? <span class="column-label">{column.label}</span> : <span class="visually-hidden">{column.name}</span>}
            {isSorted && <span class="column-sort" aria-hidden="true">{direction.value === "asc" ? "▲" : "▼"}</span>}
            <span
              class="column-grip"
              aria-hidden="true"
              onPointerDown={(event) => onResize(event, column)}
              onClick={(event) => event.stopPropagation()}
              onDblClick={() => fit(column)}
            />
          </div>
        );
      })}
    </div>
  );
}
