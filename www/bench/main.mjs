// `make bench-browser`: opening, indexing and asking of large files in real Chromium, beside DuckDB-Wasm where it can do
// the task: it reads the same records as CSV. REQLOG_BENCH_BROWSER=quick only shows that it runs.
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { executable, host } from "../test/browser/harness.mjs";
import { corpora } from "./corpora.mjs";
import * as duckdb from "./duckdb.mjs";
import { give, inBrowser } from "./page.mjs";
import { scroll } from "./scroll.mjs";

const quick = process.env.REQLOG_BENCH_BROWSER === "quick";
const files = quick ? corpora(20_000, 2_000) : corpora(1_378_000, 66_000);
const engine = fileURLToPath(new URL("../../target/wasm/", import.meta.url));

// each question as a request of ours and as the peer's SQL, where it has the same meaning
const COLUMNS = "time,method,status,host,path,duration_ms,service,level";
const list = (parameters) => `/api/v1/logs?${new URLSearchParams({ limit: "50", fields: COLUMNS, ...parameters })}`;
const SQL = `SELECT ${COLUMNS} FROM log`;
const contains = (word) => ["message", "path", "query", "route", "error_code"].map((column) => `${column} ILIKE '%${word}%'`).join(" OR ");
const QUESTIONS = {
  "newest 50": [list({}), `${SQL} ORDER BY time DESC LIMIT 50`],
  "status:5xx": [list({ q: "status:5xx" }), `${SQL} WHERE status BETWEEN 500 AND 599 ORDER BY time DESC LIMIT 50`],
  "a service's slow calls": [list({ q: "service:orders-api duration:>500" }), `${SQL} WHERE service = 'orders-api' AND duration_ms > 500 ORDER BY time DESC LIMIT 50`],
  "a word, first page": [list({ q: "ivory" }), `${SQL} WHERE ${contains("ivory")} ORDER BY time DESC LIMIT 50`],
  "a word, counted": [list({ q: "ivory", total: "exact" }), `SELECT count(*) FROM log WHERE ${contains("ivory")}`],
  "slowest 50": [list({ sort: "duration" }), `${SQL} ORDER BY duration_ms DESC LIMIT 50`],
  "page in the middle": [list({ offset: String(Math.floor(files.ndjson.records / 2)) }), `${SQL} ORDER BY time DESC LIMIT 50 OFFSET ${Math.floor(files.ndjson.records / 2)}`],
  "facets of four fields": [
    "/api/v1/facets?fields=level,method,service,host",
    "SELECT 'level', level, count(*) FROM log GROUP BY 2 UNION ALL SELECT 'method', method, count(*) FROM log GROUP BY 2 UNION ALL SELECT 'service', service, count(*) FROM log GROUP BY 2 UNION ALL SELECT 'host', host, count(*) FROM log GROUP BY 2",
  ],
  "histogram of 60 buckets": ["/api/v1/histogram?buckets=60", "SELECT time_bucket(INTERVAL '30 minutes', time), status // 100, count(*) FROM log GROUP BY 1, 2"],
  "endpoints, p50 to p99": ["/api/v1/endpoints", "SELECT method, route, count(*), approx_quantile(duration_ms, [.5, .95, .99]) FROM log GROUP BY 1, 2"],
  "a header": [list({ q: "res.header.x-cache:MISS" }), null],
};

