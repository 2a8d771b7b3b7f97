//! Answers over opened files, of which hot segments and the files themselves are all that there is, are byte for byte
//! those of the evaluator in memory over the same records.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use reqlog_core::accept::Rules;
use reqlog_core::auth::Scope;
use reqlog_core::format::{Format, Head, Parser, Splitter};
use reqlog_core::id::EntryId;
use reqlog_core::offline::{Borders, Cutter, Input, Opening, Place, Portion, Read, Setup, Splits, Store};
use reqlog_core::plan::{IngestMode, IngestRequest, Offers, Settings};
use reqlog_core::record::Stored;
use reqlog_core::timestamp::Timestamp;
use reqlog_tests::corpus::{Corpus, Prng};
use reqlog_tests::memory::Memory;
use reqlog_tests::offline;
use reqlog_tests::wire::Setting;
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::fmt::Write;

const PROJECT: &str = "abcdefghijklmnopqrstuvwx";
const MODIFIED: i64 = 1_782_216_000_000;

/// A file, and what it came to by the parser alone.
struct File {
    bytes: Vec<u8>,
    input: Input,
    opening: Opening,
}

impl File {
    fn new(place: u8, bytes: Vec<u8>, setting: &Setting) -> Self {
        let modified = Timestamp::from_millis(MODIFIED + i64::from(place) * 1000);
        let opening = Opening { project: Some(PROJECT.to_owned()), ..Opening::new(modified, setting.redact_key) };
        let input = Input::open(Place::new(place), &bytes, &opening).unwrap().unwrap();
        Self { bytes, input, opening }
    }

    /// Every record, without anything of how files are indexed.
    fn records(&self) -> Vec<Stored> {
        let Opening { redact_key, modified, .. } = &self.opening;
        let request = IngestRequest {
            scope: Scope::Organisation,
            project: Some(PROJECT.to_owned()),
            environment: None,
            session: None,
            service: None,
            format: None,
            encodings: Vec::new(),
            mode: IngestMode::Import,
            idempotency_key: None,
            limit: u64::MAX,
        };
        let rules = Rules::new(redact_key, &Settings::default(), &request);
        let mut splitter = Splitter::new(self.input.format());
        splitter.push(&self.bytes);
        splitter.finish().unwrap();
        let head = splitter.head().cloned().unwrap_or_else(Head::default);
        let parser = Parser::new(self.input.format(), &head, *modified);
        let mut rows = Vec::new();
        while let Some(unit) = splitter.next() {
            let Ok(record) = parser.parse(&unit).map_err(|wrong| wrong.reason).and_then(|record| rules.accept(record))
            else {
                continue;
            };
            let id = EntryId::new(modified.as_millis() as u64, self.input.place().seq(unit.offset).unwrap());
            rows.push(Stored { id, record });
        }
        rows
    }

    /// Its portions of about `size` bytes, adopted.
    fn adopt(&self, store: &mut Store, size: u64) {
        self.portions(size).for_each(|(from, to)| self.adopt_portion(store, from, to));
    }

    fn portions(&self, size: u64) -> impl Iterator<Item = (u64, u64)> + use<> {
        let end = self.bytes.len() as u64;
        let cuts: Vec<(u64, u64)> = match self.input.splits() {
            Splits::Anywhere => (0..end).step_by(size as usize).map(|from| (from, (from + size).min(end))).collect(),
            Splits::FromTheBeginning => {
                let mut cutter = Cutter::new(&self.input, size);
                cutter.push(&self.bytes);
                assert_eq!(cutter.finish(), None);
                std::iter::from_fn(|| cutter.next()).map(|cut| (cut.bytes.start, cut.bytes.end)).collect()
            }
        };
        cuts.into_iter()
    }

    fn adopt_portion(&self, store: &mut Store, from: u64, to: u64) {
        let mut portion = Portion::new(&self.input, from..to, Borders::Nominal);
        while let Some(wanted) = portion.want() {
            portion.push(self.slice(wanted.start, wanted.end));
        }
        store.adopt(self.input.place(), portion.finish()).unwrap();
    }

