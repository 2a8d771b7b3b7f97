// Counts and sizes for people.
const counts = new Intl.NumberFormat("en-US");

/** With commas between thousands. */
export const count = (value: number): string => counts.format(value);

/** A count with its noun in the right number. */
export const counted = (value: number, one: string, many = `${one}s`): string => `${count(value)} ${value === 1 ? one : many}`;

/** Bytes in steps of 1000, three digits. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  let value = bytes;
  for (const unit of ["kB", "MB", "GB"]) {
    value /= 1000;
    if (value < 999.5 || unit === "GB") return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${unit}`;
  }
  return `${value} GB`;
}
