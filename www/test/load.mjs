// Loads TypeScript modules of src for a test, bundled as the build does.
import { build } from "esbuild";
import { fileURLToPath } from "node:url";

const src = fileURLToPath(new URL("../src", import.meta.url));

/** `load("lib/format.ts")`: what the module exports. */
export const load = async (path) => (await loadTogether(path))[0];

/** What several modules export that share their state: one instance of all that they import. */
export async function loadTogether(...paths) {
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
  // the count keeps two loads apart that are of the same modules
  const module = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}#${(loads += 1)}`);
  return paths.map((_, at) => module[`module${at}`]);
}

let loads = 0;
