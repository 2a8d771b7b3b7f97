//! Files of real programs, imported by the command line with the counts that they have.

use crate::corpus;
use crate::server::{Ended, Server, run, run_with};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;

/// File, records in it, units in it that are none, and a word of why.
const FILES: &[(&str, u64, u64, &str)] = &[
    ("access/examples__apache_logs", 10_000, 0, ""),
    ("access/hub__nginx_http-logs.log", 12, 0, ""),
    ("access/hub__traefik_clf.log", 7, 0, ""),
    ("access/lnav__logfile_access_log.0", 3, 0, ""),
    ("access/lnav__logfile_bad_access_log.0", 2, 1, ""),
    ("json/hub__caddy-logs.log", 11, 0, ""),
    ("json/hub__traefik_base-http-scenario.log", 80, 0, ""),
    ("json/lnav__logfile_bunyan.0", 10, 0, ""),
    ("json/lnav__logfile_cloudflare.1", 15, 0, ""),
    ("json/lnav__logfile_pino.0", 1, 0, ""),
    ("json/lnav__logfile_rust_tracing.0", 5, 0, ""),
    ("json-malformed/lnav__logfile_json_invalid.json", 12, 1, "EOF"),
    ("har/PerfCascade__capture-har_redirect-loop.har", 11, 0, ""),
    ("har/harviewer__har-viewer-1.1.har", 55, 0, ""),
    ("har/harviewer__svg.base64.har", 1, 0, ""),
    ("har/insomnia__deep-input.json", 2, 0, ""),
    ("har/mitmproxy__charles.har", 1, 0, ""),
    ("har/mitmproxy__chrome.har", 3, 0, ""),
    ("har/mitmproxy__error_log.har", 2, 0, ""),
    ("har/mitmproxy__event_stream.har", 2, 0, ""),
    ("har/mitmproxy__firefox.har", 14, 0, ""),
    ("har/mitmproxy__postdata.har", 1, 0, ""),
    ("har/mitmproxy__websocket.har", 3, 0, ""),
    ("har/mitmproxy__with-bom.har", 1, 0, ""),
    ("har/playwright__har-fulfill.har", 5, 0, ""),
    ("har/source__response-error.har", 1, 0, ""),
    ("har-malformed/haralyzer__missing_page.har", 1, 0, ""),
    ("har-malformed/harviewer__no-headers.har", 1, 0, ""),
    ("har-malformed/harviewer__not-json.har", 0, 1, ""),
    ("har-malformed/mitmproxy__brokenfile.har", 0, 1, ""),
];

/// Files of formats that are not read: said so, and nothing of them is stored.
const UNKNOWN: &[&str] = &[
    "access/lnav__logfile_haproxy.0",
    "aws/hub__aws-alb-logs.log",
    "json-malformed/lnav__logfile_invalid_utf8.0",
    "otlp/opentelemetry-proto__logs.json",
    "otlp/opentelemetry-proto__trace.json",
];

/// Imports into a directory and gives the report.
#[track_caller]
fn import(data: &Path, file: &Path, more: &[&str]) -> Ended {
    let arguments = [OsStr::new("import"), OsStr::new("--data"), data.as_os_str(), OsStr::new("--json")];
    let more = more.iter().map(OsStr::new);
    let all: Vec<&OsStr> = arguments.into_iter().chain(more).chain([file.as_os_str()]).collect();
    run(&all.iter().map(|argument| argument as &dyn AsRef<OsStr>).collect::<Vec<_>>())
}

/// Counts of a report: accepted, duplicates, rejected.
fn counts(report: &Value) -> (u64, u64, u64) {
    let count = |name: &str| report[name].as_u64().unwrap_or_else(|| panic!("{report}"));
    (count("accepted"), count("duplicates"), count("rejected"))
}

