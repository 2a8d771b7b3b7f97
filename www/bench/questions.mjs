// What is asked, as a request of ours and as SQL over the same records, each with what of the answer must be the same.
const COLUMNS = "time,method,status,host,path,duration_ms,service,level";
/** The columns that any question needs: for a peer that cannot hold all. */
export const ASKED = `${COLUMNS},message,query,route,error_code,response_headers`;
const SQL = `SELECT ${COLUMNS} FROM log`;
const list = (parameters) => `/api/v1/logs?${new URLSearchParams({ limit: "50", fields: COLUMNS, ...parameters })}`;
// bare text is looked for in the message, the URL, the route and the error code; case does not matter
const contains = (word) => ["message", "host", "path", "query", "route", "error_code"].map((column) => `${column} ILIKE '%${word}%'`).join(" OR ");
const FACETS = ["level", "method", "service", "host"];
// quantiles are estimates on both sides: of groups so large that they must be near each other
const ENOUGH = 1_000;

const values = (column, value = (it) => it) => ({ own: ({ items }) => items.map((item) => value(item[column])), peer: (rows) => rows.map((row) => value(row[column])) });
const instant = (time) => (typeof time === "string" ? Date.parse(time) : Number(time));
const times = values("time", instant);
const counts = (groups) => groups.map((group) => group.join(" ")).sort();

/** `{ name: { url, sql, same: { own(json), peer(rows), nearly? } } }`; `nearly` is by what share numbers may differ. */
export function questions(records) {
  const middle = Math.floor(records / 2);
  // the corpus has some 12 records a second: about 60 buckets
  const minutes = Math.max(1, Math.round(records / 45_000));
  return {
    "newest 50": { url: list({}), sql: `${SQL} ORDER BY time DESC LIMIT 50`, same: times },
    "status:5xx": { url: list({ q: "status:5xx" }), sql: `${SQL} WHERE status BETWEEN 500 AND 599 ORDER BY time DESC LIMIT 50`, same: times },
    "a service's slow calls": {
      url: list({ q: "service:orders-api duration:>500" }),
      sql: `${SQL} WHERE service = 'orders-api' AND duration_ms > 500 ORDER BY time DESC LIMIT 50`,
      same: times,
    },
    "a word, first page": { url: list({ q: "ivory" }), sql: `${SQL} WHERE ${contains("ivory")} ORDER BY time DESC LIMIT 50`, same: times },
    "a word, counted": {
      url: list({ q: "lagoon", total: "exact" }),
      sql: `SELECT count(*) AS n FROM log WHERE ${contains("lagoon")}`,
      same: { own: ({ total }) => [total], peer: ([{ n }]) => [Number(n)] },
    },
    "a word that is nowhere": { url: list({ q: "xylofoon" }), sql: `${SQL} WHERE ${contains("xylofoon")} ORDER BY time DESC LIMIT 50`, same: times },
    "slowest 50": { url: list({ sort: "duration" }), sql: `${SQL} ORDER BY duration_ms DESC NULLS LAST LIMIT 50`, same: values("duration_ms") },
    "page in the middle": { url: list({ offset: String(middle) }), sql: `${SQL} ORDER BY time DESC LIMIT 50 OFFSET ${middle}`, same: times },
    "facets of four fields": {
      url: `/api/v1/facets?fields=${FACETS}&top=1000`,
      sql: FACETS.map((field) => `SELECT '${field}' AS field, ${field} AS value, count(*) AS n FROM log WHERE ${field} IS NOT NULL GROUP BY 2`).join(" UNION ALL "),
      same: {
        own: ({ facets }) => counts(facets.flatMap(({ field, values }) => values.map(({ value, count }) => [field, value, count]))),
        peer: (rows) => counts(rows.map(({ field, value, n }) => [field, value, n])),
      },
    },
    "histogram of some 60 buckets": {
      url: `/api/v1/histogram?interval=${minutes}m`,
      sql: `SELECT epoch_ms(time) // ${minutes * 60_000} * ${minutes * 60_000} AS bucket, status // 100 AS class, count(*) AS n FROM log GROUP BY 1, 2`,
      same: {
        own: ({ buckets }) => counts(buckets.flatMap((bucket) => Object.entries(bucket.class ?? {}).map(([name, count]) => [Date.parse(bucket.time), name[0], count]))),
        peer: (rows) => counts(rows.filter((row) => row.class !== null).map((row) => [row.bucket, row.class, row.n])),
      },
    },
    "endpoints, p50 to p99": {
      url: "/api/v1/endpoints?limit=1000",
      sql: `SELECT method, route, count(*) AS n, approx_quantile(duration_ms, 0.5) AS p50, approx_quantile(duration_ms, 0.95) AS p95, approx_quantile(duration_ms, 0.99) AS p99
        FROM log WHERE method IS NOT NULL GROUP BY 1, 2 ORDER BY n DESC, method, route LIMIT 1000`,
      same: {
        own: ({ items }) => items.filter(({ count }) => count >= ENOUGH).flatMap((item) => [item.count, item.p50_ms, item.p95_ms, item.p99_ms]),
        peer: (rows) => rows.filter(({ n }) => n >= ENOUGH).flatMap((row) => [Number(row.n), row.p50, row.p95, row.p99]),
        nearly: 0.1,
      },
    },
    // ours leaves header fields in the file and reads them again; the CSV has them as JSON in a column that DuckDB keeps
    "a header": { url: list({ q: "res.header.x-cache:MISS" }), sql: `${SQL} WHERE contains(response_headers, '["x-cache","MISS"]') ORDER BY time DESC LIMIT 50`, same: times },
  };
}

/** What differs between the two answers, or null. */
export function difference({ own, peer, nearly = 0 }, json, rows) {
  const [ours, theirs] = [own(json), peer(rows)];
  if (ours.length !== theirs.length) return `${ours.length} values against ${theirs.length}`;
  const at = ours.findIndex((value, at) => (nearly ? Math.abs(value - theirs[at]) > nearly * Math.abs(value) : value !== theirs[at]));
  return at < 0 ? null : `${ours[at]} against ${theirs[at]}`;
}