    fn slice(&self, from: u64, to: u64) -> &[u8] {
        let end = self.bytes.len();
        &self.bytes[end.min(from as usize)..end.min(to as usize)]
    }
}

/// The same records twice.
struct Both {
    memory: Memory,
    store: Store,
    files: Vec<File>,
    prng: RefCell<Prng>,
    // bytes of files that were read
    read: Cell<u64>,
    asked: usize,
    rows: Vec<Stored>,
}

impl Both {
    fn new(files: Vec<Vec<u8>>, portion: u64, seed: u64) -> Self {
        let mut setting = Setting::default();
        setting.settings.fan_out = Some(reqlog_core::plan::FanOut::default());
        let files: Vec<File> = (0..).zip(files).map(|(place, bytes)| File::new(place, bytes, &setting)).collect();
        let rows: Vec<Stored> = files.iter().flat_map(File::records).collect();
        let mut memory = Memory::new(&setting);
        memory.hold(rows.clone());
        let mut store = Store::new(setup(&memory), 4 << 20);
        for file in &files {
            store.insert(file.input.place(), file.input.clone());
            file.adopt(&mut store, portion);
        }
        assert_eq!((store.rows(), store.head()), (rows.len() as u64, memory.head()));
        let prng = RefCell::new(Prng::new(seed));
        Self { memory, store, files, prng, read: Cell::new(0), asked: 0, rows }
    }

    /// The answer of both.
    fn ask(&mut self, path: &str) -> Response<Bytes> {
        let request = |key: &str| {
            let request = Request::get(path).header("host", "reqlog.test").header("x-api-key", key);
            request.body(Bytes::new()).unwrap()
        };
        let key = self.memory.admin().to_owned();
        let expected = self.memory.answer(request(&key));
        self.read.set(0);
        let got = offline::answer(&self.store, request(&key), self.memory.now(), |wanted| self.bytes(wanted)).unwrap();
        assert_eq!(got.status(), expected.status(), "{path}: {:?}", got.body());
        assert_eq!(got.headers().get("link"), expected.headers().get("link"), "{path}");
        let (got_body, expected_body) = (unscanned(got.body()), unscanned(expected.body()));
        let at = got_body.iter().zip(&expected_body).take_while(|(a, b)| a == b).count();
        let near =
            |body: &[u8]| String::from_utf8_lossy(&body[at.saturating_sub(200)..body.len().min(at + 200)]).into_owned();
        assert!(got_body == expected_body, "{path}\n got {}\n not {}", near(&got_body), near(&expected_body));
        self.asked += 1;
        got
    }

    // as much as is asked for, or less
    fn bytes(&self, wanted: &Read) -> Result<Bytes, String> {
        let Read { place, range } = wanted;
        let most = range.end - range.start;
        assert!(most <= 3 << 20, "{most} bytes at once");
        let mut prng = self.prng.borrow_mut();
        let less = if prng.chance(0.2) { 1 + prng.below(most) } else { most };
        let bytes = self.files[usize::from(place.get())].slice(range.start, range.start + less);
        self.read.set(self.read.get() + bytes.len() as u64);
        Ok(Bytes::copy_from_slice(bytes))
    }

    fn json(&mut self, path: &str) -> Value {
        let answer = self.ask(path);
        assert_eq!(answer.status(), StatusCode::OK, "{path}: {:?}", answer.body());
        serde_json::from_slice(answer.body()).unwrap()
    }
}

fn setup(memory: &Memory) -> Setup {
    let setting = memory.setting();
    Setup {
        keyring: memory.keyring().clone(),
        projects: memory.projects().clone(),
        secret: setting.cursor_secret,
        redact_key: setting.redact_key,
        settings: Settings { offers: Offers::OPENED, ..setting.settings.clone() },
    }
}

