// The query language as it is typed: what the module says, as objects.

import type { Completions, Parsed } from "./api.js";
import { instance } from "./module.js";

/**
 * Reads a query.
 *
 * With `caret`, the place of the insertion point, what is wrong right there is still being written, and no error.
 */
export function parse(query: string, caret?: number): Parsed {
  return JSON.parse(instance().parse(query, caret)) as Parsed;
}

/** What can be written at `caret`, best first; of values those that every log has, `/api/v1/facets` knows the others. */
export function complete(query: string, caret: number): Completions {
  return JSON.parse(instance().complete(query, caret)) as Completions;
}
