// Marks that stand for secrets: `[redacted:xxxxxxxx]` is the same for the same secret, `[redacted]` a short one's.

export type Piece =
  | { kind: "text"; text: string }
  | { kind: "redacted"; text: string; hash: string | null }
  /** A character that would not be seen or would turn the text around. */
  | { kind: "unseen"; text: string; code: string };

// control characters but tab and line feed, marks of direction, blanks of no width, halves of surrogate pairs
const SPECIAL = /\[redacted(?::([0-9a-f]{8}))?\]|([\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff])/gu;

const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

const codeOf = (character: string): string => `U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;

/** The text in one line with the codes of what would not be seen or would turn it around. */
export const legible = (text: string): string => text.replace(UNSEEN, (character) => (character === "\r" ? " " : `[${codeOf(character)}]`));

export const isRedacted = (text: string): boolean => /\[redacted(?::[0-9a-f]{8})?\]/.test(text);

/** The text in pieces, in order. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(SPECIAL)) {
    const [whole, hash, unseen] = match;
    if (match.index > from) found.push({ kind: "text", text: text.slice(from, match.index) });
    from = match.index + whole.length;
    // a carriage return before a line feed is seen as the end of the line
    if (unseen === "\r" && text[from] === "\n") continue;
    if (unseen) found.push({ kind: "unseen", text: unseen, code: codeOf(unseen) });
    else found.push({ kind: "redacted", text: whole, hash: hash ?? null });
  }
  if (from < text.length) found.push({ kind: "text", text: text.slice(from) });
  return found;
}
