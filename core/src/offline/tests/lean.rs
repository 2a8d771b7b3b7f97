//! Rows read without their records are those of the records.

mod rows;

use super::*;
use crate::format::Unit;
use crate::record::{Field, Record};
use crate::redact::{Redactor, Secrets, may_hold_secrets, may_text_hold_secrets};
use crate::segment::Row;
use proptest::prelude::*;

/// Whether the line was read without its record; its row is that of the record then.
fn is_lean(line: &str, secrets: Secrets) -> bool {
    is_lean_in(Format::Ndjson, &Head::default(), line, secrets)
}

fn is_lean_in(format: Format, head: &Head, line: &str, secrets: Secrets) -> bool {
    let redact_key = (secrets == Secrets::Replaced).then_some([7; 32]);
    let rules = Opening { redact_key, ..opening(format) }.rules();
    assert_eq!(rules.secrets(), secrets);
    let parser = Parser::new(format, head, MODIFIED);
    let unit = Unit::new(1, line.as_bytes());
    let mut lean = parser.blank(secrets);
    let read = parser.lean(&unit, rules.lean_limit(), &mut lean).and_then(|()| rules.accept_lean(&mut lean));
    if read.is_none() {
        return false;
    }
    let record = parser.parse(&unit).unwrap_or_else(|rejection| panic!("{rejection}: {line}"));
    let record = rules.accept(record).unwrap_or_else(|reason| panic!("{reason}: {line}"));
    assert_eq!(lean.row, Row::of(&record), "{line}");
    true
}

const OURS: &str = r#"{"id":"00000000000000000001","seq":1,"time":"2026-06-23T00:00:00.1Z","level":"info","kind":"exchange","source":"edge","overridden":true,"redacted":false,"service":"s","container":"c","method":"GET","host":"h","path":"/a","query":"a=b","protocol":"HTTP/1.1","status":503,"duration_ms":1.5,"message":"a \"b\" \u00e9","request":{"headers":[["accept","max-age=1"],["user-agent","UA"],["X-Request-Id","r\"1"],["traceparent","00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"]],"body":{"size":9,"captured":2,"truncated":true,"content_type":"application/json","json":{"mail":"a@b"}}},"response":{"headers":{"x-cache":"HIT"},"body":{"size":2,"text":"ok"}},"attributes":{"n":[1,{"k":"v"}]},"odd":[1]}"#;

#[test]
fn lines_of_plain_forms_are_lean_and_odd_ones_are_read_whole() {
    for line in [
        OURS,
        "{}",
        r#"{"ts":"2026-06-23T00:00:00Z","lvl":"WARN","msg":"a","app":"s","statusCode":404,"latency_ms":3}"#,
        r#"{"level":50,"message":"a\nb","user_id":7,"response":{"body":"a \"b\""},"request":{"body":[1,2]}}"#,
        r#"{"method":"GET","path":null,"response":{"body":{"size":0}},"request":{"headers":[],"body":null}}"#,
        r#"{"request":{"headers":[["x-flowmock-session","mine"],["host","h:1"]]},"response":{"body":{"size":3,"cut":"too_large"}}}"#,
    ] {
        assert!(is_lean(line, Secrets::Replaced) && is_lean(line, Secrets::Kept), "{line}");
    }
    // these are odd only because there is something to replace
    let replaced = [
        "\"password\"",
        "\"odd\":\"token=x\"",
        "\"token=123456789012345\"",
        "\"u:p@h\"",
        "\"authorization\"",
        "\"Cookie\"",
        "\"secret\":",
        "http://a@b",
        "\"text\":\"{\\\"api_key\\\":\\\"x\\\"}\"",
    ];
    for (from, to) in [
        ("\"odd\"", "\"status_code\""),
        ("\"odd\"", "\"password\""),
        ("\"odd\"", "\"request_Host\""),
        ("\"odd\"", "\"o\\u0064d\""),
        ("\"odd\":[1]", "\"odd\":\"token=x\""),
        ("[1]", "[1"),
        ("503", "\"503\""),
        ("503", "0"),
        ("\"GET\"", "\"get\""),
        ("\"s\"", "\"-\""),
        ("\"/a\"", "\"/a?b\""),
        ("\"a=b\"", "\"token=123456789012345\""),
        ("\"h\"", "\"u:p@h\""),
        ("\"accept\"", "\"authorization\""),
        ("\"accept\"", "\"Cookie\""),
        ("\"accept\"", "\"content-encoding\""),
        ("\"mail\":", "\"secret\":"),
        ("a@b", "http://a@b"),
        ("\"text\":\"ok\"", "\"text\":\"{\\\"api_key\\\":\\\"x\\\"}\""),
        ("\"text\":\"ok\"", "\"base64\":\"AAAA\""),
        ("\"text\":\"ok\"", "\"preview\":\"AAAA\""),
        ("\"level\"", "\"pid\""),
    ] {
        let line = OURS.replacen(from, to, 1);
        assert_ne!(line, OURS);
        assert!(!is_lean(&line, Secrets::Replaced), "{line}");
        assert_eq!(is_lean(&line, Secrets::Kept), replaced.contains(&to), "{line}");
    }
    let long = format!("{{\"message\":\"{}\"}}", "x".repeat(crate::accept::TEXT_CAP));
    assert!(!is_lean(&long, Secrets::Replaced) && !is_lean(&long, Secrets::Kept));
}

