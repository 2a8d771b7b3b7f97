// The live tail's state and what can be done with it; the button for rows that wait.
import { count, counted } from "../../lib/format";
import { fresh, live, offered, paused, reconnect, showFresh, tailing, togglePause, toggleTail, type Live } from "../../state/live";
import { Icon } from "../header/icons";
import "./live.css";

function named(now: Live): { text: string; title: string } {
  switch (now.at) {
    case "off":
      return { text: "Live", title: "Show records as they are committed" };
    case "connecting":
      return { text: "Connecting", title: "Connecting to the live tail" };
    case "live":
      return paused.value ? { text: "Paused", title: "New records are counted and not shown" } : { text: "Live", title: "New records are shown as they come" };
    case "retrying":
      return { text: "Retrying", title: `${sentence(now.why)} Next attempt in ${counted(now.seconds, "second")}; click to try now.` };
    case "refused":
      return { text: "Refused", title: `${sentence(now.why)} Click to try again.` };
  }
}

const sentence = (text: string) => (/[.!?]$/.test(text) ? text : `${text}.`);

export function LiveControl() {
  if (!offered.value) return null;
  const now = live.value;
  const { text, title } = named(now);
  const state = now.at === "live" && paused.value ? "paused" : now.at;
  const again = now.at === "retrying" || now.at === "refused";
  return (
    <div class="bar-live" role="group" aria-label="Live tail">
      {again && (
        <button type="button" class={`button live live-${state}`} title={title} onClick={reconnect}>
          <span class="live-dot" aria-hidden="true" />
          {text}
        </button>
      )}
      {!again && (
        <button type="button" class={`button live live-${state}`} aria-pressed={tailing.value} title={title} onClick={toggleTail}>
          <span class="live-dot" aria-hidden="true" />
          <span class="live-text">{text}</span>
        </button>
      )}
      {tailing.value && !again && (
        <button type="button" class="button plain" aria-label={paused.value ? "Resume" : "Pause"} title={paused.value ? "Resume (P)" : "Pause (P)"} onClick={togglePause}>
          <Icon name={paused.value ? "play" : "pause"} />
        </button>
      )}
      {again && <button type="button" class="button plain" aria-label="Stop the live tail" title="Stop the live tail" onClick={toggleTail}><Icon name="close" /></button>}
      <span class="visually-hidden" role="status">{again ? `Live tail: ${title}` : ""}</span>
    </div>
  );
}

/** Over the table: how many records have come that it does not show. */
export function FreshRecords() {
  if (fresh.value === 0) return null;
  return (
    <button type="button" class="button primary live-fresh" onClick={showFresh}>
      <Icon name="up" />
      {count(fresh.value)} new
    </button>
  );
}
