// Terms of the query language, written so that they mean the value and nothing else.
import { quoted } from "./terms";

// the ASCII of what core takes in a key
const NAME = /^[A-Za-z0-9_.@$[\]-]+$/;

/** `key:value`; `name` is the user's own behind a prefix such as `req.header.`. */
export function term(key: string, value: string, name?: string): string {
  const own = name === undefined ? "" : NAME.test(name) ? name : quoted(name);
  return `${key}${own}:${quoted(value)}`;
}
