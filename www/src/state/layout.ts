// Which parts are shown: the facets beside the table, on a phone over it.
import { computed, signal } from "@preact/signals";
import { kept } from "./settings";

const phone = matchMedia("(max-width: 760px)");
/** Whether there is room for one column only. */
export const narrow = signal(phone.matches);
phone.addEventListener("change", ({ matches }) => (narrow.value = matches));

const side = kept("side", true, (value): value is boolean => typeof value === "boolean");
const drawer = signal(false);
/** Whether the facets are shown. */
export const sideOpen = computed(() => (narrow.value ? drawer.value : side.value));

export function toggleSide(): void {
  const shown = narrow.peek() ? drawer : side;
  shown.value = !shown.peek();
}

export function closeDrawer(): void {
  drawer.value = false;
}
