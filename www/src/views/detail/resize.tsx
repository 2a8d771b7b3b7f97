// The border of the pane: drawn with the pointer or the arrow keys, kept.
import { effect } from "@preact/signals";
import { narrow, sideOpen } from "../../state/layout";
import { isComparing } from "../../state/record";
import { kept } from "../../state/settings";

const LEAST = 320;
// what stays of the table, and the facets
const TABLE = 280;
const FACETS = 232;
const STEP = 24;

/** Pixels; 0 is the usual width. */
const width = kept("detail.width", 0, (value): value is number => typeof value === "number" && value >= 0 && value < 10_000);

const beside = () => TABLE + (sideOpen.value && !narrow.value ? FACETS : 0);

effect(() => {
  const { dataset, style } = document.documentElement;
  if (isComparing.value) dataset.comparing = "";
  else delete dataset.comparing;
  if (width.value > 0) style.setProperty("--pane-width", `max(${LEAST}px, min(${width.value}px, calc(100vw - ${beside()}px)))`);
  else style.removeProperty("--pane-width");
});

const most = () => Math.max(LEAST, innerWidth - beside());
const set = (pixels: number) => (width.value = Math.round(Math.max(LEAST, Math.min(pixels, most()))));

export function Resize() {
  const now = () => document.querySelector(".app-pane")?.getBoundingClientRect().width ?? LEAST;
  const onPointerDown = (event: PointerEvent) => {
    if (event.button !== 0 || !(event.currentTarget instanceof HTMLElement)) return;
    event.preventDefault();
    event.currentTarget.setPointerCapture(event.pointerId);
  };
  const onPointerMove = (event: PointerEvent) => {
    if (event.currentTarget instanceof HTMLElement && event.currentTarget.hasPointerCapture(event.pointerId)) set(innerWidth - event.clientX);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.shiftKey ? 4 * STEP : STEP;
    const to = { ArrowLeft: now() + step, ArrowRight: now() - step, Home: most(), End: LEAST }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    set(to);
  };
  return (
    <div
      class="detail-resize"
      role="separator"
      tabIndex={0}
      aria-orientation="vertical"
      aria-label="Width of the record"
      aria-valuemin={LEAST}
      aria-valuemax={most()}
      aria-valuenow={Math.min(most(), width.value || Math.min(760, Math.round(innerWidth * 0.46)))}
      title="Drag, or use the arrow keys; double-click for the usual width"
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onDblClick={() => (width.value = 0)}
      onKeyDown={onKeyDown}
    />
  );
}
