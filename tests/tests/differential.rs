//! The same question in the words of several dialects gives the same records, in the same order.
//!
//! Records and questions are generated from printed seeds; the own API is what the others are compared with, and where it
//! has no words (a search of derived messages) two of them with each other.

use bytes::Bytes;
use http::{Request, StatusCode};
use reqlog_core::id::EntryId;
use reqlog_tests::corpus::Prng;
use reqlog_tests::memory::InMemory;
use reqlog_tests::native::Native;
use reqlog_tests::wire::{Frontend, Server, Setting};
use serde_json::{Value, json};
use std::fmt::Write;

const PROJECT: &str = "abcdefghijklmnopqrstuvwx";
const RECORDS: usize = 240;
const QUESTIONS: usize = 60;
const METHODS: [&str; 3] = ["GET", "POST", "DELETE"];
const LEVELS: [&str; 6] = ["trace", "debug", "info", "warn", "error", "fatal"];
const SERVICES: [&str; 3] = ["users", "pay", "Pay"];
const NAMES: [&str; 3] = ["u1", "u2", "U1"];
const WORDS: [&str; 8] = ["ship", "SHIP", "in 1", "GET /", "/v1/", " 404", "ms", "é"];

/// What may be asked for; each dialect can say a part of it.
#[derive(Debug)]
struct Question {
    method: Option<&'static str>,
    status: Option<(u64, u64)>,
    minutes: Option<(u64, u64)>,
    service: Option<&'static str>,
    level: Option<usize>,
    user: Option<&'static str>,
    session: Option<&'static str>,
    word: &'static str,
}

fn record(prng: &mut Prng, n: usize) -> Value {
    let minute = prng.below(60);
    let mut record = json!({
        "time": format!("2026-06-23T12:{minute:02}:{}Z", prng.pick(&["00", "00", "30"])),
        "kind": prng.pick(&["exchange", "exchange", "exchange", "request", "response", "event"]),
        "level": prng.pick(&LEVELS),
        "attributes": {"n": n},
    });
    let mut set = |name: &str, chance: f64, value: Value| {
        if prng.chance(chance) {
            record[name] = value;
        }
    };
    let kind = n % 5;
    set("service", 0.8, json!(SERVICES[n % 3]));
    set("user_id", 0.7, json!(NAMES[n / 3 % 3]));
    set("session", 0.7, json!(NAMES[n / 5 % 3]));
    set("method", 0.8, json!(METHODS[n / 2 % 3]));
    set("path", 0.9, json!(["/v1/ship", "/V1/é", "/v1/pay/1", "/"][n / 7 % 4]));
    set("status", 0.8, json!([200, 201, 404, 503][n / 3 % 4]));
    set("duration_ms", 0.7, json!([0.4, 1.5, 12.0, 100.0][n / 11 % 4]));
    set("message", 0.3, json!(["Shipped", "no", "GET /v1/ 404 in 1 ms"][kind % 3]));
    record
}

impl Question {
    fn draw(prng: &mut Prng) -> Self {
        fn some<T: Copy>(prng: &mut Prng, values: &[T]) -> Option<T> {
            prng.chance(0.5).then(|| values[prng.below(values.len() as u64) as usize])
        }
        let from = prng.below(60);
        Self {
            method: some(prng, &METHODS),
            status: some(prng, &[(200, 299), (404, 404), (400, 599), (0, 999)]),
            minutes: some(prng, &[(from, from), (from, 59), (0, from)]),
            service: some(prng, &SERVICES),
            level: some(prng, &[0, 1, 2, 3, 4, 5]),
            user: some(prng, &NAMES),
            session: some(prng, &NAMES),
            word: prng.pick(&WORDS),
        }
    }

    /// Inclusive, and the last written minute as a whole.
    fn window(&self, names: [&str; 2]) -> String {
        let (from, to) = self.minutes.unwrap_or((0, 59));
        format!("&{}=2026-06-23T12:{from:02}:00Z&{}=2026-06-23T12:{to:02}:59Z", names[0], names[1])
    }

