// The peer: DuckDB-Wasm over the CSV, which it reads without an extension from the network (JSON needs one).
import { createReadStream, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { setTimeout as late } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { give, inBrowser } from "./page.mjs";
import { ASKED } from "./questions.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const dist = join(here, "node_modules/@duckdb/duckdb-wasm/dist");
export const SIZE = ["duckdb-eh.wasm", "duckdb-browser-eh.worker.js"];
/** Its version, as installed. */
export const version = () => JSON.parse(readFileSync(join(dist, "../package.json"), "utf8")).version;
export const shipped = () => SIZE.map((name) => join(dist, name));

const PATIENCE_MS = 600_000;

async function host() {
  const bundle = await build({
    stdin: { contents: "export * from '@duckdb/duckdb-wasm'", resolveDir: here },
    bundle: true, format: "esm", write: false, platform: "browser", logLevel: "error",
  });
  const types = { js: "text/javascript", wasm: "application/wasm" };
  const server = createServer((asked, answer) => {
    if (asked.url === "/") return answer.writeHead(200, { "content-type": "text/html" }).end("<!doctype html>");
    if (asked.url === "/duckdb.js") return answer.writeHead(200, { "content-type": types.js }).end(bundle.outputFiles[0].contents);
    const path = join(dist, asked.url.slice(1));
    if (!SIZE.includes(asked.url.slice(1))) return answer.writeHead(404).end();
    answer.writeHead(200, { "content-type": types[path.split(".").at(-1)], "content-length": statSync(path).size });
    createReadStream(path).pipe(answer);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

/**
 * Milliseconds of each question, its rows, and bytes of memory; or why it cannot. The module is the single-threaded one with exceptions,
 * which is what its own selection gives a page that is not isolated from other origins.
 */
export async function measure(executable, csv, questions) {
  const { url, close } = await host();
  try {
    return await inBrowser(executable, url, async (page, memory) => {
      await give(page, [csv.path]);
      const before = await memory();
      await page.evaluate(async () => {
        const duckdb = await import("/duckdb.js");
        const db = new duckdb.AsyncDuckDB(new duckdb.VoidLogger(), new Worker("/duckdb-browser-eh.worker.js"));
        await db.instantiate(`${location.origin}/duckdb-eh.wasm`);
        await db.registerFileHandle("log.csv", files[0], duckdb.DuckDBDataProtocol.BROWSER_FILEREADER, true);
        const connection = await db.connect();
        const plain = (_, value) => (typeof value === "bigint" ? Number(value) : value);
        globalThis.ask = async (sql) => {
          const begun = performance.now();
          const rows = (await connection.query(sql)).toArray();
          // the answer as JSON, as ours is one
          const json = JSON.stringify(rows, plain);
          return { ms: performance.now() - begun, json };
        };
      });
      const idle = await memory();
      const ask = async (sql) => {
        // a worker that is out of memory may never answer
        const asked = page.evaluate((sql) => ask(sql).catch((error) => ({ error: String(error).slice(0, 200) })), sql);
        const { json, ...rest } = await Promise.race([asked, late(PATIENCE_MS, { error: "no answer in ten minutes" }, { ref: false })]);
        return json ? { ...rest, rows: JSON.parse(json) } : rest;
      };
      const result = { first: await ask("SELECT time, method, path, status FROM read_csv('log.csv') LIMIT 50") };
      result.whole = await ask("CREATE TABLE log AS SELECT * FROM read_csv('log.csv')");
      if (result.whole.error) {
        result.narrow = result.whole.error;
        result.whole = await ask(`CREATE OR REPLACE TABLE log AS SELECT ${ASKED} FROM read_csv('log.csv')`);
      }
      const held = await memory();
      Object.assign(result, { memory: held - before, data: held - idle });
      for (const [name, { sql }] of Object.entries(questions)) {
        if (result.whole.error) break;
        const times = [];
        for (let turn = 0; turn < 6; turn += 1) times.push(await ask(sql));
        result[name] = times.find((time) => time.error) ?? { cold: times[0].ms, ms: middle(times.slice(1)), rows: times[0].rows };
      }
      return result;
    });
  } catch (error) {
    // its page has crashed: that is a result too
    return { first: {}, whole: { error: String(error).slice(0, 200) }, memory: NaN, data: NaN };
  } finally {
    close();
  }
}

const middle = (times) => times.map(({ ms }) => ms).sort((a, b) => a - b)[times.length >> 1];
