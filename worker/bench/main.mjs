// The benchmark table of the edge: `make bench-edge`. Markdown on standard output, everything measured in
// target/bench-edge.json. `REQLOG_BENCH_EDGE` is `full` or `quick`, which shows that it runs, and nothing else.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { directory, settings, uploaded } from '../test/built.mjs';
import { Deployed, plain, reqlog } from './deployed.mjs';
import { median, warm } from './measure.mjs';
import { ours, theirs } from './pages.mjs';
import { plans } from './plans.mjs';
import { markdown } from './report.mjs';
import { Simulated, steady } from './traffic.mjs';

const SIZES = {
  full: {
    sizes: [1000, 20_000, 100_000],
    fresh: 2000,
    steady: 20_000,
    rounds: 5,
    each: 30,
    restarts: 3,
    batches: [[2560, 40], [65_536, 40], [1 << 20, 5]],
  },
  quick: {
    sizes: [100, 400],
    fresh: 100,
    steady: 150,
    rounds: 1,
    each: 3,
    restarts: 1,
    batches: [[2560, 3], [65_536, 3], [1 << 20, 1]],
  },
};
const RATE = 50;

if (!existsSync('/proc/self/schedstat')) {
  console.log("the benchmark of the edge is left out: it reads the CPU time of workerd from Linux's /proc");
  process.exit();
}
const name = process.env.REQLOG_BENCH_EDGE ?? 'full';
const size = SIZES[name];
if (size === undefined) throw new Error(`REQLOG_BENCH_EDGE is '${name}'; it takes ${Object.keys(SIZES).join(' or ')}`);
const log = (text) => process.stderr.write(`${text}\n`);

const files = uploaded().map((path) => {
  const bytes = readFileSync(join(directory, path));
  return { path, raw: bytes.length, gzip: gzipSync(bytes).length };
});

async function startup(stores) {
  const deployed = await Deployed.start(reqlog(stores), { migrated: true });
  await deployed.ask('/healthz');
  const walls = [];
  for (let n = 0; n < size.restarts; n += 1) {
    const began = performance.now();
    await deployed.restart(reqlog(stores));
    await deployed.ask('/healthz');
    walls.push(performance.now() - began);
  }
  await deployed.stop();
  return median(walls);
}

async function traffic(stores) {
  const deployed = await Deployed.start(reqlog(stores, { simulated: true }), { migrated: true });
  const measured = await steady(new Simulated(deployed, Date.UTC(2026, 5, 23)), { count: size.steady, rate: RATE, seed: 1 });
  await deployed.stop();
  return { count: size.steady, rate: RATE, windows: measured.used.windows, ...measured };
}

async function encodings(stores) {
  const deployed = await Deployed.start(plain('encodings.mjs', stores, settings.compatibility_date));
  const measured = [];
  let id = 0;
  for (const form of ['blob', 'text']) await deployed.ask(`/create/${form}`);
  for (const [bytes, each] of size.batches) {
    for (const form of ['blob', 'text']) {
      const first = id;
      const to = (op) => (at) => deployed.ask(`/${op}/${form}?size=${bytes}&id=${at}`);
      const of = { rounds: size.rounds, each };
      const floor = (made) => () => deployed.ask(`/floor/${form}?size=${made}&id=1`);
      const write = await warm(deployed, { ...of, floor: floor(bytes), ask: () => to('write')(id++) });
      await to('check')(id - 1);
      const read = await warm(deployed, { ...of, floor: floor(0), ask: (nth) => to('read')(first + (nth % (id - first))) });
      measured.push({ size: bytes, form, write, read });
      log(`${form} of ${bytes}: write ${write.cpu.toFixed(2)} ms, read ${read.cpu.toFixed(2)} ms`);
    }
  }
  await deployed.stop();
  return measured;
}

const scratch = mkdtempSync(join(tmpdir(), 'reqlog-bench-'));
try {
  const part = (of) => join(scratch, of);
  const results = { name, files, sizes: size.sizes, startup: await startup(part('startup')) };
  results.encodings = await encodings(part('encodings'));
  results.steady = await traffic(part('traffic'));
  log(`steady: ${results.steady.windows} commits`);
  const pages = await ours(part('pages'), { ...size, log });
  results.ingest = pages.ingest;
  results.theirs = await theirs(part('peer'), { ...size, log }, pages);
  results.ours = pages.measured.map(({ answers, ...at }) => at);
  const cpu = results.ingest.cpu + results.ingest.floor;
  results.plans = [1, 100].map((each) => plans({ steady: results.steady, cpu }, RATE, each));
  const output = fileURLToPath(new URL('../../target/bench-edge.json', import.meta.url));
  writeFileSync(output, `${JSON.stringify(results, null, 1)}\n`);
  process.stdout.write(`${markdown(results)}\n`);
} finally {
  rmSync(scratch, { recursive: true });
}
// a Worker that a failure left running
process.exit();
