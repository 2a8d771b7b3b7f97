// Everything that can be done, by name and key: the palette and the help list it, the keyboard runs it.
import { signal } from "@preact/signals";

export interface Command {
  id: string;
  /** What the palette and the help call it, in the imperative. */
  title: string;
  group: "Navigate" | "Query" | "View" | "Record" | "Data";
  /** As in `KeyboardEvent.key`, with `mod+` for Ctrl or Cmd and `shift+`; several mean any of them. */
  keys?: string[];
  /** Whether it can be done now; hidden where not. */
  when?: () => boolean;
  run: () => void;
}

export const commands = signal<readonly Command[]>([]);

/** Makes commands known; call the result to take them back. */
export function register(...added: Command[]): () => void {
  commands.value = [...commands.value, ...added];
  return () => {
    commands.value = commands.value.filter((command) => !added.includes(command));
  };
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

function spelling(event: KeyboardEvent): string {
  const mod = event.ctrlKey || event.metaKey ? "mod+" : "";
  const shift = event.shiftKey && event.key.length > 1 ? "shift+" : "";
  return mod + shift + event.key;
}

/** Runs commands by their keys. While something is typed only those with `mod+` and Escape are run. */
export function bindKeys(): void {
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey) return;
    const pressed = spelling(event);
    if (isTyping(event.target) && !pressed.startsWith("mod+") && pressed !== "Escape") return;
    if (document.querySelector("dialog[open]")) return;
    const command = commands.value.findLast(({ keys, when }) => keys?.includes(pressed) && (when?.() ?? true));
    if (!command) return;
    event.preventDefault();
    command.run();
  });
}
