// What is downloaded: each part as it lies there and as a host sends it.
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const built = fileURLToPath(new URL("../../target/www/", import.meta.url));
const read = (path) => readFileSync(join(built, path));

/** The styles and scripts that a document loads before anything is shown, by what its tags and static imports name. */
function shell(document) {
  const html = read(document).toString();
  const found = new Set([...html.matchAll(/(?:src|href)="(assets\/[^"]+)"/g)].map(([, path]) => path));
  for (const path of found) {
    if (!path.endsWith(".js")) continue;
    for (const [, name] of read(path).toString().matchAll(/(?:\bfrom|\bimport)\s*"\.\/([^"/]+\.js)"/g)) found.add(`assets/${name}`);
  }
  return [...found].map(read);
}

/** `[{ name, raw, gzip, brotli }]` in bytes; files are packed one by one, with brotli at `quality`. */
export function downloads(peer, quality) {
  const brotli = (file) => brotliCompressSync(file, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } }).length;
  const engine = (names) => names.map((name) => read(`assets/engine/${name}`));
  const parts = [
    ["index.html", shell("index.html")],
    ["open.html", shell("open.html")],
    ["the engine's module", engine(["reqlog_bg.wasm"])],
    ["the engine's scripts", engine(["index.js", "engine.worker.js", "indexer.worker.js"])],
    ...peer.map((path) => [`DuckDB-Wasm's ${basename(path)}`, [readFileSync(path)]]),
  ];
  const sum = (files, size) => files.reduce((sum, file) => sum + size(file), 0);
  return parts.map(([name, files]) => ({
    name,
    raw: sum(files, (file) => file.length),
    gzip: sum(files, (file) => gzipSync(file, { level: 9 }).length),
    brotli: sum(files, brotli),
  }));
}