fn stored(data: &Path, project: &str) -> usize {
    let query = run(&[&"query", &"--data", &data, &"--project", &project, &"--all", &"--format", &"ndjson"]).expect(0);
    query.out.lines().count()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn real_files_give_their_records_once_plain_and_compressed() {
    let Some(folder) = corpus::folder() else { return };
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    for (file, accepted, rejected, reason) in FILES {
        let path = folder.join(file);
        let code = i32::from(*rejected > 0);
        let first = import(&data, &path, &["--project", file]).expect(code).json();
        assert_eq!(counts(&first), (*accepted, 0, *rejected), "{file}: {first}");
        assert_eq!(first["errors"].as_array().unwrap().len() as u64, *rejected, "{file}: {first}");
        for error in first["errors"].as_array().unwrap() {
            assert!(error["line"].as_u64() > Some(0), "{file}: {error}");
            assert!(error["reason"].as_str().is_some_and(|text| !text.is_empty() && text.contains(reason)), "{error}");
            assert!(error["excerpt"].is_string(), "{file}: {error}");
        }
        let again = import(&data, &path, &["--project", file, "--lenient"]).expect(0).json();
        assert_eq!(counts(&again), (0, *accepted, *rejected), "{file} again: {again}");

        let bytes = std::fs::read(&path).unwrap();
        // told by content: the name says nothing of the compression
        let packed = directory.path().join(path.file_name().unwrap());
        std::fs::write(&packed, gzip(&bytes)).unwrap();
        let same = import(&data, &packed, &["--project", file, "--lenient"]).expect(0).json();
        assert_eq!(counts(&same), (0, *accepted, *rejected), "{file} as gzip: {same}");
        std::fs::write(&packed, zstd::encode_all(&*bytes, 1).unwrap()).unwrap();
        let other = import(&data, &packed, &["--project", "zstd", "--session", file, "--lenient"]).expect(0).json();
        assert_eq!(counts(&other), (*accepted, 0, *rejected), "{file} as zstd: {other}");

        assert_eq!(stored(&data, file) as u64, *accepted, "{file}");
    }
    let all: u64 = FILES.iter().map(|(_, accepted, ..)| accepted).sum();
    assert_eq!(stored(&data, "zstd") as u64, all);
    run(&[&"doctor", &"--data", &data]).expect(0);
}

#[test]
fn files_of_other_formats_are_refused_whole_and_by_name() {
    let Some(folder) = corpus::folder() else { return };
    let directory = tempfile::tempdir().unwrap();
    for file in UNKNOWN {
        let refused = import(directory.path(), &folder.join(file), &["--project", "unknown"]).expect(1);
        assert!(refused.err.contains(file) && refused.err.contains("format"), "{file}: {refused:?}");
    }
    let utf8 = folder.join("json-malformed/lnav__logfile_invalid_utf8.0");
    let named = import(directory.path(), &utf8, &["--project", "unknown", "--format", "ndjson"]).expect(1).json();
    assert_eq!(counts(&named), (0, 0, 6), "{named}");
    assert_eq!(stored(directory.path(), "unknown"), 0);
}

#[test]
fn a_file_that_grew_adds_what_grew_and_equal_lines_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    let (data, file) = (directory.path().join("data"), directory.path().join("access.log"));
    let log = corpus::access_log();
    std::fs::write(&file, &log).unwrap();
    assert_eq!(counts(&import(&data, &file, &["--project", "shop"]).expect(0).json()), (10_000, 0, 0));

    let ten: String = log.lines().take(10).flat_map(|line| [line, "\n"]).collect();
    std::fs::write(&file, log.clone() + &ten).unwrap();
    assert_eq!(counts(&import(&data, &file, &["--project", "shop"]).expect(0).json()), (10, 10_000, 0));
    assert_eq!(counts(&import(&data, &file, &["--project", "shop"]).expect(0).json()), (0, 10_010, 0));
    // another session, service or project is another source
    assert_eq!(
        counts(&import(&data, &file, &["--project", "shop", "--session", "s"]).expect(0).json()),
        (10_010, 0, 0)
    );
    assert_eq!(
        counts(&import(&data, &file, &["--project", "shop", "--service", "s"]).expect(0).json()),
        (10_010, 0, 0)
    );

    let query = "-session:* -service:*";
    let arguments: [&dyn AsRef<OsStr>; 9] =
        [&"query", &query, &"--data", &data, &"--all", &"--sort", &"arrival", &"--asc", &"--json"];
    let rows = run(&arguments).expect(0);
    let essences = rows.out.lines().map(|line| {
        let row: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        (text("client_ip"), text("method"), text("path"), row["status"].as_u64().unwrap())
    });
    assert!(essences.eq(log.lines().chain(ten.lines()).map(corpus::essence)));
    assert!(corpus::repeated(&log) >= 17);
}

