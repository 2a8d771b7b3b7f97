// Files that are read and have no rows yet.
import type { Growth } from "../../backend/backend";
import { bytes } from "../../lib/format";

export function Progressing({ name, growth, cancel }: { name: string; growth: Growth | null; cancel: () => void }) {
  const files = growth && growth.files.length > 1 ? growth.files : [];
  return (
    <section class="start-card" aria-label="Opening">
      <h1>Opening {name}</h1>
      {growth && growth.size > 0 ? <progress class="start-progress" value={growth.bytes} max={growth.size} aria-label="Read" /> : <progress class="start-progress" aria-label="Read" />}
      <p role="status">{growth && growth.size > 0 ? `${bytes(growth.bytes)} of ${bytes(growth.size)}` : "Beginning…"}</p>
      {files.length > 0 && (
        <ul class="start-files">
          {files.map((file) => <li key={file.name}><span>{file.name}</span><span class="quiet">{file.error ? file.error.message : bytes(file.size)}</span></li>)}
        </ul>
      )}
      <button type="button" class="button" onClick={cancel}>Cancel</button>
    </section>
  );
}
