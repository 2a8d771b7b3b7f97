// The query of an endpoint: the shortest that counts as many calls as it has.
import type { Backend } from "../../backend/backend";
import { get } from "../../lib/api";
import { and, only, quoted, withoutIncluded } from "../../lib/terms";
import type { Endpoint } from "../../state/aggregates";

// what a segment is that the engine calls an id (`template` of core/src/aggregate/endpoints.rs)
const ID = "([0-9]+|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|[0-9A-Fa-f]{16,}|[0-9A-HJKMNP-TV-Z]{20,32}|[0-9a-hjkmnp-tv-z]{20,32})";
const MARK = "{id}";

/** A template as a value that paths match: itself, or with a wildcard for each id. */
function glob(template: string): string {
  if (!template.includes(MARK)) return quoted(template);
  return template.split(MARK).map((part) => part.replace(/[\s,()"\\*?<>=!~]/g, "\\$&")).join("*");
}

function regex(template: string): string {
  const parts = template.split(MARK).map((part) => part.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&"));
  return `~/^${parts.join(ID)}$/`;
}

/**
 * Queries that mean the endpoint, among what `query` asks, the simplest first. Only the last always does: a route may be one that a
 * record says, or the template of the paths of records that say none.
 */
export function candidates(query: string, { method, route }: Pick<Endpoint, "method" | "route">): string[] {
  const base = withoutIncluded(only(query, "method", method), "route");
  if (route === null) return [and(base, "-route:* -path:*")];
  const said = `route:${quoted(route)}`;
  const terms = [said, `path:${glob(route)}`, `(${said} OR -route:* path:${glob(route)})`];
  if (route.includes(MARK)) terms.push(`(${said} OR -route:* path:${regex(route)})`);
  return terms.map((term) => and(base, term));
}

/** The first of them that counts the endpoint's calls; the last where none does, as while records arrive. */
export async function queryOf(backend: Backend, query: string, endpoint: Endpoint, within: (text: string) => string, signal: AbortSignal): Promise<string> {
  const all = candidates(query, endpoint);
  for (const text of all.slice(0, -1)) {
    const { total } = await get<{ total: number }>(backend, "facets", { fields: "method", top: 1, q: within(text) }, signal);
    if (total === endpoint.count) return text;
  }
  return all.at(-1) ?? query;
}
