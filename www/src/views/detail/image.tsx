// A picture: as an image element only, in which nothing of it can run.
import { useEffect, useState } from "preact/hooks";
import { bytes as sized } from "../../lib/format";

interface Props {
  bytes: Uint8Array<ArrayBuffer>;
  type: string;
  isWhole: boolean;
}

export function Image({ bytes, type, isWhole }: Props) {
  const [url, setUrl] = useState<string | null>(null);
  const [size, setSize] = useState<string | null>(null);
  const [isBroken, setBroken] = useState(false);
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([bytes], { type }));
    setUrl(made);
    setBroken(false);
    return () => URL.revokeObjectURL(made);
  }, [bytes, type]);
  return (
    <figure class="image">
      {url && !isBroken && (
        <img
          src={url}
          alt="The body as a picture"
          onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) => setSize(`${naturalWidth} × ${naturalHeight}`)}
          onError={() => setBroken(true)}
        />
      )}
      {isBroken && <p class="detail-warning">{isWhole ? "The browser cannot show it as a picture." : "Not all of the picture was kept, and the browser cannot show what there is."}</p>}
      <figcaption>{[type, size, sized(bytes.length)].filter(Boolean).join(" · ")}</figcaption>
    </figure>
  );
}
