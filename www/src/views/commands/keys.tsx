// Keys as they stand on the keyboard.
const isApple = /Mac|iPhone|iPad/.test(navigator.platform);
const NAMES: Record<string, string> = { mod: isApple ? "⌘" : "Ctrl", shift: isApple ? "⇧" : "Shift", ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", Escape: "Esc", Enter: "Enter", " ": "Space" };

const named = (key: string) => NAMES[key] ?? (key.length === 1 && /[a-z]/.test(key) ? key.toUpperCase() : key);
const parts = (keys: string) => (keys === "+" ? ["+"] : keys.split("+"));

/** A spelling of `Command.keys` in words. */
export function spoken(keys: string): string {
  return parts(keys).map((key) => (NAMES[key] ?? key)).join("+");
}

/** The first of a command's keys, or all of them. */
export function Keys({ keys, all = false }: { keys?: readonly string[] | undefined; all?: boolean }) {
  if (!keys || keys.length === 0) return null;
  return (
    <span class="keys">
      {(all ? keys : keys.slice(0, 1)).map((one) => (
        <span key={one}>
          {parts(one).map((key) => (
            <kbd key={key}>{parts(one).length > 1 ? named(key) : (NAMES[key] ?? key)}</kbd>
          ))}
        </span>
      ))}
    </span>
  );
}
