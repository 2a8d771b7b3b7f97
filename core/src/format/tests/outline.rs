//! An outline says what the whole record says, or nothing.

use proptest::prelude::*;

use super::NOW;
use crate::accept::Rules;
use crate::auth::Scope;
use crate::format::{Format, Head, Parser, Unit, Wanted};
use crate::plan::{IngestMode, IngestRequest, Settings};
use crate::record::{Field, Record};

fn rules() -> Rules {
    let request = IngestRequest {
        scope: Scope::Organisation,
        project: None,
        environment: None,
        session: None,
        service: None,
        format: None,
        encodings: Vec::new(),
        mode: IngestMode::Import,
        idempotency_key: None,
        limit: u64::MAX,
    };
    Rules::new(&[7; 32], &Settings::default(), &request)
}

/// What of a record an outline of `fields` has to say.
fn part(record: &Record, fields: &[Field]) -> impl PartialEq + std::fmt::Debug + use<> {
    let texts: Vec<Option<String>> = fields.iter().map(|field| record.text(*field).map(str::to_owned)).collect();
    (record.time, record.kind, record.level, record.status, record.duration, texts)
}

/// Whether there was an outline; it and what is accepted of it are as the whole record's.
fn check(line: &str, fields: &[Field]) -> Result<bool, TestCaseError> {
    let parser = Parser::new(Format::Ndjson, &Head::default(), NOW);
    let unit = Unit::new(1, line.as_bytes());
    let mut wanted = Wanted::default();
    let fields: Vec<Field> = fields.iter().copied().filter(|field| wanted.add(*field)).collect();
    let Some(outline) = parser.outline(&unit, wanted) else { return Ok(false) };
    let whole = parser.parse(&unit);
    prop_assert!(whole.is_ok(), "{}", line);
    let whole = whole.unwrap_or_else(|_| Record::new(NOW));
    prop_assert_eq!(part(&outline, &fields), part(&whole, &fields), "{}", line);
    let names = [Field::Project, Field::Environment, Field::Session];
    let (outline, whole) = (rules().accept(outline), rules().accept(whole));
    if names.iter().all(|name| fields.contains(name)) {
        prop_assert_eq!(outline.is_ok(), whole.is_ok(), "{}", line);
    }
    if let (Ok(outline), Ok(whole)) = (outline, whole) {
        prop_assert_eq!(part(&outline, &fields), part(&whole, &fields), "{}", line);
    }
    Ok(true)
}

const OURS: &str = r#"{"time":"2026-06-23T00:00:00.1Z","level":"info","service":"s","container":"c","method":"GET","path":"/a","status":503,"duration_ms":1.5,"request":{"headers":[["accept","x"]]},"response":{"headers":{},"body":{"size":2,"text":"ok"}},"odd":[1]}"#;

#[test]
fn our_own_lines_have_outlines_and_odd_ones_are_read_whole() {
    let fields = [Field::Service, Field::Method, Field::Path, Field::Session];
    let outlined = |line: &str| check(line, &fields).unwrap();
    assert!(outlined(OURS));
    assert!(outlined(r#"{"id":"0","attributes":{"status":7},"status":204}"#));
    for (from, to) in [
        ("\"odd\"", "\"status_code\""),
        ("\"odd\"", "\"status\""),
        ("\"odd\"", "\"level\""),
        ("\"odd\"", "\"request_Host\""),
        ("\"odd\"", "\"o\\u0064d\""),
        ("503", "\"503\""),
        ("503", "0"),
        ("\"GET\"", "\"get\""),
        ("\"s\"", "\"-\""),
        ("\"s\"", "\"\\u0073\""),
        ("\"s\"", "7"),
        ("\"/a\"", "\"/a?b\""),
        ("\"body\"", "\"status\""),
        ("\"accept\"", "\"X-Reqlog-Session\""),
        ("\"accept\"", "\"x-reqlog-\\u0073ession\""),
        ("[1]", "[1"),
    ] {
        let line = OURS.replacen(from, to, 1);
        assert_ne!(line, OURS);
        assert!(!outlined(&line), "{line}");
    }
}

fn value() -> impl Strategy<Value = String> {
    let words = [
        "\"GET\"",
        "\"get\"",
        "\"/a\"",
        "\"/a?b=1\"",
        "\"\"",
        "\"-\"",
        "\"a\\u0041\"",
        "null",
        "true",
        "200",
        "500",
        "99",
        "\"404\"",
        "1.5",
        "-1",
        "1e2",
        "\"info\"",
        "\"WARN+1\"",
        "\"error\"",
        "\"exchange\"",
        "\"event\"",
        "\"2026-06-23T00:00:00Z\"",
        "1745532517537",
        "{}",
        "[]",
        "{\"a\":1}",
        "\"https://u:p@h/x\"",
        "\"token=Q-secret-Q-secret\"",
        "\"GET /b HTTP/1.1\"",
        "\"a\\nb\"",
        "{\"headers\":[[\"x-reqlog-session\",\"s1\"],[\"a\",\"b\"]]}",
        "{\"headers\":{\"X-Flowmock-Session\":[\"\\u0001\"]}}",
        "{\"headers\":[],\"body\":{\"size\":1}}",
        "{\"body\":null}",
        "{\"method\":\"PUT\"}",
        "{\"status\":201}",
        "{\"url\":\"/n?q\"}",
        "{\"response_time\":3}",
        "{\"latency\":2}",
    ];
    prop::sample::select(words.to_vec()).prop_map(str::to_owned)
}

fn name() -> impl Strategy<Value = String> {
    let others = [
        "time",
        "level",
        "status",
        "duration_ms",
        "kind",
        "id",
        "seq",
        "source",
        "attributes",
        "request",
        "response",
        "redacted",
        "timestamp",
        "ts",
        "msg",
        "status_code",
        "statusCode",
        "lvl",
        "duration",
        "url",
        "uri",
        "req",
        "res",
        "fields",
        "headers",
        "pid",
        "hostname",
        "name",
        "bytes",
        "request_Host",
        "downstream_X",
        "DownstreamStatus",
        "response_code",
        "EdgeEndTimestamp",
        "request_line",
        "query_string",
        "odd",
        "st\\u0061tus",
    ];
    prop_oneof![
        prop::sample::select(Field::ALL).prop_map(|field| field.name().to_owned()),
        prop::sample::select(others.to_vec()).prop_map(str::to_owned)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn an_outline_is_part_of_the_record(
        members in prop::collection::vec((name(), value()), 0..7), ours in any::<prop::sample::Index>(),
        fields in prop::collection::vec(prop::sample::select(Field::ALL), 0..8), named in any::<bool>(), brace in any::<bool>()
    ) {
        let members: Vec<String> = members.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        let members = members.join(",");
        let mut fields = fields;
        if named {
            fields.extend([Field::Project, Field::Environment, Field::Session, Field::Method]);
        }
        check(&format!("{{{members}{}", if brace { "}" } else { "" }), &fields)?;
        if !members.is_empty() {
            // among the members of a line that has an outline
            let places: Vec<usize> = OURS.match_indices(",\"").map(|(at, _)| at).filter(|at| !OURS[*at..].starts_with(",\"x\"") && !OURS[*at..].starts_with(",\"body") && !OURS[*at..].starts_with(",\"text")).collect();
            let at = places[ours.index(places.len())];
            check(&format!("{},{members}{}", &OURS[..at], &OURS[at..]), &fields)?;
        }
    }
}