/// Without what the answer cost, which is the last member.
fn unscanned(body: &[u8]) -> Vec<u8> {
    let at = body.windows(11).rposition(|window| window == b",\"scanned\":".as_slice());
    at.filter(|_| body.starts_with(b"{\"items\"")).map_or(body, |at| &body[..at]).to_vec()
}

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
fn ndjson(seed: u64, records: u64) -> Vec<u8> {
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

const HOT: [&str; 8] = [
    "",
    "status:5xx",
    "level:error OR method:POST",
    "service:pay -status:200",
    "path:/v1/*",
    "shipped",
    "duration:>=1ms trace:trace-1*",
    "kind:event",
];
const COLD: [&str; 9] = [
    "req.header.x-cache:HIT",
    "res.header.x-cache:*",
    "-req.header.x-cache:hit status:200",
    "attr.n:7",
    "req.body:needle",
    "body:upstream OR level:error",
    "res.json.order.id:3",
    "type:json service:users",
    "body:~/lo+ng/",
];

fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        let _ = if byte.is_ascii_alphanumeric() { write!(out, "{}", byte as char) } else { write!(out, "%{byte:02X}") };
        out
    })
}

#[test]
fn every_read_is_that_of_the_evaluator_in_memory() {
    for (seed, portion) in [(1, 40_000), (2, 300_000)] {
        let har = export(seed);
        let mut both = Both::new(vec![ndjson(seed, 500), har, ndjson(seed + 10, 150)], portion, seed);
        let mut prng = Prng::new(seed);
        let mut seen = 0;
        for sort in ["time", "duration", "status", "size", "arrival"] {
            for dir in ["asc", "desc"] {
                for q in [prng.pick(&HOT), prng.pick(&COLD), prng.pick(&HOT), prng.pick(&COLD)] {
                    let total = prng.pick(&["none", "exact"]);
                    let start = prng.pick(&["", "", "&offset=7", "&offset=90"]);
                    let limit = 1 + prng.below(40);
                    let q = escaped(q);
                    let path = format!("/api/v1/logs?q={q}&sort={sort}&dir={dir}&limit={limit}&total={total}");
                    let mut page = both.json(&format!("{path}{start}"));
                    for _ in 0..3 {
                        seen += page["items"].as_array().unwrap().len();
                        let Some(next) = page[prng.pick(&["next", "next", "prev"])].as_str() else { break };
                        page = both.json(&format!("{path}&cursor={next}"));
                    }
                }
            }
        }
        assert!(seen > 1000, "pages without rows compare nothing: {seen}");
        for q in HOT.iter().chain(&COLD).map(|q| escaped(q)) {
            both.json(&format!("/api/v1/stats?q={q}"));
            both.json(&format!("/api/v1/histogram?q={q}&buckets=7"));
            both.json(&format!("/api/v1/facets?q={q}&fields=level,status,service,session,path&top=5"));
            both.json(&format!("/api/v1/endpoints?q={q}&sort=p95"));
            for format in ["ndjson", "csv", "har", "json"] {
                assert_eq!(both.ask(&format!("/api/v1/export?q={q}&format={format}")).status(), 200);
            }
        }
    }
}

/// What was exported is opened again.
fn export(seed: u64) -> Vec<u8> {
    let setting = Setting::default();
    let mut memory = Memory::new(&setting);
    memory.hold(File::new(0, ndjson(seed + 5, 120), &setting).records());
    let request = Request::get("/api/v1/export?format=har").header("x-api-key", memory.admin()).body(Bytes::new());
    memory.answer(request.unwrap()).body().to_vec()
}

