// Header fields of both messages, in the order they came or by name.
import { useState } from "preact/hooks";
import type { LogRecord } from "../../lib/api";
import { isRedacted } from "../../lib/redacted";
import { term } from "../../lib/term";
import { narrow } from "../../state/record";
import { kept } from "../../state/settings";
import { Pairs, type Row } from "./pairs";

const isSorted = kept("detail.headers.sorted", false, (value): value is boolean => typeof value === "boolean");
// longer values are no terms to read
const LONGEST_TERM = 512;

function rowsOf(headers: readonly [string, string][], prefix: string, wanted: string): Row[] {
  const matching = headers.filter(([name, value]) => `${name}: ${value}`.toLowerCase().includes(wanted.toLowerCase()));
  const ordered = isSorted.value ? matching.toSorted(([a], [b]) => a.toLowerCase().localeCompare(b.toLowerCase(), "en")) : matching;
  return ordered.map(([name, value]) => ({
    name,
    value,
    ...(value.length <= LONGEST_TERM ? { narrow: () => narrow(term(prefix, value, name.toLowerCase())) } : {}),
  }));
}

export function Headers({ record }: { record: LogRecord }) {
  const [wanted, setWanted] = useState("");
  const sides = [
    { title: "Request headers", prefix: "req.header.", headers: record.request?.headers ?? [] },
    { title: "Response headers", prefix: "res.header.", headers: record.response?.headers ?? [] },
  ].filter(({ headers }) => headers.length > 0);
  const hasRedacted = sides.some(({ headers }) => headers.some(([, value]) => isRedacted(value)));
  return (
    <div class="detail-scroll">
      <div class="body-bar">
        <input
          type="search"
          class="field"
          placeholder="Filter headers"
          aria-label="Filter headers"
          value={wanted}
          onInput={(event) => setWanted(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Escape" || wanted === "") return;
            event.preventDefault();
            setWanted("");
          }}
        />
        <button type="button" class="button plain" aria-pressed={isSorted.value} onClick={() => (isSorted.value = !isSorted.value)}>Sort by name</button>
      </div>
      {hasRedacted && <p class="detail-hint"><span class="redacted">[redacted:…]</span> Secrets were redacted when the record was stored. Equal marks are equal secrets.</p>}
      {sides.map(({ title, prefix, headers }) => {
        const rows = rowsOf(headers, prefix, wanted);
        return (
          <section key={title}>
            <h3>{title} <span class="quiet">{rows.length === headers.length ? headers.length : `${rows.length} of ${headers.length}`}</span></h3>
            <Pairs title={title} rows={rows} nameTitle="Header" />
          </section>
        );
      })}
    </div>
  );
}
