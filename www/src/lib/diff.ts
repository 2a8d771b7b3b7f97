// Differences of two lists and of two JSON texts, bounded in time and memory for any input.
import { JsonTree } from "./json-tree";

export interface Hunk {
  kind: "same" | "changed";
  /** Ranges of the two lists, ends not included. */
  left: [from: number, to: number];
  right: [from: number, to: number];
}

/** More differences than this within one stretch are not looked for: it counts as changed in all. */
const MOST = 1000;

/** Gives equal items equal numbers, so that comparing costs the same for any item. */
function numbered(left: readonly string[], right: readonly string[]): [Int32Array, Int32Array] {
  const known = new Map<string, number>();
  const number = (item: string) => {
    const found = known.get(item);
    if (found !== undefined) return found;
    known.set(item, known.size);
    return known.size - 1;
  };
  return [Int32Array.from(left, number), Int32Array.from(right, number)];
}

/**
 * What is the same and what has changed, in order, covering both lists. Items that come once in each anchor the stretches
 * between them (patience), and those are compared by the shortest edit script (Myers 1986).
 */
export function diff(left: readonly string[], right: readonly string[]): Hunk[] {
  const [a, b] = numbered(left, right);
  const matches: [number, number][] = [];
  let [i, j] = [0, 0];
  for (const [x, y] of [...anchors(a, b), [a.length, b.length] as [number, number]]) {
    between(a, b, i, x, j, y, matches);
    if (x < a.length && y < b.length) matches.push([x, y]);
    [i, j] = [x + 1, y + 1];
  }
  return hunks(matches, a.length, b.length);
}

function hunks(matches: [number, number][], n: number, m: number): Hunk[] {
  const found: Hunk[] = [];
  let [i, j] = [0, 0];
  for (const [x, y] of [...matches, [n, m] as [number, number]]) {
    if (x > i || y > j) found.push({ kind: "changed", left: [i, x], right: [j, y] });
    if (x === n && y === m) break;
    const last = found.at(-1);
    if (last?.kind === "same") {
      last.left[1] += 1;
      last.right[1] += 1;
    } else found.push({ kind: "same", left: [x, x + 1], right: [y, y + 1] });
    [i, j] = [x + 1, y + 1];
  }
  return found;
}

// the longest sequence, rising in both, of items that come once in each
function anchors(a: Int32Array, b: Int32Array): [number, number][] {
  const once = (list: Int32Array) => {
    const places = new Map<number, number>();
    for (const [at, item] of list.entries()) places.set(item, places.has(item) ? -1 : at);
    return places;
  };
  const [inA, inB] = [once(a), once(b)];
  const piles: { x: number; y: number; before: number }[] = [];
  const tops: number[] = [];
  for (const [x, item] of a.entries()) {
    const y = inB.get(item) ?? -1;
    if (y < 0 || inA.get(item) !== x) continue;
    let [low, high] = [0, tops.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (piles[tops[middle]!]!.y < y) low = middle + 1;
      else high = middle;
    }
    piles.push({ x, y, before: low > 0 ? tops[low - 1]! : -1 });
    tops[low] = piles.length - 1;
  }
  const found: [number, number][] = [];
  for (let at = tops.at(-1) ?? -1; at >= 0; at = piles[at]!.before) found.push([piles[at]!.x, piles[at]!.y]);
  return found.reverse();
}

function between(a: Int32Array, b: Int32Array, i: number, x: number, j: number, y: number, matches: [number, number][]): void {
  while (i < x && j < y && a[i] === b[j]) matches.push([i++, j++]);
  const ending: [number, number][] = [];
  while (i < x && j < y && a[x - 1] === b[y - 1]) ending.push([--x, --y]);
  if (i < x && j < y) matches.push(...myers(a.subarray(i, x), b.subarray(j, y)).map(([p, q]) => [i + p, j + q] as [number, number]));
  for (let at = ending.length - 1; at >= 0; at -= 1) matches.push(ending[at]!);
}

// pairs of equal items of the shortest edit script; none where that is longer than MOST
function myers(a: Int32Array, b: Int32Array): [number, number][] {
  const [n, m] = [a.length, b.length];
  const most = Math.min(MOST, n + m);
  const furthest = new Int32Array(2 * most + 3);
  const traces: Int32Array[] = [];
  for (let d = 0; d <= most; d += 1) {
    traces.push(furthest.slice(most + 1 - d, most + 2 + d));
    for (let k = -d; k <= d; k += 2) {
      const at = most + 1 + k;
      let x = k === -d || (k !== d && furthest[at - 1]! < furthest[at + 1]!) ? furthest[at + 1]! : furthest[at - 1]! + 1;
      while (x < n && x - k < m && a[x] === b[x - k]) x += 1;
      furthest[at] = x;
      if (x >= n && x - k >= m) return back(traces, d, n, m);
    }
  }
  return [];
}

