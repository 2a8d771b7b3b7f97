// Names and values of two lists beside each other.

export interface Matched {
  name: string;
  left: string | null;
  right: string | null;
}

export type Alike = "same" | "added" | "removed" | "changed";

/** How a value on the left relates to the one on the right. */
export function alike(left: string | null | undefined, right: string | null | undefined): Alike {
  if (left === right) return "same";
  if (left === null || left === undefined) return "added";
  return right === null || right === undefined ? "removed" : "changed";
}

/**
 * Pairs by what `key` makes of the name, in the order of the left list, what only the right one has at the end. Of equal names
 * equal values are paired first and the others in order.
 */
export function matched(left: readonly (readonly [string, string])[], right: readonly (readonly [string, string])[], key: (name: string) => string): Matched[] {
  const open = new Map<string, { name: string; value: string }[]>();
  for (const [name, value] of right) {
    const list = open.get(key(name)) ?? [];
    open.set(key(name), [...list, { name, value }]);
  }
  const take = (name: string, fits: (value: string) => boolean): string | null => {
    const list = open.get(key(name)) ?? [];
    const at = list.findIndex(({ value }) => fits(value));
    return at < 0 ? null : list.splice(at, 1)[0]!.value;
  };
  const found = left.map(([name, value]): Matched => ({ name, left: value, right: take(name, (given) => given === value) }));
  for (const row of found) row.right ??= take(row.name, () => true);
  for (const list of open.values()) for (const { name, value } of list) found.push({ name, left: null, right: value });
  return found;
}
