// The name of the source, the query bar, and what acts on all of it.
import { useComputed, useSignalEffect } from "@preact/signals";
import { dialog } from "../../state/dialogs";
import { sideOpen, toggleSide } from "../../state/layout";
import { backend, view, type View } from "../../state/question";
import "../commands/builtin";
import { LiveControl } from "../live/live";
import { QueryBar } from "../querybar/querybar";
import { Icon, Logo } from "./icons";
import { Menu } from "./menu";
import "./header.css";

const SOURCE = ["open", "add", "files", "-", "demo", "server", "-", "close", "forget-key"];
const MORE = [
  "palette", "help", "-",
  "theme-system", "theme-light", "theme-dark", "-",
  "times-local", "times-utc", "times-relative", "-",
  "refresh", "export", "files", "documents",
];
const VIEWS: [View, string][] = [["requests", "Requests"], ["endpoints", "Endpoints"]];
const ICONS = { server: "server", file: "file", demo: "spark" } as const;

export function Header() {
  const name = useComputed(() => backend.value?.name.value ?? null);
  useSignalEffect(() => {
    document.title = name.value ? `${name.value} · reqlog` : "reqlog";
  });
  const open = backend.value;
  return (
    <header class="app-head bar">
      <span class="bar-name">
        <Logo />
        <strong>reqlog</strong>
      </span>
      {open && (
        <>
          <Menu label={`Source: ${name.value}`} items={SOURCE} class="bar-source">
            <Icon name={ICONS[open.kind]} />
            <span class="bar-source-name">{name}</span>
            <Icon name="down" />
          </Menu>
          <button type="button" class="button plain bar-side" aria-pressed={sideOpen.value} aria-label="Facets" title={sideOpen.value ? "Hide facets" : "Show facets"} onClick={toggleSide}>
            <Icon name="side" />
          </button>
          <div class="bar-query"><QueryBar /></div>
          <nav class="bar-views" aria-label="Views">
            {VIEWS.map(([id, title]) => (
              <button key={id} type="button" class="bar-view" aria-current={view.value === id ? "page" : undefined} onClick={() => (view.value = id)}>
                {title}
              </button>
            ))}
          </nav>
          <LiveControl />
          <button type="button" class="button plain bar-export" aria-label="Export" title="Export what is found" onClick={() => (dialog.value = "export")}>
            <Icon name="export" />
            <span class="bar-label">Export</span>
          </button>
        </>
      )}
      <Menu label="More" items={MORE} class="bar-more">
        <Icon name={open ? "menu" : "more"} />
      </Menu>
    </header>
  );
}
