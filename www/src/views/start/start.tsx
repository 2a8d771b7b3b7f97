// Before there are records: open a file, unlock a server, the demo.
import { phase } from "../../state/source";
import { Locked } from "./locked";
import { Offer } from "./offer";
import { Progressing } from "./progressing";
import "./start.css";

export function Start() {
  const now = phase.value;
  switch (now.at) {
    case "looking":
      return <div class="start" aria-busy="true"><p class="start-wait" role="status">Looking for the server…</p></div>;
    case "locked":
      return <div class="start"><Locked refused={now.refused} /><Offer short /></div>;
    case "opening":
      return <div class="start"><Progressing name={now.name} growth={now.growth} cancel={now.cancel} /></div>;
    default:
      return <div class="start"><Offer /></div>;
  }
}
