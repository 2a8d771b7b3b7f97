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

/** `[{ name, raw, gzip, brotli }]` in bytes; files are packed one by one, the peer's with brotli at `quality`: they are large. */
export function downloads(peer, quality) {
  const best = constants.BROTLI_MAX_QUALITY;
  const brotli = (file, quality) => brotliCompressSync(file, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } }).length;
  const engine = (names) => names.map((name) => read(`assets/engine/${name}`));
  const parts = [
    ["index.html", shell("index.html"), best],
    ["open.html", shell("open.html"), best],
    ["the engine's module", engine(["reqlog_bg.wasm"]), best],
    ["the engine's scripts", engine(["index.js", "engine.worker.js", "indexer.worker.js"]), best],
    ...peer.map((path) => [`DuckDB-Wasm's ${basename(path)}`, [readFileSync(path)], quality]),
  ];
  const sum = (files, size) => files.reduce((sum, file) => sum + size(file), 0);
  return parts.map(([name, files, quality]) => ({
    name,
    raw: sum(files, (file) => file.length),
    gzip: sum(files, (file) => gzipSync(file, { level: 9 }).length),
    brotli: sum(files, (file) => brotli(file, quality)),
  }));
}
