import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { LONGEST, ScrollMap, reveal } = await load("lib/scroll.ts");
const ROW = 26;
const VIEWPORTS = [120, 611, 1400];
const TOTALS = [0, 1, 10, 100_000, 10_000_000, 1_000_000_000];

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const maps = TOTALS.flatMap((total) => VIEWPORTS.map((viewport) => ({ total, viewport, map: new ScrollMap(total * ROW, viewport) })));

test("the space is bounded, and as high as the rows where it can be", () => {
  for (const { total, viewport, map } of maps) {
    assert.ok(map.space <= Math.max(LONGEST, viewport));
    assert.ok(map.space >= viewport);
    assert.equal(map.isExact, total * ROW <= LONGEST);
    assert.equal(map.end, Math.max(0, total * ROW - viewport));
  }
});

test("both ends are reached exactly", () => {
  for (const { map } of maps) {
    assert.equal(map.position(0), 0);
    assert.equal(map.position(map.reach), map.end);
    assert.equal(map.scrollTop(0), 0);
    assert.equal(map.scrollTop(map.end), map.reach);
  }
});

test("the mapping is monotonic, and its inverse is one", () => {
  for (const { map } of maps) {
    const next = random(7);
    const tops = Array.from({ length: 4000 }, () => next() * map.reach).sort((a, b) => a - b);
    let last = -1;
    for (const top of tops) {
      const position = map.position(top);
      assert.ok(position >= last && position <= map.end);
      assert.ok(Math.abs(map.scrollTop(position) - top) < 1e-3);
      last = position;
    }
  }
});

test("a small move is exact at any position, whatever has been moved before", () => {
  for (const { map } of maps) {
    if (map.isExact) continue;
    const next = random(11);
    for (let run = 0; run < 500; run += 1) {
      let position = next() * map.end;
      let top = map.scrollTop(position);
      for (let step = 0; step < 40; step += 1) {
        const by = Math.round((next() - 0.5) * Math.min(240, map.jump));
        const moved = map.moved(position, top, top + by);
        assert.equal(moved, map.clamp(position + by));
        position = moved;
        top += by;
      }
      const rest = map.rest(position, top) ?? top;
      assert.ok(Math.abs(map.position(rest) - position) <= map.end / map.reach, "rests without drift");
    }
  }
});

test("a move of the thumb goes to the place in proportion", () => {
  for (const { map } of maps) {
    const thumb = map.reach / Math.max(map.viewport, 1);
    for (let pixel = 1; pixel <= 100; pixel += 1) {
      const top = Math.min(pixel * thumb, map.reach);
      const expected = map.isExact ? map.position(top) : Math.round(map.position(top));
      assert.equal(map.moved(map.end / 3, top - thumb, top), expected);
    }
  }
});

test("every row is reached, shown whole, and found again from its scrollTop by small moves", () => {
  for (const { total, map } of maps) {
    if (map.viewport < ROW || total === 0) continue;
    const next = random(13);
    const some = Array.from({ length: 3000 }, () => Math.floor(next() * total));
    const indices = total <= 100_000 ? Array.from({ length: total }, (_, index) => index) : [0, 1, total - 2, total - 1, ...some];
    for (const index of indices) {
      for (const from of [0, map.end, map.end / 2]) {
        const position = reveal(map, from, index, ROW);
        assert.ok(position <= index * ROW && (index + 1) * ROW <= position + map.viewport, `row ${index} of ${total}`);
        // without keys: the thumb to the nearest pixel, then the wheel
        let top = Math.round(map.scrollTop(position));
        let at = map.moved(map.reach - top > map.jump ? map.end : 0, map.reach - top > map.jump ? map.reach : 0, top);
        for (let turn = 0; Math.abs(at - position) >= 1 && turn < 100; turn += 1) {
          const by = Math.round(Math.min(Math.max(position - at, -100), 100));
          at = map.moved(at, top, top + by);
          top += by;
        }
        assert.ok(Math.abs(at - position) < 1, `row ${index} of ${total} by thumb and wheel`);
      }
    }
  }
});

test("a walk by the wheel alone reaches both ends, with rests that nobody sees", () => {
  const map = new ScrollMap(10_000_000 * ROW, 611);
  for (const [start, by] of [[300_000, -100], [map.end - 300_000, 100]]) {
    let position = start;
    let top = map.scrollTop(position);
    const goal = by < 0 ? 0 : map.end;
    let steps = 0;
    while (position !== goal) {
      const now = Math.min(Math.max(top + by, 0), map.reach);
      const moved = map.moved(position, top, now);
      assert.ok(Math.abs(moved - position) <= Math.abs(by));
      [position, top] = [moved, now];
      if (steps % 50 === 49 || map.isStuck(position, top)) top = map.rest(position, top) ?? top;
      steps += 1;
      assert.ok(steps <= 3001, "no drift keeps it from the end");
    }
    assert.equal(steps, 3000);
    assert.ok(Math.abs((map.rest(position, top) ?? top) - map.scrollTop(goal)) < 1);
  }
});

test("reveal leaves what is seen where it is", () => {
  const map = new ScrollMap(1000 * ROW, 260);
  assert.equal(reveal(map, 2600, 100, ROW), 2600);
  assert.equal(reveal(map, 2600, 109, ROW), 2600);
  assert.equal(reveal(map, 2600, 110, ROW), 2626);
  assert.equal(reveal(map, 2600, 99, ROW), 2574);
  assert.equal(reveal(map, 0, 999, ROW), map.end);
});
