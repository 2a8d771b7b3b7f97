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
      // what had the focus is gone with the panel
      if (document.activeElement === document.body) trigger.current?.focus();
    };
  }, [isOpen, opened]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (!isOpen) return;
    // single keys are commands of what lies below
    if (!event.ctrlKey && !event.metaKey) event.stopPropagation();
    if (event.key !== "Escape") return;
    event.preventDefault();
    opened.value = null;
  };
  const onFocusOut = ({ relatedTarget }: FocusEvent) => {
    if (isOpen && relatedTarget instanceof Node && !place.current?.contains(relatedTarget)) opened.value = null;
  };
  return (
    <div class="popover" ref={place} onKeyDown={onKeyDown} onFocusOut={onFocusOut}>
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
