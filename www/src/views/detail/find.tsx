// Searching within a body: a field, how many were found, the next and the one before.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";

export interface Find {
  text: string;
  found: readonly number[];
  /** The one that is gone to. */
  hit: number | null;
  field: preact.JSX.Element;
}

const none: readonly number[] = [];

/** `search` is called with what is typed, after a pause; `subject` says when what is searched has changed. */
export function useFind(search: (text: string) => readonly number[], subject: unknown): Find {
  const [typed, setTyped] = useState("");
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const timer = setTimeout(() => {
      setText(typed);
      setAt(0);
    }, typed === "" ? 0 : 150);
    return () => clearTimeout(timer);
  }, [typed]);
  const found = useMemo(() => (text === "" ? none : search(text)), [text, subject]);
  const go = (by: number) => found.length > 0 && setAt((at + by + found.length) % found.length);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter") go(event.shiftKey ? -1 : 1);
    else if (event.key === "Escape" && typed !== "") setTyped("");
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return {
    text,
    found,
    hit: found[at] ?? null,
    field: (
      <span class="find">
        <input
          ref={field}
          type="search"
          class="field"
          placeholder="Search"
          aria-label="Search in this body"
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
        <span class="find-count" role="status">{text === "" ? "" : found.length === 0 ? "None" : `${at + 1} of ${found.length}${found.length === 10_000 ? "+" : ""}`}</span>
        {found.length > 1 && (
          <>
            <button type="button" class="button plain" aria-label="Match before" onClick={() => go(-1)}>↑</button>
            <button type="button" class="button plain" aria-label="Next match" onClick={() => go(1)}>↓</button>
          </>
        )}
      </span>
    ),
  };
}
