// One body: how much of it there is, and the views that fit what it is.
import { useMemo, useRef, useState } from "preact/hooks";
import type { Body as Described, LogRecord } from "../../lib/api";
import { bodyHead, bodyRange, type Side } from "../../lib/body-range";
import { download } from "../../lib/clipboard";
import { indented, parseLong, type JsonTree } from "../../lib/json-tree";
import { decoderFor, essence, isText, mediaOf, type Media } from "../../lib/media";
import { isRedacted } from "../../lib/redacted";
import { bytes } from "../../lib/format";
import { backend } from "../../state/question";
import { Decoded, useLayers } from "./decoded";
import { Hex } from "./hex";
import { Image } from "./image";
import { Json } from "./json";
import { useLoaded } from "./loading";
import { copyAndTell, tell } from "./notice";
import { Multipart } from "./multipart";
import { Form } from "./parameters";
import { Text } from "./text";

type View = "tree" | "pretty" | "raw" | "form" | "parts" | "image" | "decoded" | "hex";

const TITLES: Record<View, string> = { tree: "JSON", pretty: "Pretty", raw: "Raw", form: "Form", parts: "Parts", image: "Image", decoded: "Decoded", hex: "Hex" };

// what is fetched at once; the rest when asked for
const PORTION = 4 << 20;
// formatted at once
const PRETTY = 1 << 20;

const REASONS: Record<string, string> = {
  cap: "Longer than the capture limit: the rest was not kept.",
  undecodable: "Its content encoding could not be decoded, so nothing was kept.",
  too_large: "It decoded to more than the limit, so nothing was kept.",
  not_captured: "The source did not hand it over.",
};

function viewsOf(media: Media, text: string | null, hasLayers: boolean): View[] {
  const views: View[] = [];
  if (media === "json") views.push("tree", "pretty");
  if (media === "lines") views.push("tree");
  if (media === "form") views.push("form");
  if (media === "multipart") views.push("parts");
  if (media === "image" || media === "svg") views.push("image");
  if (hasLayers) views.push("decoded");
  if (text !== null) views.push("raw");
  return [...views, "hex"];
}

export function Body({ record, side, body }: { record: LogRecord; side: Side; body: Described }) {
  const from = backend.value;
  const [most, setMost] = useState(PORTION);
  const [arrived, setArrived] = useState(0);
  // what is there is not fetched again for more of it
  const had = useRef<Uint8Array<ArrayBuffer> | undefined>(undefined);
  const load = from && body.captured > 0 ? async (signal: AbortSignal) => (had.current = await bodyHead(from, record.id, side, body, most, signal, had.current, setArrived)) : null;
  const loaded = useLoaded(load, [from, record.id, side, most]);
  return (
    <div class="body" aria-busy={loaded.pending}>
      <Facts record={record} side={side} body={body} />
      {body.truncated && <p class="detail-warning">{REASONS[body.reason ?? ""] ?? "Not all of it was kept."}{body.captured > 0 && ` ${bytes(body.captured)} were kept.`}</p>}
      {loaded.error && <p class="detail-error" role="alert">{loaded.error.message}</p>}
      {body.captured === 0 && !body.truncated && <p class="detail-hint">The body is empty.</p>}
      {loaded.pending && !loaded.value && <progress class="body-progress" max={Math.min(body.captured, most)} value={arrived} aria-label="Loading the body" />}
      {loaded.value && <Views key={`${record.id}${side}`} record={record} side={side} body={body} head={loaded.value} />}
      {loaded.value && loaded.value.length < body.captured && (loaded.pending || loaded.value.length >= most) && (
        <p class="detail-hint">
          The first {bytes(loaded.value.length)} of {bytes(body.captured)} are shown; Hex shows all.{" "}
          <button type="button" class="button" disabled={loaded.pending} onClick={() => setMost(most * 4)}>{loaded.pending ? "Loading…" : `Load ${bytes(Math.min(body.captured, most * 4))}`}</button>
        </p>
      )}
    </div>
  );
}

function Facts({ record, side, body }: { record: LogRecord; side: Side; body: Described }) {
  const save = () => {
    const from = backend.value;
    if (!from) return;
    const name = record.path?.split("/").at(-1)?.replace(/[^\w.-]/g, "_") || "body";
    tell("Loading the body…");
    bodyHead(from, record.id, side, body, Number.MAX_SAFE_INTEGER, new AbortController().signal).then(
      // a type of its own would be run by whoever opens the file from the list of downloads
      (all) => {
        download(all, `${record.id}-${side}-${name}`, "application/octet-stream");
        tell(`Saved ${bytes(all.length)}`);
      },
      (error: unknown) => tell(`Could not save the body: ${error instanceof Error ? error.message : String(error)}`, true),
    );
  };
  return (
    <div class="body-facts">
      <span>{body.content_type ?? "No content type"}</span>
      <span title={`${body.size} bytes sent`}>{bytes(body.size)}</span>
      {body.captured !== body.size && <span title={`${body.captured} bytes kept, decoded`}>{bytes(body.captured)} kept</span>}
      {body.captured > 0 && <button type="button" class="button plain" onClick={save}>Download</button>}
    </div>
  );
}

