// Two requests beside each other: what differs in URL, outcome, headers, parameters and bodies.
import { useState } from "preact/hooks";
import type { LogRecord } from "../../lib/api";
import { pairs } from "../../lib/form";
import { alike, matched, type Matched } from "../../lib/matched";
import { absolute, duration } from "../../lib/format";
import { compared, selected } from "../../state/question";
import { close, other, shown, swap } from "../../state/record";
import { kept, zone } from "../../state/settings";
import { Icon } from "../header/icons";
import { Value } from "../detail/value";
import { BodyDiff } from "./bodies";
import "./diff.css";

const onlyDifferent = kept("diff.only", true, (value): value is boolean => typeof value === "boolean");

const side = (name: "a" | "b", record: LogRecord | undefined) => (
  <div class="diff-side">
    <span class="diff-name">{name === "a" ? "Left" : "Right"}</span>
    {record && (
      <>
        <button type="button" class="link mono" title="Show this record alone" onClick={() => {
          selected.value = record.id;
          compared.value = null;
        }}>
          <b>{record.method ?? record.kind}</b> {record.path ?? record.message?.slice(0, 200)}
        </button>
        <span class="quiet">{absolute(record.time, zone.value)}</span>
      </>
    )}
  </div>
);

export function Diff() {
  const [left, right] = [other.value, shown.value];
  const error = left.error ?? right.error;
  const [a, b] = [left.value?.record, right.value?.record];
  return (
    <section class="diff" aria-label="Comparison" aria-busy={left.pending || right.pending}>
      <header class="diff-head">
        <h2>Compare</h2>
        <label><input type="checkbox" checked={onlyDifferent.value} onChange={(event) => (onlyDifferent.value = event.currentTarget.checked)} /> Only what differs</label>
        <button type="button" class="button" onClick={swap}>Swap</button>
        <button type="button" class="button plain" aria-label="Close the comparison" title="Close (Esc)" onClick={close}><Icon name="close" /></button>
      </header>
      {error && <p class="detail-error" role="alert">{error.message}</p>}
      <div class="diff-sides">{side("a", a)}{side("b", b)}</div>
      {a && b && !error && <Compared key={`${a.id}${b.id}`} left={a} right={b} />}
    </section>
  );
}

type Line = [name: string, left: string | undefined, right: string | undefined, isSame?: boolean];

const text = (value: unknown): string | undefined => (value === undefined || value === null ? undefined : String(value));

function glance(a: LogRecord, b: LogRecord): Line[] {
  const of = (name: string, read: (record: LogRecord) => unknown): Line => [name, text(read(a)), text(read(b))];
  const took = (record: LogRecord) => (record.duration_ms === undefined ? undefined : duration(record.duration_ms));
  const gap = Date.parse(b.time) - Date.parse(a.time);
  const change = a.duration_ms && b.duration_ms ? ` (${b.duration_ms >= a.duration_ms ? "+" : "−"}${Math.round(Math.abs(b.duration_ms / a.duration_ms - 1) * 100)} %)` : "";
  const later = Number.isFinite(gap) && gap !== 0 ? ` (${duration(Math.abs(gap))} ${gap > 0 ? "later" : "earlier"})` : "";
  return [
    of("Method", (record) => record.method),
    of("Scheme", (record) => record.scheme),
    of("Host", (record) => record.host),
    of("Path", (record) => record.path),
    of("Status", (record) => record.status),
    ["Duration", took(a), took(b) && `${took(b)}${change}`, a.duration_ms === b.duration_ms],
    ["Time", absolute(a.time, zone.value), `${absolute(b.time, zone.value)}${later}`, a.time === b.time],
    of("Level", (record) => record.level),
    of("Message", (record) => record.message),
    of("Error code", (record) => record.error_code),
    of("Protocol", (record) => record.protocol),
    of("Service", (record) => record.service),
    of("Container", (record) => record.container),
    of("Client address", (record) => record.client_ip),
    of("User", (record) => record.user_id),
    of("Session", (record) => record.session),
    of("Trace", (record) => record.trace_id),
  ];
}

const lines = (list: Matched[]): Line[] => list.map(({ name, left, right }) => [name, left ?? undefined, right ?? undefined]);

function Compared({ left, right }: { left: LogRecord; right: LogRecord }) {
  const named = (record: LogRecord) => pairs(record.query ?? "").map(({ name, value }): [string, string] => [name, value]);
  const headers = (which: "request" | "response") => lines(matched(left[which]?.headers ?? [], right[which]?.headers ?? [], (name) => name.toLowerCase()));
  return (
    <div class="diff-body">
      <Lines title="Overview" rows={glance(left, right)} />
      <Lines title="Query parameters" rows={lines(matched(named(left), named(right), (name) => name))} />
      <Lines title="Request headers" rows={headers("request")} />
      <BodyDiff title="Request body" side="request" left={left} right={right} />
      <Lines title="Response headers" rows={headers("response")} />
      <BodyDiff title="Response body" side="response" left={left} right={right} />
    </div>
  );
}

const KINDS = { same: "", added: "only right", removed: "only left", changed: "changed" };
const SIGNS = { same: "", added: "+", removed: "−", changed: "≠" };

function Lines({ title, rows }: { title: string; rows: Line[] }) {
  const [isOpen, setOpen] = useState(true);
  const present = rows.filter(([, left, right]) => left !== undefined || right !== undefined);
  if (present.length === 0) return null;
  const told = present.map(([name, left, right, isSame]) => ({ name, left, right, kind: isSame ? ("same" as const) : alike(left, right) }));
  const different = told.filter(({ kind }) => kind !== "same");
  const listed = onlyDifferent.value ? different : told;
  return (
    <section>
      <h3>
        <button type="button" class="diff-fold" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>{isOpen ? "▾" : "▸"} {title}</button>
        <span class="quiet">{different.length === 0 ? "no difference" : `${different.length} of ${told.length} differ`}</span>
      </h3>
      {isOpen && listed.length > 0 && (
        <table class="diff-table">
          <caption class="visually-hidden">{title}</caption>
          <colgroup><col class="diff-col-name" /><col class="diff-col-sign" /><col /><col /></colgroup>
          <thead class="visually-hidden"><tr><th scope="col">What</th><th scope="col">Difference</th><th scope="col">Left</th><th scope="col">Right</th></tr></thead>
          <tbody>
            {listed.map(({ name, left, right, kind }, index) => (
              <tr key={index} data-kind={kind}>
                <th scope="row"><Value text={name} /></th>
                <td class="diff-sign" title={KINDS[kind]}><span class="visually-hidden">{KINDS[kind]}</span><span aria-hidden="true">{SIGNS[kind]}</span></td>
                <td class="mono diff-left">{left !== undefined && <Value text={left} />}</td>
                <td class="mono diff-right">{right !== undefined && <Value text={right} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
