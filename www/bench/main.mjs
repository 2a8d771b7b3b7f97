// `make bench-browser`: opening, indexing and asking of large files in real Chromium, beside DuckDB-Wasm where it can do
// the task: it reads the same records as CSV. REQLOG_BENCH_BROWSER=quick only shows that it runs.
import { availableParallelism, cpus, totalmem } from "node:os";
import { executable, host } from "../test/browser/harness.mjs";
import { corpora } from "./corpora.mjs";
import * as duckdb from "./duckdb.mjs";
import { give, inBrowser } from "./page.mjs";
import { difference, questions } from "./questions.mjs";
import { scroll, TITLES } from "./scroll.mjs";
import { downloads } from "./sizes.mjs";

const quick = process.env.REQLOG_BENCH_BROWSER === "quick";
const files = quick ? corpora(20_000, 2_000) : corpora(1_378_000, 66_000);
const asked = questions(files.ndjson.records);
const NEWEST = "newest 50";

/** Opens a file of this machine with the engine; times in ms from the call, memory in bytes. */
async function opened(url, file, names) {
  return inBrowser(executable, `${url}/open.html`, async (page, memory, chromium) => {
    await give(page, [file.path]);
    const before = await memory();
    // a log of one record: what stands whatever is opened, workers and compiled code
    await page.evaluate(async (first) => {
      globalThis.engine = await import("/assets/engine/index.js");
      globalThis.small = await engine.open([new Blob(['{"time":"2026-01-01T00:00:00Z","status":200}\n'])]);
      await small.ready;
      await (await small.answer(first)).text();
    }, asked[NEWEST].url);
    const idle = await memory();
    const times = await page.evaluate(async (first) => {
      small.close();
      const begun = performance.now();
      globalThis.log = await engine.open(files);
      const page = await (await log.answer(first)).json();
      const rows = performance.now() - begun;
      if (page.items.length === 0) throw new Error("no first rows");
      const { records, files: read } = await log.ready;
      return { rows, whole: performance.now() - begun, records, error: read[0].error?.message };
    }, asked[NEWEST].url);
    if (times.error || times.records !== file.records) throw new Error(`${file.path}: ${JSON.stringify(times)}`);
    const held = await memory();
    const result = { ...times, chromium, memory: held - before, data: held - idle };
    for (const name of names) {
      // the first answer is of columns that nobody has decoded yet; the others are what changing a filter again costs
      result[name] = await page.evaluate(async (url) => {
        const times = [];
        let json;
        for (let turn = 0; turn < 6; turn += 1) {
          const begun = performance.now();
          const response = await log.answer(url);
          if (!response.ok) throw new Error(await response.text());
          json = await response.text();
          times.push(performance.now() - begun);
        }
        return { cold: times[0], ms: times.slice(1).sort((a, b) => a - b)[2], json: JSON.parse(json) };
      }, asked[name].url);
    }
    result.after = (await memory()) - before;
    return result;
  });
}

