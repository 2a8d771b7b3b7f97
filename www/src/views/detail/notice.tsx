// What the last action did, told in the pane and to screen readers.
import { signal } from "@preact/signals";
import { copy } from "../../lib/clipboard";

const notice = signal<{ text: string; isError: boolean } | null>(null);
let timer: ReturnType<typeof setTimeout> | undefined;

export function tell(text: string, isError = false): void {
  notice.value = { text, isError };
  clearTimeout(timer);
  timer = setTimeout(() => (notice.value = null), isError ? 10_000 : 2500);
}

/** Copies and tells how it went. */
export function copyAndTell(what: string, text: string | (() => Promise<string>)): void {
  copy(text).then(
    () => tell(`Copied ${what}`),
    (error: unknown) => tell(`Could not copy ${what}: ${error instanceof Error ? error.message : String(error)}`, true),
  );
}

export function Notice() {
  const { value } = notice;
  return (
    <div class="detail-notice" role="status" data-error={value?.isError || undefined}>
      {value && <span>{value.text}</span>}
    </div>
  );
}
