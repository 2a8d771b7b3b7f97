// A shop's traffic of one working day, made up the same way each time: what the demo opens.
// It is calm but for one hour, when a deployment of payments makes calls slow and then fail.

const COUNT = 20_000;
/** 2026-06-23 07:00 UTC, and twelve hours of it. */
const BEGIN = Date.UTC(2026, 5, 23, 7);
const SPAN = 12 * 3_600_000;
const INCIDENT = { from: BEGIN + 5.2 * 3_600_000, to: BEGIN + 6 * 3_600_000 };

/** Mulberry32: small, and the same everywhere. */
class Chance {
  #state: number;
  constructor(seed: number) {
    this.#state = seed;
  }
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }
  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
  hex(digits: number): string {
    let text = "";
    while (text.length < digits) text += this.below(0x10000).toString(16).padStart(4, "0");
    return text.slice(0, digits);
  }
  /** Right-skewed about `middle`, as durations are. */
  skewed(middle: number): number {
    const normal = Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
    return middle * Math.exp(0.6 * normal);
  }
}

interface Call {
  service: string;
  method: string;
  route: string;
  /** Usual duration in ms. */
  usual: number;
  weight: number;
  ok: number;
  query?: (chance: Chance) => string;
  sent?: (chance: Chance) => object;
  got?: (chance: Chance) => object;
}

const PRODUCTS = ["Linen shirt", "Walnut desk lamp", "Trail shoes", "Espresso cups", "Wool blanket", "Field notebook", "Cork mat", "Steel bottle", "Rain jacket", "Ceramic planter"];
const WORDS = ["lamp", "shoes", "blue+shirt", "mug", "gift", "desk", "notebook", "jacket"];
const CITIES = ["Lisbon", "Utrecht", "Graz", "Turku", "Gent", "Aarhus", "Porto", "Leipzig"];

const product = (chance: Chance) => ({
  id: `prd_${chance.hex(8)}`,
  name: chance.of(PRODUCTS),
  price: { amount: 900 + chance.below(90) * 100, currency: "EUR" },
  in_stock: chance.next() > 0.1,
});
const item = (chance: Chance) => ({ product: `prd_${chance.hex(8)}`, name: chance.of(PRODUCTS), quantity: 1 + chance.below(3) });
const many = <T,>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

