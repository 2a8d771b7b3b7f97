//! Every folder of wire vectors against every frontend.

use bytes::Bytes;
use http::Request;
use reqlog_core::format::time::rfc3339;
use reqlog_tests::memory::InMemory;
use reqlog_tests::native::Native;
use reqlog_tests::offline::Offline;
use reqlog_tests::wire::{Count, Frontend, Server, Setting, control, count, folders, run, run_all, vectors};

#[test]
fn every_vector_holds_in_memory() {
    run_all(&InMemory).unwrap_or_else(|failures| panic!("\n{failures}"));
}

#[test]
fn every_vector_holds_over_a_socket_from_batches() {
    run_all(&Native::Batches).unwrap_or_else(|failures| panic!("\n{failures}"));
}

#[test]
fn every_vector_holds_over_a_socket_from_segments() {
    run_all(&Native::Segments).unwrap_or_else(|failures| panic!("\n{failures}"));
}

#[test]
fn every_vector_holds_over_opened_files() {
    run_all(&Offline).unwrap_or_else(|failures| panic!("\n{failures}"));
}

#[test]
fn every_dialect_has_steps_and_refusals_enough() {
    let folders = folders(&vectors()).unwrap();
    assert!(folders.len() >= 2, "{folders:?}");
    for folder in folders {
        let Count { files, steps, refusals } = count(&folder).unwrap();
        let dialect = folder.file_name().unwrap_or_default().to_string_lossy();
        println!("{dialect}: {steps} steps in {files} files, {refusals} of them refusals");
        assert!(steps >= 25 && refusals >= 10, "{dialect}: {steps} steps, {refusals} refusals");
    }
}

/// What is wrong with `text` is told of every frontend.
fn is_told(text: &str, failure: &str) {
    fn over(frontend: &impl Frontend, text: &str, failure: &str) {
        let told = run(text, &vectors().join("seeds"), frontend).expect_err(text);
        assert!(told.contains(failure) && told.starts_with(frontend.name()), "{failure} is not in: {told}");
    }
    over(&InMemory, text, failure);
    over(&Native::Batches, text, failure);
    over(&Native::Segments, text, failure);
    over(&Offline, text, failure);
}

#[test]
fn an_answer_that_is_not_the_expected_one_is_told() {
    is_told("### a\nGET /healthz\n\nHTTP/1.1 201\n", "expected status 201\n  answered 200 OK");
    is_told("### a\nGET /healthz\n\nHTTP/1.1 200\n!content-type\n", "expected no content-type");
    is_told("### a\nGET /healthz\n\nHTTP/1.1 200\nETag: x\n", "expected ETag: x");
    is_told("### a\nGET /healthz\n\nHTTP/1.1 200\nContent-Type: text/html\n", "after ``\n    expected `text/html`");
    is_told("### a\nGET /healthz\n\nHTTP/1.1 200\nDate: {{_}}\n", "expected Date");
    is_told(
        "### a\nGET /healthz\n\nHTTP/1.1 200\n\n{\"status\":\"{{s}}\"}x\n",
        "after `{\"status\":\"ok\"}`\n    expected `x`",
    );
    is_told("### a\nGET /healthz\n\nHTTP/1.1 200\n\n{\"status\":\"o\n", "expected its end after `{\"status\":\"o`");
    is_told("### a\nHEAD /healthz\n\nHTTP/1.1 200\n\n{\"status\":\"ok\"}\n", "answered its end");
    is_told("### a\nGET /{{x}}\n\nHTTP/1.1 200\n", "not asked: nothing was captured as x");
    is_told("### a\nGET /healthz\n\nHTTP/1.1 200\nContent-Encoding: gzip\n", "expected Content-Encoding: gzip");
}

#[test]
fn no_file_holds_when_every_answer_is_a_little_wrong() {
    control(InMemory).unwrap();
    control(Native::Batches).unwrap();
    control(Native::Segments).unwrap();
    control(Offline).unwrap();
}

