// The grid itself: headings, the scrolled space, and the rows in view as slots that are used again.
import { useComputed, useSignalEffect } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { columns, fitting, isNarrow, template } from "../../state/columns";
import { compared, selected } from "../../state/question";
import { marked } from "../../state/record";
import { pending, shown } from "../../state/rows";
import { times } from "../../state/settings";
import { hint } from "./cells";
import { active, go, open, pick } from "./cursor";
import { Head } from "./head";
import { Row } from "./row";
import type { Scroller } from "./scroller";

/** Height of the headings. */
const HEAD = 28;

interface Props {
  scroller: Scroller;
  total: number;
  row: number;
}

const indexOf = (target: EventTarget | null): number | null => {
  const row = target instanceof Element ? target.closest<HTMLElement>("[data-index]") : null;
  return row ? Number(row.dataset.index) : null;
};

export function Table({ scroller, total, row }: Props) {
  const table = useRef<HTMLDivElement>(null);
  const layer = useRef<HTMLDivElement>(null);
  /** Whether the row that keys act on is to have the focus. */
  const isFocused = useRef(false);
  const slotted = useRef({ base: 0, slots: 0, first: 0, last: -1 });
  const fitted = useComputed(() => fitting(columns.value, scroller.width.value));
  const narrow = useComputed(() => isNarrow(scroller.width.value));
  const layout = useComputed(() => (narrow.value ? template(fitted.value, 0) : template(fitted.value)));

  useLayoutEffect(() => (table.current ? scroller.attach(table.current, HEAD) : undefined), [scroller]);
  // a space of another height is laid out: the position is kept
  const map = scroller.map.value;
  useLayoutEffect(() => scroller.go(scroller.position.peek()), [scroller, map]);
  useSignalEffect(() => {
    if (layer.current) layer.current.style.transform = `translateY(${scroller.first.value * row - scroller.position.value}px)`;
  });

  const first = scroller.first.value;
  // the focus stays with its row, on the table while that is out of view
  useLayoutEffect(() => {
    if (!isFocused.current) return;
    const at = layer.current?.querySelector<HTMLElement>(`[data-index="${active.peek()}"]`) ?? table.current;
    if (at !== document.activeElement) at?.focus({ preventScroll: true });
  });

  useEffect(() => {
    const element = table.current;
    const space = layer.current;
    if (!element || !space) return;
    const page = () => Math.max(1, Math.floor(scroller.viewport.peek() / row) - 1);
    const keys = (event: KeyboardEvent) => {
      if (event.altKey || event.metaKey || (event.target !== element && indexOf(event.target) === null)) return;
      const end = (scroller.map.peek().end + scroller.viewport.peek()) / row;
      const by: Record<string, () => void> = {
        ArrowDown: () => go(scroller, active.peek() + 1),
        ArrowUp: () => go(scroller, active.peek() - 1),
        PageDown: () => go(scroller, active.peek() + page()),
        PageUp: () => go(scroller, active.peek() - page()),
        Home: () => go(scroller, 0),
        End: () => go(scroller, Math.ceil(end) - 1),
        Enter: () => (event.ctrlKey ? pick(active.peek()) : open(active.peek())),
        " ": () => open(active.peek()),
        ArrowLeft: () => element.scrollBy(-80, 0),
        ArrowRight: () => element.scrollBy(80, 0),
      };
      const act = by[event.key];
      if (!act) return;
      event.preventDefault();
      isFocused.current = true;
      act();
    };
    const clicked = (event: MouseEvent) => {
      const index = indexOf(event.target);
      // text that was selected is to be copied, not opened
      if (index === null || (getSelection()?.toString() ?? "") !== "") return;
      isFocused.current = true;
      if (event.ctrlKey || event.metaKey) return pick(index);
      active.value = index;
      open(index);
    };
    const hovered = (event: MouseEvent) => {
      const cell = event.target instanceof Element ? event.target.closest<HTMLElement>(".cell") : null;
      const record = cell && shown.peek()?.snapshot.row(indexOf(cell) ?? -1);
      const column = fitted.peek()[Number(cell?.getAttribute("aria-colindex")) - 1];
      if (cell && record && column) cell.title = hint(column, record, times.peek());
    };
    // a cell is used again for another record
    const passed = (event: MouseEvent) => {
      if (event.target instanceof Element) event.target.closest(".cell")?.removeAttribute("title");
    };
    const entered = (event: FocusEvent) => {
      const index = indexOf(event.target);
      isFocused.current = index !== null || event.target === element;
      if (index !== null) active.value = index;
      else if (event.target === element) space.querySelector<HTMLElement>('[tabindex="0"]')?.focus({ preventScroll: true });
    };
    const left = (event: FocusEvent) => {
      // a row that is used again loses the focus without another element getting it
      if (event.relatedTarget && !space.contains(event.relatedTarget as Node) && event.relatedTarget !== element) isFocused.current = false;
    };
    element.addEventListener("keydown", keys);
    space.addEventListener("click", clicked);
    space.addEventListener("mouseover", hovered);
    space.addEventListener("mouseout", passed);
    element.addEventListener("focusin", entered);
    element.addEventListener("focusout", left);
    return () => {
      element.removeEventListener("keydown", keys);
      space.removeEventListener("click", clicked);
      space.removeEventListener("mouseover", hovered);
      space.removeEventListener("mouseout", passed);
      element.removeEventListener("focusin", entered);
      element.removeEventListener("focusout", left);
    };
  }, [scroller, row]);

  const shownColumns = fitted.value;
  // not drawn again with the rows
  const head = useMemo(() => {
    const leave = () => {
      isFocused.current = true;
      go(scroller, Math.min(Math.max(active.peek(), scroller.first.peek()), scroller.last.peek()));
      layer.current?.querySelector<HTMLElement>('[tabindex="0"]')?.focus({ preventScroll: true });
    };
    return <Head columns={shownColumns} isNarrow={narrow.value} table={table} onLeave={leave} />;
  }, [scroller, shownColumns]);

  const snapshot = shown.value?.snapshot;
  // rows that come are drawn
  void snapshot?.changed.value;
  const slots = Math.ceil(scroller.viewport.value / row) + 1;
  // always as many, so that none is made anew while it is scrolled; the last may be below the view
  const end = Math.min(first + slots, total) - 1;
  // rows that stay keep their slots; after a jump the slots stay where they are
  const { current: used } = slotted;
  if (used.slots !== slots || first > used.last || end < used.first) used.base = first;
  Object.assign(used, { slots, first, last: end });
  const rows = [];
  for (let index = first; index <= end; index += 1) {
    const record = snapshot?.row(index);
    rows.push(
      <Row
        key={(((index - used.base) % slots) + slots) % slots}
        index={index}
        record={record}
        before={index > 0 ? snapshot?.row(index - 1) : undefined}
        columns={shownColumns}
        times={times.value}
        isActive={index === active.value}
        isSelected={record !== undefined && record.id === selected.value}
        isMarked={record !== undefined && (record.id === compared.value || record.id === marked.value)}
      />,
    );
  }
  const isActiveShown = active.value >= first && active.value <= end;
  return (
    <div
      class={`grid-table${narrow.value ? " narrow" : ""}`}
      role="grid"
      aria-label="Records"
      aria-rowcount={total + 1}
      aria-colcount={shownColumns.length}
      aria-multiselectable={true}
      aria-busy={pending.value}
      tabIndex={isActiveShown ? -1 : 0}
      ref={table}
      style={{ "--columns": layout.value.tracks, "--least": `${layout.value.width}px` }}
    >
      {head}
      <div class="grid-space" style={{ height: `${map.space}px` }}>
        <div class="grid-view" style={{ height: `${scroller.viewport.value}px` }}>
          <div class="grid-layer" role="rowgroup" ref={layer}>{rows}</div>
        </div>
      </div>
    </div>
  );
}
