// A row of the table: drawn again only when what it shows has changed.
import { Component } from "preact";
import type { LogRecord } from "../../lib/api";
import type { Shown } from "../../state/columns";
import type { Times } from "../../state/settings";
import { isBad, look } from "./cells";

interface Props {
  index: number;
  record: LogRecord | undefined;
  /** The record of the row above. */
  before: LogRecord | undefined;
  columns: readonly Shown[];
  times: Times;
  isActive: boolean;
  isSelected: boolean;
  isMarked: boolean;
}

export class Row extends Component<Props> {
  override shouldComponentUpdate(next: Props): boolean {
    const now = this.props;
    return (
      next.index !== now.index || next.record !== now.record || next.columns !== now.columns || next.times !== now.times ||
      next.isActive !== now.isActive || next.isSelected !== now.isSelected || next.isMarked !== now.isMarked ||
      (next.times === "relative" && next.before !== now.before)
    );
  }

  override render({ index, record, before, columns, times, isActive, isSelected, isMarked }: Props) {
    const state = `${record && isBad(record) ? " bad" : ""}${isMarked ? " marked" : ""}${isActive ? " active" : ""}`;
    return (
      <div
        class={`grid-row${state}`}
        role="row"
        aria-rowindex={index + 2}
        aria-selected={isSelected || isMarked}
        aria-busy={record ? undefined : true}
        tabIndex={isActive ? 0 : -1}
        data-index={index}
      >
        {columns.map((column, at) => {
          if (!record) {
            return <div key={column.id} class={`cell c-${column.id}`} role="gridcell" aria-colindex={at + 1}><span class="awaited" /></div>;
          }
          const { content, class: more, style } = look(column, record, before, times);
          const marked = isMarked && at === 0;
          return (
            <div
              key={column.id}
              class={`cell c-${column.id}${column.numeric ? " numeric" : ""}${more ? ` ${more}` : ""}`}
              role="gridcell"
              aria-colindex={at + 1}
              style={style}
            >
              {content}
              {marked && <span class="visually-hidden"> marked to compare</span>}
            </div>
          );
        })}
      </div>
    );
  }
}