const table = (titles, rows) => console.log([titles, titles.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n") + "\n");
const ms = (time) => (time === undefined ? "–" : time >= 100 ? `${Math.round(time)}` : time.toFixed(1));
const seconds = (time) => (time === undefined ? "–" : (time / 1000).toFixed(2));
const mb = (bytes) => `${Math.round(bytes / 1e6)}`;

const site = await host();
try {
  const names = Object.keys(asked);
  const ndjson = await opened(site.url, files.ndjson, names);
  const csv = await opened(site.url, files.csv, names);
  const har = await opened(site.url, files.har, [NEWEST, "status:5xx", "facets of four fields"]);
  const peer = await duckdb.measure(executable, files.csv, asked);
  const frames = await scroll(site.url, executable, files.ndjson, quick ? 1 : 5);
  const sizes = downloads(duckdb.shipped(), quick ? 4 : 11);

  console.log(`${availableParallelism()} cores (${cpus()[0].model}), ${Math.round(totalmem() / 2 ** 30)} GiB; headless Chromium ${ndjson.chromium}, drawn without a GPU; DuckDB-Wasm ${duckdb.version()}; Node ${process.versions.node}.`);
  console.log(`The same ${files.ndjson.records} records as NDJSON (${mb(files.ndjson.bytes)} MB) and CSV (${mb(files.csv.bytes)} MB), the newest ${files.har.records} of them as HAR (${mb(files.har.bytes)} MB).`);
  console.log("DuckDB-Wasm gets the CSV: to read JSON it loads an extension from the network, to read HAR it has no reader. It keeps all columns in its table; reqlog leaves header fields and bodies in the file.\n");
  if (quick) console.log("QUICK: small files, whose numbers say nothing; the budgets are of 1 GB.\n");

  const row = (name, file, { rows, whole, memory, data, after }) => [
    name, mb(file.bytes), file.records, seconds(rows), seconds(whole), whole ? Math.round(file.bytes / 1e3 / whole) : "–",
    mb(memory), Math.round(data / file.records), after === undefined ? "–" : mb(after),
  ];
  table(
    ["opened", "MB", "records", "first rows s", "whole s", "MB/s", "memory MB", "bytes a record", "memory MB, all asked"],
    [
      row("reqlog, NDJSON", files.ndjson, ndjson),
      row("reqlog, CSV", files.csv, csv),
      row("DuckDB-Wasm, CSV", files.csv, { ...peer, rows: peer.first.ms, whole: peer.whole.ms }),
      row("reqlog, HAR", files.har, har),
    ],
  );
  if (peer.narrow) console.log(`DuckDB-Wasm could not load all columns, and loaded those that are asked: ${peer.narrow}\n`);
  if (peer.whole.error) console.log(`DuckDB-Wasm: ${peer.whole.error}\n`);

  const compared = (name) => {
    const { rows, error } = peer[name] ?? { error: "not loaded" };
    return error ?? difference(asked[name].same, csv[name].json, rows) ?? "same";
  };
  table(
    ["asked, ms (median of 5; the first time)", "reqlog, NDJSON", "reqlog, CSV", "DuckDB-Wasm, CSV", "ratio over the CSV", "answers"],
    names.map((name) => {
      const timed = (of) => (of?.ms === undefined ? "–" : `${ms(of.ms)}; ${ms(of.cold)}`);
      const [own, other] = [csv[name], peer[name]];
      return [name, timed(ndjson[name]), timed(own), timed(other), other?.ms ? (other.ms / own.ms).toFixed(1) : "–", compared(name)];
    }),
  );
  table(["asked of the HAR, ms", "reqlog"], Object.entries(har).filter(([name]) => asked[name]).map(([name, { ms: middle, cold }]) => [name, `${ms(middle)}; ${ms(cold)}`]));
  table(TITLES, frames);
  table(["download", "raw KB", "gzip KB", "brotli KB"], sizes.map(({ name, raw, gzip, brotli }) => [name, ...[raw, gzip, brotli].map((bytes) => Math.round(bytes / 1000))]));

  const columns = ["status:5xx", "a service's slow calls"];
  const text = ["a word, first page", "a word, counted", "a word that is nowhere"];
  const slowest = (names) => Math.max(...names.map((name) => ndjson[name].cold));
  const size = (name) => sizes.find((size) => size.name === name);
  const budgets = [
    ["first rows of 1 GB NDJSON, s", ndjson.rows / 1000, 0.3],
    ["whole file indexed on 2 cores, s", ndjson.whole / 1000, 3],
    ["column filter to first page, ms, never asked before", slowest(columns), 50],
    ["text filter over the whole file, s, never asked before", slowest(text) / 1000, 1.5],
    ["memory a record, bytes", ndjson.data / files.ndjson.records, 64],
    ["browser module, KB brotli", size("the engine's module").brotli / 1000, 400],
    ["UI shell, KB gzip", Math.max(size("index.html").gzip, size("open.html").gzip) / 1000, 120],
  ];
  table(["budget", "measured", "at most", "kept"], budgets.map(([name, measured, most]) => [name, measured.toFixed(measured < 10 ? 2 : 0), most, measured <= most ? "yes" : "no"]));
} finally {
  await site.close();
}
