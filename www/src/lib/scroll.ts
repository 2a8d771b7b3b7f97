// A scroll bar of bounded length over a list of any length.
//
// Browsers cut elements at some height (Chrome at 2^25 device pixels, Firefox at about 17.8 million), so a list of 10 million
// rows cannot be as high as its rows together. Here the *space* that is scrolled is at most `LONGEST` pixels high, and the
// *position* in the list is kept beside the browser's `scrollTop`:
//
// - a small move of `scrollTop` (wheel, trackpad, touch, a click beside the thumb) moves the position by as many pixels;
// - a large one (the thumb: one pixel of it is thousands of `scrollTop`) goes to the position in proportion;
// - within an edge at both ends the two are pixel for pixel the same, so that first and last row are reached exactly;
// - what small moves add up to is taken out of `scrollTop` when the scrolling rests (`rest`), where nobody sees it: what is
//   shown depends on the position alone.

/** The greatest height of the scrolled space in CSS pixels: a third of Chrome's limit at two device pixels to one. */
export const LONGEST = 5_000_000;

export class ScrollMap {
  /** Height of the scrolled space. */
  readonly space: number;
  /** The greatest `scrollTop`. */
  readonly reach: number;
  /** The greatest position. */
  readonly end: number;
  /** How much at both ends is pixel for pixel. */
  readonly edge: number;
  /** From how many pixels on a move is one of the thumb. */
  readonly jump: number;

  /** `content`: height of all rows; `viewport`: height of what is seen of them. */
  constructor(content: number, readonly viewport: number, longest = LONGEST) {
    this.end = Math.max(0, content - viewport);
    this.space = Math.max(Math.min(content, longest), viewport);
    this.reach = this.space - viewport;
    this.edge = this.end === this.reach ? this.reach / 2 : this.reach / 50;
    this.jump = this.reach / Math.max(viewport, 1) / 2;
  }

  /** Whether every position is a `scrollTop` of its own. */
  get isExact(): boolean {
    return this.end === this.reach;
  }

  /** The position in proportion to a `scrollTop`. */
  position(scrollTop: number): number {
    const { reach, end, edge } = this;
    const top = Math.min(Math.max(scrollTop, 0), reach);
    if (top <= edge) return top;
    if (top >= reach - edge) return end - (reach - top);
    return edge + ((top - edge) * (end - 2 * edge)) / (reach - 2 * edge);
  }

  /** The `scrollTop` in proportion to a position. */
  scrollTop(position: number): number {
    const { reach, end, edge } = this;
    const at = this.clamp(position);
    if (at <= edge) return at;
    if (at >= end - edge) return reach - (end - at);
    return edge + ((at - edge) * (reach - 2 * edge)) / (end - 2 * edge);
  }

  clamp(position: number): number {
    return Math.min(Math.max(position, 0), this.end);
  }

  /** The position after the browser moved `scrollTop` from `before` to `now`; a jump ends on a whole pixel, where text is sharp. */
  moved(position: number, before: number, now: number): number {
    const by = now - before;
    if (this.isExact) return this.position(now);
    if (Math.abs(by) >= this.jump) return this.clamp(Math.round(this.position(now)));
    return this.clamp(position + by);
  }

  /** The `scrollTop` to set while the scrolling rests, or null where it is right already. */
  rest(position: number, scrollTop: number): number | null {
    const right = this.scrollTop(position);
    return Math.abs(right - scrollTop) < 1 ? null : right;
  }

  /** Whether the browser's end is reached and the list's is not, so that `scrollTop` cannot wait for a rest. */
  isStuck(position: number, scrollTop: number): boolean {
    return (scrollTop <= 0 && position > 0) || (scrollTop >= this.reach - 0.5 && position < this.end - 0.5);
  }
}

/** The position from which a row is seen whole, nearest to `position`. */
export function reveal(map: ScrollMap, position: number, index: number, row: number): number {
  const top = index * row;
  if (top < position) return map.clamp(top);
  if (top + row > position + map.viewport) return map.clamp(top + row - map.viewport);
  return position;
}
