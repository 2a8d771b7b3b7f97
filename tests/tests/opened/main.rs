//! Answers over opened files, of which hot segments and the files themselves are all that there is, are byte for byte
//! those of the evaluator in memory over the same records.

mod both;
mod hidden;
mod records;

use both::{Both, File, PROJECT, setup};
use bytes::Bytes;
use http::Request;
use records::ndjson;
use reqlog_core::id::EntryId;
use reqlog_core::offline::{Input, Opening, Place, Read, Step, Store};
use reqlog_tests::corpus::Prng;
use reqlog_tests::memory::Memory;
use reqlog_tests::offline;
use reqlog_tests::wire::Setting;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write;

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

#[test]
fn every_record_that_hides_what_is_sought_is_found() {
    for seed in 1..=3 {
        let mut both = Both::new(hidden::files(seed, 120), 30_000, seed);
        let mut hash = Vec::new();
        for row in &both.rows {
            let kept = row.record.request.body.as_ref().map(|body| String::from_utf8_lossy(&body.bytes).into_owned());
            let marked = kept.as_deref().and_then(|text| Some(text.split_once("[redacted:")?.1.get(..6)?.to_owned()));
            hash.extend(marked);
        }
        assert!(hash.len() > 10, "secrets were replaced");
        let sought = hidden::SOUGHT.into_iter().map(str::to_owned);
        let mut some = 0;
        for q in sought.chain([format!("body:{}", hash[0]), format!("-body:{}", hash[1])]) {
            let q = escaped(&q);
            let page = both.json(&format!("/api/v1/logs?q={q}&limit=200&total=exact"));
            some += usize::from(!page["items"].as_array().unwrap().is_empty());
            both.json(&format!("/api/v1/stats?q={q}"));
            both.json(&format!("/api/v1/histogram?q={q}&buckets=3"));
            both.json(&format!("/api/v1/facets?q={q}&fields=status,type&top=5"));
        }
        assert!(some > 20, "filters without rows compare nothing: {some}");
    }
}

#[test]
fn one_record_comes_with_all_of_its_bodies() {
    let long = "lorem ipsum ".repeat(40_000);
    let line = |n: u64, text: &str| {
        let body = serde_json::json!({"size": text.len(), "content_type": "text/plain", "text": text});
        serde_json::json!({"method": "GET", "path": format!("/{n}"), "status": 200, "response": {"headers": [], "body": body}})
    };
    let file = format!("{}\n{}\n", line(1, &long), line(2, "short"));
    let setting = Setting::default();
    let file = File::new(0, file.into_bytes(), &setting);
    let memory = Memory::new(&setting);
    let mut store = Store::new(setup(&memory), 1 << 20);
    store.insert(file.input.place(), file.input.clone());
    file.adopt(&mut store, 1 << 20);
    let ask = |path: &str| {
        let request = Request::get(path).header("x-api-key", memory.admin()).body(Bytes::new()).unwrap();
        let read = |read: &Read| Ok(Bytes::copy_from_slice(file.slice(read.range.start, read.range.end)));
        offline::answer(&store, request, memory.now(), read).unwrap().into_body()
    };
    let json = |path: &str| -> Value { serde_json::from_slice(&ask(path)).unwrap() };
    let page = json("/api/v1/logs?q=is:truncated");
    let [row] = page["items"].as_array().unwrap().as_slice() else { panic!("{page}") };
    assert_eq!(row["response"]["body"]["truncated"], true, "lists say what filters know");
    let id = row["id"].as_str().unwrap();
    let record = json(&format!("/api/v1/logs/{id}"));
    let body = &record["response"]["body"];
    assert_eq!((body["truncated"].as_bool(), body["captured"].as_u64()), (Some(false), Some(long.len() as u64)));
    assert_eq!(ask(&format!("/api/v1/logs/{id}/body?side=response")), long.as_bytes());
    assert!(json("/api/v1/export?q=path:/1&format=json")[0]["response"]["body"]["truncated"] == true);
}

#[test]
fn what_is_nowhere_is_sought_in_one_reading() {
    let file = ndjson(9, 2000);
    let size = file.len() as u64;
    let mut both = Both::new(vec![file], 200_000, 9);
    // units with base64 are read once more, to be parsed; where nothing can be told from bytes, all are, but once
    for (q, least, most) in [("body:nowhere-to-be-found", 10, 20), ("body:\"~~\"", 9, 11)] {
        let page = both.json(&format!("/api/v1/logs?q={}&total=exact", escaped(q)));
        assert_eq!(page["total"], 0, "{page}");
        let tenths = both.read.get() * 10 / size;
        assert!((least..=most).contains(&tenths), "{q}: {tenths} tenths of the file were read");
    }
}

