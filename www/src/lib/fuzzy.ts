// Finds what was meant by a few letters: all of them in order, better at the beginnings of words and side by side.

export interface Found {
  /** The higher the better; comparable between texts for one needle. */
  score: number;
  /** Places of the letters that were found, ascending. */
  at: number[];
}

const START = 10;
const BESIDE = 6;
const GAP = 1;

/** Where the letters of `needle` stand in `text`, the best way; null when they do not. Blanks of the needle are ignored, and case. */
export function fuzzy(needle: string, text: string): Found | null {
  const wanted = [...needle.toLowerCase()].filter((letter) => letter.trim() !== "");
  const letters = text.toLowerCase();
  if (wanted.length === 0) return { score: 0, at: [] };
  const starts = (place: number) => place === 0 || (/[^\p{L}\p{N}]/u.test(text[place - 1] ?? "") && /[\p{L}\p{N}]/u.test(text[place] ?? ""));
  // best[j]: the best way to have found all letters so far with the last of them at j
  let best = new Map<number, Found>();
  for (const [number, letter] of wanted.entries()) {
    const next = new Map<number, Found>();
    for (let place = letters.indexOf(letter); place >= 0; place = letters.indexOf(letter, place + 1)) {
      const own = 1 + (starts(place) ? START : 0);
      if (number === 0) {
        next.set(place, { score: own - Math.min(place, 10) * 0.1, at: [place] });
        continue;
      }
      let chosen: Found | null = null;
      for (const [last, found] of best) {
        if (last >= place) continue;
        const score = found.score + own + (last + 1 === place ? BESIDE : -Math.min(place - last, 10) * GAP * 0.2);
        if (!chosen || score > chosen.score) chosen = { score, at: [...found.at, place] };
      }
      if (chosen) next.set(place, chosen);
    }
    if (next.size === 0) return null;
    best = next;
  }
  const ways = [...best.values()];
  const top = ways.reduce((one, other) => (other.score > one.score ? other : one));
  return { ...top, score: top.score - text.length * 0.01 };
}
