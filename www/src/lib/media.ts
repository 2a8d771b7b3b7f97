// What a body is, by its type and its first bytes.
import { parameter } from "./multipart";

export type Media = "json" | "lines" | "form" | "multipart" | "image" | "svg" | "text" | "binary";

export const essence = (contentType: string | undefined): string => (contentType ?? "").split(";", 1)[0]!.trim().toLowerCase();

const TEXT = /^(?:text\/|application\/(?:javascript|x-javascript|ecmascript|xml|graphql|sql|x-sh|toml|yaml|x-yaml)|.+\+xml$)/;
const IMAGES = ["png", "jpeg", "jpg", "gif", "webp", "avif", "bmp", "x-icon", "vnd.microsoft.icon", "apng"];

/** What the type says; `head` decides where it says nothing. */
export function mediaOf(contentType: string | undefined, head: Uint8Array): Media {
  const type = essence(contentType);
  if (/^application\/(?:x-ndjson|jsonl|json-seq|x-json-stream|jsonlines)$/.test(type)) return "lines";
  if (/[/+]json$|^text\/json|^application\/json/.test(type)) return "json";
  if (type === "application/x-www-form-urlencoded") return "form";
  if (type.startsWith("multipart/")) return "multipart";
  if (type === "image/svg+xml") return "svg";
  if (type.startsWith("image/") && IMAGES.includes(type.slice(6))) return "image";
  if (isText(head)) {
    if (/^\s*[{[]/.test(new TextDecoder().decode(head.subarray(0, 64)))) return "json";
    if (TEXT.test(type) || head.length > 0) return "text";
  }
  return TEXT.test(type) && !head.includes(0) ? "text" : "binary";
}

/** Whether bytes are UTF-8 without control characters that no text has. */
export function isText(bytes: Uint8Array): boolean {
  const head = bytes.subarray(0, 4096);
  if (head.some((byte) => byte < 9 || (byte > 13 && byte < 32 && byte !== 27))) return false;
  try {
    // a character may be cut at the end of what was looked at
    new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/**
 * How the bytes are to be decoded: UTF-8 where they are that, whatever the type says (importers of HAR store texts so),
 * else the type's charset.
 */
export function decoderFor(contentType: string | undefined, head: Uint8Array): TextDecoder {
  const charset = parameter(`;${(contentType ?? "").split(";").slice(1).join(";")}`, "charset");
  const isMarked = (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff);
  if (isMarked) return new TextDecoder(head[0] === 0xff ? "utf-16le" : "utf-16be");
  if (charset && !isText(head)) {
    try {
      return new TextDecoder(charset);
    } catch {
      // no charset that browsers know
    }
  }
  return new TextDecoder();
}
