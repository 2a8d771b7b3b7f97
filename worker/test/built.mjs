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

function module(path, contents) {
  return { type: KINDS[/\.\w+$/.exec(path)[0]], path: join(directory, path), contents };
}

// the first of them is the entry
function modules(before) {
  const paths = uploaded().sort((a, b) => (b === "entry.mjs") - (a === "entry.mjs"));
  const built = paths.map((path) => module(path, readFileSync(join(directory, path))));
  return [...before.map(({ path, contents }) => module(path, contents)), ...built];
}

/** What Miniflare takes; the first of `before`, modules `{path, contents}` relative to target/worker, is the entry instead of the Worker's. */
export function options(more = {}, before = []) {
  return {
    modules: modules(before),
    modulesRoot: directory,
    compatibilityDate: setting("compatibility_date"),
    cf: false,
    d1Databases: ["DB"],
    kvNamespaces: ["SEGMENTS"],
    durableObjects: {
      COMMITTER: { className: "Committer", useSQLite: true },
      COMPACTOR: { className: "Compactor", useSQLite: true },
    },
    ...more,
  };
}

/** Starts workerd with the Worker; `first` is put before the entry as its own entry. */
export function start({ first, ...more } = {}) {
  return new Miniflare(options(more, first ? [{ path: "first.mjs", contents: first }] : []));
}

/** A text setting of wrangler.jsonc. */
export function setting(name) {
  return new RegExp(`"${name}": "([^"]*)"`).exec(readFileSync(config, "utf8"))[1];
}
