// What is packed in a body: layer by layer, tokens by their parts.
import { useMemo } from "preact/hooks";
import { parseJson } from "../../lib/json-tree";
import { layers, tokens, type Layer, type Token } from "../../lib/layers";
import { isText } from "../../lib/media";
import { bytes } from "../../lib/format";
import { Hex } from "./hex";
import { Json } from "./json";
import { useLoaded } from "./loading";
import { Text } from "./text";

export interface Found {
  layers: Layer[];
  tokens: Token[];
}

// tokens stand near the beginning
const SEARCHED = 1 << 20;

/** What is packed in the body; null where nothing is. */
export function useLayers(body: Uint8Array<ArrayBuffer>, text: string | null): Found | null {
  const inner = useLoaded((signal) => layers(body, signal), [body]);
  const inText = useMemo(() => (text === null ? [] : tokens(text.slice(0, SEARCHED))), [text]);
  return useMemo(() => {
    const found = { layers: inner.value ?? [], tokens: inText };
    return found.layers.length > 0 || found.tokens.length > 0 ? found : null;
  }, [inner.value, inText]);
}

export function Decoded({ found }: { found: Found }) {
  const last = found.layers.at(-1);
  return (
    <div class="detail-scroll">
      {last && (
        <section>
          <h3>{found.layers.map(({ name }) => name).join(" → ")} <span class="quiet">{bytes(last.bytes.length)}</span></h3>
          {last.isCut && <p class="detail-warning">Not all of it could be unpacked: it is broken, cut or too long.</p>}
          <Inner layer={last} />
        </section>
      )}
      {found.tokens.map((token, index) => (
        <section key={index}>
          <h3>JSON Web Token {found.tokens.length > 1 && index + 1}</h3>
          <p class="detail-hint">The signature is not checked.</p>
          <h4>Header</h4>
          <Short text={token.header} label={`Header of token ${index + 1}`} />
          <h4>Payload</h4>
          <Short text={token.payload} label={`Payload of token ${index + 1}`} />
        </section>
      ))}
    </div>
  );
}

function Inner({ layer }: { layer: Layer }) {
  const text = useMemo(() => (isText(layer.bytes) ? new TextDecoder().decode(layer.bytes) : null), [layer]);
  if (text === null) return <Hex size={layer.bytes.length} read={async (from, to) => layer.bytes.subarray(from, to)} label="Decoded bytes" />;
  return <Short text={text} label="Decoded body" />;
}

function Short({ text, label }: { text: string; label: string }) {
  const tree = useMemo(() => (/^\s*[{[]/.test(text) ? parseJson(text) : null), [text]);
  return tree && !tree.fault ? <Json tree={tree} label={label} isInline /> : <Text text={text} label={label} />;
}