function back(traces: Int32Array[], steps: number, n: number, m: number): [number, number][] {
  const pairs: [number, number][] = [];
  let [x, y] = [n, m];
  for (let d = steps; d > 0; d -= 1) {
    // the state before step d, of the diagonals -d to d
    const trace = traces[d]!;
    const k = x - y;
    const of = (diagonal: number) => trace[diagonal + d] ?? 0;
    const isDown = k === -d || (k !== d && of(k - 1) < of(k + 1));
    const before = isDown ? k + 1 : k - 1;
    const startX = of(before);
    const startY = startX - before;
    const afterX = isDown ? startX : startX + 1;
    while (x > afterX) pairs.push([--x, --y]);
    [x, y] = [startX, startY];
  }
  while (x > 0) pairs.push([--x, --y]);
  return pairs.reverse();
}

/** One value that differs; nodes of the trees, null on the side where there is none. */
export interface Change {
  kind: "added" | "removed" | "changed";
  path: string;
  left: number | null;
  right: number | null;
}

/** Order of members does not matter, of elements it does; numbers are equal when they are written alike. */
export function jsonChanges(left: JsonTree, right: JsonTree, most: number): { changes: Change[]; isCut: boolean } {
  const changes: Change[] = [];
  if (left.length === 0 || right.length === 0) return { changes, isCut: false };
  const [a, b] = [digests(left), digests(right)];
  const open: Paired = [[0, 0]];
  const put = (kind: Change["kind"], x: number | null, y: number | null) =>
    changes.push({ kind, path: y === null ? left.path(x ?? 0) : right.path(y), left: x, right: y });
  while (open.length > 0) {
    if (changes.length >= most) return { changes, isCut: true };
    const [x, y] = open.pop()!;
    if (x === null || y === null) put(x === null ? "added" : "removed", x, y);
    else if (a[x] !== b[y]) {
      if (left.kind(x) !== right.kind(y) || !left.isContainer(x)) put("changed", x, y);
      else {
        const found = left.kind(x) === "object" ? members(left, x, right, y) : elements(left, x, right, y, a, b);
        // last in, first out
        for (const pair of found.reverse()) open.push(pair);
      }
    }
  }
  return { changes, isCut: false };
}

type Paired = [number | null, number | null][];

// by name; of equal names the first with the first
function members(left: JsonTree, x: number, right: JsonTree, y: number): Paired {
  const named = (tree: JsonTree, node: number) => {
    const seen = new Map<string, number>();
    const found = new Map<string, number>();
    for (const child of tree.children(node)) {
      const key = tree.key(child) ?? "";
      const times = seen.get(key) ?? 0;
      seen.set(key, times + 1);
      found.set(`${times}:${key}`, child);
    }
    return found;
  };
  const [a, b] = [named(left, x), named(right, y)];
  const paired: Paired = [...a].map(([name, child]) => [child, b.get(name) ?? null]);
  for (const [name, child] of b) if (!a.has(name)) paired.push([null, child]);
  return paired;
}

function elements(left: JsonTree, x: number, right: JsonTree, y: number, a: string[], b: string[]): Paired {
  const [p, q] = [[...left.children(x)], [...right.children(y)]];
  const paired: Paired = [];
  for (const hunk of diff(p.map((child) => a[child]!), q.map((child) => b[child]!))) {
    if (hunk.kind === "same") continue;
    const [from, to] = [p.slice(...hunk.left), q.slice(...hunk.right)];
    for (let at = 0; at < Math.max(from.length, to.length); at += 1) paired.push([from[at] ?? null, to[at] ?? null]);
  }
  return paired;
}

// equal for equal values, whatever the order of members: 64 bits, from the leaves up
function digests(tree: JsonTree): string[] {
  const high = new Int32Array(tree.length);
  const low = new Int32Array(tree.length);
  const mix = (hash: number, by: number) => Math.imul((hash ^ by) + 0x9e3779b9, 0x85ebca6b) ^ (hash >>> 13);
  const text = (value: string, seed: number) => {
    let hash = seed;
    for (let at = 0; at < value.length; at += 1) hash = mix(hash, value.charCodeAt(at));
    return hash;
  };
  for (let node = tree.length - 1; node >= 0; node -= 1) {
    const kind = tree.kind(node);
    let [h, l] = [text(kind, 17), text(kind, 71)];
    if (kind === "object") {
      let [sumH, sumL] = [0, 0];
      for (const child of tree.children(node)) {
        const key = tree.key(child) ?? "";
        sumH = (sumH + mix(text(key, high[child]!), 3)) | 0;
        sumL = (sumL + mix(text(key, low[child]!), 5)) | 0;
      }
      [h, l] = [mix(h, sumH), mix(l, sumL)];
    } else if (kind === "array") {
      for (const child of tree.children(node)) [h, l] = [mix(h, high[child]!), mix(l, low[child]!)];
    } else {
      const value = tree.value(node);
      [h, l] = [text(value, h), text(value, l)];
    }
    high[node] = h;
    low[node] = l;
  }
  return Array.from(high, (h, node) => `${h}:${low[node]}`);
}
