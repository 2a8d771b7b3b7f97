// Files out of a drop or the clipboard.

/** Of a paste or a drop: its files, or its text as a file named "pasted". Folders and empty texts give nothing. */
export function handed(data: Pick<DataTransfer, "files" | "items" | "getData"> | null): File[] {
  if (!data) return [];
  // a folder comes as a file without bytes, as an empty file does
  const folders = new Set([...data.items].map((item) => item.webkitGetAsEntry()).flatMap((entry) => (entry?.isDirectory ? entry.name : [])));
  const files = [...data.files].filter(({ name }) => !folders.has(name));
  if (files.length > 0) return files;
  return pasted(data.getData("text/plain"));
}

/** A text as a file; blank texts are none. */
export function pasted(text: string): File[] {
  return text.trim() === "" ? [] : [new File([text], "pasted")];
}
