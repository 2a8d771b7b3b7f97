// Where the time went: the phases of a HAR entry as a waterfall, else one bar; what the server itself measured.
import type { LogRecord } from "../../lib/api";
import { phases, serverTimings, type Phase } from "../../lib/timings";
import { duration } from "../../lib/format";

export function Timings({ record }: { record: LogRecord }) {
  const found = phases(record.attributes?.timings, record.duration_ms);
  const end = Math.max(...found.map(({ start, length }) => start + length), record.duration_ms ?? 0);
  const own = serverTimings(record.response?.headers ?? []);
  const longest = Math.max(...own.map(({ length }) => length), end);
  return (
    <div class="detail-scroll">
      <h3>Timings <span class="quiet">{record.duration_ms === undefined ? "" : duration(record.duration_ms)}</span></h3>
      <Waterfall title="Phases" rows={found} end={end} />
      {found.length === 1 && record.attributes?.timings === undefined && <p class="detail-hint">The source recorded the duration only.</p>}
      {own.length > 0 && (
        <>
          <h3>Server timing</h3>
          <p class="detail-hint">Measured by the server; when each began is not known.</p>
          <Waterfall title="Server timing" rows={own} end={longest} />
        </>
      )}
    </div>
  );
}

function Waterfall({ title, rows, end }: { title: string; rows: Phase[]; end: number }) {
  const percent = (ms: number) => `${end > 0 ? (ms / end) * 100 : 0}%`;
  return (
    <table class="waterfall">
      <caption class="visually-hidden">{title}</caption>
      <thead class="visually-hidden"><tr><th scope="col">Phase</th><th scope="col">When</th><th scope="col">Duration</th></tr></thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.name} data-part={row.isPart || undefined}>
            <th scope="row" title={row.about}>{row.name}</th>
            <td class="waterfall-track" title={`From ${duration(row.start)} to ${duration(row.start + row.length)}`}>
              <span class="visually-hidden">{`from ${duration(row.start)} to ${duration(row.start + row.length)}`}</span>
              <div class="waterfall-bar" data-phase={row.phase} style={{ marginInlineStart: percent(row.start), width: percent(row.length) }} />
            </td>
            <td class="waterfall-length">{duration(row.length)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