const CALLS: readonly Call[] = [
  { service: "catalog", method: "GET", route: "/v1/products", usual: 38, weight: 18, ok: 200, query: (c) => `page=${1 + c.below(20)}&per_page=24`, got: (c) => ({ items: many(3 + c.below(4), () => product(c)), total: 412 }) },
  { service: "catalog", method: "GET", route: "/v1/products/{id}", usual: 14, weight: 24, ok: 200, got: product },
  { service: "search", method: "GET", route: "/v1/search", usual: 85, weight: 14, ok: 200, query: (c) => `q=${c.of(WORDS)}&locale=${c.of(["en-GB", "de-DE", "fr-FR", "pt-PT"])}`, got: (c) => ({ hits: many(2 + c.below(4), () => ({ ...product(c), score: Math.round(c.next() * 1000) / 1000 })), took_ms: 4 + c.below(60) }) },
  { service: "cart", method: "POST", route: "/v1/carts/{id}/items", usual: 31, weight: 9, ok: 201, sent: item, got: (c) => ({ items: many(1 + c.below(4), () => item(c)), subtotal: 2400 + c.below(400) * 50 }) },
  { service: "cart", method: "GET", route: "/v1/carts/{id}", usual: 12, weight: 11, ok: 200, got: (c) => ({ items: many(1 + c.below(4), () => item(c)) }) },
  { service: "cart", method: "DELETE", route: "/v1/carts/{id}/items/{item}", usual: 18, weight: 2, ok: 204 },
  { service: "accounts", method: "POST", route: "/v1/sessions", usual: 140, weight: 4, ok: 201, sent: (c) => ({ email: `user${c.below(900)}@example.test`, password: "not-shown-to-anybody", remember: c.next() > 0.5 }), got: (c) => ({ user: `usr_${c.hex(6)}`, expires_in: 3600 }) },
  { service: "accounts", method: "GET", route: "/v1/me", usual: 9, weight: 9, ok: 200, got: (c) => ({ id: `usr_${c.hex(6)}`, city: c.of(CITIES), newsletter: c.next() > 0.6 }) },
  { service: "orders", method: "POST", route: "/v1/orders", usual: 210, weight: 4, ok: 201, sent: (c) => ({ cart: `crt_${c.hex(8)}`, ship_to: { city: c.of(CITIES), express: c.next() > 0.8 } }), got: (c) => ({ id: `ord_${c.hex(8)}`, state: "confirmed", total: 4000 + c.below(300) * 100 }) },
  { service: "payments", method: "POST", route: "/v1/payments", usual: 260, weight: 4, ok: 201, sent: (c) => ({ order: `ord_${c.hex(8)}`, method: c.of(["card", "sepa", "wallet"]), amount: 4000 + c.below(300) * 100 }), got: (c) => ({ id: `pay_${c.hex(8)}`, state: "captured" }) },
  { service: "shipping", method: "GET", route: "/v1/rates", usual: 55, weight: 3, ok: 200, query: (c) => `city=${c.of(CITIES)}&grams=${200 + c.below(40) * 100}`, got: (c) => ({ rates: many(2, () => ({ carrier: c.of(["post", "courier", "pick-up"]), price: 390 + c.below(10) * 50 })) }) },
  { service: "images", method: "GET", route: "/i/{key}", usual: 6, weight: 14, ok: 304 },
];
const AGENTS = [
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
  "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
  "ShopApp/8.4.1 (Android 15)",
  "ShopApp/8.4.0 (iOS 18.5)",
];
const WEIGHT = CALLS.reduce((sum, { weight }) => sum + weight, 0);

function choose(chance: Chance): Call {
  let place = chance.next() * WEIGHT;
  return CALLS.find(({ weight }) => (place -= weight) < 0) ?? (CALLS[0] as Call);
}

interface Outcome {
  status: number;
  duration: number;
  error?: { code: string; message: string };
}

function outcome(chance: Chance, call: Call, time: number): Outcome {
  const duration = chance.skewed(call.usual);
  const hit = time >= INCIDENT.from && time < INCIDENT.to;
  if (hit && (call.service === "payments" || call.service === "orders")) {
    const depth = (time - INCIDENT.from) / (INCIDENT.to - INCIDENT.from);
    if (chance.next() < 0.2 + 0.5 * depth) {
      const timeout = chance.next() < 0.6;
      return timeout
        ? { status: 504, duration: 5000 + chance.below(80), error: { code: "upstream_timeout", message: "payment provider did not answer within 5 s" } }
        : { status: 502, duration: duration * 3, error: { code: "bad_gateway", message: "connection to the payment provider was reset" } };
    }
    return { status: call.ok, duration: duration * (4 + 8 * depth) };
  }
  const luck = chance.next();
  if (luck < 0.004) return { status: 500, duration: duration * 2, error: { code: "internal", message: "unexpected null in field price.amount" } };
  if (luck < 0.008) return { status: 429, duration: 2 + chance.below(3), error: { code: "rate_limited", message: "more than 120 calls in a minute" } };
  if (luck < 0.03 && call.route.includes("{")) return { status: 404, duration: duration / 2, error: { code: "not_found", message: "no such object" } };
  if (luck < 0.06 && call.route === "/v1/sessions") return { status: 401, duration, error: { code: "wrong_credentials", message: "e-mail or password is wrong" } };
  if (luck < 0.045 && call.sent) return { status: 422, duration: duration / 3, error: { code: "invalid", message: "quantity has to be from 1 to 99" } };
  return { status: call.ok, duration: luck > 0.994 ? duration * 25 : duration };
}

interface Visit {
  session: string;
  user: string | null;
  ip: string;
  agent: string;
}

