// Builds the Worker into target/worker: cargo, wasm-bindgen, wasm-opt, the entry beside them. Does the last three only if
// one of them would change something. Needs no network once crates and packages are there.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFileSync, copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const root = fileURLToPath(new URL("..", import.meta.url));
const out = join(root, "target/worker");
const stage = join(root, "target/worker.stage");
const cargo = process.env.CARGO ?? "cargo";
const wasmOpt = fileURLToPath(new URL("node_modules/binaryen/bin/wasm-opt", import.meta.url));
const compiled = join(root, "target/wasm32-unknown-unknown/edge/reqlog_worker.wasm");
const entry = fileURLToPath(new URL("js/entry.mjs", import.meta.url));
const packages = fileURLToPath(new URL("package-lock.json", import.meta.url));

// what rustc and wasm-bindgen use; wasm-opt does not know all of it by the module's own section
const FEATURES = [
  "simd", "bulk-memory", "bulk-memory-opt", "call-indirect-overlong", "exception-handling", "multivalue", "mutable-globals",
  "nontrapping-float-to-int", "reference-types", "sign-ext",
].map((feature) => `--enable-${feature}`);

// gzip sees 32 KB back: by name, the copies of a generic function stand side by side, and compress
const SMALL = ["-Oz", "--reorder-functions-by-name"];

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

function files(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath ?? file.path, file.name));
}

// a panic's message names files of crates as on crates.io, not where this machine keeps them
const crates = join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "registry/src");
const flags = ["-Ctarget-feature=+simd128", `--remap-path-prefix=${crates}=crates`];

run(cargo, [
  "build", "--quiet", "--package", "reqlog-worker", "--profile", "edge", "--target", "wasm32-unknown-unknown",
  "--config", `target.wasm32-unknown-unknown.rustflags=${JSON.stringify(flags)}`,
]);

const inputs = createHash("sha256");
for (const input of [compiled, entry, packages, fileURLToPath(import.meta.url)]) inputs.update(readFileSync(input));
const stamp = inputs.digest("hex");
const stampFile = join(root, "target/worker.stamp");

if (!existsSync(out) || !existsSync(stampFile) || readFileSync(stampFile, "utf8") !== stamp) {
  if (!existsSync(wasmOpt)) {
    console.error("worker/node_modules is missing or incomplete: run npm ci in worker/");
    process.exit(1);
  }
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  run(cargo, [
    "run", "--quiet", "--package", "reqlog-bindgen", "--", compiled, "--out-dir", stage, "--target", "module", "--no-typescript",
    "--experimental-reset-state-function",
  ]);
  // the source of every stream from Rust, which the bindings keep to themselves and the entry guards
  appendFileSync(join(stage, "reqlog_worker.js"), "export { IntoUnderlyingSource };\n");
  const wasm = join(stage, "reqlog_worker_bg.wasm");
  run(process.execPath, [wasmOpt, ...SMALL, ...FEATURES, "--strip-producers", "--strip-target-features", wasm, "--output", wasm]);
  copyFileSync(entry, join(stage, "entry.mjs"));
  rmSync(out, { recursive: true, force: true });
  renameSync(stage, out);
  writeFileSync(stampFile, stamp);
}

// what wrangler.jsonc names as the web UI; without one, the Worker says at / how to build it
mkdirSync(join(root, "target/www"), { recursive: true });

const parts = files(out).map((file) => readFileSync(file));
const raw = parts.reduce((sum, part) => sum + part.length, 0);
const gzip = parts.reduce((sum, part) => sum + gzipSync(part, { level: 9 }).length, 0);
const kb = (bytes) => `${Math.round(bytes / 1000)} KB`;
console.log(`target/worker: ${kb(raw)}, ${kb(gzip)} gzip`);
