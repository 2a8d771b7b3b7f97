// The demo: a file that is made here, opened as any other.

/** Made in slices between which the page stays responsive. */
export async function demoFile(signal: AbortSignal): Promise<File> {
  const { demo } = await import("../lib/demo");
  const parts: string[] = [];
  for (const part of demo()) {
    parts.push(part);
    await new Promise((resolve) => setTimeout(resolve));
    signal.throwIfAborted();
  }
  return new File(parts, "demo.ndjson", { type: "application/x-ndjson", lastModified: Date.UTC(2026, 5, 23, 19) });
}
