// Builds the UI into target/www: the two documents, their scripts and styles, the service worker, the engine's files.
// `--dev` leaves names readable and keeps source maps. Needs `npm ci` here and the engine in target/wasm (`make wasm`).
import { build } from "esbuild";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

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
const named = (entry, extension) => {
  const found = outputs.find(([name, output]) => output.entryPoint === entry && name.endsWith(".js"));
  if (extension === "js") return basename(found[0]);
  return found[1].cssBundle && basename(found[1].cssBundle);
};
for (const [document, entry] of [["index.html", "src/server.tsx"], ["open.html", "src/file.tsx"]]) {
  const html = readFileSync(join(here, "src", document), "utf8")
    .replace("%script%", `assets/${named(entry, "js")}`)
    .replace("%style%", `assets/${named(entry, "css")}`);
  writeFileSync(join(stage, document), html);
}
if (existsSync(engine)) cpSync(engine, join(stage, "assets/engine"), { recursive: true });
if (existsSync(join(here, "src/static"))) cpSync(join(here, "src/static"), stage, { recursive: true });

rmSync(out, { recursive: true, force: true });
renameSync(stage, out);
const shell = outputs.filter(([name]) => /\.(js|css)$/.test(name));
const gzip = shell.reduce((sum, [name]) => sum + gzipSync(readFileSync(join(out, "assets", basename(name))), { level: 9 }).length, 0);
console.log(`target/www: shell ${Math.round(gzip / 1000)} KB gzip`);
