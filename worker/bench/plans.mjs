// What the platform gives and what it charges, and how far that goes.

const PAGES = 'https://developers.cloudflare.com';
const DAY = 86_400;
const MONTH = 30 * DAY;

/** As of 2026-11-21; USD, for a million of what is beyond what is included. */
export const PUBLISHED = {
  base: 5,
  meters: {
    'Workers requests': { free: 100_000, included: 10e6, price: 0.3, page: `${PAGES}/workers/platform/pricing/` },
    'Workers CPU ms': { free: Infinity, included: 30e6, price: 0.02, page: `${PAGES}/workers/platform/pricing/` },
    'D1 rows read': { free: 5e6, included: 25e9, price: 0.001, page: `${PAGES}/d1/platform/pricing/` },
    'D1 rows written': { free: 100_000, included: 50e6, price: 1, page: `${PAGES}/d1/platform/pricing/` },
    'KV reads': { free: 100_000, included: 10e6, price: 0.5, page: `${PAGES}/kv/platform/pricing/` },
    'KV writes': { free: 1000, included: 1e6, price: 5, page: `${PAGES}/kv/platform/pricing/` },
    'KV deletes': { free: 1000, included: 1e6, price: 5, page: `${PAGES}/kv/platform/pricing/` },
    'Durable Object requests': { free: 100_000, included: 1e6, price: 0.15, page: `${PAGES}/durable-objects/platform/pricing/` },
    'Durable Object GB-s': { free: 13_000, included: 400_000, price: 12.5, page: `${PAGES}/durable-objects/platform/pricing/` },
  },
};

// the time that a commit waits for more
const WINDOW_SECONDS = 0.25;
// what an object is billed for while it is in memory, and the committer always is under traffic
const OBJECT_GB = 0.128;

/**
 * Use of each meter in a second, at so many records/s in requests of `each`. What is measured of one record is scaled by
 * what causes it: requests, commits (a window opens with a request and ends all that come within it) and records.
 */
export function use({ steady, cpu }, rate, each) {
  const { count, windows, used, sealing, idle, ticks } = steady;
  const both = (of) => of(used) + of(sealing);
  const requests = rate / each;
  const commits = requests / (1 + WINDOW_SECONDS * requests);
  // put, and deleted after it was sealed
  const ofCommits = 2 * windows;
  const ofRecords = both(({ d1 }) => d1.rowsWritten) - ofCommits;
  const tick = (of) => of(idle) / ticks / 60;
  return {
    'Workers requests': requests,
    'Workers CPU ms': requests * cpu,
    'D1 rows read': (requests * both(({ d1 }) => d1.rowsRead)) / count + tick(({ d1 }) => d1.rowsRead),
    'D1 rows written': 2 * commits + (rate * ofRecords) / count + tick(({ d1 }) => d1.rowsWritten),
    'KV reads': (rate * both(({ kv }) => kv.gets)) / count,
    'KV writes': (rate * both(({ kv }) => kv.puts)) / count,
    'KV deletes': (rate * both(({ kv }) => kv.deletes)) / count,
    'Durable Object requests':
      (requests * both(({ objects }) => objects.requests)) / count + tick(({ objects }) => objects.requests),
    'Durable Object GB-s': OBJECT_GB,
  };
}

// the highest rate at which every meter is within its allowance a second, and the meter that ends it
function most(measured, each, allowance) {
  const over = (rate) => {
    const used = use(measured, rate, each);
    // that of an object in memory is the same at any rate
    const meters = Object.entries(PUBLISHED.meters).filter(([meter]) => meter !== 'Durable Object GB-s');
    return meters.find(([meter, limits]) => used[meter] > allowance(limits))?.[0];
  };
  let [low, high] = [0, 1e6];
  for (let n = 0; n < 60; n += 1) {
    const middle = (low + high) / 2;
    if (over(middle)) high = middle;
    else low = middle;
  }
  return { rate: low, meter: over(high) };
}

/** What each plan carries, and what more costs: of traffic in requests of `each` records. */
export function plans(measured, rate, each) {
  const used = use(measured, rate, each);
  const extra = Object.entries(PUBLISHED.meters).map(([meter, { included, price }]) => {
    const [perRecord, units] = [used[meter] / rate, used[meter] * MONTH];
    const cost = (Math.max(0, units - included) / 1e6) * price;
    return { meter, perRecord, month: units, cost, million: perRecord * price };
  });
  const month = PUBLISHED.base + extra.reduce((sum, { cost }) => sum + cost, 0);
  return {
    each,
    free: most(measured, each, ({ free }) => free / DAY),
    included: most(measured, each, ({ included }) => included / MONTH),
    meters: extra,
    month,
    // with everything that is included used up
    million: extra.reduce((sum, { million }) => sum + million, 0),
  };
}
