// A record in forms to copy: a command, a call, a file, text, a link.
import { ask, path, type LogRecord } from "../../lib/api";
import { bodyHead } from "../../lib/body-range";
import { fetchSnippet } from "../../lib/fetch-snippet";
import { indented } from "../../lib/json-tree";
import { backend } from "../../state/question";
import { shown } from "../../state/record";
import { copyAndTell } from "./notice";

export type Form = "http" | "curl" | "fetch" | "har" | "json";

export const FORMS: { form: Form; title: string }[] = [
  { form: "http", title: "Raw HTTP" },
  { form: "curl", title: "cURL" },
  { form: "fetch", title: "fetch" },
  { form: "har", title: "HAR" },
  { form: "json", title: "JSON" },
];

/** Whether a record has a request that can be sent again. */
export const replayable = (record: LogRecord): boolean => record.method !== undefined && record.path !== undefined;

export async function snippet(record: LogRecord, form: Form, signal: AbortSignal = new AbortController().signal): Promise<string> {
  const from = backend.peek();
  if (!from) throw new Error("There is no source.");
  if (form === "fetch") {
    const body = record.request?.body;
    return fetchSnippet(record, body && body.captured > 0 ? await bodyHead(from, record.id, "request", body, Number.MAX_SAFE_INTEGER, signal) : new Uint8Array());
  }
  if (form === "json") {
    const { value } = shown.peek();
    if (value?.record.id !== record.id) throw new Error("The record is still loading.");
    return indented(value.tree, Number.MAX_SAFE_INTEGER).text;
  }
  const response = await ask(from, path(`logs/${encodeURIComponent(record.id)}/export`, { as: form }), { signal });
  return response.text();
}

export function copyForm(record: LogRecord, form: Form): void {
  copyAndTell(FORMS.find((known) => known.form === form)?.title ?? form, () => snippet(record, form));
}

/** A link that opens this record with the question as it is. */
export function copyLink(): void {
  copyAndTell("link", location.href);
}
