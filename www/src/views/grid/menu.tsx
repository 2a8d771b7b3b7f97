// The columns menu: which are shown, in what order; how times are written.
import { useEffect, useRef, useState } from "preact/hooks";
import { COLUMNS, columns, isUsual, move, reset, toggle } from "../../state/columns";
import { times, type Times } from "../../state/settings";

const ZONES: [Times, string][] = [["local", "Local"], ["utc", "UTC"], ["relative", "Since the row above"]];

export function Menu() {
  const [isOpen, setOpen] = useState(false);
  const whole = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    if (!isOpen) return;
    whole.current?.querySelector<HTMLElement>(".menu-panel input")?.focus();
    const outside = (event: Event) => {
      if (!whole.current?.contains(event.target as Node)) setOpen(false);
    };
    addEventListener("pointerdown", outside, true);
    addEventListener("focusin", outside, true);
    return () => {
      removeEventListener("pointerdown", outside, true);
      removeEventListener("focusin", outside, true);
    };
  }, [isOpen]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !isOpen) return;
    event.preventDefault();
    setOpen(false);
    button.current?.focus();
  };

  return (
    <div class="grid-menu" ref={whole} onKeyDown={onKeyDown}>
      <button ref={button} type="button" class="button plain" aria-label="Columns" title="Columns and times" aria-haspopup="dialog" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true"><path d="M1.5 2h11v10h-11zM5.2 2v10M8.8 2v10" fill="none" stroke="currentColor" stroke-width="1.3" /></svg>
      </button>
      {isOpen && <Panel />}
    </div>
  );
}

function Panel() {
  const [needle, setNeedle] = useState("");
  const shown = columns.value;
  const isShown = new Set(shown.map(({ id }) => id));
  const all = [...shown, ...COLUMNS.filter(({ id }) => !isShown.has(id))];
  const sought = needle.trim().toLowerCase();
  const listed = all.filter(({ id, name, label }) => `${id} ${name} ${label}`.toLowerCase().includes(sought));
  return (
    <div class="menu-panel" role="dialog" aria-label="Columns and times">
      <input class="field" type="search" placeholder="Find a column" aria-label="Find a column" value={needle} onInput={(event) => setNeedle(event.currentTarget.value)} />
      <ul class="menu-columns" aria-label="Columns">
        {listed.map(({ id, name }) => {
          const at = shown.findIndex((column) => column.id === id);
          return (
            <li key={id}>
              <label>
                <input type="checkbox" checked={at >= 0} disabled={at >= 0 && shown.length === 1} onChange={() => toggle(id)} />
                {name}
              </label>
              {at >= 0 && !sought && (
                <>
                  <button type="button" class="button plain" aria-label={`Move ${name} to the left`} title="To the left" disabled={at === 0} onClick={() => move(id, at - 1)}>↑</button>
                  <button type="button" class="button plain" aria-label={`Move ${name} to the right`} title="To the right" disabled={at === shown.length - 1} onClick={() => move(id, at + 1)}>↓</button>
                </>
              )}
            </li>
          );
        })}
        {listed.length === 0 && <li class="quiet">No column is called that.</li>}
      </ul>
      <fieldset class="menu-times">
        <legend>Times</legend>
        {ZONES.map(([zone, label]) => (
          <label key={zone}><input type="radio" name="times" checked={times.value === zone} onChange={() => (times.value = zone)} />{label}</label>
        ))}
      </fieldset>
      <button type="button" class="button" disabled={isUsual.value} onClick={reset}>Reset columns</button>
    </div>
  );
}
