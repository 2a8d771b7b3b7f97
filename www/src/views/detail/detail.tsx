// One record: headers, bodies, timings, what else belongs to it.
export function Detail() {
  return null;
}
