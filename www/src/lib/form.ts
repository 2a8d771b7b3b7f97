// Names and values of a query string or a form.

export interface Pair {
  name: string;
  value: string;
  /** As it was sent. */
  raw: string;
}

// what is no good escape stays as it is, as browsers do it
function decoded(text: string): string {
  const spaced = text.replaceAll("+", " ");
  if (!spaced.includes("%")) return spaced;
  const bytes: number[] = [];
  const source = new TextEncoder().encode(spaced);
  for (let at = 0; at < source.length; at += 1) {
    const digits = source[at] === 0x25 ? String.fromCharCode(source[at + 1] ?? 0, source[at + 2] ?? 0) : "";
    if (/^[0-9a-f]{2}$/i.test(digits)) {
      bytes.push(Number.parseInt(digits, 16));
      at += 2;
    } else bytes.push(source[at]!);
  }
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
}

/** Reads `application/x-www-form-urlencoded`, which query strings are too; a leading `?` is part of the first name. */
export function pairs(text: string): Pair[] {
  return text
    .split("&")
    .filter((part) => part !== "")
    .map((raw) => {
      const equals = raw.indexOf("=");
      const [name, value] = equals < 0 ? [raw, ""] : [raw.slice(0, equals), raw.slice(equals + 1)];
      return { name: decoded(name), value: decoded(value), raw };
    });
}
