// Queries asked before and queries with a name.
import { useRef } from "preact/hooks";
import { query } from "../../state/question";
import { forgetAll, recent, remove, save, saved } from "../../state/saved";
import { Icon } from "../header/icons";
import { opened } from "./opened";
import { Popover } from "./popover";
import { put } from "./typed";

const choose = (text: string): void => {
  opened.value = null;
  put(text);
};

function Save() {
  const name = useRef<HTMLInputElement>(null);
  const submit = (event: Event) => {
    event.preventDefault();
    const given = name.current?.value.trim();
    if (!given || !name.current) return;
    save(given, query.value);
    name.current.value = "";
  };
  const isEmpty = query.value.trim() === "";
  return (
    <form class="library-save" onSubmit={submit}>
      <input class="field" ref={name} data-first="" aria-label="Name of this query" placeholder={isEmpty ? "Write a query to save it" : "Name this query"} disabled={isEmpty} />
      <button type="submit" class="button" disabled={isEmpty}>Save</button>
    </form>
  );
}

export function Library() {
  return (
    <Popover
      id="library" opened={opened} label="Saved and recent queries"
      button={<Icon name="bookmark" />}
    >
      <div class="library">
        <Save />
        {saved.value.length > 0 && <div class="popover-title" id="library-saved">Saved</div>}
        <ul aria-labelledby="library-saved">
          {saved.value.map(({ name, query: text }) => (
            <li key={name}>
              <button type="button" class="library-query" onClick={() => choose(text)}><span>{name}</span><span class="mono quiet">{text}</span></button>
              <button type="button" class="library-delete" aria-label={`Delete ${name}`} title="Delete" onClick={() => remove(name)}>
                <Icon name="close" />
              </button>
            </li>
          ))}
        </ul>
        <div class="popover-title library-recent" id="library-recent">
          Recent
          {recent.value.length > 0 && <button type="button" class="button plain" onClick={forgetAll}>Forget</button>}
        </div>
        {recent.value.length === 0 && <div class="quiet library-none">None yet</div>}
        <ul aria-labelledby="library-recent">
          {recent.value.map((text) => (
            <li key={text}><button type="button" class="library-query" onClick={() => choose(text)}><span class="mono">{text}</span></button></li>
          ))}
        </ul>
      </div>
    </Popover>
  );
}
