// What else belongs to a record: what came before and after it, and what shares its session, trace, endpoint and so on.
import { signal } from "@preact/signals";
import { get, type LogRecord, type Page } from "../../lib/api";
import { term } from "../../lib/term";
import { shownUrl } from "../../lib/url";
import { count, duration, moment } from "../../lib/format";
import { backend, compared, revision, selected } from "../../state/question";
import { only, showInTable } from "../../state/record";
import { zone } from "../../state/settings";
import { useLoaded } from "./loading";
import { Marks } from "./value";

const AROUND = 10;
const AROUND_IN_TABLE = 100;

interface Context {
  context: { before: LogRecord[]; after: LogRecord[] };
}

const classOf = (status: number | undefined): string => (status === undefined ? "status-none" : `status-${Math.floor(status / 100)}xx`);

function sharesOf(record: LogRecord): { title: string; value: string; query: string }[] {
  const found: { title: string; value: string; query: string }[] = [];
  const add = (title: string, value: string | undefined, query: (value: string) => string) => {
    if (value) found.push({ title, value, query: query(value) });
  };
  add("Trace", record.trace_id, (value) => term("trace", value));
  add("Session", record.session, (value) => term("session", value));
  add("Request id", record.request_id, (value) => term("request_id", value));
  const route = record.route ?? record.path;
  const host = record.host && record.kind !== "event" ? ` ${term("host", record.host)}` : "";
  if (record.method && route) {
    const key = record.route ? "route" : "path";
    add("Endpoint", `${record.method} ${route}`, () => `${term("method", record.method!)} ${term(key, route)}${host}`);
  }
  add("User", record.user_id, (value) => term("user", value));
  add("Client", record.client_ip, (value) => term("ip", value));
  add("Service", record.service, (value) => term("service", value));
  add("Container", record.container, (value) => term("container", value));
  add("Host", record.host, (value) => term("host", value));
  add("Flow", record.flow_name, (value) => term("flow", value));
  add("Error code", record.error_code, (value) => term("error", value));
  return found;
}

export function Related({ record }: { record: LogRecord }) {
  const from = backend.value;
  const around = useLoaded(from ? (signal) => get<Context>(from, `logs/${encodeURIComponent(record.id)}`, { context: AROUND }, signal) : null, [from, record.id]);
  return (
    <div class="detail-scroll">
      <Shares record={record} />
      <section>
        <h3>
          Before and after {record.project && <span class="quiet">in {record.project}</span>}
          <ShowInTable record={record} />
        </h3>
        {around.error && <p class="detail-error" role="alert">{around.error.message}</p>}
        {around.value && <Neighbours record={record} before={around.value.context.before} after={around.value.context.after} />}
      </section>
    </div>
  );
}

const failure = signal<string | null>(null);

function ShowInTable({ record }: { record: LogRecord }) {
  const show = () => {
    failure.value = null;
    showAround(record).catch((error: unknown) => (failure.value = error instanceof Error ? error.message : String(error)));
  };
  return (
    <>
      <button type="button" class="button" onClick={show}>Show in the table</button>
      {failure.value && <span class="detail-error" role="alert">{failure.value}</span>}
    </>
  );
}

/** Makes the table show everything of the project around the record. */
export async function showAround(record: LogRecord): Promise<void> {
  const from = backend.peek();
  if (!from) return;
  const { context } = await get<Context>(from, `logs/${encodeURIComponent(record.id)}`, { context: AROUND_IN_TABLE });
  const first = context.before[0] ?? record;
  const last = context.after.at(-1) ?? record;
  showInTable(first.time, last.time, record.project ? term("project", record.project) : null);
  selected.value = record.id;
}

function Neighbours({ record, before, after }: { record: LogRecord; before: LogRecord[]; after: LogRecord[] }) {
  return (
    <div class="wide" tabIndex={0} role="region" aria-label="Records before and after">
      <table class="grid-table neighbours">
        <thead><tr><th scope="col">Time</th><th scope="col">Request or message</th><th scope="col">Status</th><th scope="col">Duration</th><th scope="col"><span class="visually-hidden">Actions</span></th></tr></thead>
        <tbody>
          {[...before, record, ...after].map((row) => (
            <tr key={row.id} aria-current={row.id === record.id ? "true" : undefined}>
              <td class="mono">{moment(row.time, zone.value)[1]}</td>
              <td class="neighbours-what">
                <button type="button" class="link mono" onClick={() => (selected.value = row.id)}>
                  {row.method ? <><b>{row.method}</b> <Marks text={shownUrl(row).slice(0, 300)} /></> : <Marks text={(row.message ?? row.kind).slice(0, 300)} />}
                </button>
              </td>
              <td class={classOf(row.status)}>{row.status ?? (row.method ? "–" : row.level)}</td>
              <td class="waterfall-length">{row.duration_ms === undefined ? "" : duration(row.duration_ms)}</td>
              <td>{row.id !== record.id && <button type="button" class="button plain" aria-label={`Compare with ${row.id}`} onClick={() => (compared.value = row.id)}>Compare</button>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Shares({ record }: { record: LogRecord }) {
  const shares = sharesOf(record);
  if (shares.length === 0) return null;
  return (
    <section>
      <h3>The same</h3>
      <table class="pairs">
        <caption class="visually-hidden">Records that share a value with this one</caption>
        <thead class="visually-hidden"><tr><th scope="col">What</th><th scope="col">Value</th><th scope="col">Records</th></tr></thead>
        <tbody>
          {shares.map(({ title, value, query }) => (
            <tr key={title}>
              <th scope="row">{title}</th>
              <td><button type="button" class="link mono" title={query} onClick={() => only(query)}><Marks text={value.length > 200 ? `${value.slice(0, 200)}…` : value} /></button></td>
              <td class="waterfall-length"><Count query={query} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Count({ query }: { query: string }) {
  const from = backend.value;
  const counted = useLoaded(from ? (signal) => get<Page>(from, "logs", { q: query, limit: 1, fields: "id", total: "exact" }, signal) : null, [from, query, revision.value]);
  if (counted.error) return <span class="detail-error" title={counted.error.message}>failed</span>;
  return <span>{counted.value?.total === undefined ? "…" : count(counted.value.total)}</span>;
}