#[test]
fn a_stream_that_is_not_the_expected_one_is_told() {
    let open = "### o\n@stream a\nGET /_logs/stream\nX-API-Key: {{admin}}\n\nHTTP/1.1 200\n\n:\nid: 0\n\n";
    let ingest = "### i\nPOST /api/v1/ingest\nX-API-Key: {{admin}}\n\n\
        {\"time\":\"2026-06-24T12:00:00Z\",\"kind\":\"event\"}\n\nHTTP/1.1 200\n\n";
    let then = |more: &str| format!("{open}{ingest}{more}");
    is_told(&open.replace("id: 0", "id: 1"), "what came differs after `:");
    is_told(&open.replace("_logs/stream", "healthz"), "the body differs after");
    is_told(&then("### f\n@frames a\n\nid: 2\ndata: {{_}}\n"), "expected `2");
    is_told(&then("### f\n@frames b\n\n:\n"), "b: no such stream");
    is_told(&then(""), "at the end, a\n  expected nothing but a heartbeat\n  came id: 1");
    is_told(&then("### f\n@frames a\n\nid: {{_}}data: {{_}}\n\n### w\n@wait 15s\n@frames a\n\n:x\n"), "expected `x`");
    // over a socket these would be waited for
    let told = |more: &str| run(&then(more), &vectors().join("seeds"), &InMemory).unwrap_err();
    assert!(told("### f\n@frames a\n").contains("expected 0 events and comments\n  came id: 1"));
    assert!(told("### f\n@frames a\n\nid: 1\n{{_}}\n\n:\n").contains("expected 2 events and comments"));
    assert!(told("### f\n@closed a\n\nid: 1\n{{_}}\n").contains("expected that the stream is closed"));
}

#[test]
fn every_step_that_does_not_hold_is_told_with_its_line() {
    let text = "### a\nGET /healthz\n\nHTTP/1.1 404\n!Content-Type\n\n### b\nGET /\n\nHTTP/1.1 200\n\n### c\nGET /no\n\nHTTP/1.1 200\n";
    is_told(
        text,
        "2 of 3 steps do not hold\nline 1, a\n  expected status 404\n  expected no Content-Type\n  answered 200",
    );
    is_told(text, "\nline 12, c\n  expected status 200\n  answered 404");
}

#[test]
fn what_a_server_begins_with_reaches_every_frontend() {
    // the answer shows ids, which are made of arrivals and sequences
    let list =
        "GET /api/v1/logs?fields=seq&limit=1&sort=arrival\nAuthorization: Bearer {{admin}}\n\nHTTP/1.1 200\n\n{}\n";
    is_told(
        &format!("@seed examples\n@now 2026-06-23T12:05:00Z\n### a\n{list}"),
        "answered `\"items\":[{\"seq\":42163}]",
    );
    is_told(&format!("### a\n{list}"), "answered `\"items\":[]");
}

#[test]
fn a_file_that_cannot_be_run_is_told() {
    let told = |text: &str| run(text, &vectors().join("seeds"), &InMemory).unwrap_err();
    assert!(told("@seed nobody\n### a\nGET /\n\nHTTP/1.1 200\n").contains("nobody.ndjson"));
    assert!(told("@seed examples\n@now 2020-01-01T00:00:00Z\n### a\nGET /\n\nHTTP/1.1 200\n").contains("after @now"));
    assert!(told("### a\nGET /\n").contains("no line HTTP/1.1"));
}

#[test]
fn a_cursor_that_one_frontend_made_goes_on_at_another() {
    let now = rfc3339("2026-06-23T12:05:00Z");
    let setting = Setting::read(&vectors().join("seeds"), Some("examples"), now).unwrap();
    let ask = |server: &mut dyn Server, cursor: &str| {
        let target = format!("/api/v1/logs?limit=5&fields=seq&sort=duration{cursor}");
        let request = Request::get(target).header("x-api-key", setting.admin.expose()).header("host", "reqlog.test");
        let answer = server.answer(request.body(Bytes::new()).unwrap()).unwrap();
        let page: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
        let seqs: Vec<u64> = page["items"].as_array().unwrap().iter().filter_map(|row| row["seq"].as_u64()).collect();
        (seqs, page["next"].as_str().map(str::to_owned))
    };
    let mut memory = InMemory.start(&setting);
    let (mut batches, mut segments) = (Native::Batches.start(&setting), Native::Segments.start(&setting));
    let mut opened = Offline.start(&setting);
    let mut servers: [&mut dyn Server; 4] = [&mut memory, &mut batches, &mut segments, &mut opened];
    let (mut cursor, mut seen) = (String::new(), Vec::new());
    for turn in 0..4 {
        let pages = servers.each_mut().map(|server| ask(*server, &cursor));
        assert!(pages.iter().all(|page| *page == pages[0]), "{pages:?}");
        seen.extend(&pages[0].0);
        cursor = pages[turn % 4].1.as_ref().map(|next| format!("&cursor={next}")).unwrap_or_default();
    }
    let longest_first = [15, 12, 4, 1, 5, 42161, 42163, 2, 14, 42162, 13, 11, 10, 9, 8, 7, 6, 3];
    assert_eq!((seen, cursor.as_str()), (longest_first.to_vec(), ""));
}
