//! Generated files.

use reqlog_tests::corpus::{Corpus, Prng};
use serde_json::{Value, json};

/// A record with everything that stays in the file.
fn rich(prng: &mut Prng, n: u64) -> Value {
    let minute = prng.below(60);
    let body = |prng: &mut Prng| match prng.below(6) {
        0 => json!({"size": 3, "content_type": "application/octet-stream", "base64": "/wD+"}),
        1 => json!({"size": 900, "content_type": "text/plain", "text": "long é ".repeat(100), "reason": "size-cap"}),
        2 => json!({"size": 44, "content_type": "application/json",
                    "text": format!("{{\"order\":{{\"id\":{}}},\"password\":\"hunter2hunter2\"}}", n % 7)}),
        3 => {
            json!({"size": 12, "content_type": "text/plain", "text": prng.pick(&["upstream\r\n\r\n", "Needle here!"])})
        }
        _ => json!({"size": 0, "content_type": "application/json", "text": ""}),
    };
    let message = |prng: &mut Prng| {
        json!({"headers": [["Content-Type", prng.pick(&["application/json", "text/plain"])],
                           ["X-Cache", prng.pick(&["HIT", "MISS", "hit; é"])],
                           ["Authorization", "Bearer 0123456789abcdef"]],
               "body": body(prng)})
    };
    let mut record = json!({
        "time": format!("2026-06-23T12:{minute:02}:{}Z", prng.pick(&["00", "00", "30"])),
        "kind": prng.pick(&["exchange", "exchange", "exchange", "request", "response", "event"]),
        "attributes": {"n": n, "tags": ["a", {"b": prng.below(3)}]},
    });
    let mut set = |prng: &mut Prng, name: &str, chance: f64, value: Value| {
        if prng.chance(chance) {
            record[name] = value;
        }
    };
    set(prng, "level", 0.5, json!(["debug", "info", "warn", "error"][n as usize % 4]));
    set(prng, "service", 0.8, json!(["users", "pay", "Pay"][n as usize % 3]));
    set(prng, "session", 0.7, json!(["u1", "u2"][n as usize / 5 % 2]));
    set(prng, "user_id", 0.7, json!(["u1", "u2"][n as usize / 3 % 2]));
    set(prng, "method", 0.8, json!(["GET", "POST", "DELETE"][n as usize / 2 % 3]));
    set(prng, "path", 0.9, json!(["/v1/ship", "/V1/é", "/v1/pay/1", "/"][n as usize / 7 % 4]));
    set(prng, "query", 0.3, json!("page=1&token=0123456789abcdef"));
    set(prng, "status", 0.8, json!([200, 201, 404, 503][n as usize / 3 % 4]));
    set(prng, "duration_ms", 0.7, json!([0.4, 1.5, 12.0, 100.0][n as usize / 11 % 4]));
    set(prng, "trace_id", 0.5, json!(format!("trace-{}", n / 4)));
    set(prng, "message", 0.3, json!(["Shipped", "no", "a\nb"][n as usize % 3]));
    set(prng, "project", 0.1, json!("other"));
    let (request, response) = (message(prng), message(prng));
    set(prng, "request", 0.6, request);
    set(prng, "response", 0.6, response);
    record
}

/// Lines, some of them no record, some longer than what is read at once.
pub fn ndjson(seed: u64, records: u64) -> Vec<u8> {
    let mut prng = Prng::new(seed);
    let mut corpus = Corpus::new(seed);
    let mut out = Vec::new();
    for n in 0..records {
        match prng.below(20) {
            0 => out.extend_from_slice(b"{\"no\":\n"),
            1 => out.extend_from_slice(b"\n"),
            2 => corpus.next_entry().write_line(&mut out),
            _ => {
                let mut record = rich(&mut prng, n);
                if n % 150 == 149 {
                    record["attributes"]["long"] = json!("x".repeat(70_000));
                }
                out.extend_from_slice(format!("{record}\n").as_bytes());
            }
        }
    }
    out
}
