// The table of records.
export function Grid() {
  return null;
}
