// Values of fields with their counts, to include or exclude.
export function Facets() {
  return null;
}
