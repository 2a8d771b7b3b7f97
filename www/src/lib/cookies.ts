// Cookies as RFC 6265 and browsers read them.

export interface Cookie {
  name: string;
  value: string;
}

export interface SetCookie extends Cookie {
  /** As written, in order; names as they are usually spelt. A flag has no value. */
  attributes: [name: string, value: string | null][];
  /** What a browser refuses or warns of. */
  faults: string[];
}

const USUAL = ["Expires", "Max-Age", "Domain", "Path", "Secure", "HttpOnly", "SameSite", "Partitioned", "Priority"];

const pair = (text: string): Cookie => {
  const equals = text.indexOf("=");
  if (equals < 0) return { name: "", value: text.trim() };
  return { name: text.slice(0, equals).trim(), value: text.slice(equals + 1).trim() };
};

/** The pairs of `cookie` fields; HTTP/2 may send several. */
export function requestCookies(headers: readonly [string, string][]): Cookie[] {
  return headers
    .filter(([name]) => name.toLowerCase() === "cookie")
    .flatMap(([, value]) => value.split(";"))
    .filter((part) => part.trim() !== "")
    .map(pair);
}

/** One cookie a `set-cookie` field, or a line of one: HAR writers join them so. */
export function setCookies(headers: readonly [string, string][]): SetCookie[] {
  return headers
    .filter(([name]) => name.toLowerCase() === "set-cookie")
    .flatMap(([, value]) => value.split("\n"))
    .filter((line) => line.trim() !== "")
    .map(setCookie);
}

function setCookie(line: string): SetCookie {
  const [first = "", ...rest] = line.split(";");
  const cookie: SetCookie = { ...pair(first), attributes: [], faults: [] };
  for (const part of rest) {
    const equals = part.indexOf("=");
    const written = (equals < 0 ? part : part.slice(0, equals)).trim();
    if (written === "" && equals < 0) continue;
    const name = USUAL.find((usual) => usual.toLowerCase() === written.toLowerCase()) ?? written;
    cookie.attributes.push([name, equals < 0 ? null : part.slice(equals + 1).trim()]);
  }
  const has = (name: string) => cookie.attributes.some(([known]) => known === name);
  const of = (name: string) => cookie.attributes.findLast(([known]) => known === name)?.[1]?.toLowerCase();
  if (of("SameSite") === "none" && !has("Secure")) cookie.faults.push("SameSite=None needs Secure");
  if (has("Partitioned") && !has("Secure")) cookie.faults.push("Partitioned needs Secure");
  if (/^__secure-/i.test(cookie.name) && !has("Secure")) cookie.faults.push("The prefix __Secure- needs Secure");
  if (/^__host-/i.test(cookie.name) && (!has("Secure") || has("Domain") || of("Path") !== "/")) {
    cookie.faults.push("The prefix __Host- needs Secure, Path=/ and no Domain");
  }
  return cookie;
}
