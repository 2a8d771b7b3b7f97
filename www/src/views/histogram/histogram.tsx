// Records by time and status class; a brush chooses a window.
import { effect, signal } from "@preact/signals";
import { useCallback, useEffect, useRef } from "preact/hooks";
import "uplot/dist/uPlot.min.css";
import { count } from "../../lib/format";
import { through, windowLabel } from "../../lib/moment";
import { chosen, toggle } from "../../lib/terms";
import { bucketCount, histogram, histogramOpen, type Bucket, type Buckets } from "../../state/aggregates";
import { register } from "../../state/commands";
import { query, window as range } from "../../state/question";
import { theme, zone } from "../../state/settings";
import { Failure } from "../failure/failure";
import { Icon } from "../header/icons";
import { Chart, CLASSES, countOf, type Hovered, type Shown } from "./chart";
import "./histogram.css";

const HEIGHT = 92;
const NARROWEST = 9;
const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function milliseconds(interval: string | null): number {
  const [, count, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(interval ?? "") ?? [];
  return Number(count ?? 1) * (UNITS[unit ?? "ms"] ?? 1);
}

const shownOf = ({ buckets, interval }: Buckets): Shown => ({ buckets, interval: milliseconds(interval), utc: zone.value === "utc" });

/** What the pointer is over. */
const hovered = signal<Hovered | null>(null);

/** The window of whole buckets from one place to another; within one bucket, the places themselves. */
function windowOf(data: Buckets, from: number, to: number): { from: string; to: string } {
  const interval = milliseconds(data.interval);
  const start = Date.parse(data.buckets[0]?.time ?? "");
  const floor = (at: number) => start + Math.floor((at - start) / interval) * interval;
  const isWithin = floor(from) === floor(to);
  const first = isWithin ? Math.round(from) : floor(from);
  const last = isWithin ? Math.round(to) : floor(to) + interval - 1;
  return { from: new Date(first).toISOString(), to: through(last) };
}

/** The window of one bucket, as it is said. */
function bucketLabel(bucket: Bucket, interval: number): string {
  const from = Date.parse(bucket.time);
  return windowLabel({ from: bucket.time, to: new Date(from + interval - 1).toISOString() }, zone.value);
}

function Tooltip({ data }: { data: Buckets }) {
  const at = hovered.value;
  const bucket = at && data.buckets[at.index];
  if (!at || !bucket) return null;
  const isRight = at.left > 220;
  const place = { left: `${at.left}px`, transform: `translateX(${isRight ? "calc(-100% - 12px)" : "12px"})` };
  if (at.brushed) {
    return <div class="histogram-tip" style={place} aria-hidden="true"><div class="histogram-when">{windowLabel(windowOf(data, ...at.brushed), zone.value)}</div></div>;
  }
  return (
    <div class="histogram-tip" style={place} aria-hidden="true">
      <div class="histogram-when">{bucketLabel(bucket, milliseconds(data.interval))}</div>
      {CLASSES.toReversed().filter((name) => countOf(bucket, name) > 0).map((name) => (
        <div key={name} class="histogram-line"><i class={`fill-${name}`} />{name === "none" ? "No status" : name}<b>{count(countOf(bucket, name))}</b></div>
      ))}
      <div class="histogram-line"><i />All<b>{count(bucket.total)}</b></div>
    </div>
  );
}

/** Totals by class, which are also what colours mean; each includes its class. */
function Legend({ data }: { data: Buckets }) {
  const { include } = chosen(query.value, "class");
  return (
    <div class="histogram-legend" role="group" aria-label="Status classes">
      {CLASSES.map((name) => ({ name, records: data.buckets.reduce((sum, bucket) => sum + countOf(bucket, name), 0) }))
        .filter(({ records }) => records > 0)
        .map(({ name, records }) => {
          const value = name === "none" ? null : name;
          return (
            <button key={name} type="button" class="histogram-class" aria-pressed={include.has(value)} onClick={() => (query.value = toggle(query.peek(), "class", value, "include"))}>
              <i class={`fill-${name}`} />{name === "none" ? "No status" : name}<span>{count(records)}</span>
            </button>
          );
        })}
    </div>
  );
}

/** The same as a table, for those who do not see the chart. */
function Table({ data }: { data: Buckets }) {
  const interval = milliseconds(data.interval);
  const named = CLASSES.filter((name) => data.buckets.some((bucket) => countOf(bucket, name) > 0));
  return (
    <div class="visually-hidden"><table>
      <caption>Records by time and status class, {data.interval ?? ""} each</caption>
      <thead><tr><th scope="col">Time</th><th scope="col">All</th>{named.map((name) => <th key={name} scope="col">{name === "none" ? "No status" : name}</th>)}</tr></thead>
      <tbody>
        {data.buckets.filter(({ total }) => total > 0).map((bucket) => (
          <tr key={bucket.time}><th scope="row">{bucketLabel(bucket, interval)}</th><td>{bucket.total}</td>{named.map((name) => <td key={name}>{countOf(bucket, name)}</td>)}</tr>
        ))}
      </tbody>
    </table></div>
  );
}

function Plot() {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    let chart: Chart | null = null;
    const measured = () => {
      // in steps, so that moving a border by some pixels asks for nothing
      bucketCount.value = Math.max(10, Math.min(200, Math.floor((element.clientWidth - 54) / NARROWEST / 10) * 10));
      chart?.resize(element.clientWidth, HEIGHT);
    };
    measured();
    const sizes = new ResizeObserver(measured);
    sizes.observe(element);
    const drawn = effect(() => {
      const data = histogram.value.value;
      if (!data || data.buckets.length === 0) {
        chart?.destroy();
        chart = null;
        return;
      }
      const shown = shownOf(data);
      if (chart) return chart.show(shown);
      chart = new Chart(element, shown, HEIGHT, {
        hover: (over) => (hovered.value = over),
        brush: (from, to) => {
          const now = histogram.peek().value;
          if (now) range.value = windowOf(now, from, to);
        },
        clear: () => (range.value = null),
      });
    });
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    // after the root has its new attribute
    const recolour = () => requestAnimationFrame(() => chart?.recolour());
    scheme.addEventListener("change", recolour);
    const themed = effect(() => {
      void theme.value;
      recolour();
    });
    const escape = (event: KeyboardEvent) => {
      if (event.key === "Escape" && chart?.unbrush()) event.preventDefault();
    };
    addEventListener("keydown", escape, true);
    return () => {
      removeEventListener("keydown", escape, true);
      scheme.removeEventListener("change", recolour);
      themed();
      drawn();
      sizes.disconnect();
      chart?.destroy();
      bucketCount.value = 0;
      hovered.value = null;
    };
  }, []);
  return <div class="histogram-plot" ref={place} style={{ height: `${HEIGHT}px` }} aria-hidden="true" />;
}

