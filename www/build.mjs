// Builds the UI into target/www: the two documents, their scripts and styles, the service worker, the engine's files.
// `--dev` leaves names readable, keeps source maps and has no service worker. Needs `npm ci` here and the engine in
// target/wasm (`make wasm`).
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { describe } from "./assets.mjs";
import { png } from "./icons.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "..");
const out = join(root, "target/www");
const stage = join(root, "target/www.stage");
const engine = join(root, "target/wasm");
const dev = process.argv.includes("--dev");

rmSync(stage, { recursive: true, force: true });
mkdirSync(join(stage, "assets"), { recursive: true });

const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: { server: "src/server.tsx", file: "src/file.tsx" },
  outdir: join(stage, "assets"),
  entryNames: "[name]-[hash]",
  chunkNames: "chunk-[hash]",
  assetNames: "[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  target: ["es2022", "chrome111", "firefox115", "safari16.4"],
  jsx: "automatic",
  jsxImportSource: "preact",
  minify: !dev,
  sourcemap: dev ? "linked" : false,
  metafile: true,
  // the engine brings its own workers and module, which stand beside the scripts under their own names
  external: ["./engine/*"],
  define: { "process.env.NODE_ENV": dev ? '"development"' : '"production"' },
  logLevel: "warning",
});

const outputs = Object.entries(metafile.outputs);
const styles = new Map();
/** Both documents have the same views, so mostly the same styles: those are one file. */
const style = (bundle) => {
  const text = readFileSync(join(stage, "assets", bundle), "utf8");
  if (styles.has(text)) rmSync(join(stage, "assets", bundle));
  else styles.set(text, bundle);
  return styles.get(text);
};
/** What is loaded before anything is shown. */
const shell = new Map();
for (const [document, entry] of [["index.html", "src/server.tsx"], ["open.html", "src/file.tsx"]]) {
  const [script, { cssBundle }] = outputs.find(([name, output]) => output.entryPoint === entry && name.endsWith(".js"));
  const sheet = style(basename(cssBundle));
  const html = readFileSync(join(here, "src", document), "utf8")
    .replace("%script%", `assets/${basename(script)}`)
    .replace("%style%", `assets/${sheet}`);
  writeFileSync(join(stage, document), html);
  const first = new Set([script]);
  for (const name of first) {
    for (const { kind, path, external } of metafile.outputs[name].imports) if (kind === "import-statement" && !external) first.add(path);
  }
  shell.set(document, [...first].map((name) => basename(name)).concat(sheet));
}
// of the engine's package what a browser loads: not its types, nor what Node does
const loaded = (file) => statSync(file).isDirectory() || (/\.(js|wasm)$/.test(file) && basename(file) !== "node.js");
if (existsSync(engine)) cpSync(engine, join(stage, "assets/engine"), { recursive: true, filter: loaded });
else console.warn("target/wasm is not there: files cannot be opened");
cpSync(join(here, "src/static"), stage, { recursive: true });
const icon = readFileSync(join(stage, "icon.svg"), "utf8");
for (const size of [192, 512]) writeFileSync(join(stage, `icon-${size}.png`), png(icon, size));
// platforms cut this one to their own shape
writeFileSync(join(stage, "icon-maskable.png"), png(icon.replace('rx="14"', 'rx="0"'), 512));

if (!dev) {
  const files = readdirSync(stage, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => relative(stage, join(file.parentPath ?? file.path, file.name)).split(sep).join("/"))
    .sort();
  const digest = createHash("sha256");
  for (const file of files) digest.update(`${file}\n`).update(readFileSync(join(stage, file)));
  await build({
    absWorkingDir: here,
    entryPoints: { sw: "src/sw.ts" },
    outdir: stage,
    bundle: true,
    format: "iife",
    target: ["es2022"],
    minify: true,
    define: { FILES: JSON.stringify(files), VERSION: JSON.stringify(digest.digest("base64url").slice(0, 16)) },
    logLevel: "warning",
  });
  describe(stage);
}

rmSync(out, { recursive: true, force: true });
renameSync(stage, out);
for (const [document, files] of shell) {
  const gzip = files.reduce((sum, name) => sum + gzipSync(readFileSync(join(out, "assets", name)), { level: 9 }).length, 0);
  console.log(`target/www/${document}: ${Math.round(gzip / 1000)} KB gzip`);
}