#[test]
fn every_record_is_that_of_the_evaluator_in_memory() {
    let mut both = Both::new(vec![ndjson(3, 160), export(3)], 50_000, 3);
    let ids: Vec<EntryId> = both.rows.iter().map(|row| row.id).collect();
    let mut found = 0;
    for (at, id) in ids.iter().enumerate() {
        let own = id.to_text();
        assert_eq!(both.ask(&format!("/api/v1/logs/{own}")).status(), 200);
        let paths = match at % 8 {
            0 => vec![format!("/api/v1/logs/{own}?context=3"), format!("/v1/logs/{}", id.to_uuid())],
            1 => vec![format!("/api/v1/logs/{own}/export?as=curl"), format!("/api/v1/logs/{own}/export?as=http")],
            2 => vec![format!("/api/v1/logs/{own}/export?as=har")],
            3 => vec![format!("/api/v1/logs/{}/body", id.to_flowmock())],
            4 => vec![format!("/v2.1/projects/{PROJECT}/logs/{}", id.to_cognigy())],
            _ => ["request", "response"]
                .iter()
                .flat_map(|side| ["", "&view=text", "&view=json", "&view=hex"].map(|view| (side, view)))
                .map(|(side, view)| format!("/api/v1/logs/{own}/body?side={side}{view}"))
                .collect(),
        };
        found += paths.iter().filter(|path| both.ask(path).status() == 200).count();
    }
    assert!(found > 200, "{found}");
    // one record costs about one record
    both.ask(&format!("/api/v1/logs/{}", ids[20].to_text()));
    assert!((1..=40_000).contains(&both.read.get()), "{}", both.read.get());
}

#[test]
fn every_dialect_is_that_of_the_evaluator_in_memory() {
    let mut both = Both::new(vec![ndjson(4, 400), ndjson(5, 100)], 60_000, 4);
    let window = |from: &str, to: &str| format!("{from}=2026-06-23T12:00:00Z&{to}=2026-06-23T12:50:00Z");
    let mut asked = Vec::new();
    for session in ["u1", "u2"] {
        asked.push((format!("/sessions/{session}/logs?project={PROJECT}&limit=20"), "/nextCursor", "before"));
    }
    let scrip = format!("/v1/logs?limit=20&project={PROJECT}");
    asked.push((scrip.clone(), "/pagination/next_cursor", "cursor"));
    asked.push((format!("{scrip}&method=post&status_min=400"), "/pagination/next_cursor", "cursor"));
    for more in ["", "&level=error", "&search=ship", "&sort=duration", "&service=pay"] {
        asked.push((
            format!("/logs?limit=30{more}&{}", window("startDate", "endDate")),
            "/data/pagination/nextOffset",
            "offset",
        ));
    }
    for more in ["", "&type=error", "&filter=1", "&sort=msg:asc", "&sort=traceId:desc", "&userId=u1"] {
        let path = format!("/v2.1/projects/{PROJECT}/logs?limit=25{more}");
        asked.push((path, "/nextCursor", "next"));
    }
    let mut pages = 0;
    for (path, next, parameter) in asked {
        let mut page = both.json(&path);
        for _ in 0..3 {
            pages += 1;
            let cursor = match page.pointer(next) {
                None | Some(Value::Null) => break,
                Some(Value::String(text)) => escaped(text),
                Some(number) => number.to_string(),
            };
            page = both.json(&format!("{path}&{parameter}={cursor}"));
        }
    }
    assert!(pages > 30, "{pages}");
    for path in [
        format!("/_logs?limit=50&projectId={PROJECT}"),
        format!("/_logs?limit=50&projectId={PROJECT}&include=request,response"),
        format!("/_logs?limit=50&projectId={PROJECT}&sort=-duration"),
        format!("/_logs/stats?projectId={PROJECT}"),
        "/_logs?limit=40&level=error".to_owned(),
        format!("/v2.0/projects/{PROJECT}/logs?limit=9"),
    ] {
        both.ask(&path);
    }
    assert!(both.asked > 40, "{}", both.asked);
}

