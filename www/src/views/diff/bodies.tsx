// Two bodies: by path where both are JSON, line by line where they are text.
import { useMemo } from "preact/hooks";
import type { LogRecord } from "../../lib/api";
import { bodyHead, type Side } from "../../lib/body-range";
import { diff, jsonChanges, type Change, type Hunk } from "../../lib/diff";
import { parseLong, type JsonTree } from "../../lib/json-tree";
import { decoderFor, isText, mediaOf } from "../../lib/media";
import { bytes } from "../../lib/format";
import { backend } from "../../state/question";
import { useLoaded } from "../detail/loading";
import { Value } from "../detail/value";

// of longer bodies the beginnings are compared
const MOST = 2 << 20;
const MOST_CHANGES = 500;
const MOST_LINES = 2000;
// same lines around changed ones
const AROUND = 3;

type Compared =
  | { kind: "same" | "binary" }
  | { kind: "json"; left: JsonTree; right: JsonTree; changes: Change[]; isCut: boolean }
  | { kind: "text"; left: string[]; right: string[]; hunks: Hunk[] };

const isEqual = (a: Uint8Array, b: Uint8Array) => a.length === b.length && a.every((byte, at) => byte === b[at]);

async function compare(left: LogRecord, right: LogRecord, side: Side, signal: AbortSignal): Promise<Compared> {
  const from = backend.peek();
  if (!from) throw new Error("There is no source.");
  const bodies = [left, right].map(async (record) => {
    const body = record[side]?.body;
    const head = body && body.captured > 0 ? await bodyHead(from, record.id, side, body, MOST, signal) : new Uint8Array();
    return { head, type: body?.content_type };
  });
  const [a, b] = (await Promise.all(bodies)) as [Awaited<(typeof bodies)[0]>, Awaited<(typeof bodies)[0]>];
  if (isEqual(a.head, b.head)) return { kind: "same" };
  const readable = ({ head, type }: typeof a) => head.length === 0 || isText(head) || mediaOf(type, head) === "text";
  if (!readable(a) || !readable(b)) return { kind: "binary" };
  const [p, q] = [a, b].map(({ head, type }) => decoderFor(type, head).decode(head)) as [string, string];
  const isJson = ({ head, type }: typeof a) => mediaOf(type, head) === "json";
  if (isJson(a) && isJson(b)) {
    const trees = [await parseLong(p, signal), await parseLong(q, signal)] as const;
    if (trees.every(({ fault, length }) => length > 0 && (fault === null || fault.isEnd))) {
      return { kind: "json", left: trees[0], right: trees[1], ...jsonChanges(trees[0], trees[1], MOST_CHANGES) };
    }
  }
  const [x, y] = [p, q].map((text) => text.split(/\r?\n/)) as [string[], string[]];
  return { kind: "text", left: x, right: y, hunks: diff(x, y) };
}

interface Props {
  title: string;
  side: Side;
  left: LogRecord;
  right: LogRecord;
}

export function BodyDiff({ title, side, left, right }: Props) {
  const [a, b] = [left[side]?.body, right[side]?.body];
  const loaded = useLoaded(a || b ? (signal) => compare(left, right, side, signal) : null, [left.id, right.id, side]);
  if (!a && !b) return null;
  const size = (body: typeof a) => (body ? bytes(body.size) : "none");
  const found = loaded.value;
  const isPart = [a, b].some((body) => body && (body.truncated || body.captured > MOST));
  return (
    <section>
      <h3>{title} <span class="quiet">{size(a)} → {size(b)}{found?.kind === "same" && (isPart ? " · what was kept is equal" : " · no difference")}</span></h3>
      {loaded.error && <p class="detail-error" role="alert">{loaded.error.message}</p>}
      {loaded.pending && !found && <p class="detail-hint">Comparing…</p>}
      {isPart && <p class="detail-hint">Not all of the bodies was kept or is compared: beginnings are.</p>}
      {found?.kind === "binary" && <p class="detail-hint">The bodies differ; they are binary.</p>}
      {found?.kind === "json" && <JsonDiff {...found} />}
      {found?.kind === "text" && <TextDiff {...found} />}
    </section>
  );
}

