// The built Worker as Miniflare takes it, with the bindings of wrangler.jsonc.
import { readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { Miniflare } from "miniflare";

export const directory = fileURLToPath(new URL("../../target/worker/", import.meta.url));
export const config = fileURLToPath(new URL("../wrangler.jsonc", import.meta.url));

const KINDS = { ".mjs": "ESModule", ".js": "ESModule", ".wasm": "CompiledWasm" };

/** Every file that is uploaded, by its path below target/worker. */
export function uploaded() {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => relative(directory, join(file.parentPath ?? file.path, file.name)))
    .sort();
}

function modules() {
  return uploaded().map((path) => ({
    type: KINDS[/\.\w+$/.exec(path)[0]],
    path: join(directory, path),
    contents: readFileSync(join(directory, path)),
  }));
}

/** Starts workerd with the Worker; `first` is put before the entry as its own entry. */
export function start({ first, ...options } = {}) {
  const all = modules();
  const entry = all.findIndex((module) => module.path.endsWith("entry.mjs"));
  const [main] = all.splice(entry, 1);
  all.unshift(main);
  if (first) all.unshift({ type: "ESModule", path: join(directory, "first.mjs"), contents: first });
  return new Miniflare({
    modules: all,
    modulesRoot: directory,
    compatibilityDate: setting("compatibility_date"),
    cf: false,
    d1Databases: ["DB"],
    kvNamespaces: ["SEGMENTS"],
    durableObjects: {
      COMMITTER: { className: "Committer", useSQLite: true },
      COMPACTOR: { className: "Compactor", useSQLite: true },
    },
    ...options,
  });
}

/** A text setting of wrangler.jsonc. */
export function setting(name) {
  return new RegExp(`"${name}": "([^"]*)"`).exec(readFileSync(config, "utf8"))[1];
}
