// The files that are measured with, generated once: the same records as NDJSON and CSV, and a HAR of the first of them.
import { execFileSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = join(root, "target/bench-browser");

function write(name, program, args) {
  const path = join(folder, name);
  if (existsSync(path)) return path;
  const out = openSync(`${path}.part`, "w");
  execFileSync(join(root, "target/release", program), args, { stdio: ["ignore", out, "inherit"] });
  closeSync(out);
  renameSync(`${path}.part`, path);
  return path;
}

/** Paths, sizes in bytes and the number of records, for so many records in NDJSON and CSV and so many entries of a HAR. */
export function corpora(records, entries) {
  mkdirSync(folder, { recursive: true });
  const ndjson = write(`${records}.ndjson`, "corpus", [String(records)]);
  const csv = write(`${records}.csv`, "reqlog", ["query", "--all", "--format", "csv", ndjson]);
  const har = write(`${entries}.har`, "reqlog", ["query", "--limit", String(entries), "--format", "har", ndjson]);
  const described = (path, count) => ({ path, records: count, bytes: statSync(path).size });
  return { ndjson: described(ndjson, records), csv: described(csv, records), har: described(har, entries) };
}
