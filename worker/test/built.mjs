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

const migrations = fileURLToPath(new URL(`../${settings.d1_databases[0].migrations_dir}/`, import.meta.url));

/** The statements of every migration, in order. */
export const schema = readdirSync(migrations)
  .filter((name) => name.endsWith(".sql"))
  .sort()
  .flatMap((name) => readFileSync(join(migrations, name), "utf8").replace(/--.*$/gm, "").split(/;\s*$/m))
  .map((sql) => sql.trim())
  .filter((sql) => sql !== "");

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

/**
 * What Miniflare takes; the first of `before`, modules `{path, contents}` relative to target/worker, is the entry instead
 * of the Worker's.
 */
export function options(more = {}, before = []) {
  return {
    modules: modules(before),
    modulesRoot: directory,
    compatibilityDate: settings.compatibility_date,
    cf: false,
    d1Databases: settings.d1_databases.map(({ binding }) => binding),
    kvNamespaces: settings.kv_namespaces.map(({ binding }) => binding),
    durableObjects: Object.fromEntries(
      settings.durable_objects.bindings.map(({ name, class_name }) => [name, { className: class_name, useSQLite: true }]),
    ),
    ...more,
  };
}

/** workerd with the Worker over an empty, migrated database. */
export async function start(more, before) {
  const host = new Miniflare(options(more, before));
  const database = await host.getD1Database(settings.d1_databases[0].binding);
  await database.batch(schema.map((sql) => database.prepare(sql)));
  return host;
}
