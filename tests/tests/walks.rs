//! The paging promises as a client sees them: through URLs, cursors and bodies, while rows arrive.

use bytes::Bytes;
use http::Request;
use proptest::prelude::*;
use reqlog_tests::memory::Memory;
use serde_json::Value;

fn get(server: &mut Memory, target: &str) -> Value {
    let request = Request::get(target).header("x-api-key", server.admin()).body(Bytes::new()).unwrap();
    let answer = server.answer(request);
    assert_eq!(answer.status(), 200, "{target}: {:?}", answer.body());
    serde_json::from_slice(answer.body()).unwrap()
}

/// Rows of these times, in seconds after a fixed moment; many are equal and many late.
fn ingest(server: &mut Memory, times: &[u8]) {
    let line = |time: &u8| {
        format!(
            "{{\"time\":\"2026-01-01T00:00:{time:02}Z\",\"kind\":\"exchange\",\"method\":\"GET\",\"session\":\"s\"}}\n"
        )
    };
    let body: String = times.iter().map(line).collect();
    let request = Request::post("/api/v1/ingest?project=p&format=ndjson").header("x-api-key", server.admin());
    assert_eq!(server.answer(request.body(body.into()).unwrap()).status(), 200);
}

fn ids(page: &Value, list: &str) -> Vec<String> {
    page[list].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

fn times() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(0..4u8, 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_walk_is_the_snapshot_of_its_beginning_there_and_back(
        first in times(),
        late in prop::collection::vec(times(), 12),
        sizes in prop::collection::vec(1..4usize, 12),
        sort in prop::sample::select(vec!["time", "arrival", "duration", "size"]),
        dir in prop::sample::select(vec!["asc", "desc"]),
    ) {
        let mut server = Memory::default();
        ingest(&mut server, &first);
        let base = format!("/api/v1/logs?sort={sort}&dir={dir}");
        let whole = ids(&get(&mut server, &format!("{base}&limit=1000")), "items");
        prop_assert_eq!(whole.len(), first.len());

        let (mut seen, mut pages, mut url) = (Vec::new(), Vec::new(), String::new());
        for (size, late) in sizes.iter().zip(&late) {
            let page = get(&mut server, &format!("{base}&limit={size}{url}"));
            seen.extend(ids(&page, "items"));
            pages.push((*size, page.clone()));
            ingest(&mut server, late);
            match page["next"].as_str() {
                Some(next) => url = format!("&cursor={next}"),
                None => break,
            }
        }
        prop_assert_eq!(&seen, &whole);
        for two in pages.windows(2) {
            let prev = two[1].1["prev"].as_str().unwrap();
            let back = get(&mut server, &format!("{base}&limit={}&cursor={prev}", two[0].0));
            prop_assert_eq!(ids(&back, "items"), ids(&two[0].1, "items"));
        }
    }

    #[test]
    fn polls_see_every_row_exactly_once(batches in prop::collection::vec(times(), 1..8)) {
        let mut server = Memory::default();
        ingest(&mut server, &[0]);
        let base = "/api/v1/sessions/s/logs?project=p&limit=2";
        let follow = "/api/v1/logs?sort=arrival&dir=asc&wait=0&limit=2";
        let mut polled = ids(&get(&mut server, base), "logs");
        let (mut followed, mut cursor) = (Vec::new(), String::new());
        for batch in &batches {
            ingest(&mut server, batch);
            let page = get(&mut server, &format!("{base}&since={}", polled.last().unwrap()));
            polled.extend(ids(&page, "logs"));
            let page = get(&mut server, &format!("{follow}{cursor}"));
            cursor = format!("&cursor={}", page["next"].as_str().unwrap());
            followed.extend(ids(&page, "items"));
        }
        for _ in 0..batches.iter().map(Vec::len).sum() {
            let page = get(&mut server, &format!("{base}&since={}", polled.last().unwrap()));
            polled.extend(ids(&page, "logs"));
            let page = get(&mut server, &format!("{follow}{cursor}"));
            cursor = format!("&cursor={}", page["next"].as_str().unwrap());
            followed.extend(ids(&page, "items"));
        }
        let mut older = ids(&get(&mut server, base), "logs");
        while let Some(next) = get(&mut server, &format!("{base}&before={}", older.last().unwrap()))["logs"].as_array() {
            if next.is_empty() {
                break;
            }
            older.extend(next.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        }
        older.reverse();
        prop_assert_eq!(&polled, &older);
        prop_assert_eq!(followed.iter().map(|id| format!("log_{id}")).collect::<Vec<_>>(), older);
    }
}
