// Commands of the window as a whole; each view registers its own beside it.
import { register } from "../../state/commands";
import { dialog } from "../../state/dialogs";
import { closeDrawer, narrow, sideOpen, toggleSide } from "../../state/layout";
import { fresh, live, offered, reconnect, showFresh, tailing, togglePause, toggleTail } from "../../state/live";
import { backend, revision, view } from "../../state/question";
import { theme, times, type Theme, type Times } from "../../state/settings";
import { doors, pick } from "../../state/source";

const isOpen = () => backend.value !== null;
const isFile = () => doors.value?.document === "file";
const isServer = () => doors.value?.document === "server";

const THEMES: Theme[] = ["system", "light", "dark"];
const TIMES: [Times, string][] = [["local", "Times as on this clock"], ["utc", "Times in UTC"], ["relative", "Times since the record before"]];
const after = <T,>(list: readonly T[], now: T): T => list[(list.indexOf(now) + 1) % list.length] as T;

register(
  { id: "palette", title: "Find a command", group: "Navigate", keys: ["mod+k"], run: () => (dialog.value = "palette") },
  { id: "help", title: "Keys and query language", group: "Navigate", keys: ["?"], run: () => (dialog.value = "help") },
  { id: "view-requests", title: "Show requests", group: "View", keys: ["1"], when: isOpen, run: () => (view.value = "requests") },
  { id: "view-endpoints", title: "Show endpoints", group: "View", keys: ["2"], when: isOpen, run: () => (view.value = "endpoints") },
  { id: "side", title: "Show or hide facets", group: "View", keys: ["b"], when: isOpen, run: toggleSide },
  { id: "side-close", title: "Close the facets", group: "View", keys: ["Escape"], when: () => isOpen() && narrow.value && sideOpen.value, run: closeDrawer },
  { id: "theme", title: "Next theme: system, light, dark", group: "View", keys: ["t"], run: () => (theme.value = after(THEMES, theme.value)) },
  ...THEMES.map((name) => ({ id: `theme-${name}`, title: name === "system" ? "Theme of the system" : name === "light" ? "Light theme" : "Dark theme", group: "View" as const, when: () => theme.value !== name, run: () => void (theme.value = name) })),
  { id: "times", title: "Next way to show times", group: "View", keys: ["z"], when: isOpen, run: () => (times.value = after(TIMES.map(([name]) => name), times.value)) },
  ...TIMES.map(([name, title]) => ({ id: `times-${name}`, title, group: "View" as const, when: () => times.value !== name, run: () => void (times.value = name) })),
  { id: "refresh", title: "Ask again", group: "Data", keys: ["r"], when: isOpen, run: () => (revision.value += 1) },
  { id: "live", title: "Start or stop the live tail", group: "Data", keys: ["l"], when: () => offered.value, run: toggleTail },
  { id: "pause", title: "Pause or resume the live tail", group: "Data", keys: ["p"], when: () => offered.value && tailing.value, run: togglePause },
  { id: "fresh", title: "Show the new records", group: "Data", keys: ["n"], when: () => fresh.value > 0, run: showFresh },
  { id: "reconnect", title: "Connect the live tail again", group: "Data", when: () => live.value.at === "retrying" || live.value.at === "refused", run: reconnect },
  { id: "export", title: "Export what is found…", group: "Data", keys: ["e"], when: isOpen, run: () => (dialog.value = "export") },
  { id: "open", title: "Open files…", group: "Data", keys: ["mod+o"], run: () => pick("instead") },
  { id: "add", title: "Add files to these…", group: "Data", when: () => isFile() && backend.value?.kind === "file", run: () => pick("add") },
  { id: "files", title: "Show the files and what was rejected", group: "Data", when: () => isFile() && isOpen(), run: () => (dialog.value = "files") },
  { id: "demo", title: "Open the demo", group: "Data", when: () => backend.value?.kind !== "demo", run: () => doors.value?.demo() },
  { id: "close", title: "Close the files", group: "Data", when: () => isFile() && isOpen(), run: () => doors.value?.close() },
  { id: "server", title: "Go to the server", group: "Data", when: isFile, run: () => location.assign(new URL("./", document.baseURI)) },
  { id: "documents", title: "API documentation", group: "Data", when: () => isServer() && isOpen(), run: () => void globalThis.open(new URL("docs", document.baseURI), "_blank", "noopener") },
);
