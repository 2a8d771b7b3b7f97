// What can be opened: files, the clipboard, the demo, a server.
import { useSignal } from "@preact/signals";
import { pasted } from "../../lib/handed";
import { effective, selected } from "../../state/question";
import { doors, phase, pick, type Phase } from "../../state/source";
import { Icon } from "../header/icons";

function notice(now: Phase): { title: string; text: string; retry: boolean } | null {
  switch (now.at) {
    case "unreachable":
      return { title: "The server does not answer", text: now.why, retry: true };
    case "failed":
      return { title: "This could not be opened", text: now.why, retry: false };
    default:
      return null;
  }
}

/** `short`: beside something that matters more. */
export function Offer({ short = false }: { short?: boolean }) {
  const now = phase.value;
  const said = notice(now);
  const isFile = doors.value?.document === "file";
  return (
    <>
      {said && (
        <section class="start-card start-notice" role="alert">
          <h2>{said.title}</h2>
          <p>{said.text}</p>
          {said.retry && <button type="button" class="button" onClick={() => doors.value?.retry()}>Try again</button>}
        </section>
      )}
      <section class="start-card" aria-label="Open">
        {!short && (
          <>
            <h1>Open a log</h1>
            {isFile && (effective.value || selected.value) && <p class="start-again">Open the file again that you had open: the address keeps what you asked, not the file.</p>}
            <p>HAR, NDJSON, JSON, CSV and access logs, plain or compressed, of any size. Files are read in this browser; nothing of them leaves it.</p>
          </>
        )}
        <button type="button" class="start-drop" onClick={() => pick("instead")}>
          <Icon name="file" />
          <span><b>Choose files</b> or drop them here</span>
          {!short && <span class="quiet">Several become one time line</span>}
        </button>
        <div class="start-row">
          {isFile && <Paste />}
          <button type="button" class="button" onClick={() => doors.value?.demo()}><Icon name="spark" />Try the demo</button>
        </div>
      </section>
      {now.at === "static" && <Connect />}
      {isFile && !short && <p class="start-more quiet">Records of a running reqlog are at <a href="./">this origin's start page</a>, if it has one.</p>}
    </>
  );
}

function Paste() {
  const refused = useSignal<string | null>(null);
  const paste = async () => {
    try {
      const files = pasted(await navigator.clipboard.readText());
      if (files.length > 0) doors.value?.open(files, "instead");
      else refused.value = "The clipboard holds no text.";
    } catch {
      refused.value = "The browser keeps the clipboard to itself: press Ctrl+V or ⌘V here.";
    }
  };
  return (
    <>
      <button type="button" class="button" onClick={() => void paste()}><Icon name="paste" />Paste from the clipboard</button>
      {refused.value && <p class="start-error" role="alert">{refused.value}</p>}
    </>
  );
}

/** Each reqlog serves this page with its records, so going there is connecting. */
function Connect() {
  const typed = useSignal("");
  const wrong = useSignal(false);
  const go = () => {
    const text = typed.value.trim();
    const whole = /^https?:\/\//i.test(text) ? text : `https://${text}`;
    wrong.value = !URL.canParse(whole);
    if (!wrong.value) location.assign(whole.endsWith("/") ? whole : `${whole}/`);
  };
  return (
    <form class="start-card" onSubmit={(event) => { event.preventDefault(); go(); }}>
      <h2>Connect to a server</h2>
      <p>This page is on a static host. A running reqlog has the same page with its records.</p>
      <label for="server">URL of the server</label>
      <div class="start-row">
        <input id="server" class="field" type="text" inputMode="url" autocomplete="url" placeholder="https://logs.example.com" value={typed.value} aria-invalid={wrong.value || undefined} onInput={({ currentTarget }) => (typed.value = currentTarget.value)} />
        <button type="submit" class="button primary" disabled={!typed.value.trim()}>Go there</button>
      </div>
      {wrong.value && <p class="start-error" role="alert">This is no URL.</p>}
    </form>
  );
}
