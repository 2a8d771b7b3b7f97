// Builds the npm package into target/wasm: cargo, wasm-bindgen, wasm-opt, TypeScript, esbuild. Does all but the first only if
// one of them would change something. Needs no network once crates and packages are there.
//
// With `--dev`, the module is neither optimised by the linker nor by wasm-opt: half a minute instead of several.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const dev = process.argv.includes("--dev");
const root = fileURLToPath(new URL("..", import.meta.url));
const out = join(root, "target/wasm");
const stage = join(root, "target/wasm.stage");
// where TypeScript finds the bindings of the module
const bound = join(root, "target/wasm.bindgen");
const types = join(root, "target/wasm.types");
const cargo = process.env.CARGO ?? "cargo";
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const compiled = join(root, `target/wasm32-unknown-unknown/${dev ? "debug" : "browser"}/reqlog_wasm.wasm`);

// what rustc and wasm-bindgen use; wasm-opt does not know all of it by the module's own section
const FEATURES = [
  "simd", "bulk-memory", "bulk-memory-opt", "call-indirect-overlong", "multivalue", "mutable-globals", "nontrapping-float-to-int",
  "reference-types", "sign-ext",
].map((feature) => `--enable-${feature}`);

// Offsets below 1 KiB go into loads and stores: nothing but an overflowing stack reaches the first KiB, and a sum of both that
// wraps around is no address of ours. What is called once is inlined by rustc where it pays; done again here, it compresses
// worse. By name, the copies of a generic function stand side by side, and compress.
const OPTIMISED = ["--low-memory-unused", "-ocimfs", "0", "-O3", "--reorder-functions-by-name"];

function run(command, args, cwd = root) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: "inherit" });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

// a panic's message names files of crates as on crates.io, not where this machine keeps them
const crates = join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "registry/src");
const flags = ["-Ctarget-feature=+simd128", ...(dev ? [] : [`--remap-path-prefix=${crates}=crates`])];

run(cargo, [
  "build", "--quiet", "--package", "reqlog-wasm", "--profile", dev ? "dev" : "browser", "--target", "wasm32-unknown-unknown",
  "--config", `target.wasm32-unknown-unknown.rustflags=${JSON.stringify(flags)}`,
]);

const sources = readdirSync(here("js")).sort().map((name) => here(`js/${name}`));
const inputs = createHash("sha256");
for (const input of [compiled, ...sources, here("package-lock.json"), here("build.mjs")]) inputs.update(readFileSync(input));
const stamp = inputs.digest("hex");
const stampFile = join(root, "target/wasm.stamp");

if (!existsSync(out) || !existsSync(stampFile) || readFileSync(stampFile, "utf8") !== stamp) {
  if (!existsSync(here("node_modules/esbuild"))) {
    console.error("wasm/node_modules is missing or incomplete: run npm ci in wasm/");
    process.exit(1);
  }
  for (const directory of [bound, types, stage]) rmSync(directory, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  run(cargo, [
    "run", "--quiet", "--package", "reqlog-bindgen", "--", compiled, "--out-dir", bound, "--out-name", "reqlog", "--target", "web",
    "--omit-default-module-path", "--experimental-reset-state-function",
  ]);
  const wasm = join(stage, "reqlog_bg.wasm");
  if (dev) copyFileSync(join(bound, "reqlog_bg.wasm"), wasm);
  else {
    run(process.execPath, [
      here("node_modules/binaryen/bin/wasm-opt"), ...OPTIMISED, ...FEATURES, "--strip-producers", "--strip-target-features",
      join(bound, "reqlog_bg.wasm"), "--output", wasm,
    ]);
  }
  run(process.execPath, [here("node_modules/typescript/bin/tsc"), "--project", here("js")]);
  const { build } = await import("esbuild");
  await build({
    // each whole in itself, so that it can be copied beside a bundle
    entryPoints: ["index", "node", "engine.worker", "indexer.worker"].map((name) => here(`js/${name}.ts`)),
    outdir: stage,
    bundle: true,
    format: "esm",
    target: "es2022",
    external: ["node:*"],
    minifySyntax: true,
    minifyWhitespace: true,
    logLevel: "warning",
    plugins: [{
      name: "bindings",
      setup: (build) => build.onResolve({ filter: /^\.\/reqlog\.js$/ }, () => ({ path: join(bound, "reqlog.js") })),
    }],
  });
  for (const file of ["package.json", "README.md"]) copyFileSync(here(`js/${file}`), join(stage, file));
  for (const file of ["reqlog.js", "reqlog.d.ts"]) copyFileSync(join(bound, file), join(stage, file));
  for (const file of ["index.d.ts", "api.d.ts", "query.d.ts", "module.d.ts"]) copyFileSync(join(types, file), join(stage, file));
  copyFileSync(join(root, "LICENSE"), join(stage, "LICENSE"));
  rmSync(out, { recursive: true, force: true });
  renameSync(stage, out);
  writeFileSync(stampFile, stamp);
}

const module = readFileSync(join(out, "reqlog_bg.wasm"));
const kb = (bytes) => `${Math.round(bytes.length / 1000)} KB`;
// the best that brotli does takes long, and a module for development is not sent anywhere
const brotli = () => brotliCompressSync(module, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: module.length } });
const small = dev ? "" : `, ${kb(gzipSync(module, { level: 9 }))} gzip, ${kb(brotli())} brotli`;
console.log(`target/wasm: module ${kb(module)}${small}`);
