// Which panel of the bar is open: one at a time.
import { signal } from "@preact/signals";

export const opened = signal<string | null>(null);
