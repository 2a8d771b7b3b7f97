// The query with completion, errors at their place, history and saved queries.
export function QueryBar() {
  return null;
}
