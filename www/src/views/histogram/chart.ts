// The chart: stacked bars over time by uPlot, with a brush. Knows neither what is asked nor where.
import uPlot, { type AlignedData } from "uplot";
import type { Bucket, Class } from "../../state/aggregates";

/** Labels of the time axis, for steps of so many seconds and more: usual, then at a new year, month, day, hour, minute, second. */
const DAY = "{D} {MMM}";
const STAMPS: (string | number | null)[][] = [
  [365 * 86_400, "{YYYY}", null, null, null, null, null, null, 0],
  [28 * 86_400, "{MMM}", "{YYYY}", null, null, null, null, null, 0],
  [86_400, DAY, `${DAY} {YYYY}`, null, null, null, null, null, 0],
  [60, "{HH}:{mm}", `${DAY} {HH}:{mm}`, null, `${DAY} {HH}:{mm}`, null, null, null, 0],
  [1, "{HH}:{mm}:{ss}", `${DAY} {HH}:{mm}:{ss}`, null, `${DAY} {HH}:{mm}:{ss}`, null, null, null, 0],
  [0.001, "{HH}:{mm}:{ss}.{fff}", DAY, null, DAY, null, null, null, 0],
];

/** From the bottom up: what fails is on top, where it is seen. */
export const CLASSES: readonly Class[] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];
const FILLS: Record<Class, string> = {
  none: "--none-fill", "1xx": "--none-fill", "2xx": "--ok-fill", "3xx": "--redirect-fill", "4xx": "--warn-fill", "5xx": "--error-fill",
};

export interface Shown {
  buckets: readonly Bucket[];
  /** Milliseconds that a bucket lasts. */
  interval: number;
  utc: boolean;
}

export interface Hovered {
  index: number;
  brushed: [from: number, to: number] | null;
  left: number;
}

export interface Events {
  /** The bucket under the pointer, or the places in milliseconds that a brush under way has come to; and where the pointer is. */
  hover(over: Hovered | null): void;
  /** Places in milliseconds that were brushed. */
  brush(from: number, to: number): void;
  clear(): void;
}

/** Counts that no class of an HTTP status has belong to none. */
export const countOf = (bucket: Bucket, name: Class): number =>
  name === "none" ? CLASSES.slice(1).reduce((left, known) => left - (bucket.class[known] ?? 0), bucket.total) : (bucket.class[name] ?? 0);

/** Sums from the bottom up, the greatest first, so that each series is drawn over what is above it. */
function stacked({ buckets }: Shown): AlignedData {
  const sums = buckets.map(() => 0);
  const rows = CLASSES.map((name) => buckets.map((bucket, index) => (sums[index] = (sums[index] ?? 0) + countOf(bucket, name))));
  return [buckets.map(({ time }) => Date.parse(time) / 1000), ...rows.reverse()];
}

export class Chart {
  readonly #plot: uPlot;
  readonly #stop = new AbortController();
  #shown: Shown;
  #colours: Record<string, string> = {};
  /** Whether the brush under way was let go: releasing the button chooses nothing. */
  #isLetGo = false;

