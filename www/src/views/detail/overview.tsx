// What a record is at a glance: the exchange or the message, where it came from, its attributes.
import { useMemo } from "preact/hooks";
import type { LogRecord } from "../../lib/api";
import { parseJson, type JsonTree } from "../../lib/json-tree";
import { term } from "../../lib/term";
import { absolute, ago, bytes, duration } from "../../lib/format";
import { shownUrl } from "../../lib/url";
import { narrow } from "../../state/record";
import { zone } from "../../state/settings";
import { Json } from "./json";
import { Pairs, type Row } from "./pairs";
import { Value } from "./value";

// record's member, title, key of the query language
const MEMBERS: [keyof LogRecord, string, string][] = [
  ["kind", "Kind", "kind"],
  ["route", "Route", "route"],
  ["protocol", "Protocol", "protocol"],
  ["client_ip", "Client address", "ip"],
  ["user_agent", "User agent", "ua"],
  ["user_id", "User", "user"],
  ["auth_type", "Authentication", "auth"],
  ["error_code", "Error code", "error"],
  ["project", "Project", "project"],
  ["environment", "Environment", "environment"],
  ["session", "Session", "session"],
  ["service", "Service", "service"],
  ["container", "Container", "container"],
  ["source", "Source", "source"],
  ["flow_name", "Flow", "flow"],
  ["request_id", "Request id", "request_id"],
  ["trace_id", "Trace id", "trace"],
  ["span_id", "Span id", "span"],
];

function rowsOf(record: LogRecord): Row[] {
  const rows: Row[] = [];
  const url = shownUrl(record);
  if (url) rows.push({ name: "URL", value: url, ...(record.path ? { narrow: () => narrow(term("path", record.path!)) } : {}) });
  const at = absolute(record.time, zone.value);
  rows.push({ name: "Time", value: record.time, shown: <span title={record.time}>{at} <span class="quiet">({ago(record.time, Date.now())})</span></span> });
  rows.push({ name: "Level", value: record.level, shown: <span class={`level-${record.level}`}>{record.level}</span>, narrow: () => narrow(term("level", record.level)) });
  if (record.status !== undefined) {
    const { status } = record;
    rows.push({ name: "Status", value: String(status), shown: <span class={`status-${Math.floor(status / 100)}xx`}>{status}</span>, narrow: () => narrow(term("status", String(status))) });
  }
  if (record.duration_ms !== undefined) rows.push({ name: "Duration", value: `${record.duration_ms} ms`, shown: <span title={`${record.duration_ms} ms`}>{duration(record.duration_ms)}</span> });
  for (const [title, message] of [["Request body", record.request], ["Response body", record.response]] as const) {
    const body = message?.body;
    if (body) rows.push({ name: title, value: `${body.size}`, shown: `${bytes(body.size)}${body.content_type ? ` · ${body.content_type}` : ""}${body.truncated ? " · not all of it was kept" : ""}` });
  }
  for (const [member, name, key] of MEMBERS) {
    const value = record[member];
    if (typeof value === "string" && value !== "") rows.push({ name, value, narrow: () => narrow(term(key, value)) });
  }
  if (record.overridden) rows.push({ name: "Overridden", value: "true", shown: "A rule changed the answer", narrow: () => narrow("is:overridden") });
  rows.push({ name: "Id", value: record.id });
  return rows;
}

export function Overview({ record, tree }: { record: LogRecord; tree: JsonTree }) {
  const attributes = useMemo(() => {
    const node = tree.member(0, "attributes");
    return node === null ? null : parseJson(tree.raw(node));
  }, [tree]);
  return (
    <div class="detail-scroll">
      {record.message && (
        <section class={`message message-${record.level}`}>
          <span class={`message-level level-${record.level}`}>{record.level}</span>
          <div class="message-text mono"><Value text={record.message} /></div>
        </section>
      )}
      {record.redacted && <p class="detail-hint"><span class="redacted">redacted</span> Secrets in this record were redacted when it was stored. Equal marks are equal secrets.</p>}
      <Pairs title="Overview" rows={rowsOf(record)} />
      {attributes && attributes.length > 1 && (
        <section>
          <h3>Attributes</h3>
          <Json key={record.id} tree={attributes} label="Attributes" prefix="attr." isInline />
        </section>
      )}
    </div>
  );
}
