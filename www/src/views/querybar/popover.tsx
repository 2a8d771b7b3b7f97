// A panel that a button opens: Escape and a click beside it close it, and the focus goes back.
import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface Properties {
  id: string;
  /** What is open in this bar; this panel while it is its id. */
  opened: Signal<string | null>;
  label: string;
  button: ComponentChildren;
  isPressed?: boolean;
  children: ComponentChildren;
}

export function Popover({ id, opened, label, button, isPressed, children }: Properties) {
  const place = useRef<HTMLDivElement>(null);
  const trigger = useRef<HTMLButtonElement>(null);
  const isOpen = opened.value === id;

  useEffect(() => {
    if (!isOpen) return;
    const panel = place.current?.querySelector<HTMLElement>("[role=dialog]");
    (panel?.querySelector<HTMLElement>("[data-first]") ?? panel)?.focus();
    const outside = (event: PointerEvent) => {
      if (!place.current?.contains(event.target as Node)) opened.value = null;
    };
    addEventListener("pointerdown", outside, true);
    return () => {
      removeEventListener("pointerdown", outside, true);
      if (place.current?.contains(document.activeElement)) trigger.current?.focus();
    };
  }, [isOpen, opened]);

  const close = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !isOpen) return;
    event.preventDefault();
    event.stopPropagation();
    opened.value = null;
  };
  return (
    <div class="popover" ref={place} onKeyDown={close}>
      <button
        type="button" class="button" ref={trigger} aria-haspopup="dialog" aria-expanded={isOpen} aria-controls={isOpen ? `popover-${id}` : undefined}
        aria-label={label} title={label} data-set={isPressed ? "" : undefined}
        onClick={() => (opened.value = isOpen ? null : id)}
      >
        {button}
      </button>
      {isOpen && <div class="popover-panel" id={`popover-${id}`} role="dialog" aria-label={label} tabIndex={-1}>{children}</div>}
    </div>
  );
}
