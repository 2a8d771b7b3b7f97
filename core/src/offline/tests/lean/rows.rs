//! Of CSV.

use super::{Field, Format, Head, Secrets, body, headers, is_lean_in, string};
use proptest::prelude::*;

/// Whether the row under the names was read without its record; see [`is_lean_in`].
fn is_lean(names: &[&str], cells: &[&str], delimiter: char) -> bool {
    let row = |cells: &[&str]| {
        let cells: Vec<String> = cells.iter().map(|cell| written(cell, delimiter)).collect();
        cells.join(delimiter.encode_utf8(&mut [0; 4]))
    };
    is_lean_below(&Head::of_header(row(names).as_bytes()), &row(cells))
}

/// Whether it is where secrets are replaced; then it is where they stay.
fn is_lean_below(head: &Head, row: &str) -> bool {
    let [replaced, kept] =
        [Secrets::Replaced, Secrets::Kept].map(|secrets| is_lean_in(Format::Csv, head, row, secrets));
    assert!(replaced <= kept, "nothing is odd only because secrets stay: {row}");
    replaced
}

/// A cell in quotes where it needs them.
fn written(cell: &str, delimiter: char) -> String {
    let quotes = cell.contains([delimiter, '\r', '\n']) || cell.starts_with('"');
    if quotes { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

const HEADERS: &str = r#"[["accept","a \"b\""],["user-agent","UA"],["X-Request-Id","r\"1"],["traceparent","00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"]]"#;
const BODY: &str =
    r#"{"size":9,"captured":2,"truncated":true,"content_type":"application/json","json":{"mail":"a@b"}}"#;

/// Names and cells of a row that is lean.
const OURS: &[(&str, &str)] = &[
    ("id", "00000000000000000001"),
    ("seq", "1"),
    ("time", "2026-06-23T00:00:00.1Z"),
    ("kind", "exchange"),
    ("level", "info"),
    ("source", "edge"),
    ("service", "s"),
    ("method", "GET"),
    ("host", "h"),
    ("path", "/a"),
    ("query", "a=b"),
    ("route", ""),
    ("status", "503"),
    ("duration_ms", "1.5"),
    ("user_agent", ""),
    ("protocol", "HTTP/1.1"),
    ("message", "a \"b\",\r\nc\té"),
    ("overridden", "true"),
    ("redacted", "false"),
    ("request_headers", HEADERS),
    ("request_body", BODY),
    ("request_size", "7"),
    ("response_headers", r#"{"x-cache":"HIT"}"#),
    ("response_body", "{\"items\":[\"a\nb\"]}"),
    ("response_size", ""),
    ("attributes", r#"{"n":[1,{"k":"v"}]}"#),
    ("odd", "\"o\""),
];

fn ours(delimiter: char, change: impl Fn(&'static str, &'static str) -> (&'static str, &'static str)) -> bool {
    let (names, cells): (Vec<&str>, Vec<&str>) = OURS.iter().map(|(name, cell)| change(name, cell)).unzip();
    is_lean(&names, &cells, delimiter)
}

#[test]
fn rows_of_plain_forms_are_lean_and_odd_ones_are_read_whole() {
    for delimiter in [',', ';', '\t'] {
        assert!(ours(delimiter, |name, cell| (name, cell)));
        for (name, cell) in [
            ("status", ""),
            ("response_size", "0"),
            ("response_size", "12"),
            ("request_size", "0"),
            ("request_body", ""),
            ("request_body", "plain text, \"quoted\""),
            ("request_body", "{\"n\":1}, not JSON"),
            ("request_body", "{}"),
            ("attributes", "no object"),
            ("request_headers", "[]"),
            ("response_headers", ""),
            ("odd", ""),
            ("odd", "line\nnext=1"),
        ] {
            let lean = ours(delimiter, |known, given| (known, if known == name { cell } else { given }));
            assert_eq!(lean, cell != "{}", "{name} {cell:?}");
        }
        for (name, cell) in [
            ("odd", "token=x"),
            ("odd", "https://u:p@h"),
            ("odd", "password\":\"x"),
            ("odd", "\noken\t\"{\"\"pwd\":\"x\"}"),
            ("odd", "\token=x"),
            ("odd", "\newpassword=x"),
            ("attributes", r#"{"secret":"x"}"#),
            ("request_body", "a=1&token=123456789012345"),
            ("response_body", r#"{"api_key":"x"}"#),
            ("request_body", r#"{"size":20,"text":"{\"api_key\":\"x\"}"}"#),
            ("request_body", r#"{"size":20,"base64":"AAAA"}"#),
            ("request_headers", r#"[["authorization","Bearer x"]]"#),
            ("request_headers", r#"[["Cookie","a=b"]]"#),
            ("request_headers", r#"[["accept","http://u:p@h"]]"#),
            ("request_headers", r#"[["content-encoding","gzip"]]"#),
            ("request_headers", r#"[{"name":"a","value":"b"}]"#),
            ("request_headers", "a: b"),
            ("query", "token=123456789012345"),
            ("host", "u:p@h"),
            ("method", "get"),
            ("path", "/a?b"),
            ("service", "-"),
            ("status", "0"),
            ("status", "-"),
            ("level", "30"),
            ("level", "WARN+1"),
            ("kind", "any"),
            ("time", "now"),
            ("duration_ms", "fast"),
            ("request_size", "-"),
        ] {
            let lean = ours(delimiter, |known, given| (known, if known == name { cell } else { given }));
            assert!(!lean, "{name} {cell:?}");
        }
        for name in ["password", "request_Host", "status_code", "pid", "url", "o\"dd", "size", "headers", "a=token="] {
            assert!(!ours(delimiter, |known, cell| (if known == "odd" { name } else { known }, cell)), "{name}");
        }
        assert!(!is_lean(&["method", "path"], &["GET"], delimiter), "a cell is missing");
        assert!(!is_lean(&["method", "path"], &["GET", "/a", "b"], delimiter), "a cell is too many");
    }
    let long = "x".repeat(crate::accept::TEXT_CAP + 1);
    assert!(!is_lean(&["method", "message"], &["GET", &long], ','));
}

/// What stands between the quotes of JSON strings, as text.
fn text() -> impl Strategy<Value = String> {
    string().prop_map(|json| serde_json::from_str(&json).unwrap())
}

fn cell() -> impl Strategy<Value = String> {
    let words = [
        "",
        "",
        "null",
        "true",
        "false",
        "1",
        "200",
        "500",
        "99",
        "0",
        "000",
        "1.5",
        "-1",
        "1e2",
        "30",
        "GET",
        "get",
        "/a",
        "-",
        "info",
        "WARN+1",
        "error",
        "event",
        "exchange",
        "edge",
        "2026-06-23T00:00:00Z",
        "1745532517537",
        "{}",
        "[]",
        "{",
        "{\"a\":1}",
        "{\"a\":1} ",
        " {\"a\":1}",
        "{\"password\":\"x\"}",
        "[\"token=Q\"]",
        "pwd\":\"Q\"",
        "\token=Q",
        "a\r\nb",
        "a,b;c\td",
        "\"",
        "\"\"",
        "12ms",
        "token=Q-secret-Q",
    ];
    prop_oneof![
        4 => prop::sample::select(words.to_vec()).prop_map(str::to_owned),
        2 => text(),
        2 => headers(),
        2 => body(),
        1 => body().prop_map(|body| serde_json::from_str(&body).unwrap_or(body)),
    ]
}

fn column() -> impl Strategy<Value = (&'static str, String)> {
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
        "Y z",
        "password",
        "token=",
        "fields",
        "request",
        "request_Host",
        "request_x",
        "size",
        "bytes_sent",
        "headers",
    ];
    let field = prop::sample::select(Field::ALL).prop_map(Field::name);
    let sized = prop::sample::select(vec!["request_size", "response_size"]);
    prop_oneof![
        2 => (prop_oneof![field, prop::sample::select(names.to_vec())], cell()),
        1 => (prop::sample::select(vec!["request_headers", "response_headers"]), prop_oneof![headers(), cell()]),
        1 => (prop::sample::select(vec!["request_body", "response_body"]), prop_oneof![body(), cell()]),
        1 => (sized, prop::sample::select(vec!["0", "7", "", "-", "x"]).prop_map(str::to_owned)),
        1 => (Just("attributes"), prop_oneof![cell(), text()]),
        1 => Just(("status", "200".to_owned())),
        1 => Just(("method", "GET".to_owned())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6000))]

    #[test]
    fn a_lean_row_of_cells_is_that_of_the_record(
        columns in prop::collection::vec((column(), 0u8..4), 0..7), delimiter in prop::sample::select(vec![',', ';', '\t'])
    ) {
        let text = delimiter.to_string();
        let names: Vec<&str> = columns.iter().map(|((name, _), _)| *name).collect();
        // in quotes, behind quotes, and as they are, which may make several cells of one or end the row
        let cells: Vec<String> = columns.iter().map(|((_, cell), how)| match how {
            0 => format!("\"{}\"", cell.replace('"', "\"\"")),
            1 if !cell.is_empty() => format!("\"a\"{cell}"),
            2 => cell.clone(),
            _ => written(cell, delimiter),
        }).collect();
        // a header of one name has no delimiter
        let head = Head::of_header(format!("{}{text}last{text}last{text}last", names.join(&text)).as_bytes());
        is_lean_below(&head, &format!("{}{text}{text}{text}", cells.join(&text)));
    }
}
