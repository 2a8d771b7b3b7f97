//! The words of generated traffic: names of things, log messages, JSON bodies.

use super::prng::Prng;
use std::io::Write as _;

/// A word that one message in ten thousand has, and nothing else of a record.
pub const RARE_WORD: &str = "quarantined";
/// A word that about one message in ten has, and nothing else of a record.
pub const COMMON_WORD: &str = "upstream";

/// Resources that routes are about, and fields that their bodies have.
pub const RESOURCES: [(&str, &[&str]); 30] = [
    ("orders", &["id", "customer_id", "total", "currency", "state", "lines", "created_at"]),
    ("users", &["id", "name", "email", "locale", "roles", "created_at", "last_seen"]),
    ("carts", &["id", "owner", "items", "subtotal", "discount", "expires_at"]),
    ("products", &["id", "sku", "title", "price", "stock", "tags", "rating"]),
    ("payments", &["id", "order_id", "amount", "method", "state", "settled_at"]),
    ("invoices", &["id", "number", "amount", "due_at", "lines", "state"]),
    ("shipments", &["id", "carrier", "tracking", "weight", "state", "eta"]),
    ("sessions", &["id", "user_id", "device", "started_at", "region"]),
    ("search", &["query", "hits", "took", "items", "facets"]),
    ("reviews", &["id", "product_id", "stars", "title", "text", "votes"]),
    ("inventory", &["sku", "warehouse", "on_hand", "reserved", "updated_at"]),
    ("prices", &["sku", "list", "net", "currency", "valid_from"]),
    ("coupons", &["id", "label", "percent", "uses", "valid_to"]),
    ("addresses", &["id", "street", "city", "country", "zip"]),
    ("notifications", &["id", "channel", "template", "state", "sent_at"]),
    ("events", &["id", "type", "actor", "object", "at"]),
    ("reports", &["id", "kind", "rows", "state", "ready_at"]),
    ("documents", &["id", "title", "pages", "language", "version"]),
    ("media", &["id", "width", "height", "format", "bytes"]),
    ("tickets", &["id", "subject", "priority", "assignee", "state"]),
    ("accounts", &["id", "owner", "plan", "seats", "balance"]),
    ("teams", &["id", "name", "members", "quota", "region"]),
    ("webhooks", &["id", "target", "attempts", "state", "next_at"]),
    ("subscriptions", &["id", "plan", "interval", "renews_at", "state"]),
    ("refunds", &["id", "payment_id", "amount", "reason", "state"]),
    ("suppliers", &["id", "name", "country", "rating", "lead_days"]),
    ("catalogs", &["id", "title", "season", "products", "state"]),
    ("locations", &["id", "city", "lat", "lon", "zone"]),
    ("quotes", &["id", "carrier", "price", "days", "valid_to"]),
    ("flags", &["id", "name", "enabled", "share", "updated_at"]),
];

/// Words that titles and messages are made of.
pub const WORDS: [&str; 160] = [
    "amber", "anchor", "apple", "arrow", "aspen", "autumn", "badge", "bamboo", "basil", "beacon", "birch", "blue",
    "border", "breeze", "bridge", "bright", "bronze", "brook", "candle", "canyon", "cargo", "carbon", "castle",
    "cedar", "chalk", "cherry", "cinder", "circle", "citrus", "clay", "clear", "cliff", "cloud", "clover", "coast",
    "cobalt", "comet", "copper", "coral", "cotton", "crane", "creek", "crimson", "crystal", "dawn", "delta", "desert",
    "dune", "dusk", "eagle", "early", "earth", "ebony", "echo", "elm", "ember", "emerald", "fabric", "falcon",
    "feather", "fern", "field", "flint", "forest", "fossil", "frost", "garden", "garnet", "ginger", "glacier", "glass",
    "golden", "granite", "grove", "harbor", "hazel", "heron", "hollow", "honey", "horizon", "indigo", "iris", "island",
    "ivory", "jade", "jasper", "juniper", "kettle", "lagoon", "lake", "lantern", "laurel", "lemon", "light", "lilac",
    "linen", "lotus", "lunar", "maple", "marble", "meadow", "mellow", "mint", "mirror", "misty", "moon", "moss",
    "mountain", "north", "oak", "oasis", "ocean", "olive", "onyx", "opal", "orchid", "otter", "pearl", "pebble",
    "pepper", "pine", "planet", "plum", "polar", "poppy", "prairie", "quartz", "quiet", "rain", "raven", "reef",
    "ridge", "river", "robin", "rose", "ruby", "saffron", "sage", "sand", "sapphire", "shadow", "silver", "slate",
    "snow", "solar", "spruce", "star", "stone", "storm", "summit", "sunny", "thistle", "timber", "topaz", "tulip",
    "valley", "velvet", "violet", "willow", "winter",
];

const STATES: [&str; 8] = ["active", "pending", "open", "closed", "failed", "expired", "archived", "draft"];
const CURRENCIES: [&str; 4] = ["EUR", "USD", "GBP", "JPY"];