fn string() -> impl Strategy<Value = String> {
    let pieces = [
        "a",
        "GET",
        "get",
        "/a",
        "?b=1",
        "-",
        " ",
        "é",
        "\\n",
        "\\t",
        "\\\"",
        "\\\\",
        "\\/",
        "\\u0041",
        "\\ud83d\\ude00",
        "token=",
        "api_key",
        "Q-secret-Q-secret",
        "=",
        "&",
        "@",
        ":",
        "//",
        "https:",
        "http:\\/\\/u:p@h",
        "info",
        "200",
        "2026-06-23T00:00:00Z",
        "exchange",
        "edge",
        "{\\\"password\\\":\\\"Q-secret-Q\\\"}",
        "\\\\\\\"pwd\\\\\\\" : \\\\\\\"x\\\\\\\"",
        "HTTP/1.1",
        "gzip",
        "%",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..5)
        .prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

fn value() -> impl Strategy<Value = String> {
    let words = [
        "null",
        "true",
        "false",
        "200",
        "500",
        "99",
        "0",
        "\"404\"",
        "1.5",
        "-1",
        "1e2",
        "30",
        "\"GET\"",
        "\"/a\"",
        "\"\"",
        "\"-\"",
        "\"info\"",
        "\"WARN+1\"",
        "\"error\"",
        "\"event\"",
        "\"edge\"",
        "\"2026-06-23T00:00:00Z\"",
        "1745532517537",
        "{}",
        "[]",
        "{\"a\":1}",
        "{\"password\":\"x\"}",
        "[\"token=Q\"]",
    ];
    prop_oneof![2 => prop::sample::select(words.to_vec()).prop_map(str::to_owned), 2 => string(), 1 => side()]
}

/// Header fields in a shape that is known or not.
fn headers() -> impl Strategy<Value = String> {
    let names = [
        "accept",
        "Host",
        "host",
        "user-agent",
        "x-request-id",
        "traceparent",
        "x-reqlog-session",
        "X-FlowMock-Session",
        "authorization",
        "cookie",
        "content-encoding",
        "content-type",
        "",
        ":path",
        "password",
    ];
    let values = prop_oneof![
        string(),
        Just("\"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\"".to_owned()),
        Just("null".to_owned()),
        Just("[\"a\",\"b\"]".to_owned()),
    ];
    let fields = prop::collection::vec((prop::sample::select(names.to_vec()), values), 0..4);
    (fields, 0..3).prop_map(|(fields, shape)| {
        let of = |(name, value): &(&str, String)| match shape {
            0 => format!("[\"{name}\",{value}]"),
            1 => format!("\"{name}\":{value}"),
            _ => format!("{{\"name\":\"{name}\",\"value\":{value}}}"),
        };
        let fields: Vec<String> = fields.iter().map(of).collect();
        let (open, close) = if shape == 1 { ("{", "}") } else { ("[", "]") };
        format!("{open}{}{close}", fields.join(","))
    })
}

fn body() -> impl Strategy<Value = String> {
    let facts = [
        "\"size\":7",
        "\"size\":0",
        "\"size\":-1",
        "\"captured\":3",
        "\"truncated\":true",
        "\"truncated\":false",
        "\"cut\":\"cap\"",
        "\"cut\":\"because\"",
        "\"cut\":null",
        "\"content_type\":\"application/x-www-form-urlencoded\"",
        "\"encoding\":\"base64\"",
        "\"base64\":\"AAAA\"",
        "\"preview\":\"x\"",
        "\"json\":{\"a\":[1]}",
        "\"json\":{\"secret\":\"x\"}",
        "\"text\":7",
        "\"other\":1",
    ];
    let fact = prop_oneof![
        3 => prop::sample::select(facts.to_vec()).prop_map(str::to_owned),
        1 => string().prop_map(|text| format!("\"text\":{text}")),
    ];
    prop_oneof![
        2 => prop::collection::vec(fact, 0..4).prop_map(|facts| format!("{{\"size\":5,{}}}", facts.join(",")).replace(",}", "}")),
        1 => string(),
        1 => prop::sample::select(vec!["null", "7", "[1,2]", "{\"a\":1}", "{\"size\":\"x\"}"]).prop_map(str::to_owned),
    ]
}

fn side() -> impl Strategy<Value = String> {
    let headers = headers().prop_map(|headers| format!("\"headers\":{headers}"));
    let body = body().prop_map(|body| format!("\"body\":{body}"));
    let other = prop::sample::select(vec!["\"status\":201", "\"x\":1", "\"method\":\"PUT\""]).prop_map(str::to_owned);
    let member = prop_oneof![3 => headers, 3 => body, 1 => other];
    prop::collection::vec(member, 0..3).prop_map(|members| format!("{{{}}}", members.join(",")))
}

fn line() -> impl Strategy<Value = String> {
    let names = [
        "time",
        "ts",
        "level",
        "status",
        "statusCode",
        "duration_ms",
        "duration",
        "kind",
        "id",
        "seq",
        "source",
        "overridden",
        "redacted",
        "attributes",
        "msg",
        "pid",
        "hostname",
        "name",
        "url",
        "user_id",
        "x",
        "password",
        "request_body",
        "request_size",
        "fields",
        "request_Host",
    ];
    let field = prop::sample::select(Field::ALL).prop_map(Field::name);
    let member = prop_oneof![
        2 => (prop_oneof![field, prop::sample::select(names.to_vec())], value()).prop_map(|(name, value)| format!("\"{name}\":{value}")),
        1 => (prop::sample::select(vec!["request", "response"]), side()).prop_map(|(name, value)| format!("\"{name}\":{value}")),
        1 => Just("\"status\":200".to_owned()),
        1 => Just("\"method\":\"GET\"".to_owned()),
    ];
    prop::collection::vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(",")))
}

