// The icons of buttons, 16 by 16, in the colour of the text.
const PATHS = {
  menu: "M2.5 4h11M2.5 8h11M2.5 12h11",
  side: "M2.5 3h11v10h-11zM6.5 3v10",
  export: "M8 2.5v7M5 6.5l3 3 3-3M3 11v2.5h10V11",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  down: "M4 6.5l4 4 4-4",
  file: "M4 1.5h5L12.5 5v9.5H4zM9 1.5V5h3.5",
  server: "M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5h.01M5 11h.01",
  spark: "M8 2l1.6 4.4L14 8l-4.4 1.6L8 14l-1.6-4.4L2 8l4.4-1.6z",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  play: "M4.5 3l8 5-8 5z",
  up: "M8 13V3M4 7l4-4 4 4",
  next: "M8 3v10M4 9l4 4 4-4",
  close: "M4 4l8 8M12 4l-8 8",
  search: "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM10.5 10.5l3.5 3.5",
  warning: "M8 2l6.5 11.5h-13zM8 6.5v3M8 11.6h.01",
  clock: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM8 4.5V8l2.5 1.5",
  bookmark: "M4 2.5h8v11l-4-3-4 3z",
  minus: "M3.5 8h9",
  right: "M6.5 4l4 4-4 4",
  paste: "M5 3H3.5v11h9V3H11M5.5 1.5h5v3h-5z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" stroke-width={name === "more" ? 2.4 : 1.4} stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The product's own mark. */
export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 64 64" width="20" height="20" aria-hidden="true">
      <rect width="64" height="64" rx="14" class="logo-ground" />
      <path class="logo-lines" d="M18 20h.01M31 20h15M18 32h.01M31 32h7M31 44h11" />
      <path class="logo-mark" d="M18 44h.01" />
    </svg>
  );
}