export function Histogram() {
  useEffect(() => register(
    { id: "histogram.toggle", title: "Show or hide the histogram", group: "View", run: () => (histogramOpen.value = !histogramOpen.value) },
  ), []);
  const fold = useCallback(() => (histogramOpen.value = !histogramOpen.value), []);
  const { value: data, error, pending } = histogram.value;
  const isOpen = histogramOpen.value;
  return (
    <section class="histogram" aria-label="Histogram" aria-busy={pending}>
      <div class="histogram-head">
        <button type="button" class="histogram-fold" aria-expanded={isOpen} onClick={fold}>
          <Icon name="right" />
          {isOpen && data ? <><b>{count(data.total)}</b> records</> : "Histogram"}
        </button>
        {isOpen && data && <Legend data={data} />}
        {isOpen && data?.interval && <span class="histogram-width quiet">{data.interval.replace(/(\d)([a-z])/, "$1 $2")} per bar</span>}
      </div>
      {isOpen && <Failure error={error} />}
      {isOpen && (
        <div class="histogram-body">
          <Plot />
          {data && <Tooltip data={data} />}
          {data && data.buckets.length === 0 && <div class="histogram-empty quiet">No records{range.value ? " in this window" : ""}</div>}
          {data && <Table data={data} />}
        </div>
      )}
    </section>
  );
}
