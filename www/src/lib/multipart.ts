// The parts of `multipart/…` bodies (RFC 2046, RFC 7578).

export interface Part {
  headers: [name: string, value: string][];
  name: string | null;
  filename: string | null;
  contentType: string | null;
  bytes: Uint8Array<ArrayBuffer>;
  /** Whether the body ends within it. */
  isCut: boolean;
}

/** The value of a parameter of a header field: `name="a b"`, `name*=UTF-8''a%20b`. */
export function parameter(field: string, name: string): string | null {
  const pattern = /;\s*([^=;\s]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^;]*))/g;
  let plain: string | null = null;
  for (const [, key = "", quoted, token = ""] of field.matchAll(pattern)) {
    const lower = key.toLowerCase();
    if (lower === `${name}*`) {
      const extended = /^utf-8'[^']*'(.*)$/i.exec(token.trim())?.[1];
      try {
        if (extended !== undefined) return decodeURIComponent(extended);
      } catch {
        // no good escape: the plain one is taken
      }
    } else if (lower === name && plain === null) plain = quoted === undefined ? token.trim() : quoted.replace(/\\(["\\])/g, "$1");
  }
  return plain;
}

function find(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(wanted[0]!, from); at >= 0; at = bytes.indexOf(wanted[0]!, at + 1)) {
    let same = 1;
    while (same < wanted.length && bytes[at + same] === wanted[same]) same += 1;
    if (same === wanted.length) return at;
  }
  return -1;
}

const [CR, LF, DASH] = [13, 10, 45];

/** The parts, or null where the type names no boundary or the body has none. */
export function parts(bytes: Uint8Array<ArrayBuffer>, contentType: string): Part[] | null {
  const boundary = parameter(contentType, "boundary");
  if (!boundary) return null;
  const delimiter = new TextEncoder().encode(`--${boundary}`);
  let at = find(bytes, delimiter, 0);
  if (at < 0) return null;
  const found: Part[] = [];
  for (;;) {
    at += delimiter.length;
    if (bytes[at] === DASH && bytes[at + 1] === DASH) return found;
    const line = bytes.indexOf(LF, at);
    if (line < 0) return found;
    const start = line + 1;
    let next = find(bytes, delimiter, start);
    // a delimiter begins a line
    while (next > 0 && bytes[next - 1] !== LF) next = find(bytes, delimiter, next + 1);
    const isCut = next < 0;
    let end = isCut ? bytes.length : next;
    if (!isCut && end > start && bytes[end - 1] === LF) end -= end - 1 > start && bytes[end - 2] === CR ? 2 : 1;
    found.push(part(bytes.subarray(start, end), isCut));
    if (isCut) return found;
    at = next;
  }
}

function part(bytes: Uint8Array<ArrayBuffer>, isCut: boolean): Part {
  const headers: [string, string][] = [];
  let at = 0;
  while (at < bytes.length) {
    const line = bytes.indexOf(LF, at);
    const end = line < 0 ? bytes.length : line;
    const text = new TextDecoder().decode(bytes.subarray(at, end)).replace(/\r$/, "");
    at = end + 1;
    if (text === "") break;
    const colon = text.indexOf(":");
    const last = headers.at(-1);
    if (/^[ \t]/.test(text) && last) last[1] += ` ${text.trim()}`;
    else headers.push(colon < 0 ? [text, ""] : [text.slice(0, colon), text.slice(colon + 1).trim()]);
  }
  const field = (name: string) => headers.find(([known]) => known.toLowerCase() === name)?.[1] ?? null;
  const disposition = field("content-disposition") ?? "";
  return {
    headers,
    name: parameter(disposition, "name"),
    filename: parameter(disposition, "filename"),
    contentType: field("content-type"),
    bytes: bytes.subarray(Math.min(at, bytes.length)),
    isCut,
  };
}
