// The whole window: which views there are and where.
import { computed } from "@preact/signals";
import { closeDrawer, narrow, sideOpen } from "../state/layout";
import { backend, selected, view } from "../state/question";
import { Dialogs } from "./commands/dialogs";
import { Detail } from "./detail/detail";
import { Endpoints } from "./endpoints/endpoints";
import { Facets } from "./facets/facets";
import { Grid } from "./grid/grid";
import { Foot } from "./header/foot";
import { Header } from "./header/header";
import { Histogram } from "./histogram/histogram";
import { FreshRecords } from "./live/live";
import { Start } from "./start/start";

const isReady = computed(() => backend.value !== null);

export function App() {
  return (
    <div class="app">
      <Header />
      {isReady.value ? (
        <>
          {sideOpen.value && narrow.value && <button type="button" class="app-scrim" aria-label="Close the facets" onClick={closeDrawer} />}
          {sideOpen.value && <nav class="app-side" aria-label="Facets"><Facets /></nav>}
          <main class="app-main">
            <h1 class="visually-hidden">{view.value === "endpoints" ? "Endpoints" : "Requests"}</h1>
            <Histogram />
            <div class="live-place"><FreshRecords /></div>
            {view.value === "endpoints" ? <Endpoints /> : <Grid />}
          </main>
          {selected.value && <aside class="app-pane" aria-label="Record"><Detail /></aside>}
        </>
      ) : (
        <main class="app-full"><Start /></main>
      )}
      <Foot />
      <Dialogs />
    </div>
  );
}
