// Names and values in a table: each can be copied and asked for.
import type { ComponentChildren } from "preact";
import { copyAndTell } from "./notice";
import { Value } from "./value";

export interface Row {
  name: string;
  value: string;
  /** What the value's cell shows instead of it. */
  shown?: ComponentChildren;
  /** Adds it to the query. */
  narrow?: () => void;
}

const isSelecting = (): boolean => getSelection()?.isCollapsed === false;

/** `title` names the table; `nameTitle` is the head of its first column. */
export function Pairs({ title, rows, nameTitle = "Name" }: { title: string; rows: readonly Row[]; nameTitle?: string }) {
  return (
    <table class="pairs">
      <caption class="visually-hidden">{title}</caption>
      <thead class="visually-hidden">
        <tr><th scope="col">{nameTitle}</th><th scope="col">Value</th><th scope="col">Actions</th></tr>
      </thead>
      <tbody>{rows.map((row, index) => <PairRow key={`${index}:${row.name}`} row={row} />)}</tbody>
    </table>
  );
}

function PairRow({ row: { name, value, shown, narrow } }: { row: Row }) {
  return (
    <tr>
      <th scope="row"><Value text={name} /></th>
      <td class="mono" data-narrows={Boolean(narrow) || undefined} title={narrow && "Click to add it to the query"} onClick={narrow && (() => !isSelecting() && narrow())}>
        {shown ?? <Value text={value} />}
      </td>
      <td class="pairs-actions">
        {narrow && <button type="button" class="button plain" aria-label={`Filter by ${name}`} title="Add to the query" onClick={narrow}>Filter</button>}
        <button type="button" class="button plain" aria-label={`Copy ${name}`} onClick={() => copyAndTell(name, value)}>Copy</button>
      </td>
    </tr>
  );
}
