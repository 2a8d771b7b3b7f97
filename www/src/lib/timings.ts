// Phases of an exchange as a HAR tells them, one after another.

export interface Phase {
  /** Which it is, for its colour. */
  phase: string;
  name: string;
  about: string;
  /** Milliseconds from the beginning of the exchange. */
  start: number;
  length: number;
  /** Part of the one before it. */
  isPart?: boolean;
}

const PHASES: [phase: string, name: string, about: string][] = [
  ["blocked", "Queued", "Waiting for a connection"],
  ["dns", "DNS lookup", "Resolving the host's name"],
  ["connect", "Connecting", "Opening the connection, TLS included"],
  ["send", "Sending", "Sending the request"],
  ["wait", "Waiting", "Waiting for the first byte of the response"],
  ["receive", "Receiving", "Reading the response"],
];

const length = (value: unknown): number | null => (typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : null);

/** What HAR keeps in `timings`: -1 and what is missing did not take place; `ssl` is the end of `connect`. Else one bar. */
export function phases(timings: unknown, whole: number | undefined): Phase[] {
  const given = typeof timings === "object" && timings !== null ? (timings as Record<string, unknown>) : {};
  const found: Phase[] = [];
  let start = 0;
  for (const [phase, name, about] of PHASES) {
    const took = length(given[phase]);
    if (took === null) continue;
    found.push({ phase, name, about, start, length: took });
    const ssl = phase === "connect" ? length(given.ssl) : null;
    if (ssl !== null && ssl > 0) {
      const within = Math.min(ssl, took);
      found.push({ phase: "ssl", name: "TLS", about: "Negotiating TLS", start: start + took - within, length: within, isPart: true });
    }
    start += took;
  }
  if (found.length === 0) return [{ phase: "wait", name: "Duration", about: "From the request to the end of the response", start: 0, length: whole ?? 0 }];
  return found;
}

/** The metrics of `server-timing` fields that have a duration. */
export function serverTimings(headers: readonly [string, string][]): Phase[] {
  return headers
    .filter(([name]) => name.toLowerCase() === "server-timing")
    .flatMap(([, value]) => value.match(/(?:[^,"]|"(?:[^"\\]|\\.)*")+/g) ?? [])
    .flatMap((metric) => {
      const [name = "", ...parameters] = metric.split(";").map((part) => part.trim());
      const of = (wanted: string) => parameters.find((part) => part.toLowerCase().startsWith(`${wanted}=`))?.slice(wanted.length + 1).replace(/^"|"$/g, "");
      const took = length(Number(of("dur") ?? Number.NaN));
      return took === null ? [] : [{ phase: "server", name: of("desc") || name, about: name, start: 0, length: took }];
    });
}
