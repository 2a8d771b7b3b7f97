// What can be done with the record in the pane, for the palette and the keyboard.
import { register } from "../../state/commands";
import { compared, selected } from "../../state/question";
import { close, current, isComparing, marked, swap, tab, tabs, turnTab, TABS, type Tab } from "../../state/record";
import { copyForm, copyLink, FORMS, replayable } from "./copying";
import { copyAndTell, tell } from "./notice";
import { showAround } from "./related";

export const TITLES: Record<Tab, string> = {
  overview: "Overview",
  headers: "Headers",
  query: "Query",
  cookies: "Cookies",
  request: "Request",
  response: "Response",
  timings: "Timings",
  related: "Related",
  raw: "Raw",
};

const isShown = () => current.value !== null;
const isAlone = () => isShown() && !isComparing.value;

/** Puts the focus on the open tab. */
export function focusPane(): void {
  document.querySelector<HTMLElement>(".app-pane [role=tab][aria-selected=true]")?.focus();
}

export function mark(): void {
  marked.value = selected.value;
  tell("Kept in mind: open another record and compare");
}

export function compareWithMarked(): void {
  compared.value = marked.value;
  marked.value = null;
}

export const canCompare = (): boolean => marked.value !== null && marked.value !== selected.value;

register(
  { id: "record.close", title: "Close the record", group: "Record", keys: ["Escape"], when: () => selected.value !== null, run: close },
  { id: "record.focus", title: "Go to the record", group: "Record", when: isAlone, run: focusPane },
  { id: "record.tab.next", title: "Next tab of the record", group: "Record", keys: ["]"], when: isAlone, run: () => turnTab(1) },
  { id: "record.tab.previous", title: "Previous tab of the record", group: "Record", keys: ["["], when: isAlone, run: () => turnTab(-1) },
  ...TABS.map((name) => ({
    id: `record.tab.${name}`,
    title: `Show ${name === "raw" ? "the raw record" : TITLES[name].toLowerCase()}`,
    group: "Record" as const,
    when: () => isAlone() && tabs.value.includes(name),
    run: () => void (tab.value = name),
  })),
  ...FORMS.map(({ form, title }) => ({
    id: `record.copy.${form}`,
    title: `Copy as ${title}`,
    group: "Record" as const,
    when: () => current.value !== null && (form === "json" || replayable(current.value)),
    run: () => current.value && copyForm(current.value, form),
  })),
  { id: "record.copy.link", title: "Copy link to the record", group: "Record", when: isShown, run: copyLink },
  { id: "record.copy.id", title: "Copy id of the record", group: "Record", when: isShown, run: () => current.value && copyAndTell("id", current.value.id) },
  {
    id: "record.context",
    title: "Show the record among those around it",
    group: "Record",
    when: isAlone,
    run: () => current.value && showAround(current.value).catch((error: unknown) => tell(String(error), true)),
  },
  { id: "record.compare.mark", title: "Keep the record in mind to compare it", group: "Record", when: isAlone, run: mark },
  { id: "record.compare", title: "Compare with the record kept in mind", group: "Record", when: () => isAlone() && canCompare(), run: compareWithMarked },
  { id: "record.compare.swap", title: "Swap the compared records", group: "Record", when: () => isComparing.value, run: swap },
);
