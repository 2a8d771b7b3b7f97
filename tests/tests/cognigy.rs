//! Cognigy's walks as a client sees them: by cursors and by links, in every order, while entries arrive.

use bytes::Bytes;
use http::{Request, Response};
use proptest::prelude::*;
use reqlog_tests::memory::Memory;
use serde_json::Value;
use std::ops::Range;

const LOGS: &str = "/v2.1/projects/abcdefghijklmnopqrstuvwx/logs";

fn ask(server: &mut Memory, target: &str) -> Response<Bytes> {
    let request = Request::get(target).header("x-api-key", server.admin()).body(Bytes::new()).unwrap();
    let answer = server.answer(request);
    assert_eq!(answer.status(), 200, "{target}: {:?}", answer.body());
    answer
}

fn get(server: &mut Memory, target: &str) -> Value {
    serde_json::from_slice(ask(server, target).body()).unwrap()
}

fn linked(answer: &Response<Bytes>, rel: &str) -> Option<String> {
    let links = answer.headers().get("link")?.to_str().unwrap();
    let link = links.split(", ").find(|link| link.ends_with(&format!("rel=\"{rel}\"")))?;
    Some(link[1..link.find('>').unwrap()].to_owned())
}

/// Entries of few times, levels, traces and messages, so that most of them tie in every order.
fn ingest(server: &mut Memory, entries: &[(u8, u8, u8, u8)]) {
    let line = |(time, level, trace, message): &(u8, u8, u8, u8)| {
        let level = ["debug", "warn"][usize::from(*level)];
        let trace = ["", ",\"trace_id\":\"t\"", ",\"trace_id\":\"T\""][usize::from(*trace)];
        let message = ["", ",\"message\":\"m\"", ",\"message\":\"n\""][usize::from(*message)];
        format!("{{\"time\":\"2026-06-24T11:30:0{time}Z\",\"level\":\"{level}\"{trace}{message}}}\n")
    };
    let body: String = entries.iter().map(line).collect();
    let target = "/api/v1/ingest?project=abcdefghijklmnopqrstuvwx&format=ndjson";
    let request = Request::post(target).header("x-api-key", server.admin());
    assert_eq!(server.answer(request.body(body.into()).unwrap()).status(), 200);
}

fn ids(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|item| item["_id"].as_str().unwrap().to_owned()).collect()
}

fn entries(count: Range<usize>) -> impl Strategy<Value = Vec<(u8, u8, u8, u8)>> {
    prop::collection::vec((0..3u8, 0..2u8, 0..3u8, 0..3u8), count)
}

fn sort() -> impl Strategy<Value = String> {
    let fields = prop::sample::select(vec!["timestamp", "_id", "type", "traceId", "msg"]);
    (fields, prop::sample::select(vec!["asc", "desc"])).prop_map(|(field, direction)| format!("{field}:{direction}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_walk_is_the_snapshot_of_its_beginning_and_back_again(
        first in entries(1..14),
        late in prop::collection::vec(entries(0..4), 14),
        sizes in prop::collection::vec(1..5usize, 14),
        sort in sort(),
        filter in prop::sample::select(vec!["", "&filter=n", "&type[]=warn&filter=T"]),
    ) {
        let mut server = Memory::default();
        ingest(&mut server, &first);
        let base = format!("{LOGS}?sort={sort}{filter}");
        let whole = get(&mut server, &format!("{base}&limit=100"));
        let (total, whole) = (whole["total"].clone(), ids(&whole));
        prop_assert_eq!(&total, &Value::from(whole.len()));

        let (mut seen, mut pages, mut way) = (Vec::new(), Vec::new(), String::new());
        for (size, late) in sizes.iter().zip(&late) {
            let page = get(&mut server, &format!("{base}&limit={size}{way}"));
            prop_assert_eq!(&page["total"], &total);
            prop_assert_eq!(page["previousCursor"].is_null(), pages.is_empty());
            seen.extend(ids(&page));
            pages.push((*size, page.clone()));
            ingest(&mut server, late);
            match page["nextCursor"].as_str() {
                Some(next) => way = format!("&next={next}"),
                None => break,
            }
        }
        prop_assert_eq!(&seen, &whole);
        for two in pages.windows(2) {
            let previous = two[1].1["previousCursor"].as_str().unwrap();
            let back = get(&mut server, &format!("{base}&limit={}&previous={previous}", two[0].0));
            prop_assert_eq!(&back, &two[0].1, "the very same page, cursors included");
        }
    }

    #[test]
    fn links_by_offset_stay_in_the_snapshot_too(
        first in entries(1..14),
        late in prop::collection::vec(entries(0..4), 14),
        size in 1..5usize,
        sort in sort(),
    ) {
        let mut server = Memory::default();
        ingest(&mut server, &first);
        let whole = ids(&get(&mut server, &format!("{LOGS}?sort={sort}&limit=100")));
        let mut url = format!("{LOGS}?sort={sort}&limit={size}&skip=0");
        let (mut seen, mut bodies) = (Vec::new(), Vec::new());
        for late in &late {
            let answer = ask(&mut server, &url);
            seen.extend(ids(&serde_json::from_slice(answer.body()).unwrap()));
            ingest(&mut server, late);
            bodies.push(answer.body().clone());
            match linked(&answer, "next") {
                Some(next) => url = next,
                None => break,
            }
        }
        prop_assert_eq!(&seen, &whole);
        while bodies.len() > 1 {
            bodies.pop();
            url = linked(&ask(&mut server, &url), "prev").unwrap();
            let again = ask(&mut server, &url);
            prop_assert_eq!(again.body(), bodies.last().unwrap());
        }
        prop_assert_eq!(linked(&ask(&mut server, &url), "prev"), None);
    }
}
