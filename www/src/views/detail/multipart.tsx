// The parts of a form with files.
import { useMemo } from "preact/hooks";
import { download } from "../../lib/clipboard";
import { essence, isText, mediaOf } from "../../lib/media";
import { parts, type Part } from "../../lib/multipart";
import { bytes as sized } from "../../lib/format";
import { Image } from "./image";
import { copyAndTell } from "./notice";
import { Value } from "./value";

export function Multipart({ bytes, contentType }: { bytes: Uint8Array<ArrayBuffer>; contentType: string }) {
  const found = useMemo(() => parts(bytes, contentType), [bytes, contentType]);
  if (!found) return <p class="detail-warning">The parts cannot be told apart: the boundary is missing.</p>;
  return (
    <div class="detail-scroll">
      <table class="pairs">
        <caption class="visually-hidden">Parts</caption>
        <thead class="visually-hidden"><tr><th scope="col">Name</th><th scope="col">Content</th><th scope="col">Actions</th></tr></thead>
        <tbody>{found.map((part, index) => <PartRow key={index} part={part} />)}</tbody>
      </table>
    </div>
  );
}

function PartRow({ part }: { part: Part }) {
  const { bytes } = part;
  const isShown = isText(bytes);
  const text = useMemo(() => (isShown ? new TextDecoder().decode(bytes) : ""), [bytes]);
  const isImage = mediaOf(part.contentType ?? undefined, bytes) === "image";
  return (
    <tr>
      <th scope="row"><Value text={part.name ?? "(no name)"} /></th>
      <td>
        <div class="quiet">
          {part.filename !== null && <><Value text={part.filename} /> · </>}
          {part.contentType && <><Value text={part.contentType} /> · </>}
          {sized(bytes.length)}{part.isCut && " · cut"}
        </div>
        {isImage ? <Image bytes={bytes} type={essence(part.contentType ?? "")} isWhole={!part.isCut} /> : isShown ? <div class="mono"><Value text={text} /></div> : <em class="quiet">binary</em>}
      </td>
      <td class="pairs-actions">
        {isShown && <button type="button" class="button plain" aria-label={`Copy ${part.name ?? "part"}`} onClick={() => copyAndTell(part.name ?? "part", text)}>Copy</button>}
        <button type="button" class="button plain" aria-label={`Download ${part.filename ?? part.name ?? "part"}`} onClick={() => download(bytes, part.filename?.replace(/[^\w.-]/g, "_") || "part", "application/octet-stream")}>Download</button>
      </td>
    </tr>
  );
}
