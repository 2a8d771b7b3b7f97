//! `/metrics` of a real server: well-formed, never going back, and each family moved by what it counts.
#![allow(clippy::float_cmp)] // counts are whole numbers, which are compared exactly

mod exposition;
mod world;

use exposition::{Families, grows};
use regex::Regex;
use reqlog_core::auth::{NewKey, Role, Scope};
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use world::{FREE, NOW, RESERVE, World};

const A: &str = r#"{"kind":"exchange","session":"s","method":"GET","path":"/a","status":200}"#;
const B: &str = r#"{"kind":"exchange","session":"s","method":"GET","path":"/b","status":503}"#;
const COGNIGY: &str = "/v2.1/projects/abcdefghijklmnopqrstuvwx/logs?startDate=2026-01-01&endDate=2026-12-31";

/// How a series differs between two scrapes.
enum Moved {
    /// By this much.
    By(f64),
    /// It depends on the machine, but is more.
    Up,
}
use Moved::{By, Up};

struct Scrapes {
    before: Families,
    after: Families,
}

impl Scrapes {
    fn of(world: &World, before: Families) -> Self {
        let after = world.scrape();
        grows(&before, &after).unwrap();
        Self { before, after }
    }

    fn is(&self, series: &str, wanted: f64) {
        assert_eq!(value(&self.after, series), wanted, "{series}");
    }

    fn moved(&self, series: &str, moved: &Moved) {
        let by = value(&self.after, series) - value(&self.before, series);
        match moved {
            By(wanted) => assert_eq!(by, *wanted, "{series}"),
            Up => assert!(by > 0.0, "{series} did not move"),
        }
    }
}

fn value(families: &Families, series: &str) -> f64 {
    let found = families.values().find_map(|family| family.samples.get(series));
    *found.unwrap_or_else(|| panic!("there is no {series}"))
}

/// The family that a series is of.
fn family<'f>(families: &'f Families, series: &str) -> &'f str {
    let found = families.iter().find(|(_, family)| family.samples.contains_key(series));
    found.unwrap_or_else(|| panic!("there is no {series}")).0
}

