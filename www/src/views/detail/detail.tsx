// One record: headers, bodies, timings, what else belongs to it.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { JsonTree } from "../../lib/json-tree";
import type { LogRecord } from "../../lib/api";
import { absolute, duration } from "../../lib/format";
import { shownUrl } from "../../lib/url";
import { canRun, close, isComparing, openTab, run, shown, tab, tabs, type Tab } from "../../state/record";
import { zone } from "../../state/settings";
import { Diff } from "../diff/diff";
import { Icon } from "../header/icons";
import { Body } from "./body";
import { canCompare, compareWithMarked, mark, TITLES } from "./commands";
import { CopyMenu } from "./copy-menu";
import { Headers } from "./headers";
import { Notice } from "./notice";
import { Overview } from "./overview";
import { Cookies, Query } from "./parameters";
import { Raw } from "./raw";
import { Related } from "./related";
import { Resize } from "./resize";
import { Timings } from "./timings";
import { Marks } from "./value";
import "./detail.css";
import "./body.css";

/** What was focused goes with the pane: the table takes over. */
function giveFocusBack(): void {
  if (document.activeElement && document.activeElement !== document.body) return;
  document.querySelector<HTMLElement>(".app-main [role=grid], .app-main [tabindex='0']")?.focus({ preventScroll: true });
}

export function Detail() {
  useEffect(() => () => queueMicrotask(giveFocusBack), []);
  const { value, error, pending } = shown.value;
  if (isComparing.value) {
    return (
      <div class="detail">
        <Diff />
        <Notice />
      </div>
    );
  }
  return (
    <div class="detail" aria-busy={pending}>
      <Resize />
      <Title record={value?.record ?? null} />
      {error && <p class="detail-error" role="alert">{error.message}</p>}
      {value && !error && (
        <>
          <Tabs />
          <div class="detail-panel" id="record-panel" role="tabpanel" aria-labelledby={`record-tab-${openTab.value}`} tabIndex={-1}>
            <Panel key={openTab.value} record={value.record} tree={value.tree} name={openTab.value} />
          </div>
        </>
      )}
      {pending && <div class="detail-pending" aria-hidden="true" />}
      <Notice />
    </div>
  );
}

function Title({ record }: { record: LogRecord | null }) {
  const status = record?.status;
  return (
    <header class="detail-title">
      <div class="detail-tools">
        <button type="button" class="button plain" aria-label="Previous record" title="Previous record (k)" disabled={!canRun("grid.previous")} onClick={() => run("grid.previous")}><Icon name="up" /></button>
        <button type="button" class="button plain" aria-label="Next record" title="Next record (j)" disabled={!canRun("grid.next")} onClick={() => run("grid.next")}><Icon name="next" /></button>
        <span class="detail-space" />
        {record && <CopyMenu record={record} />}
        {record && (canCompare()
          ? <button type="button" class="button plain" onClick={compareWithMarked} title="Compare with the record kept in mind">Compare</button>
          : <button type="button" class="button plain" onClick={mark} title="Keep this record in mind, then open another and compare">Compare…</button>)}
        <button type="button" class="button plain" aria-label="Close the record" title="Close (Esc)" onClick={close}><Icon name="close" /></button>
      </div>
      {record && (
        <>
          <h2 class="detail-url mono">
            {record.method && <b>{record.method} </b>}
            <bdi><Marks text={(record.method ? shownUrl(record) : (record.message ?? record.kind)).slice(0, 2000)} /></bdi>
          </h2>
          <p class="detail-glance">
            {status !== undefined && <b class={`status-${Math.floor(status / 100)}xx`}>{status}</b>}
            {status === undefined && <b class={`level-${record.level}`}>{record.level}</b>}
            {record.duration_ms !== undefined && <span>{duration(record.duration_ms)}</span>}
            <time dateTime={record.time}>{absolute(record.time, zone.value)}</time>
          </p>
        </>
      )}
    </header>
  );
}

function Tabs() {
  const list = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent) => {
    const at = tabs.value.indexOf(openTab.value);
    const count = tabs.value.length;
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: count - 1 }[event.key];
    const next = to === undefined ? undefined : tabs.value[(to + count) % count];
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    tab.value = next;
    list.current?.querySelector<HTMLElement>(`#record-tab-${next}`)?.focus();
  };
  return (
    <div class="detail-tabs" role="tablist" aria-label="Parts of the record" ref={list} onKeyDown={onKeyDown}>
      {tabs.value.map((name) => (
        <button
          key={name}
          type="button"
          role="tab"
          id={`record-tab-${name}`}
          aria-selected={name === openTab.value}
          aria-controls="record-panel"
          tabIndex={name === openTab.value ? 0 : -1}
          onClick={() => (tab.value = name)}
        >
          {TITLES[name]}
        </button>
      ))}
    </div>
  );
}

function Panel({ record, tree, name }: { record: LogRecord; tree: JsonTree; name: Tab }) {
  const key = record.id;
  const panels: Record<Tab, () => ComponentChildren> = {
    overview: () => <Overview record={record} tree={tree} />,
    headers: () => <Headers record={record} />,
    query: () => <Query record={record} />,
    cookies: () => <Cookies record={record} />,
    request: () => record.request?.body && <Body key={key} record={record} side="request" body={record.request.body} />,
    response: () => record.response?.body && <Body key={key} record={record} side="response" body={record.response.body} />,
    timings: () => <Timings record={record} />,
    related: () => <Related key={key} record={record} />,
    raw: () => <Raw key={key} record={record} tree={tree} />,
  };
  return <>{panels[name]()}</>;
}
