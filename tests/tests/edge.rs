//! Every wire vector against the real Worker on workerd. Without Node or a built Worker this says so and passes;
//! `REQLOG_EDGE=required` makes their absence a failure.
//!
//! A restart costs as much as a hundred requests. So every step comes right after one either from batches or from
//! segments; with `REQLOG_SOAK` it does from both.

use bytes::Bytes;
use http::Request;
use reqlog_tests::edge::{Deployed, Edge, Restart, missing};
use reqlog_tests::wire::{Frontend, Server, Setting, control, run_all};
use serde_json::{Value, json};
use std::time::Duration;

/// Whether the Worker can be run here.
fn is_here() -> bool {
    let Some(missing) = missing() else { return true };
    assert!(std::env::var("REQLOG_EDGE").as_deref() != Ok("required"), "{missing}");
    println!("the Worker is left out: {missing}");
    false
}

fn every_vector_holds(edge: Edge) {
    if is_here() {
        run_all(&edge).unwrap_or_else(|failures| panic!("\n{failures}"));
    }
}

#[test]
fn every_vector_holds_from_batches() {
    every_vector_holds(Edge::Batches(Restart::Never));
}

#[test]
fn every_vector_holds_from_segments() {
    every_vector_holds(Edge::Segments(Restart::Never));
}

#[test]
fn every_vector_holds_from_batches_when_the_runtime_restarts_between_requests() {
    every_vector_holds(Edge::Batches(unless_soaked(Restart::BeforeEven)));
}

#[test]
fn every_vector_holds_from_segments_when_the_runtime_restarts_between_requests() {
    every_vector_holds(Edge::Segments(unless_soaked(Restart::BeforeOdd)));
}

fn unless_soaked(restart: Restart) -> Restart {
    if std::env::var_os("REQLOG_SOAK").is_some() { Restart::BeforeEach } else { restart }
}

#[test]
fn no_file_holds_when_every_answer_is_a_little_wrong() {
    if is_here() {
        control(Edge::Batches(Restart::Never)).unwrap();
        control(Edge::Segments(Restart::Never)).unwrap();
    }
}

/// For one record to be committed.
fn ingest(setting: &Setting) -> Request<Bytes> {
    let line = "{\"time\":\"2026-06-24T12:00:00Z\",\"kind\":\"event\"}\n";
    let request = Request::post("/api/v1/ingest").header("host", "reqlog.test");
    request.header("x-api-key", setting.admin.expose()).body(line.into()).unwrap()
}

/// The sequences of what is stored.
fn stored(server: &mut Deployed, setting: &Setting) -> Vec<u64> {
    let request = Request::get("/api/v1/logs?fields=seq&sort=arrival").header("host", "reqlog.test");
    let request = request.header("x-api-key", setting.admin.expose()).body(Bytes::new()).unwrap();
    let answer: Value = serde_json::from_slice(server.answer(request).unwrap().body()).unwrap();
    answer["items"].as_array().unwrap().iter().map(|row| row["seq"].as_u64().unwrap()).collect()
}

#[test]
fn a_database_that_fails_before_or_after_it_applies_neither_loses_nor_repeats() {
    if !is_here() {
        return;
    }
    let setting = Setting::default();
    let mut server = Edge::Batches(Restart::Never).start(&setting);
    assert_eq!(server.answer(ingest(&setting)).unwrap().status(), 200);
    let costs = server.control("costs", json!({})).unwrap();
    assert!(costs["d1"]["rowsWritten"].as_u64() >= Some(1) && costs["kv"]["puts"] == 0, "{costs}");
    let arm = |server: &Deployed, rule: &str| {
        let rules = [json!({ "on": "d1", "match": "INTO batches", "do": rule })];
        server.control("fault", json!({ "faults": { "rules": rules } })).unwrap();
    };
    arm(&server, "fail");
    let minute = Duration::from_mins(1);
    let failed = server.answer_after(ingest(&setting), 1, minute).unwrap().status();
    let expected = if failed == 200 { 2 } else { 1 };
    assert_eq!(stored(&mut server, &setting).len(), expected, "{failed}");
    arm(&server, "lose");
    server.answer_after(ingest(&setting), 1, minute).unwrap();
    assert_eq!(stored(&mut server, &setting).len(), expected + 1, "it was applied once");
    server.restart().unwrap();
    assert_eq!(server.answer(ingest(&setting)).unwrap().status(), 200);
    let seqs = stored(&mut server, &setting);
    assert_eq!(seqs.len(), expected + 2);
    assert!(seqs.is_sorted_by(|a, b| a > b) || seqs.is_sorted_by(|a, b| a < b), "{seqs:?}");
}

#[test]
fn what_kv_does_not_show_yet_is_read_from_what_it_replaced() {
    if !is_here() {
        return;
    }
    let setting = Setting::default();
    let mut server = Edge::Segments(Restart::Never).start(&setting);
    assert_eq!(server.answer(ingest(&setting)).unwrap().status(), 200);
    let costs = server.control("costs", json!({})).unwrap();
    assert!(costs["kv"]["puts"].as_u64() >= Some(1), "{costs}");
    server.control("fault", json!({ "faults": { "fresh": 60_000 } })).unwrap();
    // nothing is in the memory of the next process
    server.restart().unwrap();
    assert_eq!(stored(&mut server, &setting).len(), 1);
    let costs = server.control("costs", json!({})).unwrap();
    assert!(costs["kv"]["misses"].as_u64() >= Some(1), "{costs}");
    server.wait(Duration::from_mins(1));
    server.restart().unwrap();
    assert_eq!(stored(&mut server, &setting).len(), 1);
    let costs = server.control("costs", json!({})).unwrap();
    assert!(costs["kv"]["gets"].as_u64() >= Some(1) && costs["kv"]["misses"] == 0, "{costs}");
}