#[test]
fn every_family_is_moved_by_what_it_counts() {
    let world = World::start();
    let start = world.scrape();
    let reader = NewKey { name: "r".to_owned(), role: Role::Read, scope: Scope::Organisation, expires: None };
    let (_, reader) = world.store.create_key(reader).unwrap();

    // five records are stored, two of them sent twice, and one line is none
    assert_eq!(world.ingest(&format!("{A}\n{B}\nnothing\n{A}\n")), 207);
    let twice = format!("{A}\n{B}\n");
    for _ in 0..2 {
        let key = ("idempotency-key", "once");
        assert_eq!(world.ask("POST", "/api/v1/ingest?project=abcdefghijklmnopqrstuvwx", "admin", key, &twice).0, 200);
    }
    for path in
        ["/sessions/s/logs?project=abcdefghijklmnopqrstuvwx", "/v1/logs", "/_logs", "/logs", COGNIGY, "/api/v1/logs"]
    {
        assert_eq!(world.get(path).0, 200, "{path}");
        assert_eq!(world.ask("GET", path, "nobody", ("accept", "*/*"), "").0, 401, "{path}");
    }
    for status in [200, 429, 429] {
        assert_eq!(world.ask("GET", "/v1/logs", reader.expose(), ("accept", "*/*"), "").0, status);
    }
    for path in ["/api/v1/logs?sort=arrival&wait=30s", "/api/v1/export", "/readyz"] {
        assert_eq!(world.get(path).0, 200, "{path}");
    }
    assert_eq!(world.ask("POST", "/api/v1/projects", "admin", ("accept", "*/*"), "{\"name\":\"q\"}").0, 201);
    let scrapes = Scrapes::of(&world, start);
    for (series, moved) in [
        ("reqlog_records_accepted_total", By(5.0)),
        ("reqlog_records_duplicate_total", By(2.0)),
        ("reqlog_records_rejected_total", By(1.0)),
        ("reqlog_commits_total", Up),
        ("reqlog_commit_duration_seconds_count", Up),
        ("reqlog_commit_duration_seconds_sum", Up),
        ("reqlog_commit_duration_seconds_bucket{le=\"+Inf\"}", Up),
        ("reqlog_head", By(5.0)),
        ("reqlog_records", By(5.0)),
        ("reqlog_batches", By(2.0)),
        ("reqlog_batch_bytes", Up),
        ("reqlog_http_requests_total{dialect=\"flowmock\",class=\"2xx\"}", By(1.0)),
        ("reqlog_http_requests_total{dialect=\"scrip\",class=\"2xx\"}", By(2.0)),
        ("reqlog_http_requests_total{dialect=\"scrip\",class=\"4xx\"}", By(3.0)),
        ("reqlog_http_requests_total{dialect=\"hoody\",class=\"4xx\"}", By(1.0)),
        ("reqlog_http_requests_total{dialect=\"generic\",class=\"2xx\"}", By(1.0)),
        ("reqlog_http_requests_total{dialect=\"cognigy\",class=\"2xx\"}", By(1.0)),
        // three ingestions, three pages, an export, a probe, a project, and the scrape before
        ("reqlog_http_requests_total{dialect=\"reqlog\",class=\"2xx\"}", By(9.0)),
        ("reqlog_http_requests_limited_total{dialect=\"scrip\"}", By(2.0)),
        ("reqlog_http_requests_limited_total{dialect=\"flowmock\"}", By(0.0)),
        ("reqlog_http_request_duration_seconds_count{operation=\"answer\"}", By(8.0)),
        ("reqlog_http_request_duration_seconds_count{operation=\"read\"}", By(7.0)),
        ("reqlog_http_request_duration_seconds_count{operation=\"wait\"}", By(1.0)),
        ("reqlog_http_request_duration_seconds_count{operation=\"export\"}", By(1.0)),
        ("reqlog_http_request_duration_seconds_count{operation=\"ingest\"}", By(3.0)),
        ("reqlog_http_request_duration_seconds_count{operation=\"change\"}", By(1.0)),
        ("reqlog_http_request_duration_seconds_count{operation=\"probe\"}", By(2.0)),
        ("reqlog_http_request_duration_seconds_sum{operation=\"ingest\"}", Up),
        ("reqlog_scans_total", By(9.0)),
        ("reqlog_scan_rows_total", Up),
        ("reqlog_scan_sources_total", Up),
        ("reqlog_scan_read_bytes_total", By(0.0)),
    ] {
        scrapes.moved(series, &moved);
    }
    scrapes.is("reqlog_http_requests_in_flight", 1.0);
    scrapes.is("reqlog_segments", 0.0);

    // in a segment, read once from its file and once from memory
    world.store.compact_now().unwrap();
    let scrapes = Scrapes::of(&world, scrapes.after);
    for (series, moved) in [
        ("reqlog_compactions_total", By(1.0)),
        ("reqlog_compaction_rows_total", By(5.0)),
        ("reqlog_compaction_seconds_total", Up),
        ("reqlog_segments", By(1.0)),
        ("reqlog_segment_bytes", Up),
        ("reqlog_batches", By(-2.0)),
        ("reqlog_records", By(0.0)),
    ] {
        scrapes.moved(series, &moved);
    }
    scrapes.is("reqlog_batch_bytes", 0.0);
    let page = "/api/v1/logs?q=path%3A%2Fb";
    assert_eq!(world.get(page).0, 200);
    let scrapes = Scrapes::of(&world, scrapes.after);
    for series in ["reqlog_scan_read_bytes_total", "reqlog_cache_misses_total", "reqlog_cache_bytes"] {
        scrapes.moved(series, &Up);
    }
    scrapes.moved("reqlog_scan_rows_total", &By(5.0));
    scrapes.moved("reqlog_scan_sources_total", &By(1.0));
    assert_eq!(world.get(page).0, 200);
    let scrapes = Scrapes::of(&world, scrapes.after);
    scrapes.moved("reqlog_cache_hits_total", &Up);
    scrapes.moved("reqlog_scan_read_bytes_total", &By(0.0));
    scrapes.moved("reqlog_cache_misses_total", &By(0.0));

    // a deletion waits for compaction
    assert_eq!(world.ask("DELETE", "/api/v1/logs?q=path%3A%2Fa", "admin", ("accept", "*/*"), "").0, 200);
    let scrapes = Scrapes::of(&world, scrapes.after);
    scrapes.is("reqlog_deletions", 1.0);
    world.store.compact_now().unwrap();
    let scrapes = Scrapes::of(&world, scrapes.after);
    scrapes.is("reqlog_deletions", 0.0);
    scrapes.moved("reqlog_records", &By(-3.0));

    // a disk that makes no files
    assert_eq!(world.ingest(A), 200);
    world.disk.failing.store(true, Ordering::SeqCst);
    assert!(world.store.compact_now().is_err());
    world.disk.failing.store(false, Ordering::SeqCst);
    // and a full one
    world.disk.free.store(RESERVE - 1, Ordering::SeqCst);
    assert_eq!(world.ingest(A), 507);
    assert_eq!(world.get("/readyz").0, 503);
    assert_eq!(world.get("/api/v1/logs").0, 200);
    let scrapes = Scrapes::of(&world, scrapes.after);
    scrapes.moved("reqlog_compaction_failures_total", &By(1.0));
    scrapes.moved("reqlog_compactions_total", &By(0.0));
    scrapes.moved("reqlog_commit_failures_total{reason=\"disk_full\"}", &By(1.0));
    scrapes.moved("reqlog_commits_total", &By(1.0));
    scrapes.moved("reqlog_http_requests_total{dialect=\"reqlog\",class=\"5xx\"}", &By(2.0));
    scrapes.is("reqlog_ingestion_stopped", 1.0);
    scrapes.is("reqlog_disk_free_bytes", (RESERVE - 1) as f64);
    world.disk.free.store(FREE, Ordering::SeqCst);

    // an answer that the client knows, and live streams
    let id: serde_json::Value = serde_json::from_str(&world.get("/api/v1/logs?limit=1").2).unwrap();
    let one = format!("/api/v1/logs/{}", id["items"][0]["id"].as_str().unwrap());
    let tag = world.get(&one).1.unwrap();
    assert_eq!(world.ask("GET", &one, "admin", ("if-none-match", &tag), "").0, 304);
    let (_tail, ended) = (world.stream(), world.stream());
    drop(ended);
    // the server finds out by itself
    while value(&world.scrape(), "reqlog_streams_open") > 1.0 {}
    let scrapes = Scrapes::of(&world, scrapes.after);
    scrapes.moved("reqlog_http_requests_total{dialect=\"reqlog\",class=\"3xx\"}", &By(1.0));
    scrapes.moved("reqlog_streams_total", &By(2.0));
    scrapes.moved("reqlog_stream_frames_total", &Up);
    scrapes.moved("reqlog_stream_resumes_total", &By(2.0));
    for (series, is) in [
        ("reqlog_streams_open", 1.0),
        ("reqlog_ingestion_stopped", 0.0),
        ("reqlog_disk_free_bytes", FREE as f64),
        ("reqlog_disk_reserve_bytes", RESERVE as f64),
        ("reqlog_batch_limit_bytes", f64::from(256 << 20)),
        ("reqlog_build_info{version=\"0.1.0\"}", 1.0),
        ("process_start_time_seconds", NOW as f64 / 1e3),
    ] {
        scrapes.is(series, is);
    }
    assert!(value(&scrapes.after, "reqlog_cache_limit_bytes") >= f64::from(256 << 20));
    assert!(value(&scrapes.after, "process_resident_memory_bytes") > f64::from(1 << 20));

    let source = include_str!("main.rs");
    let named = Regex::new(r#""((?:reqlog|process)_[a-z_]+(?:\{[^}]*\})?)""#).unwrap();
    let series: BTreeSet<String> = named.captures_iter(source).map(|found| found[1].replace("\\\"", "\"")).collect();
    let tested: BTreeSet<&str> = series.iter().map(|series| family(&scrapes.after, series)).collect();
    let all: BTreeSet<&str> = scrapes.after.keys().map(String::as_str).collect();
    assert_eq!(tested, all, "every family is looked at here");
}

#[test]
fn the_alarms_of_the_readme_are_about_metrics_that_there_are() {
    let readme = include_str!("../../../README.md");
    let (_, section) = readme.split_once("\n## Watching it\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let metrics = World::start().scrape();
    let samples: BTreeSet<&str> = metrics
        .values()
        .flat_map(|family| family.samples.keys())
        .map(|series| series.split('{').next().unwrap())
        .collect();
    let named = Regex::new(r"\b(?:reqlog|process)_[a-z_]+\b").unwrap();
    let named: Vec<_> = named.find_iter(section).map(|found| found.as_str()).collect();
    assert!(named.len() >= 8, "{named:?}");
    for name in named {
        assert!(samples.contains(name), "{name}");
    }
    let labels = Regex::new(r#"([a-z_]+)\{([a-z]+)!?="([^"]*)"\}"#).unwrap();
    for found in labels.captures_iter(section) {
        let label = format!("{}=\"{}\"", &found[2], &found[3]);
        let of = |series: &&String| series.starts_with(&found[1]) && series.contains(&label);
        assert!(metrics.values().flat_map(|family| family.samples.keys()).any(|series| of(&series)), "{}", &found[0]);
    }
}
