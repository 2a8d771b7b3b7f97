// How far the document is with its source: what the start page shows until there is something to ask.
import { signal } from "@preact/signals";
import type { Growth } from "../backend/backend";

export type Phase =
  /** Nothing is open; files can be. */
  | { at: "empty" }
  /** The server is asked whether it is there. */
  | { at: "looking" }
  /** It wants a key; `refused` says what is wrong with the one that was given. */
  | { at: "locked"; refused: string | null }
  /** There is no API at this origin: these are files on a host. */
  | { at: "static" }
  | { at: "unreachable"; why: string }
  /** Files are read and no row has come yet. */
  | { at: "opening"; name: string; growth: Growth | null; cancel: () => void }
  | { at: "failed"; why: string }
  | { at: "open" };

export const phase = signal<Phase>({ at: "looking" });

/** What the document can do about its source; each has its own. */
export interface Doors {
  readonly document: "server" | "file";
  /** Opens files: beside those that are open, or instead of them. */
  open(files: File[], how: "add" | "instead"): void;
  demo(): void;
  /** Ends what is open, or what is being opened. */
  close(): void;
  /** Looks for the server again. */
  retry(): void;
}

export const doors = signal<Doors | null>(null);
/** Files that wait for a click, because the browser opened no tab for them. */
export const waiting = signal<File[]>([]);

const picker = document.createElement("input");
picker.type = "file";
picker.multiple = true;

/** The browser's own dialog. */
export function pick(how: "add" | "instead"): void {
  picker.value = "";
  picker.onchange = () => {
    const files = [...(picker.files ?? [])];
    if (files.length > 0) doors.peek()?.open(files, how);
  };
  picker.click();
}