#[test]
fn rows_of_a_page_that_lie_apart_are_asked_for_together() {
    let setting = Setting::default();
    let memory = Memory::new(&setting);
    let mut store = Store::new(setup(&memory), 1 << 20);
    let pad = "lorem ipsum ".repeat(1000);
    let files = ["a.ndjson", "b.ndjson"].into_iter().zip(0u8..).map(|(name, at)| {
        let line = |n: u64| serde_json::json!({"path": format!("/{n}"), "duration_ms": n * 151 % 401 + u64::from(at), "attributes": {"pad": pad}});
        let bytes: String = (0..300).map(|n| format!("{}\n", line(n))).collect();
        let opening = Opening { name: Some(name.to_owned()), ..Opening::new(memory.now(), Some(setting.redact_key)) };
        let input = Input::open(Place::new(at), bytes.as_bytes(), &opening).unwrap().unwrap();
        store.insert(input.place(), input.clone());
        let file = File { bytes: bytes.into_bytes(), input, opening };
        file.adopt(&mut store, 1 << 20);
        file
    });
    let files: Vec<File> = files.collect();
    let ask = || {
        let request = Request::get("/api/v1/logs?sort=duration&limit=20").header("x-api-key", memory.admin());
        store.answer(request.body(Bytes::new()).unwrap(), memory.now())
    };

    let mut answer = ask();
    let Step::Read(reads) = answer.step(&store, memory.now()) else { panic!("it needs the files") };
    let places: BTreeSet<u8> = reads.iter().map(|read| read.place.get()).collect();
    let bytes: u64 = reads.iter().map(|read| read.range.end - read.range.start).sum();
    assert!(reads.len() > 10 && places.len() == 2 && bytes < 1 << 20, "{reads:?}");
    for Read { place, range } in &reads {
        answer.supply(files[usize::from(place.get())].slice(range.start, range.end));
    }
    let Step::Whole(page) = answer.step(&store, memory.now()) else { panic!("nothing is left to read") };
    let page: Value = serde_json::from_slice(page.body()).unwrap();
    let durations: Vec<u64> =
        page["items"].as_array().unwrap().iter().map(|row| row["duration_ms"].as_u64().unwrap()).collect();
    let mut slowest: Vec<u64> = (0..300).flat_map(|n| [n * 151 % 401, n * 151 % 401 + 1]).collect();
    slowest.sort_unstable();
    assert_eq!(durations, slowest.into_iter().rev().take(20).collect::<Vec<_>>());
    assert!(page["items"].as_array().unwrap().iter().all(|row| row["attributes"]["pad"] == *pad));

    // it is told which of the files has changed
    let mut answer = ask();
    let Step::Read(reads) = answer.step(&store, memory.now()) else { panic!("it needs the files") };
    let at = reads.iter().position(|read| read.place.get() == 1).unwrap();
    reads[..at].iter().for_each(|read| answer.supply(files[0].slice(read.range.start, read.range.end)));
    answer.changed();
    let Step::Whole(refused) = answer.step(&store, memory.now()) else { panic!("it cannot go on") };
    assert_eq!(refused.status(), 500);
    assert!(String::from_utf8_lossy(refused.body()).contains("b.ndjson"), "{refused:?}");
}

#[test]
fn of_long_units_one_at_a_time_is_half_read() {
    let setting = Setting::default();
    let memory = Memory::new(&setting);
    let mut store = Store::new(setup(&memory), 1 << 20);
    // each eighth is long
    let long = |n: u64| n.is_multiple_of(8);
    let line = |n: u64| {
        let text = "lorem ipsum ".repeat(if long(n) { 60_000 } else { 10_000 });
        let body = serde_json::json!({"size": text.len(), "content_type": "text/plain", "text": text});
        serde_json::json!({"path": format!("/{n}"), "duration_ms": n * 11 % 31, "response": {"headers": [], "body": body}})
    };
    let bytes: String = (0..31).map(|n| format!("{}\n", line(n))).collect();
    let file = File::new(0, bytes.into_bytes(), &setting);
    store.insert(file.input.place(), file.input.clone());
    file.adopt(&mut store, 3 << 20);
    let request = Request::get("/api/v1/logs?sort=duration&limit=31").header("x-api-key", memory.admin());
    let mut answer = store.answer(request.body(Bytes::new()).unwrap(), memory.now());
    let (mut together, mut longest, mut begun) = (0, Vec::new(), BTreeSet::new());
    let page = loop {
        let reads = match answer.step(&store, memory.now()) {
            Step::Read(reads) => reads,
            Step::Whole(page) => break page,
            other => panic!("{other:?}"),
        };
        together = together.max(reads.len());
        let long: Vec<_> =
            reads.iter().map(|read| read.range.clone()).filter(|range| range.end - range.start > 128 << 10).collect();
        assert!(long.len() <= 1, "{long:?}");
        longest.extend(long);
        reads.iter().for_each(|read| answer.supply(file.slice(read.range.start, read.range.end)));
    };
    assert!(together > 8, "short ones are read side by side: {together}");
    // each is read to its end before another one
    for (at, range) in longest.iter().enumerate() {
        let goes_on = at > 0 && longest[at - 1].end == range.start;
        assert!(goes_on || begun.insert(range.start), "{longest:?}");
    }
    assert_eq!(begun.len(), (0..31).filter(|n| long(*n)).count(), "{longest:?}");
    let page: Value = serde_json::from_slice(page.body()).unwrap();
    let rows = page["items"].as_array().unwrap();
    let durations: Vec<u64> = rows.iter().map(|row| row["duration_ms"].as_u64().unwrap()).collect();
    assert_eq!(durations, (0..31).rev().collect::<Vec<u64>>());
    for row in rows {
        let body = &row["response"]["body"];
        assert_eq!(body["preview"].as_str().map(str::len), Some(256));
        assert_eq!(body["truncated"], body["size"] == 720_000, "{body}");
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
    let adopt = |store: &mut Store, portions: &mut dyn Iterator<Item = (u64, u64)>| {
        if let Some((from, to)) = portions.next() {
            file.adopt_portion(store, from, to);
        }
    };
    (0..4).for_each(|_| adopt(&mut store, &mut portions));
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
