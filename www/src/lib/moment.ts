// Windows of time, on the clock here or in UTC, as they are shown and as inputs take them.
import { moment, type Zone } from "./format";

/** What an `<input type=datetime-local>` takes for a time. */
export function toInput(iso: string, zone: Zone): string {
  const [date, clock] = moment(iso, zone);
  return date && `${date}T${clock.slice(0, 8)}`;
}

/** The end of a millisecond since 1970, as the end of a window that includes all of it: records have nanoseconds, dates do not. */
export const through = (ms: number): string => new Date(ms).toISOString().replace("Z", "999999Z");

/** The time that such an input means, or null; `isEnd` is the end of its second. */
export function fromInput(text: string, zone: Zone, isEnd = false): string | null {
  const at = new Date(zone === "utc" ? `${text}Z` : text);
  if (!text || Number.isNaN(at.valueOf())) return null;
  return isEnd ? through(at.valueOf() + 999) : at.toISOString();
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** A window in few words: a date once where both ends have it, its year where it is not `thisYear`, seconds where they tell something. */
export function windowLabel({ from, to }: { from: string; to: string }, zone: Zone, thisYear = new Date().getFullYear()): string {
  const [[day, begin], [lastDay, end]] = [moment(from, zone), moment(to, zone)];
  if (!day || !lastDay) return `${from} – ${to}`;
  const isRound = begin.endsWith(":00.000") && /:(00\.000|59\.999)$/.test(end);
  const short = (clock: string): string => clock.slice(0, isRound ? 5 : 8);
  const date = (written: string): string => {
    const [year = "", month = "", date = ""] = written.split("-");
    return `${Number(date)} ${MONTHS[Number(month) - 1] ?? month}${year === String(thisYear) ? "" : ` ${year}`}`;
  };
  return `${date(day)} ${short(begin)} – ${day === lastDay ? "" : `${date(lastDay)} `}${short(end)}`;
}
