// Loads TypeScript modules of src for a test, bundled as the build does.
import { build } from "esbuild";
import { fileURLToPath } from "node:url";

const src = fileURLToPath(new URL("../src", import.meta.url));

/** `load("lib/format.ts")`: what the module exports. */
export const load = async (path) => (await loadTogether(path))[0];

/** What several modules export that share their state: one instance of all that they import, a new one each time. */
export async function loadTogether(...paths) {
  const key = paths.join();
  if (!bundles.has(key)) bundles.set(key, bundle(paths));
  // the count keeps two instances of the same text apart
  const module = await import(`data:text/javascript;base64,${await bundles.get(key)}#${(loads += 1)}`);
  return paths.map((_, at) => module[`module${at}`]);
}

const bundles = new Map();
let loads = 0;

async function bundle(paths) {
  const contents = paths.map((path, at) => `export * as module${at} from "./${path}";`).join("\n");
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: src, loader: "ts" },
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    jsx: "automatic",
    jsxImportSource: "preact",
    loader: { ".css": "empty" },
    logLevel: "warning",
  });
  return Buffer.from(outputFiles[0].contents).toString("base64");
}