  constructor(place: HTMLElement, shown: Shown, height: number, events: Events) {
    this.#shown = shown;
    this.#readColours();
    const colour = (name: string) => () => this.#colours[name] ?? "";
    const bars = uPlot.paths.bars?.({ align: 1, size: [1, 120], gap: 1 });
    const series = CLASSES.toReversed().map((name): uPlot.Series => ({
      label: name, fill: colour(FILLS[name]), width: 0, points: { show: false }, ...(bars && { paths: bars }),
    }));
    const axis: uPlot.Axis = {
      stroke: colour("--text-3"), font: "11px system-ui, sans-serif", ticks: { show: false }, gap: 4,
      grid: { stroke: colour("--line"), width: 1 },
    };
    this.#plot = new uPlot(
      {
        width: place.clientWidth,
        height,
        padding: [6, 20, 0, 0],
        legend: { show: false },
        tzDate: (seconds) => (this.#shown.utc ? uPlot.tzDate(new Date(seconds * 1000), "UTC") : new Date(seconds * 1000)),
        cursor: { x: false, y: false, points: { show: false }, drag: { x: true, y: false, setScale: false, dist: 4 } },
        scales: {
          x: { time: true, range: () => this.#range() },
          y: { range: (_, __, most) => [0, Math.max(1, most * 1.05)] },
        },
        series: [{}, ...series],
        axes: [
          { ...axis, size: 20, space: (_, __, from, to, room) => (to - from < room ? 100 : 76), grid: { show: false }, values: STAMPS },
          { ...axis, size: 46, space: 24, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7, 2e7, 5e7], values: (_, ticks) => ticks.map(brief) },
        ],
        hooks: {
          setCursor: [(plot) => this.#hover(plot, events)],
          setSelect: [(plot) => this.#brush(plot, events)],
        },
      },
      stacked(shown),
      place,
    );
    const over = this.#plot.over;
    over.addEventListener("mouseleave", () => events.hover(null), { signal: this.#stop.signal });
    over.addEventListener("mousedown", () => (this.#isLetGo = false), { signal: this.#stop.signal });
    over.addEventListener("pointerdown", (event) => this.#touch(event, events), { signal: this.#stop.signal });
    over.addEventListener("dblclick", () => events.clear(), { signal: this.#stop.signal });
  }

  show(shown: Shown): void {
    this.#shown = shown;
    this.#plot.setData(stacked(shown));
  }

  resize(width: number, height: number): void {
    this.#plot.setSize({ width, height });
  }

  /** Draws again in the colours of now. */
  recolour(): void {
    this.#readColours();
    this.#plot.redraw(false, true);
  }

  /** Lets a brush go that is under way; says whether there was one. */
  unbrush(): boolean {
    const was = this.#plot.select.width > 0;
    this.#isLetGo = was;
    this.#plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    return was;
  }

  destroy(): void {
    this.#stop.abort();
    this.#plot.destroy();
  }

  #readColours(): void {
    const style = getComputedStyle(document.documentElement);
    for (const name of [...Object.values(FILLS), "--text-3", "--line"]) this.#colours[name] = style.getPropertyValue(name).trim();
  }

  #range(): [number, number] {
    const { buckets, interval } = this.#shown;
    const [first, last] = [buckets[0], buckets.at(-1)];
    if (!first || !last) return [0, 1];
    return [Date.parse(first.time) / 1000, (Date.parse(last.time) + interval) / 1000];
  }

  #hover(plot: uPlot, events: Events): void {
    const { left } = plot.cursor;
    if (left === undefined || left < 0) return events.hover(null);
    const first = this.#shown.buckets[0];
    if (!first) return;
    const at = Math.floor((plot.posToVal(left, "x") * 1000 - Date.parse(first.time)) / this.#shown.interval);
    const index = Math.max(0, Math.min(this.#shown.buckets.length - 1, at));
    events.hover({ index, brushed: plot.select.width >= 4 ? this.#brushed(plot) : null, left: left + plot.bbox.left / devicePixelRatio });
  }

  /** uPlot brushes with a mouse; a finger that moves sideways does too, up and down it scrolls. */
  #touch(event: PointerEvent, events: Events): void {
    if (event.pointerType !== "touch" || !event.isPrimary) return;
    this.#isLetGo = false;
    const { over } = this.#plot;
    const { left: edge, width: most, height } = over.getBoundingClientRect();
    const at = ({ clientX }: PointerEvent) => Math.min(Math.max(clientX - edge, 0), most);
    const from = at(event);
    const ended = new AbortController();
    const signal = AbortSignal.any([ended.signal, this.#stop.signal]);
    over.addEventListener("pointermove", (moved) => {
      if (!moved.isPrimary || this.#isLetGo) return;
      const to = at(moved);
      this.#plot.setSelect({ left: Math.min(from, to), top: 0, width: Math.abs(to - from), height }, false);
      this.#plot.setCursor({ left: to, top: height / 2 });
    }, { signal });
    for (const end of ["pointerup", "pointercancel"] as const) {
      over.addEventListener(end, () => {
        ended.abort();
        if (end === "pointercancel") this.unbrush();
        else this.#brush(this.#plot, events);
        events.hover(null);
      }, { signal });
    }
  }

  #brushed(plot: uPlot): [from: number, to: number] {
    const { left, width } = plot.select;
    return [plot.posToVal(left, "x") * 1000, plot.posToVal(left + width, "x") * 1000];
  }

  #brush(plot: uPlot, events: Events): void {
    const { width } = plot.select;
    const [from, to] = this.#brushed(plot);
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    if (width < 4 || this.#isLetGo) return;
    events.brush(from, to);
  }
}

function brief(count: number): string {
  if (count >= 1e6) return `${count / 1e6}M`;
  return count >= 1e3 ? `${count / 1e3}k` : String(count);
}
