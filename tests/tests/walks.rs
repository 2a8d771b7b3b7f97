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

    #[test]
    fn a_scrip_walk_is_the_snapshot_of_its_beginning(
        first in calls(),
        late in prop::collection::vec(calls(), 16),
        sizes in prop::collection::vec(1..4usize, 16),
        sort in prop::sample::select(vec!["created_at", "duration_ms", "status_code"]),
        dir in prop::sample::select(vec!["asc", "desc"]),
        filter in prop::sample::select(vec!["", "&method=get", "&status_max=404", "&from=2026-01-01T00:00:01Z"]),
    ) {
        let mut server = Memory::default();
        send(&mut server, &first);
        let base = format!("/v1/logs?sort_by={sort}&sort_dir={dir}{filter}");
        let whole = ids(&get(&mut server, &format!("{base}&limit=100")), "data");
        let (mut seen, mut url) = (Vec::new(), String::new());
        for (size, late) in sizes.iter().zip(&late) {
            let page = get(&mut server, &format!("{base}&limit={size}{url}"));
            seen.extend(ids(&page, "data"));
            let next = page["pagination"]["next_cursor"].as_str();
            prop_assert_eq!(page["pagination"]["has_more"].as_bool(), Some(next.is_some()));
            let Some(next) = next else { break };
            url = format!("&cursor={next}");
            send(&mut server, late);
        }
        prop_assert_eq!(seen, whole);
    }

    #[test]
    fn generic_links_lead_through_the_snapshot_of_their_beginning_there_and_back(
        first in calls(),
        late in prop::collection::vec(calls(), 32),
        limit in 1..4usize,
        offset in 0..4usize,
        filter in prop::sample::select(vec!["", "&search=get%20/1", "&level=INFO", "&endDate=2026-01-01T00:00:02Z"]),
    ) {
        let mut server = Memory::default();
        send(&mut server, &first);
        let whole = details(&get(&mut server, &format!("/logs?limit=1000{filter}")));
        let (mut url, mut seen) = (format!("/logs?limit={limit}&offset={offset}{filter}"), Vec::new());
        let (mut late, mut last) = (late.iter().cycle(), url.clone());
        loop {
            let (page, [next, _]) = linked(&mut server, &url);
            seen.extend(details(&page));
            prop_assert_eq!(page["data"]["pagination"]["total"].as_u64(), Some(whole.len() as u64));
            prop_assert_eq!(page["data"]["pagination"]["nextOffset"].is_null(), next.is_none());
            if next.is_none() {
                last.clone_from(&url);
            }
            let Some(next) = next else { break };
            url = next;
            // the first page of all is bound by the links that it hands out
            send(&mut server, late.next().unwrap());
        }
        prop_assert_eq!(&seen[..], &whole[offset.min(whole.len())..]);
        if !last.contains("snapshot=") {
            return Ok(());
        }
        let (page, [_, mut prev]) = linked(&mut server, &last);
        let mut back = details(&page);
        while let Some(url) = prev {
            send(&mut server, late.next().unwrap());
            let (page, [_, before]) = linked(&mut server, &url);
            back.splice(0..0, details(&page));
            prev = before;
        }
        prop_assert_eq!(back, whole);
    }
}

/// Second, duration, status and path of calls; many are equal in any of them, and many late.
type Call = (u8, Option<u8>, Option<u16>, u8);

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let status = prop::option::of(prop::sample::select(vec![200u16, 404, 503]));
    prop::collection::vec((0..4u8, prop::option::of(0..3u8), status, 0..3u8), 0..6)
}

fn send(server: &mut Memory, calls: &[Call]) {
    let line = |(id, (second, duration, status, path)): (u64, &Call)| {
        let number =
            |name: &str, value: Option<u16>| value.map_or(String::new(), |value| format!(",\"{name}\":{value}"));
        let (duration, status) = (number("duration_ms", duration.map(u16::from)), number("status", *status));
        format!(
            "{{\"time\":\"2026-01-01T00:00:{second:02}Z\",\"kind\":\"exchange\",\"method\":\"GET\",\"path\":\"/{path}\",\"request_id\":\"{id}\"{duration}{status}}}\n"
        )
    };
    let before = get(server, "/api/v1/logs?limit=1&total=exact")["total"].as_u64().unwrap();
    let body: String = (before..).zip(calls).map(line).collect();
    if body.is_empty() {
        return;
    }
    let request = Request::post("/api/v1/ingest?project=p&format=ndjson").header("x-api-key", server.admin());
    assert_eq!(server.answer(request.body(body.into()).unwrap()).status(), 200);
}

/// What tells the entries of a generic page apart.
fn details(page: &Value) -> Vec<String> {
    let logs = page["data"]["logs"].as_array().unwrap();
    logs.iter().map(|entry| entry["details"]["request_id"].as_str().unwrap().to_owned()).collect()
}

/// A page and the URLs of its next and previous one.
fn linked(server: &mut Memory, target: &str) -> (Value, [Option<String>; 2]) {
    let request = Request::get(target).header("x-api-key", server.admin()).body(Bytes::new()).unwrap();
    let answer = server.answer(request);
    assert_eq!(answer.status(), 200, "{target}: {:?}", answer.body());
    let links = answer.headers().get("link").map_or("", |link| link.to_str().unwrap());
    let url = |rel: &str| {
        let link = links.split(", ").find(|link| link.ends_with(&format!("rel=\"{rel}\"")))?;
        Some(link[1..link.find('>')?].to_owned())
    };
    (serde_json::from_slice(answer.body()).unwrap(), [url("next"), url("prev")])
}