const KINDS = { added: "only right", removed: "only left", changed: "changed" };
const SIGNS = { added: "+", removed: "−", changed: "≠" };

function JsonDiff({ left, right, changes, isCut }: { left: JsonTree; right: JsonTree; changes: Change[]; isCut: boolean }) {
  if (changes.length === 0) return <p class="detail-hint">The same JSON, written differently.</p>;
  return (
    <>
      <table class="diff-table">
        <caption class="visually-hidden">Differences by path</caption>
        <colgroup><col class="diff-col-name" /><col class="diff-col-sign" /><col /><col /></colgroup>
        <thead class="visually-hidden"><tr><th scope="col">Path</th><th scope="col">Difference</th><th scope="col">Left</th><th scope="col">Right</th></tr></thead>
        <tbody>
          {changes.map((change, index) => (
            <tr key={index} data-kind={change.kind}>
              <th scope="row" class="mono"><Value text={change.path} /></th>
              <td class="diff-sign" title={KINDS[change.kind]}><span class="visually-hidden">{KINDS[change.kind]}</span><span aria-hidden="true">{SIGNS[change.kind]}</span></td>
              <td class="mono diff-left">{change.left !== null && <Value text={left.raw(change.left)} />}</td>
              <td class="mono diff-right">{change.right !== null && <Value text={right.raw(change.right)} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {isCut && <p class="detail-hint">There are more than {MOST_CHANGES} differences; these are some of them.</p>}
    </>
  );
}

interface Row {
  kind: "same" | "changed" | "gap";
  left: number | null;
  right: number | null;
}

/** Lines beside each other; of the same ones only those around changes. */
function rowsOf(hunks: Hunk[]): Row[] {
  const rows: Row[] = [];
  for (const [index, { kind, left, right }] of hunks.entries()) {
    const [n, m] = [left[1] - left[0], right[1] - right[0]];
    const [head, tail] = [index > 0 ? AROUND : 0, index < hunks.length - 1 ? AROUND : 0];
    for (let at = 0; at < Math.max(n, m); at += 1) {
      if (kind === "same" && at >= head && at < n - tail) {
        if (at === head) rows.push({ kind: "gap", left: left[0] + at, right: n - head - tail });
        continue;
      }
      rows.push({ kind, left: at < n ? left[0] + at : null, right: at < m ? right[0] + at : null });
    }
  }
  return rows;
}

function TextDiff({ left, right, hunks }: { left: string[]; right: string[]; hunks: Hunk[] }) {
  const rows = useMemo(() => rowsOf(hunks), [hunks]);
  const cell = (lines: string[], at: number | null, name: string) => (
    <>
      <td class="diff-line">{at === null ? "" : at + 1}</td>
      <td class={`mono ${name}`}>{at !== null && <Value text={lines[at]!} />}</td>
    </>
  );
  return (
    <>
      <table class="diff-table diff-lines">
        <caption class="visually-hidden">Differences by line</caption>
        <colgroup><col class="diff-col-line" /><col /><col class="diff-col-line" /><col /></colgroup>
        <thead class="visually-hidden"><tr><th scope="col">Line left</th><th scope="col">Left</th><th scope="col">Line right</th><th scope="col">Right</th></tr></thead>
        <tbody>
          {rows.slice(0, MOST_LINES).map((row, index) =>
            row.kind === "gap" ? (
              <tr key={index} class="diff-gap"><td colSpan={4}>{row.right} equal {row.right === 1 ? "line" : "lines"}</td></tr>
            ) : (
              <tr key={index} data-kind={row.kind === "same" ? "same" : row.left === null ? "added" : row.right === null ? "removed" : "changed"}>
                {cell(left, row.left, "diff-left")}
                {cell(right, row.right, "diff-right")}
              </tr>
            ),
          )}
        </tbody>
      </table>
      {rows.length > MOST_LINES && <p class="detail-hint">{rows.length - MOST_LINES} more lines are not shown.</p>}
    </>
  );
}
