//! Files opened with their secrets: nothing else is different.

use super::*;
use crate::redact::Redactor;

const SECRET: &str = "Q-secret-Q-secret";

/// The same input, once with its secrets replaced and once as it is.
fn both(format: Format, file: &[u8]) -> [Input; 2] {
    [Some([7; 32]), None].map(|redact_key| {
        let opening = Opening { redact_key, ..opening(format) };
        Input::open(Place::new(3), &file[..file.len().min(SNIFF)], &opening).unwrap().expect("it is not empty")
    })
}

fn portions(input: &Input, file: &[u8]) -> Vec<(std::ops::Range<u64>, Borders)> {
    if input.splits() == Splits::Anywhere {
        return vec![(0..file.len() as u64, Borders::Nominal)];
    }
    let mut cutter = Cutter::new(input, 1 << 20);
    cutter.push(file);
    assert_eq!(cutter.finish(), None);
    std::iter::from_fn(|| cutter.next()).map(|cut| (cut.bytes, Borders::Exact)).collect()
}

/// Of all records, which indexing found too.
fn seqs(input: &Input, file: &[u8]) -> Vec<Seq> {
    let mut store = Store::new(Setup::open([7; 32]), 1 << 20);
    store.insert(input.place(), input.clone());
    for (range, borders) in portions(input, file) {
        store.adopt(input.place(), read(input, file, range, borders, file.len())).unwrap();
    }
    let (head, rows) = (store.head().unwrap(), store.rows());
    let all: Vec<Seq> = whole(input.format(), file).0.iter().map(|row| row.id.seq()).collect();
    assert_eq!((Some(head.seq()), rows), (all.last().copied(), all.len() as u64));
    all
}

fn assert_both(format: Format, file: &str, secrets: usize) {
    let [replaced, kept] = both(format, file.as_bytes());
    let all = seqs(&kept, file.as_bytes());
    assert_eq!(all, seqs(&replaced, file.as_bytes()), "{format:?}");
    let [replaced, kept] = [replaced, kept].map(|input| reread(&input, file.as_bytes(), &all, 64));
    assert_eq!(kept.len(), all.len());
    let held = |rows: &[Stored]| -> usize {
        let bodies = rows.iter().flat_map(|row| [&row.record.request.body, &row.record.response.body]).flatten();
        let bodies = bodies.map(|body| String::from_utf8_lossy(&body.bytes)).collect::<Vec<_>>().concat();
        format!("{rows:?}{bodies}").matches(SECRET).count()
    };
    assert!(held(&kept) >= secrets && held(&replaced) == 0, "{format:?}: {kept:?}");
    let redactor = Redactor::new([7; 32]);
    for (mut kept, replaced) in kept.into_iter().zip(replaced) {
        assert!(!kept.record.redacted, "{kept:?}");
        redactor.apply(&mut kept.record);
        assert_eq!(kept, replaced, "{format:?}");
    }
}

#[test]
fn records_hold_their_secrets_and_are_otherwise_the_same() {
    let line = format!(
        r#"{{"method":"POST","path":"/a","query":"token={SECRET}","status":200,"message":"https://u:{SECRET}@h/","request":{{"headers":[["Authorization","Bearer {SECRET}"],["cookie","id={SECRET}"]],"body":{{"size":9,"text":"{{\"password\":\"{SECRET}\"}}"}}}},"attributes":{{"api_key":"{SECRET}"}}}}"#
    );
    let plain = r#"{"method":"GET","path":"/b","status":204}"#;
    assert_both(Format::Ndjson, &format!("{line}\n{plain}\n"), 6);
    assert_both(Format::JsonArray, &format!("[{line},\n{plain}]"), 6);
    assert_both(Format::Csv, &format!("method,path,query,api_key\nGET,/a,token={SECRET},{SECRET}\nGET,/b,,\n"), 2);
    let access = |target: &str| format!("10.0.0.1 - - [23/Jun/2026:00:00:00 +0000] \"GET {target} HTTP/1.1\" 200 5\n");
    assert_both(Format::Access, &[access(&format!("/a?token={SECRET}")), access("/b")].concat(), 1);
    let entry = |url: &str, headers: &str| {
        format!(
            r#"{{"startedDateTime":"2026-06-23T00:00:00Z","time":1,"request":{{"method":"GET","url":"{url}","headers":[{headers}]}},"response":{{"status":200,"headers":[],"content":{{"size":0}}}},"timings":{{}}}}"#
        )
    };
    let cookie = format!(r#"{{"name":"Cookie","value":"id={SECRET}"}}"#);
    let entries = [entry(&format!("https://h/a?token={SECRET}"), &cookie), entry("https://h/b", "")].join(",");
    assert_both(Format::Har, &format!(r#"{{"log":{{"version":"1.2","entries":[{entries}]}}}}"#), 2);
}

#[test]
fn filters_find_what_is_there() {
    let file = format!("{{\"path\":\"/a\",\"query\":\"token={SECRET}\"}}\n");
    let now = Timestamp::from_millis(1_782_216_001_000);
    let found = both(Format::Ndjson, file.as_bytes()).map(|input| {
        let mut store = Store::new(Setup::open([7; 32]), 1 << 20);
        store.insert(input.place(), input.clone());
        let indexed = read(&input, file.as_bytes(), 0..file.len() as u64, Borders::Nominal, file.len());
        store.adopt(input.place(), indexed).unwrap();
        let request = http::Request::builder().uri(format!("/api/v1/stats?q=query:*{SECRET}")).body(Bytes::new());
        let Step::Whole(response) = store.answer(request.unwrap(), now).step(&store, now) else {
            panic!("it is a count")
        };
        let counts: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
        counts["total"].as_u64()
    });
    assert_eq!(found, [Some(0), Some(1)]);
}