// `#` is a number, `%` a word, `$` the resource
const GOOD: [&str; 24] = [
    "request completed",
    "request completed",
    "$ # read from primary",
    "$ # read from replica",
    "cache hit for $:#",
    "cache miss for $:#, loaded from database",
    "listed # $ of page #",
    "validated payload of # fields",
    "$ # updated by worker %",
    "published event $.% to partition #",
    "forwarded to upstream % in zone %",
    "upstream % answered after # ms",
    "rendered view % with # items",
    "acquired lock %-% after # attempts",
    "query plan % used index on $",
    "flushed # rows of $ to %",
    "policy % allowed the call",
    "token refreshed for tenant %",
    "feature % enabled for cohort #",
    "wrote $ # to bucket %-%",
    "resumed job # of queue %",
    "indexed $ # in shard %",
    "rate limit bucket % has # left",
    "response streamed in # chunks",
];
const REFUSED: [&str; 8] = [
    "$ # not found",
    "validation failed for field % of $",
    "caller lacks permission % on $ #",
    "rate limit of # per minute reached for tenant %",
    "version conflict on $ #: expected #",
    "payload of $ is missing member %",
    "unknown filter % in query",
    "signature of webhook % did not verify",
];
const FAILED: [&str; 8] = [
    "upstream % reset the connection after # ms",
    "upstream % did not answer within # ms",
    "deadline exceeded while reading $ # from shard %",
    "database pool % exhausted, # waiting",
    "unhandled error in step % of $ pipeline: index # out of range",
    "circuit breaker % is open for # more seconds",
    "failed to decode answer of %: unexpected end at byte #",
    "disk quota of volume % reached at # percent",
];

/// Writes a message that suits `status` into `out`.
pub fn message(prng: &mut Prng, status: u16, resource: &str, out: &mut String) {
    out.clear();
    let template = match status {
        500.. => prng.pick(&FAILED),
        400.. => prng.pick(&REFUSED),
        _ => prng.pick(&GOOD),
    };
    for symbol in template.chars() {
        match symbol {
            '#' => number(prng, out),
            '%' => out.push_str(prng.pick(&WORDS)),
            '$' => out.push_str(resource),
            other => out.push(other),
        }
    }
    if prng.chance(0.0001) {
        out.push_str("; entry ");
        out.push_str(RARE_WORD);
    }
}

// small numbers are the usual ones
fn number(prng: &mut Prng, out: &mut String) {
    let end = 10u64.pow(1 + prng.below(5) as u32);
    out.push_str(&prng.below(end).to_string());
}

/// Replaces `out` by a JSON document of about `size` bytes: a list of objects that have `fields`.
pub fn body(prng: &mut Prng, fields: &[&str], size: usize, day: &str, out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(b"{\"items\":[");
    loop {
        object(prng, fields, day, out);
        if out.len() + 40 > size {
            break;
        }
        out.push(b',');
    }
    out.extend_from_slice(b"],\"page\":");
    json(out, prng.below(40));
    out.extend_from_slice(b",\"has_more\":");
    out.extend_from_slice(if prng.chance(0.5) { b"true}" } else { b"false}" });
}

fn object(prng: &mut Prng, fields: &[&str], day: &str, out: &mut Vec<u8>) {
    out.push(b'{');
    for (n, field) in fields.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        out.push(b'"');
        out.extend_from_slice(field.as_bytes());
        out.extend_from_slice(b"\":");
        value(prng, field, day, out);
    }
    out.push(b'}');
}

fn value(prng: &mut Prng, field: &str, day: &str, out: &mut Vec<u8>) {
    let word = |prng: &mut Prng| prng.pick(&WORDS);
    // writing to a Vec cannot fail
    let _ = match field {
        "id" | "customer_id" | "user_id" | "order_id" | "product_id" | "payment_id" | "number" => {
            write!(out, "{}", prng.below(1_000_000))
        }
        "total" | "subtotal" | "price" | "amount" | "list" | "net" | "balance" | "discount" => {
            write!(out, "{}.{:02}", prng.below(500), prng.below(100))
        }
        "state" => write!(out, "\"{}\"", prng.pick(&STATES)),
        "currency" => write!(out, "\"{}\"", prng.pick(&CURRENCIES)),
        "enabled" => write!(out, "{}", prng.chance(0.5)),
        "lat" | "lon" | "share" => write!(out, "{:.4}", prng.unit() * 90.0),
        "email" => write!(out, "\"{}.{}@example.test\"", word(prng), word(prng)),
        "sku" => write!(out, "\"{}-{}\"", word(prng).to_ascii_uppercase(), prng.below(1000)),
        "title" | "name" | "subject" | "label" | "street" | "query" => {
            write!(out, "\"{} {}\"", word(prng), word(prng))
        }
        "text" | "reason" => {
            write!(out, "\"{} {} {} and {} {}\"", word(prng), word(prng), word(prng), word(prng), word(prng))
        }
        "tags" | "roles" | "facets" | "members" => write!(out, "[\"{}\",\"{}\"]", word(prng), word(prng)),
        field if field.ends_with("_at") || field.ends_with("_to") || field.ends_with("_from") || field == "at" => {
            write!(out, "\"{day}T{:02}:{:02}:{:02}Z\"", prng.below(24), prng.below(60), prng.below(60))
        }
        "hits" | "took" | "stock" | "votes" | "rows" | "pages" | "stars" | "uses" | "days" | "seats" | "width"
        | "height" | "bytes" | "on_hand" | "reserved" | "attempts" | "percent" | "weight" | "rating" | "lead_days" => {
            write!(out, "{}", prng.below(1000))
        }
        _ => write!(out, "\"{}\"", word(prng)),
    };
}

fn json(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(number.to_string().as_bytes());
}
