// Bundles a module of src for Node: `const { toggle } = await load("lib/terms.ts")`.
import { build } from "esbuild";
import { fileURLToPath } from "node:url";

export async function load(path) {
  const { outputFiles } = await build({
    absWorkingDir: fileURLToPath(new URL("..", import.meta.url)),
    entryPoints: [`src/${path}`],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    loader: { ".css": "empty" },
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}
