// The whole window: which views there are and where.
import { computed } from "@preact/signals";
import { backend, selected, view } from "../state/question";
import { kept } from "../state/settings";
import { Dialogs } from "./commands/dialogs";
import { Detail } from "./detail/detail";
import { Endpoints } from "./endpoints/endpoints";
import { Facets } from "./facets/facets";
import { Grid } from "./grid/grid";
import { Foot } from "./header/foot";
import { Header } from "./header/header";
import { Histogram } from "./histogram/histogram";
import { Start } from "./start/start";

/** Whether the facets are shown. */
export const sideOpen = kept("side", true, (value): value is boolean => typeof value === "boolean");
const isReady = computed(() => backend.value !== null);

export function App() {
  return (
    <div class="app">
      <Header />
      {isReady.value ? (
        <>
          {sideOpen.value && <nav class="app-side" aria-label="Facets"><Facets /></nav>}
          <main class="app-main">
            <Histogram />
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
