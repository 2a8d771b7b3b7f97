// A query in colours, drawn under the transparent text of its input: the same characters in the same places.
import type { Fault } from "../../lib/language";
import { lex, type Span } from "../../lib/lexer";

interface Part extends Span {
  name: string;
}

/** The parts of `query` that have a colour, in order, none over another. */
function parts(query: string): Part[] {
  const found: Part[] = [];
  for (const token of lex(query)) {
    if (token.kind !== "term") {
      const isQuoted = token.kind === "text" && /^["~]/.test(query.slice(token.from));
      found.push({ name: isQuoted ? "string" : token.kind, from: token.from, to: token.to });
      continue;
    }
    found.push({ name: "key", from: token.from, to: token.keyEnd });
    for (const { from, to, sign, form } of token.values) {
      if (sign) found.push({ name: "sign", from, to: from + sign.length });
      found.push({ name: form === "word" || form === "range" ? "value" : "string", from: from + sign.length, to });
    }
  }
  return found.filter(({ from, to }) => from < to);
}

interface Piece {
  text: string;
  name: string;
  isWrong: boolean;
}

function pieces(query: string, fault: Fault | null): Piece[] {
  const wrong = fault && fault.length > 0 ? { from: fault.position, to: fault.position + fault.length } : null;
  const cuts = new Set([0, query.length]);
  const coloured = parts(query);
  for (const { from, to } of wrong ? [...coloured, wrong] : coloured) cuts.add(from).add(to);
  const places = [...cuts].filter((at) => at <= query.length).sort((a, b) => a - b);
  return places.slice(1).map((to, index) => {
    const from = places[index] ?? 0;
    const name = coloured.find((part) => part.from <= from && to <= part.to)?.name ?? "";
    return { text: query.slice(from, to), name, isWrong: wrong !== null && wrong.from <= from && to <= wrong.to };
  });
}

export function Highlight({ query, fault }: { query: string; fault: Fault | null }) {
  const atEnd = fault && fault.length === 0 ? fault.position : null;
  return (
    <>
      {pieces(query, fault).map(({ text, name, isWrong }, index) => (
        <span key={index} class={`q-${name}${isWrong ? " q-wrong" : ""}`}>{text}</span>
      ))}
      {atEnd !== null && atEnd >= query.length && <span class="q-wrong">{"\u00a0"}</span>}
    </>
  );
}
