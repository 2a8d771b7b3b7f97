// The tables, as Markdown.
import { LABELS } from './pages.mjs';
import { PUBLISHED } from './plans.mjs';

const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const whole = (number) => Math.round(number).toLocaleString('en-US').replaceAll(',', ' ');
const digits = (number) => (number === 0 ? '0' : number >= 1000 ? whole(number) : String(Number(number.toPrecision(3))));
const money = (dollars) => `$${dollars.toFixed(2)}`;
const title = (text) => `\n### ${text}\n`;

function script({ files, startup }) {
  const sum = (of) => files.reduce((total, file) => total + file[of], 0);
  return [
    title('Script'),
    table(['file', 'raw', 'gzip'], [
      ...files.map(({ path, raw, gzip }) => [path, whole(raw), whole(gzip)]),
      ['together (budget: 1 000 000 gzip)', whole(sum('raw')), whole(sum('gzip'))],
    ]),
    `\nStart-up: a new process of workerd answers its first request after ${whole(startup)} ms, itself included.`,
  ];
}

const PEER = ['peer CPU ms', 'peer wall ms'];
const PAGE = ['records', 'page', 'CPU ms', 'wall ms', 'rows read, warm / cold', 'KV gets, warm / cold', ...PEER, 'peer rows read'];

function pages({ ours, theirs, sizes }) {
  const rows = ours.flatMap((at, nth) =>
    Object.entries(LABELS).map(([name, label]) => {
      const [mine, peer, costs] = [at.warm[name], theirs[nth].warm[name], at.costs[name]];
      const both = (of) => (costs ? `${of(costs.warm)} / ${of(costs.cold)}` : '');
      return [whole(at.size), label, digits(mine.cpu), digits(mine.wall), both(({ d1 }) => d1.rowsRead), both(({ kv }) => kv.gets),
        ...(peer ? [digits(peer.cpu), digits(peer.wall), whole(theirs[nth].read[name])] : ['', '', ''])];
    }),
  );
  const floors = (of, nth) => digits(Math.max(...Object.values(of[nth].warm).map(({ floor }) => floor)));
  const last = sizes.length - 1;
  const starts = ours.flatMap((at, nth) =>
    Object.keys(at.cold).map((name) => {
      const [mine, peer] = [at.cold[name], theirs[nth].cold[name]];
      const label = name === 'healthz' ? 'floor' : LABELS[name];
      return [whole(at.size), label, digits(mine.cpu), digits(mine.wall), digits(peer.cpu), digits(peer.wall)];
    }),
  );
  return [
    title('Pages, warm isolate'),
    table(PAGE, rows),
    '\nCPU: of all threads of workerd above a floor, medians. The floor is a request that looks at the catalog',
    `(\`/healthz\`, ${floors(ours, last)} ms), for the peer \`SELECT 1\` (${floors(theirs, last)} ms): the runtime, its HTTP and`,
    "its simulated D1 are in both. The peer's SQL runs in the same process; on the platform D1 computes it, and bills the rows",
    'read. Pages write no rows.',
    title('Pages, first request of a new process'),
    table(['records', 'page', 'CPU ms', 'wall ms', ...PEER], starts),
    "\nNothing is subtracted: V8's first run of the code and the start of the simulated D1 and KV are in it. The floor is the",
    'same request as above: it loads the catalog with its fresh batches, as a page does.',
  ];
}

function steady({ steady: { count, rate, windows, used, sealing, idle, ticks, left, bytes }, theirs }) {
  const row = (label, of) => {
    const [first, last] = [of(used), of(sealing)];
    return [label, whole(first), whole(last), digits((first + last) / count), digits(of(idle) / ticks)];
  };
  return [
    title(`Steady traffic: ${whole(count)} records at ${rate}/s, one a request, in ${whole(windows)} commits`),
    table(['', 'traffic', 'to the end of all grace', 'a record', 'an idle cron tick'], [
      row('D1 rows written', ({ d1 }) => d1.rowsWritten),
      row('D1 rows read', ({ d1 }) => d1.rowsRead),
      row('D1 queries', ({ d1 }) => d1.statements),
      row('KV puts', ({ kv }) => kv.puts),
      row('KV gets', ({ kv }) => kv.gets),
      row('KV deletes', ({ kv }) => kv.deletes),
      row('Durable Object requests', ({ objects }) => objects.requests),
      row('Durable Object storage puts', ({ objects }) => objects.puts),
    ]),
    `\nSeals, merges and the deletion of every batch are in it; left are segments: ${left.segments}, batches: ${left.batches}.`,
    `In KV they are ${digits(bytes / count)} bytes a record. Target: at most 0.2 rows written a record.`,
    `The peer writes ${digits(theirs[0].written)}: a row and an entry in each of three indexes, its deletions not counted.`,
  ];
}

function encodings({ encodings: measured }) {
  return [
    title('A batch as BLOB and as base64 TEXT'),
    table(
      ['bytes', 'form', 'write CPU ms', 'write wall ms', 'read CPU ms', 'read wall ms'],
      measured.map(({ size, form, write, read }) => {
        return [whole(size), form, ...[write.cpu, write.wall, read.cpu, read.wall].map(digits)];
      }),
    ),
    '\nCPU above a request that asks `SELECT 1`, for writes one that makes the same bytes, too. A BLOB comes out as an array of',
    'numbers.',
  ];
}

function rates({ plans, steady: { rate } }) {
  const { meters } = PUBLISHED;
  const carried = ({ each, free, included, month, million }) => [
    String(each),
    `${digits(free.rate)} (${free.meter})`,
    `${digits(included.rate)} (${included.meter})`,
    money(month),
    money(million),
  ];
  const metered = ({ meter, perRecord, month, cost }) => {
    const { page, free, included, price } = meters[meter];
    const limits = [Number.isFinite(free) ? whole(free) : '10 a request', whole(included), String(price)];
    return [`[${meter}](${page})`, digits(perRecord), whole(month), ...limits, money(cost)];
  };
  return [
    title('What the plans carry'),
    table(
      [
        'records a request',
        'free: records/s (ended by)',
        'paid, all included: records/s (ended by)',
        `paid, a month of ${rate}/s`,
        'a million records more',
      ],
      plans.map(carried),
    ),
    `\nRates are even and for ever. Meters, at ${rate}/s and one record a request:\n`,
    table(
      ['meter', 'a record', 'a month', 'free, a day', 'paid, included a month', 'USD a million more', 'USD a month'],
      plans[0].meters.map(metered),
    ),
    '\nPrices as published on 2026-11-21. An object in memory is billed for 128 MB; the committer is in memory as long as records',
    'come, which both plans include for one. CPU is that of a request with one record, on this machine, the simulated D1 in it.',
    'Segments are sealed by size, so that KV writes follow the records and not the clock. Storage is not in it.',
  ];
}

export const markdown = (results) => [script, pages, steady, encodings, rates].flatMap((part) => part(results)).join('\n');
