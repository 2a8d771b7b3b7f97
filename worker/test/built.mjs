// The built Worker as Miniflare takes it, with the bindings of wrangler.jsonc.
import { readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { Miniflare } from "miniflare";

export const directory = fileURLToPath(new URL("../../target/worker/", import.meta.url));

/** wrangler.jsonc, whose comments have lines of their own. */
export const settings = JSON.parse(
  readFileSync(new URL("../wrangler.jsonc", import.meta.url), "utf8").replace(/^\s*\/\/.*$/gm, ""),
);

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

/** Starts workerd with the Worker; `first` takes the place of the entry, with modules `beside` it by their names. */
export function start({ first, beside = {}, ...options } = {}) {
  const all = modules();
  const entry = all.findIndex((module) => module.path.endsWith("entry.mjs"));
  const [main] = all.splice(entry, 1);
  all.unshift(main);
  const module = (name, contents) => ({ type: "ESModule", path: join(directory, name), contents });
  if (first) all.unshift(module("first.mjs", first));
  for (const [name, contents] of Object.entries(beside)) all.push(module(name, contents));
  return new Miniflare({
    modules: all,
    modulesRoot: directory,
    compatibilityDate: settings.compatibility_date,
    cf: false,
    d1Databases: settings.d1_databases.map(({ binding }) => binding),
    kvNamespaces: settings.kv_namespaces.map(({ binding }) => binding),
    durableObjects: Object.fromEntries(
      settings.durable_objects.bindings.map(({ name, class_name }) => [name, { className: class_name, useSQLite: true }]),
    ),
    ...options,
  });
}