/// Text as a JSON string, escaped in one of several ways.
fn quoted(text: &str, ways: u8) -> String {
    let json = serde_json::to_string(text).unwrap();
    if ways & 1 == 0 { json } else { json.replace('/', "\\/") }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn a_lean_row_is_that_of_the_record(line in line()) {
        let is_lean = [Secrets::Replaced, Secrets::Kept].map(|secrets| is_lean(&line, secrets));
        prop_assert!(is_lean <= [is_lean[0], true], "nothing is odd only because secrets stay: {}", line);
    }

    #[test]
    fn text_that_is_not_suspected_holds_nothing_that_is_replaced(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "a", "\"", "\\", "/", "//", ":", "=", "@", "&", "?", "\n", "\t", "n", " ", "{", "}", "[", ",", "password", "api_key", "Api-Key", "pwd",
            "token", "oken", "ewpassword", "é", "\u{1}", "\r", "\"password\":\"Q-secret-Q\"", "\\\"pwd\\\":\\\"x\\\"", "https://u:p@h/", "%70wd=x", "0", "\r\n",
        ]), 0..10),
        ways in 0u8..4, times in 1usize..3
    ) {
        let text = pieces.concat();
        let redactor = Redactor::new([7; 32]);
        let replaced = |text: &str| {
            let mut record = Record::new(MODIFIED);
            record.attributes = Some(text.to_owned());
            for content_type in [None, Some("application/x-www-form-urlencoded")] {
                let body = crate::body::Body {
                    bytes: text.as_bytes().to_vec(),
                    content_type: content_type.map(str::to_owned),
                    ..crate::body::Body::default()
                };
                record.request.body = Some(body);
                redactor.apply(&mut record);
            }
            record.request.headers.push("x", text);
            redactor.apply(&mut record);
            record.redacted
        };
        let mut json = text.clone();
        for _ in 0..times {
            json = quoted(&json, ways);
        }
        let inner: String = serde_json::from_str(&json).unwrap();
        if replaced(&inner) || replaced(&json) {
            prop_assert!(may_hold_secrets(json.as_bytes()), "{}", json);
        }
        if replaced(&text) || replaced(&quoted(&text, 0)) {
            prop_assert!(may_text_hold_secrets(text.as_bytes()), "{:?}", text);
        }
    }
}
