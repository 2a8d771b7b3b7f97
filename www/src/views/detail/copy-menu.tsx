// The menu of forms to copy.
import { useEffect, useRef, useState } from "preact/hooks";
import type { LogRecord } from "../../lib/api";
import { Icon } from "../header/icons";
import { copyForm, copyLink, FORMS, replayable } from "./copying";
import { copyAndTell } from "./notice";

export function CopyMenu({ record }: { record: LogRecord }) {
  const [isOpen, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const items = [
    ...FORMS.filter(({ form }) => form === "json" || replayable(record)).map(({ form, title }) => ({ title: `Copy as ${title}`, run: () => copyForm(record, form) })),
    { title: "Copy link", run: copyLink },
    { title: "Copy id", run: () => copyAndTell("id", record.id) },
  ];
  const all = () => [...(box.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
  useEffect(() => {
    if (!isOpen) return;
    all()[0]?.focus();
    const away = (event: PointerEvent) => !box.current?.contains(event.target as Node) && setOpen(false);
    addEventListener("pointerdown", away);
    return () => removeEventListener("pointerdown", away);
  }, [isOpen]);
  const shut = () => {
    setOpen(false);
    button.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const list = all();
    const at = list.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: list.length - 1 }[event.key];
    if (to !== undefined) list[(to + list.length) % list.length]?.focus();
    else if (event.key === "Escape") shut();
    else if (event.key === "Tab") return setOpen(false);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="menu" ref={box}>
      <button ref={button} type="button" class="button plain" aria-haspopup="menu" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>Copy <Icon name="down" /></button>
      {isOpen && (
        <div class="menu-items" role="menu" aria-label="Copy" onKeyDown={onKeyDown}>
          {items.map(({ title, run }) => (
            <button
              key={title}
              type="button"
              role="menuitem"
              tabIndex={-1}
              onClick={() => {
                shut();
                run();
              }}
            >
              {title}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
