// The built Worker as Miniflare takes it, with the bindings of wrangler.jsonc.
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Miniflare } from 'miniflare';

export const directory = fileURLToPath(new URL('../../target/worker/', import.meta.url));

/** wrangler.jsonc, whose comments have lines of their own. */
export const settings = JSON.parse(
  readFileSync(new URL('../wrangler.jsonc', import.meta.url), 'utf8').replace(/^\s*\/\/.*$/gm, ''),
);

const KINDS = { '.mjs': 'ESModule', '.js': 'ESModule', '.wasm': 'CompiledWasm' };

/** The web UI as Miniflare takes it, from a directory that `www/assets.mjs` has described. */
function assets(from) {
  const { binding, html_handling, not_found_handling, run_worker_first } = settings.assets;
  return {
    directory: from,
    binding,
    assetConfig: { html_handling, not_found_handling },
    routerConfig: { invoke_user_worker_ahead_of_assets: run_worker_first, has_user_worker: true },
  };
}

/** A UI of a few small files, for tests. */
export const stub = fileURLToPath(new URL('../../tests/ui/', import.meta.url));

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

const migrations = fileURLToPath(new URL(`../${settings.d1_databases[0].migrations_dir}/`, import.meta.url));

/** The statements of every migration, in order. */
export const schema = readdirSync(migrations)
  .filter((name) => name.endsWith('.sql'))
  .sort()
  .flatMap((name) => readFileSync(join(migrations, name), 'utf8').replace(/--.*$/gm, '').split(/;\s*$/m))
  .filter((sql) => sql.trim() !== '');

/** What Miniflare is started with; `first` replaces the entry, with modules `beside` it by their names; `ui` is a directory. */
export function options({ first, beside = {}, ui, ...others } = {}) {
  const all = modules();
  const entry = all.findIndex((module) => module.path.endsWith('entry.mjs'));
  all.unshift(...all.splice(entry, 1));
  const module = (name, contents) => ({ type: 'ESModule', path: join(directory, name), contents });
  if (first) all.unshift(module('first.mjs', first));
  for (const [name, contents] of Object.entries(beside)) all.push(module(name, contents));
  return {
    modules: all,
    modulesRoot: directory,
    compatibilityDate: settings.compatibility_date,
    compatibilityFlags: settings.compatibility_flags,
    cf: false,
    d1Databases: settings.d1_databases.map(({ binding }) => binding),
    kvNamespaces: settings.kv_namespaces.map(({ binding }) => binding),
    ...(ui && { assets: assets(ui) }),
    durableObjects: Object.fromEntries(
      settings.durable_objects.bindings.map(({ name, class_name }) => [name, { className: class_name, useSQLite: true }]),
    ),
    ...others,
  };
}

/** workerd with the Worker over an empty, migrated database. */
export async function start(others) {
  const host = new Miniflare(options(others));
  const database = await host.getD1Database(settings.d1_databases[0].binding);
  await database.batch(schema.map((sql) => database.prepare(sql)));
  return host;
}
