// How it looks, kept in this browser.
import { computed, effect, signal, type Signal } from "@preact/signals";

/** A signal that is kept under a name in this browser; what is kept and is none of `allowed` counts as not kept. */
export function kept<T>(name: string, usual: T, allowed: (value: unknown) => value is T): Signal<T> {
  const read = (): T => {
    try {
      const value: unknown = JSON.parse(localStorage.getItem(`reqlog.${name}`) ?? "null");
      return allowed(value) ? value : usual;
    } catch {
      return usual;
    }
  };
  const state = signal(read());
  effect(() => {
    const text = JSON.stringify(state.value);
    try {
      localStorage.setItem(`reqlog.${name}`, text);
    } catch {
      // no storage (private windows): kept for this page only
    }
  });
  return state;
}

export const oneOf = <T extends string>(...values: T[]) => (value: unknown): value is T => values.includes(value as T);

export type Theme = "system" | "dark" | "light";
export const theme = kept<Theme>("theme", "system", oneOf("system", "dark", "light"));
/** Times as on the clock here, in UTC, or since the record before. */
export type Times = "local" | "utc" | "relative";
export const times = kept<Times>("times", "local", oneOf("local", "utc", "relative"));
/** The clock of times that stand alone. */
export const zone = computed(() => (times.value === "utc" ? "utc" : "local"));

export function bindTheme(): void {
  effect(() => {
    if (theme.value === "system") document.documentElement.removeAttribute("data-theme");
    else document.documentElement.dataset.theme = theme.value;
  });
}
