// Times of a window, on the clock here or in UTC, as they are shown and as inputs take them.
import type { Window } from "../state/question";

const two = (number: number): string => String(number).padStart(2, "0");

interface Clock {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  ms: number;
}

function clock(time: Date, utc: boolean): Clock {
  return utc
    ? { year: time.getUTCFullYear(), month: time.getUTCMonth() + 1, day: time.getUTCDate(), hour: time.getUTCHours(), minute: time.getUTCMinutes(), second: time.getUTCSeconds(), ms: time.getUTCMilliseconds() }
    : { year: time.getFullYear(), month: time.getMonth() + 1, day: time.getDate(), hour: time.getHours(), minute: time.getMinutes(), second: time.getSeconds(), ms: time.getMilliseconds() };
}

const date = ({ year, month, day }: Clock): string => `${year}-${two(month)}-${two(day)}`;
const time = ({ hour, minute, second }: Clock): string => `${two(hour)}:${two(minute)}:${two(second)}`;

/** What an `<input type=datetime-local>` takes for a time. */
export function toInput(iso: string, utc: boolean): string {
  const at = new Date(iso);
  if (Number.isNaN(at.valueOf())) return "";
  const parts = clock(at, utc);
  return `${date(parts)}T${time(parts)}`;
}

/** The time that such an input means, or null; `isEnd` is the last millisecond of its second. */
export function fromInput(text: string, utc: boolean, isEnd = false): string | null {
  const at = new Date(utc ? `${text}Z` : text);
  if (!text || Number.isNaN(at.valueOf())) return null;
  return new Date(at.valueOf() + (isEnd ? 999 : 0)).toISOString();
}

/** A window in few words: the date once where both ends have it, seconds only where they tell something. */
export function windowLabel({ from, to }: Window, utc: boolean): string {
  const ends = [new Date(from), new Date(to)];
  if (ends.some((end) => Number.isNaN(end.valueOf()))) return `${from} – ${to}`;
  const [first, last] = ends.map((end) => clock(end, utc)) as [Clock, Clock];
  const isRound = first.second === 0 && first.ms === 0 && (last.second === 0 || last.second === 59);
  const short = (parts: Clock) => (isRound ? time(parts).slice(0, 5) : time(parts));
  const second = date(first) === date(last) ? short(last) : `${date(last)} ${short(last)}`;
  return `${date(first)} ${short(first)} – ${second}`;
}
