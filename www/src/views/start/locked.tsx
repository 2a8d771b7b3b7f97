// The server wants a key.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { give } from "../../state/connection";

export function Locked({ refused }: { refused: string | null }) {
  const typed = useSignal("");
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), [refused]);
  return (
    <form
      class="start-card"
      onSubmit={(event) => {
        event.preventDefault();
        if (typed.value.trim()) give(typed.value);
      }}
    >
      <h1>This server wants a key</h1>
      <p id="key-help">{location.host} shows its records to who has an API key. It is kept for this session, in this tab only.</p>
      <label for="key">API key</label>
      <div class="start-row">
        <input
          id="key"
          class="field"
          type="password"
          autocomplete="off"
          spellcheck={false}
          ref={field}
          value={typed.value}
          aria-describedby={refused ? "key-refused" : "key-help"}
          aria-invalid={refused ? true : undefined}
          onInput={({ currentTarget }) => (typed.value = currentTarget.value)}
        />
        <button class="button primary" type="submit" disabled={!typed.value.trim()}>Unlock</button>
      </div>
      {refused && <p id="key-refused" class="start-error" role="alert">{refused}</p>}
    </form>
  );
}
