// Copying that works where the clipboard is refused, and says so where it does not.

/** Copies a text that may have to be fetched first; rejects with what to tell. */
export async function copy(text: string | (() => Promise<string>)): Promise<void> {
  if (typeof text === "string") return write(text);
  // Safari wants the write within the click: a promise of the text is handed over
  if ("ClipboardItem" in globalThis && navigator.clipboard?.write) {
    const coming = text();
    try {
      await navigator.clipboard.write([new ClipboardItem({ "text/plain": coming.then((got) => new Blob([got], { type: "text/plain" })) })]);
      return;
    } catch {
      return write(await coming);
    }
  }
  return write(await text());
}

async function write(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    if (!writeBySelection(text)) throw new Error("The browser does not allow copying here. Select the text and copy it by hand.");
  }
}

// for pages without a secure context, which have no clipboard API
function writeBySelection(text: string): boolean {
  const field = document.createElement("textarea");
  const focused = document.activeElement;
  field.value = text;
  field.className = "visually-hidden";
  document.body.append(field);
  field.select();
  const isDone = document.execCommand("copy");
  field.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return isDone;
}

/** Offers bytes as a file. */
export function download(bytes: Uint8Array<ArrayBuffer> | string, name: string, type: string): void {
  const url = URL.createObjectURL(new Blob([bytes], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // the browser has taken the file by then
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
