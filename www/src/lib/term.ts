// Terms of the query language, written so that they mean the value and nothing else.

// as core's printer: what needs no quotes behind a colon
const PLAIN = /^[\p{L}\p{N}_\-./@#%+$&][\p{L}\p{N}_\-./@#%+$&:=;!~'[\]{}|]*$/u;
const KEY = /^[A-Za-z0-9_.-]+$/;

export function quoted(value: string): string {
  return `"${value.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\t", "\\t")}"`;
}

/** `key:value`; `name` is the user's own behind a prefix such as `req.header.`. */
export function term(key: string, value: string, name?: string): string {
  const isPlain = PLAIN.test(value) && !value.includes("..") && !value.startsWith("//");
  const own = name === undefined ? "" : KEY.test(name) ? name : quoted(name);
  return `${key}${own}:${isPlain ? value : quoted(value)}`;
}

/** The query with a term behind it, once. */
export function withTerm(query: string, added: string): string {
  const text = query.trim();
  if (text === "") return added;
  if (` ${text} `.includes(` ${added} `)) return text;
  return /\sOR\s|\|\|/.test(text) ? `(${text}) ${added}` : `${text} ${added}`;
}
