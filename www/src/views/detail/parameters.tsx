// Query parameters, form fields and cookies: decoded, as tables.
import type { LogRecord } from "../../lib/api";
import { requestCookies, setCookies, type SetCookie } from "../../lib/cookies";
import { pairs } from "../../lib/form";
import { term } from "../../lib/term";
import { narrow } from "../../state/record";
import { copyAndTell } from "./notice";
import { Pairs } from "./pairs";
import { Value } from "./value";

export function Query({ record: { query = "" } }: { record: LogRecord }) {
  const rows = pairs(query).map(({ name, value }) => ({ name, value, narrow: () => narrow(term("query.", value, name)) }));
  return (
    <div class="detail-scroll">
      <h3>Query parameters <span class="quiet">{rows.length}</span></h3>
      <Pairs title="Query parameters" rows={rows} nameTitle="Parameter" />
      <h3>As sent</h3>
      <p class="detail-raw mono"><Value text={query} /></p>
      <button type="button" class="button" onClick={() => copyAndTell("query string", query)}>Copy query string</button>
    </div>
  );
}

export function Form({ text }: { text: string }) {
  const rows = pairs(text);
  return <div class="detail-scroll"><Pairs title="Form fields" rows={rows} nameTitle="Field" /></div>;
}

export function Cookies({ record }: { record: LogRecord }) {
  const sent = requestCookies(record.request?.headers ?? []);
  const set = setCookies(record.response?.headers ?? []);
  return (
    <div class="detail-scroll">
      {sent.length > 0 && (
        <section>
          <h3>Request cookies <span class="quiet">{sent.length}</span></h3>
          <Pairs title="Request cookies" rows={sent} nameTitle="Cookie" />
        </section>
      )}
      {set.length > 0 && (
        <section>
          <h3>Set by the response <span class="quiet">{set.length}</span></h3>
          <SetCookies cookies={set} />
        </section>
      )}
    </div>
  );
}

const COLUMNS = ["Domain", "Path", "Expires", "Max-Age", "SameSite"];
const FLAGS = ["Secure", "HttpOnly", "Partitioned"];

function SetCookies({ cookies }: { cookies: SetCookie[] }) {
  const columns = COLUMNS.filter((column) => cookies.some(({ attributes }) => attributes.some(([name]) => name === column)));
  return (
    <div class="wide" tabIndex={0} role="region" aria-label="Cookies set by the response">
      <table class="grid-table">
        <thead>
          <tr><th scope="col">Cookie</th><th scope="col">Value</th>{columns.map((column) => <th key={column} scope="col">{column}</th>)}<th scope="col">Flags</th></tr>
        </thead>
        <tbody>
          {cookies.map(({ name, value, attributes, faults }, index) => {
            const of = (column: string) => attributes.findLast(([known]) => known === column)?.[1] ?? "";
            const others = attributes.filter(([known]) => !COLUMNS.includes(known)).map(([known, given]) => (FLAGS.includes(known) || given === null ? known : `${known}=${given}`));
            return (
              <tr key={index}>
                <th scope="row"><Value text={name} /></th>
                <td class="mono"><Value text={value} /></td>
                {columns.map((column) => <td key={column}><Value text={of(column)} /></td>)}
                <td>
                  <Value text={others.join(", ")} />
                  {faults.map((fault) => <div key={fault} class="detail-fault">{fault}</div>)}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