/** Opens a file of this machine with the engine; times in ms from the call, memory in bytes. */
async function opened(url, file, questions) {
  return inBrowser(executable, `${url}/open.html`, async (page, memory) => {
    await give(page, [file.path]);
    await page.evaluate(async () => {
      globalThis.engine = await import("/assets/engine/index.js");
      await engine.init();
    });
    const before = memory();
    const times = await page.evaluate(async (first) => {
      const begun = performance.now();
      globalThis.log = await engine.open(files);
      const page = await (await log.answer(first)).json();
      const rows = performance.now() - begun;
      if (page.items.length === 0) throw new Error("no first rows");
      const { records, rejected, files: read } = await log.ready;
      return { rows, whole: performance.now() - begun, records, rejected, error: read[0].error?.message };
    }, QUESTIONS["newest 50"][0]);
    if (times.error || times.records !== file.records) throw new Error(`${file.path}: ${JSON.stringify(times)}`);
    await page.evaluate(() => globalThis.gc());
    const result = { ...times, memory: memory() - before };
    for (const name of questions) {
      // the first answer is of columns that nobody has decoded yet; the others are what changing a filter again costs
      result[name] = await page.evaluate(async (url) => {
        const times = [];
        for (let turn = 0; turn < 6; turn += 1) {
          const begun = performance.now();
          const response = await log.answer(url);
          if (!response.ok) throw new Error(await response.text());
          await response.text();
          times.push(performance.now() - begun);
        }
        return { cold: times[0], ms: times.slice(1).sort((a, b) => a - b)[2] };
      }, QUESTIONS[name][0]);
    }
    return result;
  });
}

const site = await host();
const table = (rows) => console.log(rows.map((row) => `| ${row.join(" | ")} |`).join("\n") + "\n");
const ms = (time) => (time === undefined ? "–" : time >= 100 ? `${Math.round(time)}` : time.toFixed(1));
const seconds = (time) => (time / 1000).toFixed(2);
try {
  const ndjson = await opened(site.url, files.ndjson, Object.keys(QUESTIONS));
  const csv = await opened(site.url, files.csv, Object.keys(QUESTIONS));
  const har = await opened(site.url, files.har, ["newest 50", "status:5xx", "facets of four fields"]);
  const peer = await duckdb.measure(executable, files.csv, Object.fromEntries(Object.entries(QUESTIONS).flatMap(([name, [, sql]]) => (sql ? [[name, sql]] : []))));

  const mb = (bytes) => `${Math.round(bytes / 1e6)} MB`;
  const row = (name, file, { rows, whole, memory }) => [
    name, mb(file.bytes), file.records, seconds(rows), seconds(whole), `${Math.round(file.bytes / 1e3 / whole)}`, Math.round(memory / file.records),
  ];
  table([
    ["opened", "size", "records", "first rows s", "whole s", "MB/s", "bytes a record"],
    ["---", "---", "---", "---", "---", "---", "---"],
    row("reqlog, NDJSON", files.ndjson, ndjson),
    row("reqlog, CSV", files.csv, csv),
    row("DuckDB-Wasm, CSV", files.csv, { rows: peer.first.ms, whole: peer.whole.ms ?? NaN, memory: peer.memory }),
    row("reqlog, HAR", files.har, har),
  ]);
  if (peer.whole.error) console.log(`DuckDB-Wasm: ${peer.whole.error}\n`);
  table([
    ["asked, ms (median of 5)", "reqlog", "the first time", "DuckDB-Wasm", "ratio"],
    ["---", "---", "---", "---", "---"],
    ...Object.keys(QUESTIONS).map((name) => {
      const [own, other] = [csv[name], peer[name]];
      return [name, ms(ndjson[name].ms), ms(ndjson[name].cold), ms(other?.ms), other?.ms ? (other.ms / own.ms).toFixed(1) : (other?.error ?? "–")];
    }),
  ]);
  console.log("The ratio is of both over the CSV.\n");

  const frames = await scroll(site.url, executable, files.ndjson);
  table([["scrolling the table", "frames", "median ms", "p95 ms", "worst ms", "script a frame ms, p95"], ["---", "---", "---", "---", "---", "---"], ...frames]);

  const module = readFileSync(join(engine, "reqlog_wasm_bg.wasm"));
  const sizes = [["the engine's module", module], ...duckdb.shipped().map((path) => [`DuckDB-Wasm's ${basename(path)}`, readFileSync(path)])];
  table([
    ["download", "raw KB", "gzip KB", "brotli KB"],
    ["---", "---", "---", "---"],
    ...sizes.map(([name, bytes]) => [name, ...[bytes, gzipSync(bytes, { level: 9 }), brotliCompressSync(bytes)].map((packed) => Math.round(packed.length / 1000))]),
  ]);
} finally {
  await site.close();
}
