// Which dialog lies over everything; one at a time.
import { signal } from "@preact/signals";

export type Dialog = "palette" | "help" | "export" | "files" | "handover";
export const dialog = signal<Dialog | null>(null);

export function close(): void {
  dialog.value = null;
}