#[test]
fn what_columns_tell_reads_nothing_of_the_file() {
    let mut both = Both::new(vec![ndjson(6, 300)], 40_000, 6);
    for q in HOT.map(escaped) {
        for path in [
            format!(
                "/api/v1/logs?q={q}&fields=id,time,method,path,status,duration_ms,service,message,redacted&limit=100"
            ),
            format!("/api/v1/logs?q={q}&fields=seq&sort=duration&total=exact&offset=3"),
            format!("/api/v1/stats?q={q}"),
            format!("/api/v1/histogram?q={q}"),
            format!("/api/v1/facets?q={q}&fields=level,status,path,session"),
            format!("/api/v1/endpoints?q={q}"),
        ] {
            both.json(&path);
            assert_eq!(both.read.get(), 0, "{path}");
        }
        both.json(&format!("/api/v1/logs?q={q}&limit=3"));
        assert!(both.read.get() > 0, "a list shows headers");
    }
}

#[test]
fn a_walk_is_not_disturbed_by_what_is_adopted_meanwhile() {
    let setting = Setting::default();
    let file = File::new(0, ndjson(7, 300), &setting);
    let memory = Memory::new(&setting);
    let mut store = Store::new(setup(&memory), 1 << 20);
    store.insert(file.input.place(), file.input.clone());
    let mut portions = file.portions(20_000);
    let mut adopt = |store: &mut Store, portions: &mut dyn Iterator<Item = (u64, u64)>| {
        portions.next().map(|(from, to)| file.adopt_portion(store, from, to))
    };
    (0..4).for_each(|_| drop(adopt(&mut store, &mut portions)));
    let mut expected: Vec<u64> = file.records().iter().map(|row| row.id.seq().get()).collect();
    expected.truncate(store.rows() as usize);
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let request = Request::get(format!("/api/v1/logs?fields=seq&sort=duration&limit=7{cursor}"));
        let request = request.header("x-api-key", memory.admin()).body(Bytes::new()).unwrap();
        let page = offline::answer(&store, request, memory.now(), |_| Err("nothing is read".into())).unwrap();
        let page: Value = serde_json::from_slice(page.body()).unwrap();
        seen.extend(page["items"].as_array().unwrap().iter().map(|row| row["seq"].as_u64().unwrap()));
        adopt(&mut store, &mut portions);
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, expected);
    portions.for_each(|(from, to)| file.adopt_portion(&mut store, from, to));
    assert_eq!(store.rows() as usize, file.records().len());
    let (_, opened) = store.inputs().next().unwrap();
    // lines of rejected records are those of the file
    let lines: Vec<&[u8]> = file.bytes.split(|byte| *byte == b'\n').collect();
    assert!(opened.rejected > 5 && opened.rejections.len() as u64 == opened.rejected);
    for rejection in &opened.rejections {
        assert_eq!(lines[rejection.line as usize - 1], rejection.excerpt.as_bytes(), "{rejection:?}");
    }
}

#[test]
fn a_file_that_cannot_be_read_or_has_changed_is_told() {
    let setting = Setting::default();
    let file = File::new(0, ndjson(8, 50), &setting);
    let memory = Memory::new(&setting);
    let mut store = Store::new(setup(&memory), 1 << 20);
    store.insert(file.input.place(), file.input.clone());
    file.adopt(&mut store, 1 << 20);
    let ask = |path: &str, read: &dyn Fn(&Read) -> Result<Bytes, String>| {
        let request = Request::get(path).header("x-api-key", memory.admin()).body(Bytes::new()).unwrap();
        offline::answer(&store, request, memory.now(), read)
    };
    let shifted = |wanted: &Read| Ok(Bytes::copy_from_slice(file.slice(wanted.range.start + 1, wanted.range.end + 1)));
    let ended = |_: &Read| Ok(Bytes::new());
    for path in ["/api/v1/logs", "/api/v1/logs?q=req.header.x-cache:HIT", "/api/v1/export"] {
        for read in [&shifted as &dyn Fn(&Read) -> Result<Bytes, String>, &ended] {
            let answer = ask(path, read).unwrap();
            assert_eq!(answer.status(), 500, "{path}");
            let told: Value = serde_json::from_slice(answer.body()).unwrap();
            assert_eq!(told["detail"], "The opened file is not what it was when it was indexed; open it again.");
        }
        assert_eq!(ask(path, &|_| Err("gone".into())).unwrap().status(), 500, "{path}");
    }
}
