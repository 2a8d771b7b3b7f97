// Counts over what is asked: facets, the histogram, endpoints. Each is asked for only while something shows it.
import { computed, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import type { Backend } from "../backend/backend";
import { get, type Parameters } from "../lib/api";
import { FACETS, type FacetField } from "../lib/keys";
import { resource, type Loaded } from "../lib/resource";
import { chosen, withoutIncluded } from "../lib/terms";
import { backend, effective, query, revision, window as range, within } from "./question";
import { kept, oneOf } from "./settings";

export interface Values {
  field: FacetField;
  values: { value: string; count: number }[];
  /** How many values there are; of those that were counted, where not `complete`. */
  distinct: number;
  /** Records without a value. */
  missing: number;
  complete: boolean;
}
interface Facets {
  total: number;
  facets: Values[];
}

export type Class = "1xx" | "2xx" | "3xx" | "4xx" | "5xx" | "none";
export interface Bucket {
  time: string;
  total: number;
  class: Partial<Record<string, number>>;
}
export interface Buckets {
  /** As `30s`; null without buckets. */
  interval: string | null;
  total: number;
  buckets: Bucket[];
}

export const ORDERS = ["count", "errors", "error_rate", "p50", "p95", "p99", "bytes"] as const;
export type Order = (typeof ORDERS)[number];
export interface Endpoint {
  method: string | null;
  route: string | null;
  count: number;
  errors: number;
  client_errors: number;
  error_rate: number;
  p50_ms: number | null;
  p95_ms: number | null;
  p99_ms: number | null;
  request_bytes: number;
  response_bytes: number;
}
export interface Endpoints {
  total: number;
  items: Endpoint[];
  distinct: number;
  complete: boolean;
}

/** What all of them depend on. */
interface Base {
  backend: Backend;
  q: string;
  revision: number;
}
const base = (): Base | null => {
  const source = backend.value;
  return source && { backend: source, q: effective.value, revision: revision.value };
};

function loaded<T>(route: string, ask: () => (Base & { parameters: Parameters }) | null): ReadonlySignal<Loaded<T>> {
  return resource(ask, (asked, signal) => get<T>(asked.backend, route, { q: asked.q, ...asked.parameters }, signal));
}

/** How many values of a facet are shown, unless more are asked for. */
export const FEW = 10;
export const MANY = 1000;
// values that are numbers or codes take no wildcard, and are few
const CODES = new Set<FacetField>(["level", "kind", "source", "status", "class", "overridden"]);
const USUAL: FacetField[] = ["level", "class", "method", "status", "service", "host", "route", "error"];

const isFields = (value: unknown): value is FacetField[] => Array.isArray(value) && value.every((field) => (FACETS as readonly unknown[]).includes(field));
/** The facets that are open, kept. */
export const openFacets = kept<FacetField[]>("facets", USUAL, isFields);
/** Whether facets are on the screen. */
export const facetsShown = signal(false);

const fields = computed(() => FACETS.filter((field) => openFacets.value.includes(field)));
const all = loaded<Facets>("facets", () => {
  const asked = facetsShown.value && fields.value.length > 0 ? base() : null;
  return asked && { ...asked, parameters: { fields: fields.value.join(","), top: FEW } };
});
/** Why no facet could be counted, or null. */
export const facetsError = computed(() => all.value.error);
export const facetsTotal = computed(() => all.value.value?.total ?? 0);

/** One field's values, what of them is looked for, and how many. */
export interface Facet {
  field: FacetField;
  isOpen: ReadonlySignal<boolean>;
  top: Signal<number>;
  /** What values must contain. */
  needle: Signal<string>;
  values: ReadonlySignal<Loaded<Values>>;
  /** Where values are included: what including another one would add. */
  others: ReadonlySignal<Loaded<Values>>;
}

function facet(field: FacetField): Facet {
  const isOpen = computed(() => openFacets.value.includes(field));
  const top = signal(FEW);
  const needle = signal("");
  const containing = (q: string): string => {
    const text = needle.value.trim();
    if (!text || CODES.has(field)) return q;
    const pattern = `${field}:*${text.replace(/[\s,()"\\*?<>=!~/]/g, "\\$&")}*`;
    return q ? `(${q}) ${pattern}` : pattern;
  };
  const own = loaded<Facets>("facets", () => {
    const asked = facetsShown.value && isOpen.value && (top.value > FEW || needle.value.trim()) ? base() : null;
    return asked && { ...asked, q: containing(asked.q), parameters: { fields: field, top: CODES.has(field) ? 100 : top.value } };
  });
  const wider = loaded<Facets>("facets", () => {
    if (!facetsShown.value || !isOpen.value || chosen(query.value, field).include.size === 0) return null;
    const asked = base();
    if (!asked) return null;
    const q = within(withoutIncluded(query.value, field), range.value);
    return { ...asked, q: containing(q), parameters: { fields: field, top: CODES.has(field) ? 100 : top.value } };
  });
  const values = computed((): Loaded<Values> => {
    const special = top.value > FEW || needle.value.trim() !== "";
    const from = special && (own.value.value || own.value.error) ? own.value : all.value;
    return { ...from, value: from.value?.facets.find((one) => one.field === field) ?? null };
  });
  const others = computed((): Loaded<Values> => ({ ...wider.value, value: wider.value.value?.facets[0] ?? null }));
  return { field, isOpen, top, needle, values, others };
}

/** Every facet, in the order they are shown. */
export const facets: readonly Facet[] = FACETS.map(facet);

export function toggleFacet(field: FacetField): void {
  const open = openFacets.value;
  openFacets.value = open.includes(field) ? open.filter((other) => other !== field) : [...open, field];
}

/** Whether the histogram is shown, kept. */
export const histogramOpen = kept("histogram", true, (value): value is boolean => typeof value === "boolean");
/** How many buckets there is room for; 0 while nothing shows them. */
export const bucketCount = signal(0);
export const histogram = loaded<Buckets>("histogram", () => {
  const asked = histogramOpen.value && bucketCount.value > 0 ? base() : null;
  return asked && { ...asked, parameters: { buckets: bucketCount.value } };
});

/** Whether endpoints are on the screen. */
export const endpointsShown = signal(false);
export const endpointOrder = kept<Order>("endpoints", "count", oneOf(...ORDERS));
export const endpointLimit = signal(100);
export const endpoints = loaded<Endpoints>("endpoints", () => {
  const asked = endpointsShown.value ? base() : null;
  return asked && { ...asked, parameters: { sort: endpointOrder.value, limit: endpointLimit.value } };
});

