// Methods and routes with their counts, error rates and durations.
export function Endpoints() {
  return null;
}