/** The text that bytes are, null where they are none. */
function textOf(head: Uint8Array, contentType: string | undefined, media: Media): string | null {
  if (media === "image" || (media === "binary" && !isText(head))) return null;
  return decoderFor(contentType, head).decode(head);
}

/** JSON values, one a line, as one array. */
const listed = (text: string): string => `[${text.split(/\r?\n/).filter((line) => line.trim() !== "").join(",\n")}]`;

interface ViewsProps {
  record: LogRecord;
  side: Side;
  body: Described;
  head: Uint8Array<ArrayBuffer>;
}

function Views({ record, side, body, head }: ViewsProps) {
  const contentType = body.content_type;
  const media = mediaOf(contentType, head);
  const text = useMemo(() => textOf(head, contentType, media), [head]);
  const layers = useLayers(head, text);
  const views = viewsOf(media, text, layers !== null);
  const [chosen, choose] = useState<View | null>(null);
  const json = media === "json" ? text : media === "lines" && text !== null ? listed(text) : null;
  const parsed = useLoaded(json === null ? null : (signal) => parseLong(json, signal), [json]);
  // what says that it is JSON and is none is shown as text
  const isBroken = parsed.value !== null && parsed.value.fault !== null && (parsed.value.length === 0 || !parsed.value.isContainer(0));
  const usable = isBroken ? views.filter((view) => view !== "tree" && view !== "pretty") : views;
  const view = chosen !== null && usable.includes(chosen) ? chosen : usable[0]!;
  const label = `${side === "request" ? "Request" : "Response"} body`;
  const from = backend.value;
  return (
    <>
      <div class="body-views" role="group" aria-label="Show as">
        {usable.map((name) => <button key={name} type="button" class="button plain" aria-pressed={name === view} onClick={() => choose(name)}>{TITLES[name]}</button>)}
        {text !== null && isRedacted(text) && <span class="redacted" title="Secrets in it were redacted when it was stored. Equal marks are equal secrets.">redacted</span>}
        {text !== null && <button type="button" class="button plain body-copy" onClick={() => copyAndTell("body", text)}>Copy</button>}
      </div>
      {isBroken && <p class="detail-hint">It is named JSON, but is none: {parsed.value?.fault?.reason} at character {parsed.value?.fault?.at}.</p>}
      {view === "raw" && text?.includes("\ufffd") && !isText(head) && <p class="detail-hint">It is no valid text: bytes that stand for no character are shown as �. Hex shows them.</p>}
      {view === "tree" && (parsed.value ? <Json tree={parsed.value} label={label} {...(media === "json" ? { prefix: side === "request" ? "req.json." : "res.json." } : {})} /> : <p class="detail-hint">Reading…</p>)}
      {view === "pretty" && (parsed.value ? <Pretty tree={parsed.value} label={label} /> : <p class="detail-hint">Reading…</p>)}
      {view === "raw" && text !== null && <Text text={text} label={label} />}
      {view === "form" && text !== null && <Form text={text} />}
      {view === "parts" && <Multipart bytes={head} contentType={contentType ?? ""} />}
      {view === "image" && <Image bytes={head} type={essence(contentType)} isWhole={!body.truncated && head.length === body.captured} />}
      {view === "decoded" && layers && <Decoded found={layers} />}
      {view === "hex" && from && <Hex size={body.captured} read={(start, end, signal) => bodyRange(from, record.id, side, start, end, signal)} label={`${label} in hexadecimal`} />}
    </>
  );
}

function Pretty({ tree, label }: { tree: JsonTree; label: string }) {
  const [most, setMost] = useState(PRETTY);
  const { text, isCut } = useMemo(() => indented(tree, most), [tree, most]);
  return (
    <>
      {tree.fault && <p class="detail-warning">The JSON is not complete; Raw shows it as it is.</p>}
      <Text text={text} label={label}>
        {isCut && <button type="button" class="button plain" onClick={() => setMost(most * 4)}>Only the first {bytes(text.length)} are formatted: format more</button>}
      </Text>
    </>
  );
}
