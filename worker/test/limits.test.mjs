// What is uploaded, held against the platform's limits, and wrangler's own opinion of it.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { compatibilityDate } from "workerd";
import { directory, options, schema, settings, start, uploaded } from "./built.mjs";

const SCRIPT_GZIP_BYTES = 1_000_000; // the budget; the free plan takes 3 MB
const STARTUP_MS = 1_000; // until the modules are evaluated, by wrangler's own profile
const SQL_BYTES = 100_000; // a statement on D1

const folder = fileURLToPath(new URL("..", import.meta.url));
const read = (path) => readFileSync(join(directory, path));
const scripts = uploaded().filter((path) => !path.endsWith(".wasm"));

function wrangler(...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["node_modules/wrangler/bin/wrangler.js", ...args], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, CI: "1", NO_COLOR: "1", WRANGLER_SEND_METRICS: "false" },
  });
  assert.equal(status, 0, stdout + stderr);
  assert.doesNotMatch(stdout + stderr, /\[WARNING\]/);
  return stdout;
}

function scratch(t) {
  const path = mkdtempSync(join(tmpdir(), "reqlog-worker-"));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

test("the script is within 1 MB of gzip", (t) => {
  const sizes = uploaded().map((path) => ({ path, raw: read(path).length, gzip: gzipSync(read(path)).length }));
  for (const { path, raw, gzip } of sizes) t.diagnostic(`${path}: ${raw} bytes, ${gzip} gzip`);
  const sum = sizes.reduce((total, { gzip }) => total + gzip, 0);
  t.diagnostic(`together ${sum} gzip`);
  assert.ok(sum <= SCRIPT_GZIP_BYTES, `${sum} bytes`);
});

test("nothing is imported from outside of the upload but the runtime", () => {
  const imports = /^\s*(?:import|export)\s[^;]*?from\s*["']([^"']+)["']|^\s*import\s*["']([^"']+)["']/gm;
  const dynamic = /\bimport\s*\(|\brequire\s*\(|\beval\s*\(|\bnew Function\b/;
  for (const path of scripts) {
    const text = read(path).toString();
    assert.doesNotMatch(text.replace(/^\s*\/\/.*$/gm, ""), dynamic, path);
    for (const [, from, bare] of text.matchAll(imports)) {
      const name = from ?? bare;
      if (name === "cloudflare:workers") continue;
      assert.match(name, /^\.\//, `${path} imports ${name}`);
      assert.ok(uploaded().includes(posix.join(posix.dirname(path), name)), `${path} imports ${name}`);
    }
  }
});

test("the module of WebAssembly imports its own JavaScript only", () => {
  const [path] = uploaded().filter((file) => file.endsWith(".wasm"));
  const from = new Set(WebAssembly.Module.imports(new WebAssembly.Module(read(path))).map(({ module }) => module));
  assert.deepEqual([...from], ["./reqlog_worker_bg.js"]);
});

test("every class of wrangler.jsonc is exported and has a migration that gives it SQLite", () => {
  const entry = read("entry.mjs").toString();
  const classes = settings.durable_objects.bindings.map(({ class_name }) => class_name);
  for (const name of classes) assert.match(entry, new RegExp(`^export const ${name} = `, "m"));
  assert.deepEqual(settings.migrations.flatMap(({ new_sqlite_classes }) => new_sqlite_classes).sort(), classes.sort());
});

test("the compatibility date is not later than the pinned workerd's", () => {
  assert.ok(settings.compatibility_date <= compatibilityDate, compatibilityDate);
});

test("the lock file names no registry but the public one", () => {
  const { packages } = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8"));
  for (const [path, { resolved, integrity }] of Object.entries(packages)) {
    if (path === "") continue;
    assert.match(integrity, /^sha512-/, path);
    if (resolved) assert.match(resolved, /^https:\/\/registry\.npmjs\.org\//, path);
  }
});

test("it starts within the limit", async (t) => {
  const outfile = join(scratch(t), "startup.cpuprofile");
  wrangler("check", "startup", "--outfile", outfile);
  const { startTime, endTime } = JSON.parse(readFileSync(outfile, "utf8"));
  const evaluation = (endTime - startTime) / 1_000;

  // a new process over the same stores, to the end of its first request
  const host = await start();
  t.after(() => host.dispose());
  const begin = performance.now();
  await host.setOptions(options());
  const answer = await host.dispatchFetch("http://reqlog/healthz");
  await answer.arrayBuffer();
  const restart = performance.now() - begin;
  assert.equal(answer.status, 200);

  t.diagnostic(`the modules are evaluated in ${evaluation.toFixed(0)} ms, workerd restarts and answers in ${restart.toFixed(0)} ms`);
  assert.ok(evaluation <= STARTUP_MS, `${evaluation} ms`);
});

test("wrangler accepts the script and its settings", (t) => {
  const out = wrangler("deploy", "--dry-run", "--outdir", scratch(t));
  for (const { binding } of [...settings.d1_databases, ...settings.kv_namespaces]) assert.match(out, new RegExp(`env\\.${binding} `));
  for (const { name, class_name } of settings.durable_objects.bindings) assert.match(out, new RegExp(`env\\.${name} \\(${class_name}\\)`));
  for (const path of uploaded().filter((file) => file !== "entry.mjs")) assert.ok(out.includes(path), `${path} is uploaded`);
});

test("the migrations apply once, and each is within a statement's limit", (t) => {
  const to = scratch(t);
  assert.match(wrangler("d1", "migrations", "apply", "DB", "--local", "--persist-to", to), /0001_catalog\.sql\s*│ ✅/);
  assert.match(wrangler("d1", "migrations", "apply", "DB", "--local", "--persist-to", to), /No migrations to apply/);
  for (const sql of schema) assert.ok(sql.length <= SQL_BYTES);
});
