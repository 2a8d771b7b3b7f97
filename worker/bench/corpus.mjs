// Records shaped like those of tests/src/corpus, with its words: about 780 bytes of JSON, routes by Zipf's law, bodies on a
// fifth, a trace id shared by a few. Equal seeds give equal records; the numbers drawn are not those of the Rust generator.
import { readFileSync } from 'node:fs';

const source = (name) => readFileSync(new URL(`../../tests/src/corpus/${name}.rs`, import.meta.url), 'utf8');
const [prose, population] = [source('prose'), source('population')];

/** A constant of nested lists of strings, as Rust writes it. */
function list(rust, name) {
  const found = new RegExp(`const ${name}: [^=]*= \\[\\n(.*?)\\n\\];`, 's').exec(rust);
  if (found === null) throw new Error(`tests/src/corpus has no list ${name}`);
  const json = found[1].replace(/"(?:[^"\\]|\\.)*"|&\[|\(|\)|,(?=\s*[)\]])/g, (part) => {
    if (part.startsWith('"')) return part;
    return { '&[': '[', '(': '[', ')': ']', ',': '' }[part];
  });
  return JSON.parse(`[${json.replace(/,\s*$/, '')}]`);
}

const WORDS = list(prose, 'WORDS');
const RESOURCES = list(prose, 'RESOURCES');
const MESSAGES = ['GOOD', 'REFUSED', 'FAILED'].map((name) => list(prose, name));
const AGENTS = list(population, 'AGENTS');
export const RARE_WORD = /RARE_WORD: &str = "(\w+)"/.exec(prose)[1];

/** Numbers and distributions, from sfc32: four words of state. */
export function generator(seed) {
  let [a, b, c, d] = [0x9e3779b9, 0x243f6a88, seed | 0, 1];
  const bits = () => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t | 0;
    return t >>> 0;
  };
  for (let n = 0; n < 16; n += 1) bits();
  const unit = () => bits() / 2 ** 32;
  const below = (end) => Math.floor(unit() * end);
  return {
    unit,
    below,
    chance: (share) => unit() < share,
    pick: (items) => items[below(items.length)],
    exponential: (mean) => -mean * Math.log(1 - unit()),
    logNormal: (median, sigma) =>
      median * Math.exp(sigma * Math.sqrt(-2 * Math.log(1 - unit())) * Math.cos(2 * Math.PI * unit())),
    hex: (digits) => Array.from({ length: digits / 8 }, () => bits().toString(16).padStart(8, '0')).join(''),
  };
}

