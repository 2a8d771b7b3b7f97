// Sizes, durations and times as people read them.
import type { Times } from "../state/settings";

/** Bytes in decimal units: `812 B`, `12.3 kB`. */
export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  for (const [index, unit] of ["kB", "MB", "GB", "TB"].entries()) {
    const value = count / 1000 ** (index + 1);
    if (value < 999.5 || unit === "TB") return `${value.toFixed(value < 9.95 ? 2 : value < 99.95 ? 1 : 0)} ${unit}`;
  }
  return "";
}

/** `0.18 ms`, `58.2 ms`, `1.25 s`, `2 min 5 s`. */
export function duration(ms: number): string {
  if (ms === 0) return "0 ms";
  if (ms < 0.01) return `${Math.max(1, Math.round(ms * 1e6))} ns`;
  if (ms < 10) return `${ms.toFixed(2)} ms`;
  if (ms < 100) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(2)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

/** Date and time to the millisecond, here or in UTC. */
export function moment(time: string, times: Times): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return time;
  if (times === "utc") return `${date.toISOString().replace("T", " ").slice(0, 23)} UTC`;
  const two = (part: number, width = 2) => String(part).padStart(width, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${two(date.getMilliseconds(), 3)}`;
}

/** How long before `now`: `3 min ago`. */
export function ago(time: string, now: number): string {
  const seconds = (now - Date.parse(time)) / 1000;
  const units: [Intl.RelativeTimeFormatUnit, number][] = [["year", 31_557_600], ["month", 2_629_800], ["day", 86_400], ["hour", 3600], ["minute", 60]];
  const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(-Math.round(seconds / size), unit as Intl.RelativeTimeFormatUnit);
}
