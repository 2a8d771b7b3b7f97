// The scrolled element of the table: its position in the list, kept by a `ScrollMap`.
import { computed, signal, type ReadonlySignal } from "@preact/signals";
import { reveal, ScrollMap } from "../../lib/scroll";

/** How long nothing must be scrolled until `scrollTop` is put right. */
const REST_MS = 150;

export class Scroller {
  /** Pixels of the list above the view. */
  readonly position;
  readonly viewport = signal(0);
  readonly width = signal(0);
  /** Width of the scroll bar, where it takes room. */
  readonly bar = signal(0);
  readonly map: ReadonlySignal<ScrollMap>;
  /** The rows in view; `last` may be one beyond. */
  readonly first: ReadonlySignal<number>;
  readonly last: ReadonlySignal<number>;
  /** Which way it was scrolled last. */
  ahead: -1 | 1 = 1;

  #element: HTMLElement | null = null;
  #scrollTop = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(total: ReadonlySignal<number>, readonly row: number, position: number) {
    this.position = signal(position);
    this.map = computed(() => new ScrollMap(total.value * row, this.viewport.value));
    this.first = computed(() => Math.min(Math.floor(this.position.value / row), Math.max(total.value - 1, 0)));
    this.last = computed(() => Math.min(Math.floor((this.position.value + this.viewport.value) / row), total.value - 1));
  }

  /** Takes an element whose sticky head is `head` pixels high; the result lets it go. */
  attach(element: HTMLElement, head: number): () => void {
    this.#element = element;
    const measure = () => {
      this.viewport.value = Math.max(0, element.clientHeight - head);
      this.width.value = element.clientWidth;
      this.bar.value = element.offsetWidth - element.clientWidth;
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    const scrolled = () => this.#scrolled(element.scrollTop);
    element.addEventListener("scroll", scrolled, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", scrolled);
      if (this.#timer !== null) clearTimeout(this.#timer);
      this.#element = null;
    };
  }

  /** Goes to a position; also to be called when the map has changed and its space is laid out. */
  go(position: number): void {
    const map = this.map.peek();
    const to = map.clamp(position);
    if (to !== this.position.peek()) this.ahead = to > this.position.peek() ? 1 : -1;
    this.position.value = to;
    this.#set(map.scrollTop(to));
  }

  /** Goes as little as is needed to see a row whole. */
  reveal(index: number): void {
    const to = reveal(this.map.peek(), this.position.peek(), index, this.row);
    if (to !== this.position.peek()) this.go(to);
  }

  /** Goes to where a row is in the middle, if it is not in view. */
  center(index: number): void {
    const [map, position] = [this.map.peek(), this.position.peek()];
    if (reveal(map, position, index, this.row) !== position) this.go(index * this.row - (map.viewport - this.row) / 2);
  }

  #scrolled(now: number): void {
    const before = this.#scrollTop;
    if (now === before) return;
    const map = this.map.peek();
    this.#scrollTop = now;
    this.ahead = now > before ? 1 : -1;
    this.position.value = map.moved(this.position.peek(), before, now);
    if (map.isExact) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (map.isStuck(this.position.peek(), now)) this.#rest();
    else this.#timer = setTimeout(() => this.#rest(), REST_MS);
  }

  #rest(): void {
    this.#timer = null;
    const right = this.map.peek().rest(this.position.peek(), this.#scrollTop);
    if (right !== null) this.#set(right);
  }

  /** Sets `scrollTop` and keeps what the browser made of it, so that the event that follows is no move. */
  #set(scrollTop: number): void {
    if (!this.#element) return;
    // setting what is there would end a fling
    if (Math.abs(this.#element.scrollTop - scrollTop) >= 0.5) this.#element.scrollTop = scrollTop;
    this.#scrollTop = this.#element.scrollTop;
  }
}