    /// In reqlog's own words, of what the other dialect could say. Equality ignores case here and nowhere else: so regexes.
    fn own(&self, parts: &[&str]) -> String {
        let mut q = String::new();
        for part in parts {
            let _ = match *part {
                "calls" => write!(q, " (kind:exchange OR (kind:request,response method:*))"),
                "method" => self.method.map_or(Ok(()), |method| write!(q, " method:{method}")),
                "status" => self.status.map_or(Ok(()), |(low, high)| write!(q, " status:{low}..{high}")),
                "minutes" => {
                    let (from, to) = self.minutes.unwrap_or((0, 59));
                    write!(q, " time:2026-06-23T12:{from:02}:00Z..2026-06-23T12:{to:02}:59Z")
                }
                "service" => self.service.map_or(Ok(()), |service| write!(q, " service:~/^{service}$/")),
                "user" => self.user.map_or(Ok(()), |user| write!(q, " user:~/^{user}$/")),
                "session" => write!(q, " session:~/^{}$/", self.session.unwrap_or("u1")),
                "level" => self.level.map_or(Ok(()), |level| write!(q, " level:{}", LEVELS[level])),
                // where a dialect has fewer levels
                "folded" => match self.level {
                    Some(0 | 1) => write!(q, " level:trace,debug"),
                    Some(4 | 5) => write!(q, " level:error,fatal"),
                    Some(level) => write!(q, " level:{}", LEVELS[level]),
                    None => Ok(()),
                },
                "debugged" => match self.level {
                    Some(0 | 1) => write!(q, " level:trace,debug"),
                    Some(level) => write!(q, " level:{}", LEVELS[level]),
                    None => Ok(()),
                },
                other => unreachable!("{other}"),
            };
        }
        escaped(q.trim())
    }
}

fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        let _ = if byte.is_ascii_alphanumeric() { write!(out, "{}", byte as char) } else { write!(out, "%{byte:02X}") };
        out
    })
}

struct Client<S> {
    server: S,
    key: String,
}

impl<S: Server> Client<S> {
    fn get(&mut self, path: &str) -> Value {
        let request = Request::get(path).header("x-api-key", &self.key).body(Bytes::new()).unwrap();
        let answer = self.server.answer(request).unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}: {:?}", answer.body());
        serde_json::from_slice(answer.body()).unwrap()
    }

    /// Every row from page to page: the members found at these places, and the cursor that goes on as this parameter.
    fn all(&mut self, path: &str, rows: &str, row: &dyn Fn(&Value) -> u64, next: &str, parameter: &str) -> Vec<u64> {
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(&format!("{path}{cursor}"));
            seen.extend(page.pointer(rows).and_then(Value::as_array).unwrap().iter().map(row));
            match page.pointer(next).filter(|next| !next.is_null()) {
                Some(Value::String(text)) => cursor = format!("&{parameter}={text}"),
                Some(number) => cursor = format!("&{parameter}={number}"),
                None => return seen,
            }
        }
    }

    fn own(&mut self, q: &str, sort: &str, dir: &str) -> Vec<u64> {
        let path = format!("/api/v1/logs?project={PROJECT}&limit=1000&sort={sort}&dir={dir}&q={q}");
        self.all(&path, "/items", &|row| row["seq"].as_u64().unwrap(), "/next", "cursor")
    }
}

fn same(question: &Question, dialect: &str, got: &[u64], wanted: &[u64]) {
    assert_eq!(got, wanted, "{dialect} differs from the own API: {question:?}");
}