/** Ranks from 0, the n-th drawn in proportion to 1 / n^s. */
function zipf(ranks, s) {
  let sum = 0;
  const ends = Array.from({ length: ranks }, (_, n) => (sum += (n + 1) ** -s));
  return ({ unit }) => {
    const at = unit() * sum;
    let [low, high] = [0, ranks - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ends[middle] <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

const TAILS = ['/{id}', '/{id}', '', '', '/{id}/%', '/{key}'];
const METHODS = ['GET', 'GET', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
const ERRORS = {
  400: 'bad_request', 401: 'unauthenticated', 403: 'forbidden', 404: 'not_found', 409: 'conflict', 422: 'invalid',
  429: 'rate_limited', 500: 'internal', 502: 'bad_gateway', 503: 'unavailable', 504: 'timeout',
};

/** One record after another, without end; `start` is the time of the first in ms, `step` the mean ms between two. */
export function* records(seed, start, step) {
  const draw = generator(seed);
  const service = (n) => (n < 30 ? `${RESOURCES[n][0]}-api` : `${WORDS[(n - 30) * 7]}-gateway`);
  const services = Array.from({ length: 40 }, (_, n) => service(n));
  const pods = services.map((service) => Array.from({ length: 8 }, () => `${service}-${draw.hex(8).slice(3)}`));
  const routes = Array.from({ length: 320 }, (_, n) => {
    const resource = (n * 7 + Math.floor(n / 30)) % 30;
    const template = `/v${1 + draw.below(2)}/${RESOURCES[resource][0]}${draw.pick(TAILS).replace('%', draw.pick(WORDS))}`;
    const service = draw.chance(0.75) ? resource : 30 + draw.below(10);
    return { resource, service, template, method: draw.pick(METHODS), median: draw.logNormal(18, 0.9) };
  });
  const [byRank, clients, agents] = [zipf(320, 1), zipf(20_000, 0.8), zipf(AGENTS.length, 1)];
  const open = [];
  let at = start;
  for (;;) {
    if (!draw.chance(0.4)) at += draw.exponential(step / 0.6);
    while (open.length < 12) {
      open.push({ id: draw.hex(32), left: 1 + draw.below(6), client: clients(draw), agent: AGENTS[agents(draw)] });
    }
    const nth = draw.below(open.length);
    const trace = open[nth];
    trace.left -= 1;
    if (trace.left === 0) open.splice(nth, 1);
    yield record(draw, { at: Math.floor(at), route: routes[byRank(draw)], trace, services, pods });
  }
}

function record(draw, { at, route, trace, services, pods }) {
  const [resource, fields] = RESOURCES[route.resource];
  const late = draw.chance(0.02) ? draw.below(3_600_000) : 0;
  const status = draw.pick(STATUSES[draw.below(100)]);
  const service = services[route.service];
  const [id, slug] = [100_000 + Math.floor(draw.logNormal(20_000, 1.2)), `${draw.pick(WORDS)}-${draw.hex(8).slice(2)}`];
  const made = {
    time: new Date(at - late).toISOString(),
    level: status >= 500 ? 'error' : status >= 400 ? 'warn' : draw.chance(0.03) ? 'debug' : 'info',
    service,
    container: draw.pick(pods[route.service]),
    method: route.method,
    host: `${service}.shop.test`,
    path: route.template.replace('{id}', id).replace('{key}', slug),
    query: query(draw),
    route: route.template,
    client_ip: `${81 + (trace.client % 4)}.${trace.client >> 8}.${trace.client & 255}.${(trace.client * 7) & 255}`,
    user_agent: trace.agent,
    protocol: draw.pick(['HTTP/1.1', 'HTTP/2', 'HTTP/2']),
    trace_id: trace.id,
    span_id: draw.hex(16),
    user_id: trace.client % 5 < 2 ? `u${10_000 + trace.client}` : undefined,
    error_code: ERRORS[status],
    message: message(draw, status, resource),
    status,
    duration_ms: Number((draw.logNormal(route.median * (status >= 500 ? 6 : 1), 0.8) + 0.08).toFixed(3)),
  };
  const [request, response] = [{}, {}];
  if (draw.chance(0.35)) {
    const coding = draw.pick(['gzip', 'gzip, br', 'gzip, deflate, br, zstd']);
    const caching = draw.pick(['no-store', 'private, max-age=60', 'max-age=3600']);
    request.headers = [['accept', 'application/json'], ['accept-encoding', coding]];
    response.headers = [['cache-control', caching], ['x-cache', draw.pick(['HIT', 'MISS', 'MISS', 'BYPASS'])]];
  }
  if (draw.chance(0.2)) {
    const text = body(draw, fields, Math.min(4000, Math.max(200, draw.logNormal(600, 0.8))), made.time.slice(0, 10));
    const side = ['POST', 'PUT', 'PATCH'].includes(route.method) ? request : response;
    side.body = { size: text.length, content_type: 'application/json', text };
  }
  if (Object.keys(request).length > 0) made.request = request;
  if (Object.keys(response).length > 0) made.response = response;
  return made;
}

// by hundredths: 90 % 2xx, 3 % 3xx, 5 % 4xx, 2 % 5xx
const STATUSES = Array.from({ length: 100 }, (_, n) => {
  if (n < 90) return [200, 200, 200, 201, 204];
  if (n < 93) return [304, 304, 302];
  return n < 98 ? [404, 404, 400, 401, 403, 409, 422, 429] : [500, 500, 502, 503, 504];
});

function query(draw) {
  switch (draw.below(10)) {
    case 0:
      return `page=${draw.below(40)}&per_page=50`;
    case 1:
      return `q=${draw.pick(WORDS)}+${draw.pick(WORDS)}&sort=-created_at`;
    default:
      return undefined;
  }
}

function message(draw, status, resource) {
  const template = draw.pick(MESSAGES[status >= 500 ? 2 : status >= 400 ? 1 : 0]);
  const symbols = { '#': () => draw.below(10 ** (1 + draw.below(5))), '%': () => draw.pick(WORDS), $: () => resource };
  const text = template.replace(/[#%$]/g, (symbol) => symbols[symbol]());
  return draw.chance(0.0001) ? `${text}; entry ${RARE_WORD}` : text;
}

function body(draw, fields, size, day) {
  const items = [];
  let length = 0;
  while (length + 80 < size || items.length === 0) {
    items.push(Object.fromEntries(fields.map((field) => [field, value(draw, field, day)])));
    length += JSON.stringify(items.at(-1)).length + 1;
  }
  return JSON.stringify({ items, page: draw.below(40), has_more: draw.chance(0.5) });
}

function value(draw, field, day) {
  if (/id$|number/.test(field)) return draw.below(1_000_000);
  if (/total|price|amount|list|net|balance|discount/.test(field)) return draw.below(50_000) / 100;
  if (/_(at|to|from)$|^at$/.test(field)) return `${day}T${String(draw.below(24)).padStart(2, '0')}:${10 + draw.below(50)}:00Z`;
  if (/name|title|subject|label|street|text|reason/.test(field)) return `${draw.pick(WORDS)} ${draw.pick(WORDS)}`;
  if (/hits|took|stock|votes|rows|pages|stars|uses|days|seats|bytes|attempts|weight/.test(field)) return draw.below(1000);
  return draw.pick(WORDS);
}
