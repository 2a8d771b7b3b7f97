//! Exact counts on real programs' files, where the folder of examples is beside the repository.

#![allow(clippy::disallowed_methods)] // a test may read files

use std::path::{Path, PathBuf};

use super::read;
use crate::format::Format;
use crate::record::{Field, Kind, Record};

/// `shared/data` beside the repository, or beside the folder of its worktrees.
pub(crate) fn folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().skip(2).take(2);
    let found = beside.map(|folder| folder.join("shared/data")).find(|folder| folder.is_dir());
    if found.is_none() {
        println!("skipped: no folder of examples");
    }
    found
}

fn records(folder: &Path, file: &str, format: Format) -> (Vec<Record>, usize) {
    let bytes = std::fs::read(folder.join(file)).unwrap();
    let all = read(format, &bytes, 4096);
    assert_eq!(read(format, &bytes, bytes.len()), all, "{file}");
    let refused = all.iter().filter(|result| result.is_err()).count();
    (all.into_iter().flatten().collect(), refused)
}

/// File, detected format, the format it is read with, records, rejections.
pub(crate) const FILES: &[(&str, Option<Format>, Format, usize, usize)] = &[
    ("access/examples__apache_logs", Some(Format::Access), Format::Access, 10_000, 0),
    ("access/hub__nginx_http-logs.log", Some(Format::Access), Format::Access, 12, 0),
    ("access/hub__traefik_clf.log", Some(Format::Access), Format::Access, 7, 0),
    ("access/lnav__logfile_access_log.0", Some(Format::Access), Format::Access, 3, 0),
    ("access/lnav__logfile_bad_access_log.0", Some(Format::Access), Format::Access, 2, 1),
    ("access/lnav__logfile_haproxy.0", None, Format::Access, 0, 17),
    ("aws/hub__aws-alb-logs.log", None, Format::Access, 0, 14),
    ("json/hub__caddy-logs.log", Some(Format::Ndjson), Format::Ndjson, 11, 0),
    ("json/hub__traefik_base-http-scenario.log", Some(Format::Ndjson), Format::Ndjson, 80, 0),
    ("json/lnav__logfile_bunyan.0", Some(Format::Ndjson), Format::Ndjson, 10, 0),
    ("json/lnav__logfile_cloudflare.1", Some(Format::Ndjson), Format::Ndjson, 15, 0),
    ("json/lnav__logfile_pino.0", Some(Format::Ndjson), Format::Ndjson, 1, 0),
    ("json/lnav__logfile_rust_tracing.0", Some(Format::Ndjson), Format::Ndjson, 5, 0),
    ("json-malformed/lnav__logfile_invalid_utf8.0", None, Format::Ndjson, 0, 6),
    ("json-malformed/lnav__logfile_json_invalid.json", Some(Format::Ndjson), Format::Ndjson, 12, 1),
    ("har/PerfCascade__capture-har_redirect-loop.har", Some(Format::Har), Format::Har, 11, 0),
    ("har/harviewer__har-viewer-1.1.har", Some(Format::Har), Format::Har, 55, 0),
    ("har/harviewer__svg.base64.har", Some(Format::Har), Format::Har, 1, 0),
    ("har/insomnia__deep-input.json", Some(Format::Har), Format::Har, 2, 0),
    ("har/mitmproxy__charles.har", Some(Format::Har), Format::Har, 1, 0),
    ("har/mitmproxy__chrome.har", Some(Format::Har), Format::Har, 3, 0),
    ("har/mitmproxy__error_log.har", Some(Format::Har), Format::Har, 2, 0),
    ("har/mitmproxy__event_stream.har", Some(Format::Har), Format::Har, 2, 0),
    ("har/mitmproxy__firefox.har", Some(Format::Har), Format::Har, 14, 0),
    ("har/mitmproxy__postdata.har", Some(Format::Har), Format::Har, 1, 0),
    ("har/mitmproxy__websocket.har", Some(Format::Har), Format::Har, 3, 0),
    ("har/mitmproxy__with-bom.har", Some(Format::Har), Format::Har, 1, 0),
    ("har/playwright__har-fulfill.har", Some(Format::Har), Format::Har, 5, 0),
    ("har/source__response-error.har", Some(Format::Har), Format::Har, 1, 0),
    ("har-malformed/haralyzer__missing_page.har", Some(Format::Har), Format::Har, 1, 0),
    ("har-malformed/harviewer__no-headers.har", Some(Format::Har), Format::Har, 1, 0),
    ("har-malformed/harviewer__not-json.har", Some(Format::Har), Format::Har, 0, 1),
    ("har-malformed/mitmproxy__brokenfile.har", Some(Format::Har), Format::Har, 0, 1),
    ("otlp/opentelemetry-proto__logs.json", None, Format::Har, 0, 1),
];

