// Rows of one height of which only those in sight exist; beyond what browsers can scroll, the way of the bar is scaled.
import type { ComponentChildren, HTMLAttributes } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

// Firefox stops at 17.9 million pixels
const TALLEST = 8_000_000;
const AROUND = 8;

interface Props extends Omit<HTMLAttributes<HTMLDivElement>, "children"> {
  count: number;
  rowHeight: number;
  row: (index: number) => ComponentChildren;
  /** Brought into sight when it changes. */
  reveal?: number | null;
  role?: "tree" | "list" | "group";
  tabIndex?: number;
}

export function Virtual({ count, rowHeight, row, reveal, ...rest }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(0);
  useLayoutEffect(() => {
    const { current } = box;
    if (!current) return;
    setHeight(current.clientHeight);
    const observer = new ResizeObserver(() => setHeight(current.clientHeight));
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  const full = count * rowHeight;
  const tall = Math.min(full, TALLEST);
  // pixels of rows for a pixel of the bar
  const scale = tall > height ? (full - height) / (tall - height) : 1;
  const offset = top * scale;
  useEffect(() => {
    const { current } = box;
    if (!current || reveal === null || reveal === undefined || reveal < 0) return;
    const at = reveal * rowHeight;
    const seen = current.scrollTop * scale;
    if (at < seen) current.scrollTop = at / scale;
    else if (at + rowHeight > seen + current.clientHeight) current.scrollTop = (at + rowHeight - current.clientHeight) / scale;
  }, [reveal]);
  const first = Math.max(0, Math.floor(offset / rowHeight) - AROUND);
  const last = Math.min(count, Math.ceil((offset + height) / rowHeight) + AROUND);
  const rows: ComponentChildren[] = [];
  for (let index = first; index < last; index += 1) rows.push(row(index));
  return (
    <div {...rest} ref={box} onScroll={(event) => setTop(event.currentTarget.scrollTop)}>
      <div role="presentation" style={{ height: `${tall}px`, position: "relative", overflow: "clip", minWidth: "max-content" }}>
        <div role="presentation" style={{ transform: `translateY(${first * rowHeight - offset + top}px)`, minWidth: "max-content" }}>{rows}</div>
      </div>
    </div>
  );
}