#[test]
fn the_generated_log_is_like_the_real_one() {
    let log = corpus::generated();
    assert_eq!((log.lines().count(), corpus::repeated(&log)), (10_000, 17));
}

#[test]
fn live_requests_are_never_deduplicated_unless_they_say_so() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(directory.path());
    let client = server.admin();
    let two = "{\"method\":\"GET\",\"path\":\"/same\"}\n{\"method\":\"GET\",\"path\":\"/same\"}\n";
    for total in [2, 4] {
        assert_eq!(counts(&client.post("/api/v1/ingest?project=p", two).expect(200).json()), (2, 0, 0));
        assert_eq!(client.json("/api/v1/logs?total=exact")["total"], total);
    }
    let keyed = |body: &str| {
        let headers = [("idempotency-key", "the-same-request")];
        client.send(&http::Method::POST, "/api/v1/ingest?project=p", &headers, body.as_bytes()).expect(200).json()
    };
    assert_eq!(counts(&keyed(two)), (2, 0, 0));
    assert_eq!(counts(&keyed(two)), (0, 2, 0));
    assert_eq!(client.json("/api/v1/logs?total=exact")["total"], 6);
}

#[test]
fn every_format_is_read_from_standard_input_and_its_bad_units_are_named() {
    let access = "192.0.2.1 - - [17/May/2015:10:05:03 +0000] \"GET /a HTTP/1.1\" 200 5\nbroken\n\
                  192.0.2.1 - - [17/May/2015:10:05:04 +0000] \"GET /b HTTP/1.1\" 500 -\n";
    let csv = "time,method,path,status\n2026-01-01T00:00:00Z,GET,/a,200\n2026-01-01T00:00:01Z,GET,/b,500\n\
               2026-01-01T00:00:02Z,GET,\"/never ends\n";
    let har = json!({"log": {"version": "1.2", "entries": [
        {"startedDateTime": "2026-01-01T00:00:00Z", "time": 5, "request": {"method": "GET", "url": "http://h/a"}, "response": {"status": 200}},
        7,
        {"startedDateTime": "2026-01-01T00:00:01Z", "time": 5, "request": {"method": "GET", "url": "http://h/b"}, "response": {"status": 500}},
    ]}});
    let array = json!([{"method": "GET", "path": "/a"}, 7, {"method": "GET", "path": "/b"}]);
    let inputs = BTreeMap::from([
        ("ndjson", "{\"method\":\"GET\",\"path\":\"/a\"}\nbroken\n{\"method\":\"GET\",\"path\":\"/b\"}\n".to_owned()),
        ("json", array.to_string()),
        ("har", har.to_string()),
        ("access", access.to_owned()),
        ("csv", csv.to_owned()),
    ]);
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path();
    for (format, input) in &inputs {
        for (detected, bytes) in [(true, input.clone().into_bytes()), (false, gzip(input.as_bytes()))] {
            let project = format!("{format}-{detected}");
            let mut arguments: Vec<&dyn AsRef<OsStr>> = vec![&"import", &"-", &"--json", &"--project", &project];
            arguments.extend([&"--data" as &dyn AsRef<OsStr>, &data]);
            if !detected {
                arguments.extend([&"--format" as &dyn AsRef<OsStr>, format]);
            }
            let ended = run_with(&bytes, &arguments).expect(1);
            assert_eq!(counts(&ended.json()), (2, 0, 1), "{format}: {ended:?}");
            let paths = run(&[&"query", &"path:/a,/b", &"--data", &data, &"--project", &project, &"--json"]);
            assert_eq!(paths.expect(0).out.lines().count(), 2, "{format}");
        }
    }
}
