// Methods and routes with their counts, error rates and durations.
import { batch, signal } from "@preact/signals";
import { useCallback, useEffect } from "preact/hooks";
import { legible } from "../../lib/redacted";
import { bytes, count, duration } from "../../lib/format";
import { endpointLimit, endpointOrder, endpoints, endpointsShown, type Endpoint, type Order } from "../../state/aggregates";
import { register } from "../../state/commands";
import { backend, query, view, window as range, within } from "../../state/question";
import { Failure } from "../failure/failure";
import { csv } from "./csv";
import "./endpoints.css";
import { queryOf } from "./query";

const MOST = 1000;

/** Why an endpoint could not be shown. */
const trouble = signal<Error | null>(null);
let looking: AbortController | null = null;

async function show(endpoint: Endpoint): Promise<void> {
  const source = backend.peek();
  if (!source) return;
  looking?.abort();
  const stop = (looking = new AbortController());
  try {
    const text = await queryOf(source, query.peek(), endpoint, (text) => within(text, range.peek()), stop.signal);
    if (stop.signal.aborted) return;
    batch(() => {
      query.value = text;
      view.value = "requests";
      trouble.value = null;
    });
  } catch (error) {
    if (!stop.signal.aborted) trouble.value = error as Error;
  }
}

const milliseconds = (value: number | null): string => (value === null ? "–" : duration(value));

const percent = (rate: number): string => (rate === 0 ? "0" : rate < 0.001 ? "<0.1 %" : `${(rate * 100).toFixed(1)} %`);

interface Column {
  order: Order;
  title: string;
  text: (endpoint: Endpoint) => string;
  size: (endpoint: Endpoint) => number;
}

const COLUMNS: readonly Column[] = [
  { order: "count", title: "Count", text: ({ count: calls }) => count(calls), size: ({ count }) => count },
  { order: "errors", title: "Errors", text: ({ errors }) => count(errors), size: ({ errors }) => errors },
  { order: "error_rate", title: "Error rate", text: ({ error_rate }) => percent(error_rate), size: ({ error_rate }) => error_rate },
  { order: "p50", title: "p50", text: ({ p50_ms }) => milliseconds(p50_ms), size: ({ p50_ms }) => p50_ms ?? 0 },
  { order: "p95", title: "p95", text: ({ p95_ms }) => milliseconds(p95_ms), size: ({ p95_ms }) => p95_ms ?? 0 },
  { order: "p99", title: "p99", text: ({ p99_ms }) => milliseconds(p99_ms), size: ({ p99_ms }) => p99_ms ?? 0 },
  { order: "bytes", title: "Bytes", text: (endpoint) => bytes(sent(endpoint)), size: (endpoint) => sent(endpoint) },
];

const sent = ({ request_bytes, response_bytes }: Endpoint): number => request_bytes + response_bytes;
const isBad = (order: Order): boolean => order === "errors" || order === "error_rate";

function Row({ endpoint, most }: { endpoint: Endpoint; most: ReadonlyMap<Order, number> }) {
  const { method, route } = endpoint;
  const onClick = useCallback(() => void show(endpoint), [endpoint]);
  return (
    <tr onClick={onClick}>
      <td class="mono endpoint-method">{legible(method ?? "–")}</td>
      <th scope="row" class="mono endpoint-route">
        <button type="button" aria-label={`Show requests of ${method ?? "no method"} ${route ?? "no route"}`} title={route ?? undefined}>
          {route === null ? <span class="quiet">no route</span> : legible(route)}
        </button>
      </th>
      {COLUMNS.map(({ order, text, size }) => (
        <td key={order} class={`endpoint-number${isBad(order) && size(endpoint) > 0 ? " endpoint-bad" : ""}`} title={order === "errors" ? `${count(endpoint.errors)} server errors, ${count(endpoint.client_errors)} client errors` : undefined}>
          {text(endpoint)}
          <span class={`endpoint-bar${isBad(order) ? " endpoint-bar-bad" : ""}`} aria-hidden="true" style={{ transform: `scaleX(${size(endpoint) / (most.get(order) || 1)})` }} />
        </td>
      ))}
    </tr>
  );
}

function download(): void {
  const { value } = endpoints.peek();
  if (!value) return;
  const url = URL.createObjectURL(new Blob([csv(value.items)], { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = "endpoints.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Moves the focus along the routes. */
function onKeyDown(event: KeyboardEvent): void {
  const by = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, Home: -Infinity, End: Infinity }[event.key];
  if (by === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  const buttons = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>("tbody button")];
  const at = buttons.indexOf(document.activeElement as HTMLElement);
  const next = buttons[Math.max(0, Math.min(buttons.length - 1, at + by))];
  if (!next || (at < 0 && !Number.isFinite(by))) return;
  event.preventDefault();
  event.stopPropagation();
  next.focus();
}

export function Endpoints() {
  useEffect(() => {
    endpointsShown.value = true;
    const taken = register({ id: "endpoints.csv", title: "Export endpoints as CSV", group: "Data", run: download });
    return () => {
      endpointsShown.value = false;
      looking?.abort();
      trouble.value = null;
      taken();
    };
  }, []);
  const { value, error, pending } = endpoints.value;
  const most = new Map(COLUMNS.map(({ order, size }) => [order, Math.max(0, ...(value?.items ?? []).map(size))] as const));
  return (
    <section class="endpoints" aria-label="Endpoints" aria-busy={pending}>
      <Failure error={error ?? trouble.value} />
      <div class="endpoints-head">
        <span>{value ? <><b>{count(value.distinct)}</b>{value.complete ? "" : "+"} endpoints, <b>{count(value.total)}</b> calls</> : pending ? "Loading…" : ""}</span>
        <button type="button" class="button" disabled={!value || value.items.length === 0} onClick={download}>Export CSV</button>
      </div>
      <div class="endpoints-scroll" onKeyDown={onKeyDown}>
        <table>
          <thead>
            <tr>
              <th scope="col">Method</th>
              <th scope="col">Route</th>
              {COLUMNS.map(({ order, title }) => (
                <th key={order} scope="col" class="endpoint-number" aria-sort={endpointOrder.value === order ? "descending" : undefined}>
                  <button type="button" onClick={() => (endpointOrder.value = order)}>{title}{endpointOrder.value === order && <span aria-hidden="true"> ↓</span>}</button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>{value?.items.map((endpoint) => <Row key={`${endpoint.method}\0${endpoint.route}`} endpoint={endpoint} most={most} />)}</tbody>
        </table>
        {value && value.items.length === 0 && <div class="endpoints-empty quiet">No calls match</div>}
        {value && value.distinct > value.items.length && (
          <div class="endpoints-more">
            <span class="quiet">{count(value.items.length)} of {count(value.distinct)}</span>
            {endpointLimit.value < MOST && <button type="button" class="button" onClick={() => (endpointLimit.value = MOST)}>Show {count(Math.min(MOST, value.distinct))}</button>}
          </div>
        )}
      </div>
    </section>
  );
}
