// The palette: every command that can be run now, found by a few letters; those used last come first.
import { computed, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { fuzzy } from "../../lib/fuzzy";
import { commands, type Command } from "../../state/commands";
import { close } from "../../state/dialogs";
import { kept } from "../../state/settings";
import { Dialog } from "./dialog";
import { Keys } from "./keys";

const REMEMBERED = 8;
const recent = kept<string[]>("commands", [], (value): value is string[] => Array.isArray(value) && value.every((id) => typeof id === "string"));
/** The later registration of an id is the one that counts. */
const offered = computed(() => [...new Map(commands.value.filter(({ id, when }) => id !== "palette" && (when?.() ?? true)).map((command) => [command.id, command])).values()]);

interface Row {
  command: Command;
  at: number[];
}

function rows(needle: string): Row[] {
  const age = (id: string) => {
    const place = recent.value.indexOf(id);
    return place < 0 ? REMEMBERED : place;
  };
  return offered.value
    .flatMap((command) => {
      const found = fuzzy(needle, command.title) ?? undefined;
      return found ? [{ command, at: found.at, score: found.score }] : [];
    })
    .sort((one, other) => other.score - one.score || age(one.command.id) - age(other.command.id));
}

export function Palette() {
  const needle = useSignal("");
  const place = useSignal(0);
  const list = useRef<HTMLUListElement>(null);
  const found = useComputed(() => (needle.value.trim() ? rows(needle.value) : rows("")));
  const current = useComputed(() => Math.min(place.value, found.value.length - 1));
  useSignalEffect(() => {
    list.current?.children[current.value]?.scrollIntoView({ block: "nearest" });
  });

  const run = (command: Command) => {
    recent.value = [command.id, ...recent.peek().filter((id) => id !== command.id)].slice(0, REMEMBERED);
    close();
    // after the dialog has given the focus back
    requestAnimationFrame(() => command.run());
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const count = found.value.length;
    const chosen = found.value[current.value];
    if ((event.key === "k" && (event.ctrlKey || event.metaKey)) || event.key === "Escape") close();
    else if (event.key === "ArrowDown" && count) place.value = (current.value + 1) % count;
    else if (event.key === "ArrowUp" && count) place.value = (current.value - 1 + count) % count;
    else if (event.key === "Enter" && chosen && !event.isComposing) run(chosen.command);
    else return;
    event.preventDefault();
  };

  return (
    <Dialog title="Commands" class="palette" untitled>
      <input
        class="palette-input"
        role="combobox"
        aria-label="Find a command"
        aria-expanded={found.value.length > 0}
        aria-controls="palette-list"
        aria-activedescendant={found.value.length > 0 ? `palette-${current.value}` : undefined}
        aria-autocomplete="list"
        placeholder="Find a command"
        autocomplete="off"
        spellcheck={false}
        autoFocus
        value={needle.value}
        onInput={({ currentTarget }) => {
          needle.value = currentTarget.value;
          place.value = 0;
        }}
        onKeyDown={onKeyDown}
      />
      <ul class="palette-list" id="palette-list" role="listbox" aria-label="Commands" ref={list}>
        {found.value.map(({ command, at }, number) => (
          <li
            key={command.id}
            id={`palette-${number}`}
            role="option"
            aria-selected={number === current.value}
            onPointerMove={() => (place.value = number)}
            onClick={() => run(command)}
          >
            <span>{marked(command.title, at)}</span>
            <span class="quiet palette-group">{command.group}</span>
            <Keys keys={command.keys} />
          </li>
        ))}
      </ul>
      {found.value.length === 0 && <p class="palette-none" role="status">No command is called that.</p>}
    </Dialog>
  );
}

function marked(title: string, at: readonly number[]) {
  const places = new Set(at);
  return [...title].map((letter, place) => (places.has(place) ? <b key={place}>{letter}</b> : letter));
}
