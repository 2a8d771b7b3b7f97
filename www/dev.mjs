// Serves target/www on a port and passes everything else on to a reqlog server: REQLOG_URL, default http://127.0.0.1:7070.
import { createServer, request } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const files = fileURLToPath(new URL("../target/www", import.meta.url));
const upstream = new URL(process.env.REQLOG_URL ?? "http://127.0.0.1:7070");
const port = Number(process.env.PORT ?? 7080);
const types = {
  ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".wasm": "application/wasm",
  ".json": "application/json", ".webmanifest": "application/manifest+json", ".svg": "image/svg+xml", ".png": "image/png", ".map": "application/json",
};

createServer(async (asked, answer) => {
  const path = normalize(new URL(asked.url, "http://localhost").pathname);
  const file = path === "/" ? "/index.html" : path;
  const bytes = types[extname(file)] && (await readFile(join(files, file)).catch(() => null));
  if (bytes) return answer.writeHead(200, { "content-type": types[extname(file)], "cache-control": "no-cache" }).end(bytes);
  const { hostname, port } = upstream;
  const passed = request({ hostname, port, path: asked.url, method: asked.method, headers: { ...asked.headers, host: upstream.host } });
  passed.on("response", (got) => got.pipe(answer.writeHead(got.statusCode, got.headers)));
  passed.on("error", () => answer.writeHead(502).end());
  answer.on("close", () => passed.destroy());
  asked.pipe(passed);
}).listen(port, "127.0.0.1", () => console.log(`http://127.0.0.1:${port}`));
