// A text of any length: shown in blocks that are laid out when they come in sight, more on demand, searched as shown.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { bytes } from "../../lib/format";
import { kept } from "../../state/settings";
import { useFind } from "./find";
import { Marks } from "./value";

const wraps = kept("detail.wrap", true, (value): value is boolean => typeof value === "boolean");

const PORTION = 1 << 18;
const BLOCK = 1 << 13;

/** Cuts at ends of lines where they are near. */
function blocks(text: string): { start: number; text: string }[] {
  const found: { start: number; text: string }[] = [];
  for (let start = 0; start < text.length; ) {
    const line = text.lastIndexOf("\n", start + BLOCK);
    let end = line > start ? line + 1 : Math.min(text.length, start + BLOCK);
    // not within a surrogate pair
    if (end < text.length && /[\ud800-\udbff]/.test(text[end - 1]!)) end += 1;
    found.push({ start, text: text.slice(start, end) });
    start = end;
  }
  return found;
}

function places(text: string, wanted: string): number[] {
  const [lower, needle] = [text.toLowerCase(), wanted.toLowerCase()];
  const found: number[] = [];
  for (let at = lower.indexOf(needle); at >= 0 && found.length < 10_000; at = lower.indexOf(needle, at + needle.length)) found.push(at);
  return found;
}

interface BlockProps {
  start: number;
  text: string;
  found: readonly number[];
  length: number;
  hit: number | null;
}

function Block({ start, text, found, length, hit }: BlockProps) {
  const end = start + text.length;
  const inside = found.filter((at) => at < end && at + length > start);
  if (inside.length === 0) return <Marks text={text} />;
  const parts = [];
  let from = start;
  for (const at of inside) {
    if (at > from) parts.push(<Marks key={from} text={text.slice(from - start, at - start)} />);
    parts.push(<mark key={`m${at}`} data-hit={at === hit || undefined}>{text.slice(Math.max(at, start) - start, at + length - start)}</mark>);
    from = at + length;
  }
  if (from < end) parts.push(<Marks key={from} text={text.slice(from - start)} />);
  return <>{parts}</>;
}

interface Props {
  text: string;
  label: string;
  /** More controls in the bar. */
  children?: preact.ComponentChildren;
}

export function Text({ text, label, children }: Props) {
  const [most, setMost] = useState(PORTION);
  const box = useRef<HTMLPreElement>(null);
  const shown = text.length > most ? text.slice(0, most) : text;
  const cut = useMemo(() => blocks(shown), [shown]);
  const find = useFind((wanted) => places(text, wanted), text);
  useEffect(() => {
    if (find.hit !== null && find.hit + find.text.length > most) setMost(find.hit + PORTION);
    if (find.hit !== null) box.current?.querySelector("mark[data-hit]")?.scrollIntoView({ block: "center", inline: "nearest" });
  }, [find.hit, find.text, most]);
  return (
    <div class="text">
      <div class="body-bar">
        {find.field}
        <button type="button" class="button plain" aria-pressed={wraps.value} onClick={() => (wraps.value = !wraps.value)}>Wrap lines</button>
        {children}
      </div>
      <pre ref={box} class="text-lines mono" data-wraps={wraps.value} tabIndex={0} aria-label={label} role="region">
        {cut.map((block) => (
          <code key={block.start}><Block start={block.start} text={block.text} found={find.found} length={find.text.length} hit={find.hit} /></code>
        ))}
        {text.length > most && (
          <button type="button" class="more" onClick={() => setMost(most + PORTION)}>
            Show more ({bytes(text.length - most)} left)
          </button>
        )}
      </pre>
    </div>
  );
}