function visit(chance: Chance): Visit {
  return {
    session: `s-${chance.hex(8)}`,
    user: chance.next() < 0.55 ? `usr_${chance.hex(6)}` : null,
    ip: `203.0.113.${1 + chance.below(250)}`,
    agent: chance.of(AGENTS),
  };
}

const LEVELS = (status: number): string => (status >= 500 ? "error" : status >= 400 ? "warn" : "info");

function line(chance: Chance, time: number, { session, user, ip, agent }: Visit, trace: string, version: string): string {
  const call = choose(chance);
  const { status, duration, error } = outcome(chance, call, time);
  const path = call.route.replace(/\{(\w+)\}/g, (_, name: string) => (name === "key" ? `${chance.hex(10)}.webp` : `${name === "item" ? "itm" : "ref"}_${chance.hex(8)}`));
  const sent = call.sent && JSON.stringify(call.sent(chance));
  const got = status === 304 || status === 204 ? null : JSON.stringify(error ? { error, request: `req_${chance.hex(10)}` } : (call.got?.(chance) ?? {}));
  const cache = call.method === "GET" ? chance.of(["HIT", "HIT", "MISS", "BYPASS"]) : "BYPASS";
  const requestHeaders: [string, string][] = [["accept", "application/json"], ["user-agent", agent], ["x-session", session]];
  if (user) requestHeaders.push(["authorization", `Bearer demo-${user}-${session}`]);
  if (sent) requestHeaders.push(["content-type", "application/json"], ["content-length", String(sent.length)]);
  const responseHeaders: [string, string][] = [["x-cache", cache], ["x-version", version]];
  if (got) responseHeaders.push(["content-type", "application/json"]);
  if (status === 429) responseHeaders.push(["retry-after", "30"]);
  const body = (text: string) => ({ size: text.length, content_type: "application/json", text });
  return JSON.stringify({
    time: new Date(time).toISOString(),
    level: LEVELS(status),
    environment: "production",
    session,
    service: call.service,
    container: `${call.service}-${version.replaceAll(".", "")}-${chance.of(["a", "b", "c"])}`,
    method: call.method,
    scheme: "https",
    host: call.service === "images" ? "img.shop.example" : "api.shop.example",
    path,
    ...(call.query ? { query: call.query(chance) } : {}),
    route: call.route,
    status,
    duration_ms: Math.round(duration * 1000) / 1000,
    client_ip: ip,
    user_agent: agent,
    protocol: chance.next() < 0.8 ? "HTTP/2" : "HTTP/1.1",
    request_id: `req_${chance.hex(12)}`,
    trace_id: trace,
    span_id: chance.hex(16),
    ...(user ? { user_id: user, auth_type: "bearer" } : {}),
    ...(error ? { error_code: error.code, message: error.message } : {}),
    request: { headers: requestHeaders, ...(sent ? { body: body(sent) } : {}) },
    response: { headers: responseHeaders, ...(got ? { body: body(got) } : {}) },
  });
}

/** The NDJSON text of the demo in parts of 500 lines, the same for the same `seed`. */
export function* demo(seed = 6, count = COUNT): Generator<string> {
  const chance = new Chance(seed);
  let visits = Array.from({ length: 40 }, () => visit(chance));
  let trace = chance.hex(32);
  let part = "";
  for (let number = 0; number < count; number += 1) {
    // busier towards the middle of the day
    const share = (number + chance.next()) / count;
    const time = Math.round(BEGIN + SPAN * (share + 0.09 * Math.sin(2 * Math.PI * share)));
    const version = time < INCIDENT.from ? "4.18.2" : time < INCIDENT.to ? "4.19.0" : "4.18.2";
    if (chance.next() < 0.03) {
      const leaving = chance.below(visits.length);
      visits = visits.map((known, place) => (place === leaving ? visit(chance) : known));
    }
    if (chance.next() < 0.6) trace = chance.hex(32);
    part += `${line(chance, time, chance.of(visits), trace, version)}\n`;
    if (number % 500 === 499) {
      yield part;
      part = "";
    }
  }
  if (part) yield part;
}