fn compare<S: Server>(client: &mut Client<S>, question: &Question, seqs: &[u64]) -> usize {
    let optional = |name: &str, value: Option<&str>| value.map_or(String::new(), |value| format!("&{name}={value}"));
    let id = |spelling: fn(&str) -> Option<EntryId>, member: &'static str| {
        move |row: &Value| spelling(row[member].as_str().unwrap()).unwrap().seq().get()
    };
    // the generic dialect has no ids: its details say which record it is
    let by_number = |row: &Value| seqs[row["details"]["n"].as_u64().unwrap() as usize];

    let session = question.session.unwrap_or("u1");
    let path = format!("/sessions/{session}/logs?project={PROJECT}&limit=100");
    let flowmock = client.all(&path, "/logs", &id(EntryId::from_flowmock, "id"), "/nextCursor", "before");
    same(question, "FlowMock", &flowmock, &client.own(&question.own(&["calls", "session"]), "arrival", "desc"));

    let method = optional("method", question.method.map(str::to_ascii_lowercase).as_deref());
    let status = question.status.map_or(String::new(), |(low, high)| format!("&status_min={low}&status_max={high}"));
    let path = format!("/v1/logs?limit=100{method}{status}{}", question.window(["from", "to"]));
    let scrip = client.all(&path, "/data", &id(EntryId::from_uuid, "id"), "/pagination/next_cursor", "cursor");
    let parts = ["calls", "method", "status", "minutes"];
    same(question, "Scrip", &scrip, &client.own(&question.own(&parts), "time", "desc"));

    let level = question.level.map(|level| ["debug", "debug", "info", "warn", "error", "error"][level]);
    let path = format!(
        "/_logs?limit=1000&projectId={PROJECT}{}{}{}",
        optional("method", question.method),
        optional("serviceName", question.service),
        optional("level", level),
    );
    let mut hoody = client.all(&path, "/entries", &|row| row["id"].as_u64().unwrap().div_ceil(2), "/none", "");
    hoody.dedup();
    same(question, "Hoody", &hoody, &client.own(&question.own(&["method", "service", "folded"]), "arrival", "asc"));

    let level = optional(
        "level",
        question.level.map(|level| LEVELS[level]).map(|level| if level == "trace" { "debug" } else { level }),
    );
    let service = optional("service", question.service);
    let generic = format!("/logs?limit=1000{service}{level}{}", question.window(["startDate", "endDate"]));
    let (rows, next) = ("/data/logs", "/data/pagination/nextOffset");
    let found = client.all(&generic, rows, &by_number, next, "offset");
    same(question, "generic", &found, &client.own(&question.own(&["service", "debugged", "minutes"]), "time", "desc"));

    let types = optional("type", question.level.map(|level| LEVELS[level]));
    let user = optional("userId", question.user);
    let cognigy =
        format!("/v2.1/projects/{PROJECT}/logs?limit=100{types}{user}{}", question.window(["startDate", "endDate"]));
    let cognigy_id = id(EntryId::from_cognigy, "_id");
    let found = client.all(&cognigy, "/items", &cognigy_id, "/nextCursor", "next");
    same(question, "Cognigy", &found, &client.own(&question.own(&["level", "user", "minutes"]), "time", "desc"));

    // messages as they are shown, derived ones too: the own API has no word for these
    let word = escaped(question.word);
    let window = question.window(["startDate", "endDate"]);
    let one = client.all(&format!("/logs?limit=1000&search={word}{window}"), rows, &by_number, next, "offset");
    let path = format!("/v2.1/projects/{PROJECT}/logs?limit=100&filter={word}{window}");
    let other = client.all(&path, "/items", &cognigy_id, "/nextCursor", "next");
    assert_eq!(one, other, "generic and Cognigy search differently: {question:?}");
    [flowmock, scrip, hoody, found, one].iter().map(Vec::len).sum()
}

fn differential(frontend: &impl Frontend, seed: u64) {
    println!("{}, seed {seed}", frontend.name());
    let mut prng = Prng::new(seed);
    let setting = Setting::default();
    let mut admin = Client { server: frontend.start(&setting), key: setting.admin.expose().to_owned() };
    let mut post = |path: &str, body: String| -> Value {
        let request = Request::post(path).header("x-api-key", &admin.key).body(body.into()).unwrap();
        let answer = admin.server.answer(request).unwrap();
        assert!(answer.status().is_success(), "{path}: {:?}", answer.body());
        serde_json::from_slice(answer.body()).unwrap()
    };
    let mut seqs = Vec::new();
    let mut records = (0..RECORDS).map(|n| record(&mut prng, n)).peekable();
    // some commits, each followed by rows that no question may find
    while records.peek().is_some() {
        let some: Vec<Value> = records.by_ref().take(37).collect();
        let first = seqs.last().map_or(1, |last| last + 2);
        seqs.extend((first..).take(some.len()));
        let lines: String = some.iter().map(|record| format!("{record}\n")).collect();
        assert_eq!(post(&format!("/api/v1/ingest?project={PROJECT}"), lines)["accepted"], some.len());
        let foreign = format!("{}\n", some[0]);
        assert_eq!(post("/api/v1/ingest?project=other", foreign)["accepted"], 1);
    }
    let key = json!({"name": "reader", "role": "read", "project": PROJECT}).to_string();
    let mut client = Client { key: post("/api/v1/keys", key)["secret"].as_str().unwrap().to_owned(), ..admin };
    let found: usize = (0..QUESTIONS).map(|_| compare(&mut client, &Question::draw(&mut prng), &seqs)).sum();
    assert!(found > 20 * QUESTIONS, "questions that find nothing compare nothing: {found}");
}

#[test]
fn in_memory() {
    (1..=4).for_each(|seed| differential(&InMemory, seed));
}

#[test]
fn over_a_socket_from_batches() {
    (5..=6).for_each(|seed| differential(&Native::Batches, seed));
}

#[test]
fn over_a_socket_from_segments() {
    (7..=8).for_each(|seed| differential(&Native::Segments, seed));
}
