// A button with a menu of commands.
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { commands, type Command } from "../../state/commands";
import { Keys } from "../commands/keys";

interface Props {
  /** What the button is called. */
  label: string;
  /** Ids of commands, `-` for a line between; those that cannot be run now are left out. */
  items: readonly string[];
  class?: string;
  children: ComponentChildren;
}

/** The commands by their ids that can be run now, without lines that part nothing. */
function shown(ids: readonly string[]): (Command | "-")[] {
  const found = ids.flatMap((id): (Command | "-")[] => {
    if (id === "-") return ["-"];
    const command = commands.value.find((known) => known.id === id);
    return command && (command.when?.() ?? true) ? [command] : [];
  });
  return found.filter((item, place) => item !== "-" || (place > 0 && found[place - 1] !== "-" && found.slice(place).some((later) => later !== "-")));
}

export function Menu({ label, items, class: name = "", children }: Props) {
  const isOpen = useSignal(false);
  const frame = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    if (!isOpen.value) return;
    frame.current?.querySelector<HTMLElement>("[role=menuitem]")?.focus();
    const outside = ({ target }: Event) => {
      if (target instanceof Node && !frame.current?.contains(target)) isOpen.value = false;
    };
    addEventListener("pointerdown", outside);
    addEventListener("focusin", outside);
    return () => {
      removeEventListener("pointerdown", outside);
      removeEventListener("focusin", outside);
    };
  }, [isOpen.value]);

  const onKeyDown = (event: KeyboardEvent) => {
    const all = [...(frame.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
    const place = all.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: -1 }[event.key];
    if (!isOpen.value) {
      if (event.key !== "ArrowDown") return;
      isOpen.value = true;
    } else if (event.key === "Escape") {
      isOpen.value = false;
      button.current?.focus();
    } else if (to !== undefined) all.at(to % all.length)?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const run = (command: Command) => {
    isOpen.value = false;
    button.current?.focus();
    command.run();
  };

  return (
    <div class="commands-menu" ref={frame} onKeyDown={onKeyDown}>
      <button ref={button} type="button" class={`button plain ${name}`} aria-label={label} title={label} aria-haspopup="menu" aria-expanded={isOpen.value} onClick={() => (isOpen.value = !isOpen.value)}>
        {children}
      </button>
      {isOpen.value && (
        <ul class="commands-list" role="menu" aria-label={label}>
          {shown(items).map((item, place) =>
            item === "-" ? (
              <li key={place} role="separator" />
            ) : (
              <li key={item.id} role="none">
                <button type="button" role="menuitem" tabIndex={-1} onClick={() => run(item)}>
                  <span>{item.title}</span>
                  <Keys keys={item.keys} />
                </button>
              </li>
            ),
          )}
        </ul>
      )}
    </div>
  );
}
