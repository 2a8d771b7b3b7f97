// How times, durations, sizes and counts are written.

export type Zone = "local" | "utc";

const two = (value: number): string => String(value).padStart(2, "0");

/** Date and clock of an RFC 3339 time, `["2026-06-23", "12:00:00.142"]`; the text itself where it is none. */
export function moment(time: string, zone: Zone): [date: string, clock: string] {
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return ["", time];
  if (zone === "utc") {
    const text = at.toISOString();
    return [text.slice(0, -14), text.slice(-13, -1)];
  }
  const date = `${String(at.getFullYear()).padStart(4, "0")}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const millis = String(at.getMilliseconds()).padStart(3, "0");
  return [date, `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${millis}`];
}

/** An RFC 3339 time in full, with every digit it has and the offset from UTC. */
export function absolute(time: string, zone: Zone): string {
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return time;
  const [date, clock] = moment(time, zone);
  const digits = /\.(\d+)/.exec(time)?.[1] ?? "";
  const seconds = clock.slice(0, 8) + (digits && `.${digits}`);
  if (zone === "utc") return `${date} ${seconds} UTC`;
  const offset = -at.getTimezoneOffset();
  const sign = offset < 0 ? "-" : "+";
  return `${date} ${seconds} ${sign}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
}

/** From `before` to `time` with its sign: `+142 ms`, `-3.50 s`; null where either is no time. */
export function since(time: string, before: string): string | null {
  const by = nanoseconds(time, before);
  if (by === null) return null;
  const sign = by < 0 ? "-" : "+";
  return sign + duration(Math.abs(by) / 1e6);
}

/** Nanoseconds between two RFC 3339 times; dates know milliseconds only, so further digits are counted apart. */
function nanoseconds(time: string, before: string): number | null {
  const millis = new Date(time).getTime() - new Date(before).getTime();
  if (Number.isNaN(millis)) return null;
  return millis * 1e6 + beyond(time) - beyond(before);
}

const beyond = (time: string): number => Number((/\.\d{3}(\d{1,6})/.exec(time)?.[1] ?? "").padEnd(6, "0"));

/** Milliseconds in the unit that reads best, three digits: `0.85 ms`, `102 ms`, `1.50 s`, `2 min 05 s`, `3 h 20 min`, `2 d 4 h`. */
export function duration(ms: number): string {
  if (ms === 0) return "0 ms";
  if (ms < 0.001) return `${Math.round(ms * 1e6)} ns`;
  if (ms < 0.0995) return `${trimmed(ms * 1e3)} µs`;
  if (ms < 999.5) return `${trimmed(ms)} ms`;
  if (ms < 59_995) return `${trimmed(ms / 1e3)} s`;
  const seconds = Math.round(ms / 1e3);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  const minutes = Math.round(ms / 6e4);
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  const hours = Math.round(ms / 3.6e6);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** Three digits that count: 1.50, 15.0, 150. */
function trimmed(value: number): string {
  if (value < 9.995) return value.toFixed(2);
  if (value < 99.95) return value.toFixed(1);
  return value.toFixed(0);
}

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

/** Bytes in decimal units, as the query language writes them: `412 B`, `18.6 kB`, `69.2 MB`. */
export function bytes(count: number): string {
  let [value, unit] = [count, 0];
  while (unit < UNITS.length - 1 && value >= (unit === 0 ? 1000 : 999.5)) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : trimmed(value)} ${UNITS[unit]}`;
}

const grouping = new Intl.NumberFormat("en");

/** A count with its thousands apart: `10,000,000`. */
export const count = (value: number): string => grouping.format(value);

/** A number of things: `1 record`, `2,000 records`. */
export const counted = (value: number, one: string, many = `${one}s`): string => `${count(value)} ${value === 1 ? one : many}`;

const AGO: [Intl.RelativeTimeFormatUnit, number][] = [["year", 31_557_600], ["month", 2_629_800], ["day", 86_400], ["hour", 3600], ["minute", 60], ["second", 1]];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** How long before `now`, in milliseconds since 1970: `3 minutes ago`; nothing of what is no time. */
export function ago(time: string, now: number): string {
  const seconds = (now - new Date(time).getTime()) / 1000;
  if (Number.isNaN(seconds)) return "";
  const [unit, size] = AGO.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  return relative.format(-Math.round(seconds / size), unit);
}
