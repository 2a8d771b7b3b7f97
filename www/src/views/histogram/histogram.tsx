// Records by time and status class; a brush chooses a window.
export function Histogram() {
  return null;
}
