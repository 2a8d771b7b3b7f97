// One field: its values, most frequent first, those that the query chooses among them, and those it would bring in.
import { useCallback } from "preact/hooks";
import { facetsTotal, FEW, MANY, toggleFacet, type Facet } from "../../state/aggregates";
import { query } from "../../state/question";
import { legible } from "../../lib/redacted";
import { chosen, toggle, without, type Choice, type FacetValue } from "../../lib/terms";
import { count as whole } from "../../lib/format";
import type { FacetField } from "../../lib/keys";
import { Icon } from "../header/icons";

interface Row {
  value: FacetValue;
  count: number;
  choice: Choice | null;
  /** The count is of what including it would add. */
  isOther: boolean;
}

const NAMES: Partial<Record<FacetField, string>> = {
  class: "status class", error: "error code", ip: "client IP", ua: "user agent", request_id: "request id", type: "media type", user: "user",
  auth: "authentication", trace: "trace id", span: "span id",
};
const title = (field: FacetField): string => {
  const name = NAMES[field] ?? field;
  return (name[0] ?? "").toUpperCase() + name.slice(1);
};
// every record has one
const ALWAYS = new Set<FacetField>(["level", "kind", "project", "overridden"]);

function rowsOf(facet: Facet): Row[] {
  const { value } = facet.values.value;
  const others = facet.others.value.value;
  const { include, exclude } = chosen(query.value, facet.field);
  const needle = facet.needle.value.trim().toLowerCase();
  const choiceOf = (value: FacetValue): Choice | null => {
    const own = value?.toLowerCase() ?? null;
    return include.has(own) ? "include" : exclude.has(own) ? "exclude" : null;
  };
  const rows: Row[] = [];
  const told = new Set<FacetValue>();
  const add = (value: FacetValue, count: number, isOther: boolean) => {
    const own = value?.toLowerCase() ?? null;
    if (told.has(own) || (needle && !(value ?? "none").toLowerCase().includes(needle))) return;
    told.add(own);
    rows.push({ value, count, choice: choiceOf(value), isOther });
  };
  for (const one of value?.values ?? []) add(one.value, one.count, false);
  if (value && value.missing > 0 && !ALWAYS.has(facet.field)) add(null, value.missing, false);
  for (const own of [...include, ...exclude]) if (!told.has(own)) add(own, 0, false);
  // what is chosen stands first, whatever its count is
  rows.sort((a, b) => Number(a.choice === null) - Number(b.choice === null));
  for (const one of others?.values ?? []) add(one.value, one.count, true);
  if (others && others.missing > 0 && !ALWAYS.has(facet.field)) add(null, others.missing, true);
  return rows;
}

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const short = (count: number): string => (count < 10_000 ? whole(count) : compact.format(count));

function Value({ row, field, most }: { row: Row; field: FacetField; most: number }) {
  const { value, count, choice, isOther } = row;
  const name = legible(value ?? "none");
  const include = useCallback((event: MouseEvent) => {
    const wanted: Choice = event.altKey ? "exclude" : "include";
    const now = query.peek();
    query.value = choice ? without(now, field, value) : toggle(now, field, value, wanted);
  }, [field, value, choice]);
  const exclude = useCallback(() => {
    query.value = toggle(query.peek(), field, value, "exclude");
  }, [field, value]);
  const glance = field === "class" ? ` status-${name}` : field === "status" ? ` status-${name[0] ?? ""}xx` : field === "level" ? ` level-${name}` : "";
  return (
    <li class="facet-row" data-choice={choice ?? undefined} data-other={isOther ? "" : undefined}>
      <span class="facet-bar" aria-hidden="true" style={{ transform: `scaleX(${most > 0 && !isOther ? count / most : 0})` }} />
      <button type="button" class="facet-value" aria-pressed={choice !== null} title={`${name} · ${whole(count)}`} onClick={include}>
        <span class={`facet-name${value === null ? " facet-none" : ""}${glance}`}>{value === "" ? "(empty)" : name}</span>
        {choice === "exclude" && <span class="visually-hidden">excluded</span>}
        <span class="facet-count">{isOther && "+"}{short(count)}</span>
        {choice && <Icon name="close" />}
      </button>
      {choice === null && (
        <button type="button" class="facet-minus" aria-label={`Exclude ${name}`} title="Exclude (Alt-click)" onClick={exclude}>
          <Icon name="minus" />
        </button>
      )}
    </li>
  );
}

function Values({ facet }: { facet: Facet }) {
  const { field, top, needle, values, others } = facet;
  const { value, pending } = values.value;
  const rows = rowsOf(facet);
  const most = Math.max(1, ...rows.filter((row) => !row.isOther).map((row) => row.count));
  const shown = needle.value ? rows : rows.slice(0, top.value + 2);
  const distinct = Math.max(value?.distinct ?? 0, others.value.value?.distinct ?? 0);
  const isLong = distinct > 2 * FEW || top.value > FEW || needle.value !== "";
  const onInput = useCallback((event: Event) => (needle.value = (event.currentTarget as HTMLInputElement).value), [needle]);
  const onKeyDown = useCallback((event: KeyboardEvent) => {
    if (event.key !== "Escape" || !needle.value) return;
    event.preventDefault();
    needle.value = "";
  }, [needle]);
  return (
    <div id={`facet-${field}`} aria-busy={pending}>
      {isLong && <input class="field facet-search" type="search" placeholder={`Find in ${whole(distinct)}${value?.complete === false ? "+" : ""}`} aria-label={`Find ${title(field)}`} value={needle.value} onInput={onInput} onKeyDown={onKeyDown} />}
      <ul class="facet-list">{shown.map((row) => <Value key={row.value ?? "\0none"} row={row} field={field} most={most} />)}</ul>
      {value && rows.length === 0 && <div class="facet-empty">{needle.value ? "Nothing found" : facetsTotal.value === 0 ? "No records" : "No values"}</div>}
      {value?.complete === false && <div class="facet-empty">Too many values to count them all</div>}
      {!needle.value && distinct > FEW && (
        <div class="facet-more">
          {top.value > FEW
            ? <button type="button" class="button plain" onClick={() => (top.value = FEW)}>Fewer</button>
            : null}
          {distinct > top.value && top.value < MANY && <button type="button" class="button plain" onClick={() => (top.value = top.value === FEW ? 50 : MANY)}>More</button>}
        </div>
      )}
    </div>
  );
}

export function FacetGroup({ facet }: { facet: Facet }) {
  const { field, isOpen } = facet;
  const { include, exclude } = chosen(query.value, field);
  const count = include.size + exclude.size;
  const onClick = useCallback(() => toggleFacet(field), [field]);
  return (
    <section class="facet">
      <h2>
        <button type="button" class="facet-title" aria-expanded={isOpen.value} aria-controls={isOpen.value ? `facet-${field}` : undefined} onClick={onClick}>
          <Icon name="right" />
          {title(field)}
        </button>
        {count > 0 && <span class="facet-chosen">{count}<span class="visually-hidden"> chosen</span></span>}
      </h2>
      {isOpen.value && <Values facet={facet} />}
    </section>
  );
}
