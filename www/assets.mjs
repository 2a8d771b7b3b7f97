// The last step of the build: looks at every file of the directory that is served and writes beside them how.
//
//   import { describe } from "./assets.mjs";
//   describe("target/www");              // or: node www/assets.mjs target/www
//
// writes `assets.json`, which the native server embeds and reads (its shape: core/src/plan/ui.rs), and for Cloudflare
// `_headers`, the same fields in words of the platform, and `.assetsignore`. Static hosts that read `_headers` (Netlify,
// Cloudflare Pages) need no more than the directory.
//
// What a document may load is said once: in its own <meta http-equiv="Content-Security-Policy">, which also holds where a
// host sends no header; what only a header can say (frame-ancestors) is added here. A document without one gets SERVER.
// Throws, and writes nothing, when a file cannot be served so: an unknown type, a policy that is not strict, a path of
// the API, an inline script, a reference to a file that is not there.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { argv } from "node:process";
import { pathToFileURL } from "node:url";

const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".ndjson": "application/x-ndjson",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
};

/** Of a document that says nothing itself: everything is from its own origin, no script is inline. */
const SERVER =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; " +
  "worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'";

/** Of what runs as a worker: no connection but to its own origin. */
const SCRIPT = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'";

/** What a policy has to say, and what it may not. */
const STRICT = { "default-src": ["'none'"], "base-uri": ["'none'"], "form-action": ["'none'"] };
const LOOSE = /'unsafe-inline'|'unsafe-eval'|'unsafe-hashes'|https?:|\*/;

const COMMON = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** By the name of a file the build has put there: `assets/index-3KJ2XQ7A.js`. */
const HASHED = /^assets\/.+[-.](?:[A-Z0-9]{8,}|[a-f0-9]{8,})\.[a-z0-9]+$/;
const INDEX = "index.html";
const OURS = ["assets.json", "_headers", ".assetsignore"];
/** First segments of paths that are not the UI's. */
const TAKEN = /^(?:api|docs|healthz|readyz|metrics|openapi\.json|logs|_logs|v1|v2\.[01]|new|sessions)(?:\/|$)/;

function policy(name, html) {
  const metas = [...html.matchAll(/<meta\s+http-equiv="Content-Security-Policy"\s+content="([^"]*)"\s*\/?>/gi)];
  if (metas.length > 1) throw new Error(`${name} has more than one policy`);
  const said = metas[0]?.[1] ?? SERVER;
  const directives = new Map(said.split(";").map((directive) => directive.trim().split(/\s+/)).map(([key, ...values]) => [key, values]));
  for (const [key, values] of Object.entries(STRICT)) {
    if (directives.get(key)?.join(" ") !== values.join(" ")) throw new Error(`the policy of ${name} has to say ${key} ${values.join(" ")}`);
  }
  const loose = LOOSE.exec(said.replaceAll("'wasm-unsafe-eval'", ""));
  if (loose) throw new Error(`the policy of ${name} may not say ${loose[0]}`);
  if (/<script(?![^>]*\ssrc=)[^>]*>/i.test(html) || /<style[\s>]/i.test(html) || /\s(?:style|on[a-z]+)=/i.test(html)) {
    throw new Error(`${name} has something inline, which its policy forbids`);
  }
  return `${said.trim().replace(/;\s*$/, "")}; frame-ancestors 'none'`;
}

/** Every file that a document names itself is there. */
function refers(name, html, names) {
  for (const [, target] of html.matchAll(/\s(?:src|href)="([^"#?]*)/gi)) {
    if (target === "" || target === "." || /^[a-z]+:/i.test(target)) continue;
    if (target.startsWith("/")) throw new Error(`${name} refers to ${target}: below a base path that is elsewhere`);
    const path = target.replace(/^\.\//, "");
    if (!names.has(path)) throw new Error(`${name} refers to ${path}, which is not there`);
  }
}

function files(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => relative(directory, join(file.parentPath ?? file.path, file.name)).split(sep).join("/"))
    .filter((name) => !OURS.includes(name))
    .sort();
}

/** How each file is served, by its path; the start document is at `/` and under its name. */
export function table(directory) {
  const names = new Set(files(directory));
  if (!names.has(INDEX)) throw new Error(`${directory} has no ${INDEX}`);
  const entries = {};
  for (const name of names) {
    const type = TYPES[/\.[a-z0-9]+$/.exec(name)?.[0]];
    if (!type) throw new Error(`${name} is of no known type`);
    if (!/^[A-Za-z0-9/._~-]+$/.test(name) || TAKEN.test(name)) throw new Error(`${name} cannot be a path of the UI`);
    const bytes = readFileSync(join(directory, name));
    const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
    const headers = { ...COMMON, "cache-control": HASHED.test(name) ? "public, max-age=31536000, immutable" : "no-cache" };
    // of a worker, which does not have its document's
    if (name.endsWith(".js")) headers["content-security-policy"] = SCRIPT;
    if (name.endsWith(".html")) {
      const html = bytes.toString();
      refers(name, html, names);
      headers["content-security-policy"] = policy(name, html);
    }
    const entry = { file: name, type, etag, headers };
    if (name === INDEX) {
      // there is JSON at its path too
      headers.vary = "accept";
      entries["/"] = entry;
    }
    entries[`/${name}`] = entry;
  }
  return { files: entries };
}

function rules({ files }) {
  const entries = Object.entries(files).filter(([path]) => path !== "/");
  if (entries.length > 100) throw new Error(`${entries.length} files: Cloudflare takes 100 rules`);
  const fields = ({ type, headers }) => Object.entries({ "content-type": type, ...headers });
  const rule = ([path, entry]) => [path, ...fields(entry).map(([name, value]) => `  ${name}: ${value}`), ""].join("\n");
  const all = entries.map(rule).join("");
  const long = all.split("\n").find((line) => line.length > 2000);
  if (long) throw new Error(`Cloudflare takes 2000 characters a line: ${long}`);
  return all;
}

/** Writes the three files, and says how many others there are. */
export function describe(directory) {
  const served = table(directory);
  const written = {
    _headers: rules(served),
    ".assetsignore": `${OURS.join("\n")}\n`,
    // last: with it the directory is complete
    "assets.json": `${JSON.stringify(served, null, 1)}\n`,
  };
  for (const [name, text] of Object.entries(written)) {
    writeFileSync(join(directory, `${name}.new`), text);
    renameSync(join(directory, `${name}.new`), join(directory, name));
  }
  return Object.keys(served.files).length - 1;
}

if (argv[1] && import.meta.url === pathToFileURL(argv[1]).href) {
  const [, , directory] = argv;
  if (!directory) throw new Error("node www/assets.mjs DIRECTORY");
  console.log(`${describe(directory)} files in ${directory}`);
}
