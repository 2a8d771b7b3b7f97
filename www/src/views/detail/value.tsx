// A value from anywhere: shown so that it can neither turn the text around it nor hide, redacted marks told apart.
import { useState } from "preact/hooks";
import { pieces, type Piece } from "../../lib/redacted";
import { bytes } from "../../lib/format";

const EQUAL = "Redacted when it was stored. Equal marks are equal secrets.";
const SHORT = "Redacted when it was stored. Too short for a mark that tells equal secrets.";
// what is shown at once; the rest on demand
const SHORT_ENOUGH = 800;
const PORTION = 100_000;

function Marked({ piece }: { piece: Piece }) {
  if (piece.kind === "text") return <>{piece.text}</>;
  if (piece.kind === "unseen") return <span class="unseen" title={`Character ${piece.code}`}>{piece.code}</span>;
  return <span class="redacted" title={piece.hash ? EQUAL : SHORT}>{piece.text}</span>;
}

/** The text with its marks, all of it. */
export function Marks({ text }: { text: string }) {
  return <>{pieces(text).map((piece, index) => <Marked key={index} piece={piece} />)}</>;
}

/** The text with its marks; long ones begin short. */
export function Value({ text }: { text: string }) {
  const [most, setMost] = useState(SHORT_ENOUGH);
  const isLong = text.length > most;
  return (
    <bdi class="value">
      <Marks text={isLong ? text.slice(0, most) : text} />
      {isLong && (
        <button type="button" class="more" onClick={() => setMost(most + PORTION)}>
          … show more ({bytes(text.length - most)} left)
        </button>
      )}
    </bdi>
  );
}
