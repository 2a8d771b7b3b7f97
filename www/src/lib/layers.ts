// What is packed in a body: base64, gzip and zlib within one another, and tokens in a text.
import { isText } from "./media";

export interface Layer {
  name: "base64" | "gzip" | "zlib" | "URL-encoded";
  bytes: Uint8Array<ArrayBuffer>;
  /** Whether it is longer than `LIMIT` and only its beginning is here, or is broken behind it. */
  isCut: boolean;
}

export interface Token {
  header: string;
  payload: string;
  text: string;
}

// small inputs inflate to gigabytes
export const LIMIT = 8 << 20;
const DEEPEST = 4;

const fromBase64 = (text: string): Uint8Array<ArrayBuffer> | null => {
  const clean = text.replace(/\s/g, "").replaceAll("-", "+").replaceAll("_", "/").replace(/=+$/, "");
  if (clean.length % 4 === 1) return null;
  try {
    return Uint8Array.from(atob(clean), (char) => char.charCodeAt(0));
  } catch {
    return null;
  }
};

async function inflate(bytes: Uint8Array<ArrayBuffer>, format: "gzip" | "deflate", signal: AbortSignal): Promise<Layer | null> {
  const parts: Uint8Array[] = [];
  let length = 0;
  let isCut = false;
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(format)).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) break;
      parts.push(value);
      length += value.length;
      if (length > LIMIT) {
        isCut = true;
        await reader.cancel();
        break;
      }
    }
  } catch (error) {
    if (signal.aborted) throw error;
    // the end is missing or broken: what came before is shown
    isCut = true;
  }
  if (length === 0) return null;
  const whole = new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
  return { name: format === "gzip" ? "gzip" : "zlib", bytes: whole.subarray(0, LIMIT), isCut };
}

// text that is base64 and long enough not to be a word by chance, and decodes to text or to a packed form
function base64(bytes: Uint8Array): Layer | null {
  if (bytes.length < 16 || !isText(bytes)) return null;
  const text = new TextDecoder().decode(bytes).trim().replace(/^data:[^,]{0,200};base64,/, "");
  if (!/^[A-Za-z0-9+/_\s-]{16,}={0,2}$/.test(text) || /^[a-z]+$|^\d+$|^[0-9a-f-]+$/i.test(text)) return null;
  const decoded = fromBase64(text);
  if (!decoded || decoded.length === 0) return null;
  const isKnown = isText(decoded) || packing(decoded) !== null;
  return isKnown ? { name: "base64", bytes: decoded, isCut: false } : null;
}

const packing = (bytes: Uint8Array): "gzip" | "deflate" | null => {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8) return "gzip";
  const isZlib = bytes[0] === 0x78 && ((0x78 << 8) | (bytes[1] ?? 0)) % 31 === 0 && bytes.length > 8;
  return isZlib ? "deflate" : null;
};

/** What comes out layer by layer, the innermost last; empty where nothing is packed. */
export async function layers(bytes: Uint8Array<ArrayBuffer>, signal: AbortSignal): Promise<Layer[]> {
  const found: Layer[] = [];
  let inner = bytes;
  while (found.length < DEEPEST) {
    const format = packing(inner);
    const layer = format ? await inflate(inner, format, signal) : base64(inner);
    if (!layer) break;
    found.push(layer);
    inner = layer.bytes;
  }
  return found;
}

/** JSON Web Tokens in a text: header and payload as they are written, signatures are not checked. */
export function tokens(text: string, most = 20): Token[] {
  const found: Token[] = [];
  for (const [whole, header = "", payload = ""] of text.matchAll(/\b(eyJ[\w-]{5,})\.(eyJ[\w-]{2,})\.([\w-]*)/g)) {
    const decoded = [header, payload].map(fromBase64);
    if (decoded.some((part) => !part || !isText(part))) continue;
    const [first, second] = decoded.map((part) => new TextDecoder().decode(part!));
    found.push({ header: first!, payload: second!, text: whole });
    if (found.length === most) break;
  }
  return found;
}