#[test]
fn real_files_give_exactly_their_records() {
    let Some(folder) = folder() else { return };
    for (file, detected, format, accepted, refused) in FILES {
        let bytes = std::fs::read(folder.join(file)).unwrap();
        assert_eq!(Format::detect(&bytes, Some(file)), *detected, "{file}");
        let (records, rejections) = records(&folder, file, *format);
        assert_eq!((records.len(), rejections), (*accepted, *refused), "{file}");
    }
}

#[test]
fn real_files_land_in_their_fields() {
    let Some(folder) = folder() else { return };
    let check = |file: &str, format, at: usize, summary: &str| {
        let (records, _) = records(&folder, file, format);
        let record = &records[at];
        let text = |field| record.text(field).unwrap_or("");
        let status = record.status.map_or(String::new(), |status| status.to_string());
        let found = format!(
            "{} {} {} {} {}{} {status} {}",
            record.time,
            record.kind.name(),
            record.level.name(),
            text(Field::Method),
            text(Field::Host),
            record.url().unwrap_or_default(),
            record.duration.map_or(String::new(), |nanos| nanos.to_string()),
        );
        assert_eq!(found, summary, "{file} {at}: {record:?}");
    };
    check(
        "json/hub__caddy-logs.log",
        Format::Ndjson,
        9,
        "2024-03-29T19:51:04.947103Z exchange info GET localhost:9080/ 200 794682124",
    );
    check(
        "json/hub__traefik_base-http-scenario.log",
        Format::Ndjson,
        0,
        "2021-12-08T14:02:43.464763557Z exchange info GET test.docker.localhost/594VAEoi.dtd 404 215563",
    );
    check(
        "json/lnav__logfile_cloudflare.1",
        Format::Ndjson,
        0,
        "2024-04-10T23:00:00.100Z exchange info GET www.example.com/ 200 23000000",
    );
    check("json/lnav__logfile_pino.0", Format::Ndjson, 0, "2025-04-24T22:08:37.537Z event info    ");
    check("json/lnav__logfile_bunyan.0", Format::Ndjson, 0, "2023-03-24T14:26:16.243Z event debug    ");
    check("json/lnav__logfile_rust_tracing.0", Format::Ndjson, 4, "2025-10-28T19:15:10.821723Z event error    ");
    check(
        "access/hub__traefik_clf.log",
        Format::Access,
        4,
        "2022-09-28T13:38:04Z exchange info GET /mobileadmin/home.cs  0",
    );
    check(
        "access/hub__traefik_clf.log",
        Format::Access,
        5,
        "2024-11-24T13:38:04Z exchange info GET /birthday 200 42000000",
    );
    check("access/hub__nginx_http-logs.log", Format::Access, 4, "2023-07-29T17:26:06Z exchange warn   400 ");
    check(
        "har/mitmproxy__chrome.har",
        Format::Har,
        0,
        "2023-03-30T00:00:54.250Z exchange info GET mitmproxy.org/ 304 14666000",
    );
    check(
        "har/harviewer__har-viewer-1.1.har",
        Format::Har,
        0,
        "2010-09-28T11:57:48.542Z exchange info GET legoas/har/viewer/?path=http://legoas/har/viewer-2.0/tests/from-cache.har 200 12000000",
    );
    check(
        "har-malformed/haralyzer__missing_page.har",
        Format::Har,
        0,
        "2018-03-20T23:47:30.357Z response info   200 308462495",
    );
    let (apache, _) = records(&folder, "access/examples__apache_logs", Format::Access);
    assert!(apache.iter().all(|record| record.kind == Kind::Exchange
        && record.text(Field::Method).is_some()
        && record.status.is_some()));
    let (tracing, _) = records(&folder, "json/lnav__logfile_rust_tracing.0", Format::Ndjson);
    assert_eq!(tracing[0].text(Field::Message), Some("preparing to shave yaks"));
}
