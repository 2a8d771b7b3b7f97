// What both documents begin with.
import { render } from "preact";
import { bindKeys } from "./state/commands";
import { bindFragment } from "./state/fragment";
import { bindTheme } from "./state/settings";
import { bindUpdates } from "./state/updates";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/layout.css";
import { App } from "./views/app";

export function mount(): void {
  bindTheme();
  bindFragment();
  bindKeys();
  bindUpdates();
  const place = document.getElementById("app");
  if (place) render(<App />, place);
}
