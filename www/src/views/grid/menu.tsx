// The columns menu: which are shown, and in what order.
import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { COLUMNS, columns, isUsual, move, reset, toggle } from "../../state/columns";
import { Popover } from "../querybar/popover";

/** What is open over the table. */
export const opened = signal<string | null>(null);

const icon = (
  <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true"><path d="M1.5 2h11v10h-11zM5.2 2v10M8.8 2v10" fill="none" stroke="currentColor" stroke-width="1.3" /></svg>
);

export function Menu() {
  return (
    <div class="grid-menu">
      <Popover id="columns" opened={opened} label="Columns" button={icon}><Panel /></Popover>
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
    <>
      <input data-first class="field" type="search" placeholder="Find a column" aria-label="Find a column" value={needle} onInput={(event) => setNeedle(event.currentTarget.value)} />
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
      <button type="button" class="button" disabled={isUsual.value} onClick={reset}>Reset columns</button>
    </>
  );
}
