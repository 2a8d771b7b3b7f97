use super::*;
use crate::accept::Rules;
use crate::auth::Scope;
use crate::filter::Filter;
use crate::format::{Format, Head, Parser, Splitter};
use crate::plan::{IngestMode, IngestRequest, Settings};
use http::HeaderName;
use proptest::prelude::*;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn map(fields: &[(&str, &str)]) -> HeaderMap {
    let field = |(name, value): &(&str, &str)| {
        (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
    };
    fields.iter().map(field).collect()
}

fn whole(text: &str) -> Captured {
    Captured { bytes: text.to_owned().into(), size: text.len() as u64, end: End::Whole }
}

fn exchange<'a>(request: &'a HeaderMap, response: &'a HeaderMap) -> Exchange<'a> {
    Exchange {
        method: &Method::POST,
        url: "https://api.test/v1/pay?id=7",
        protocol: Some("h2"),
        client: Some("192.0.2.1"),
        request_headers: request,
        request_body: Captured::default(),
        status: Some(200),
        response_headers: response,
        response_body: Captured::default(),
        started: Timestamp::from_millis(1_750_000_000_000),
        duration: Duration::from_millis(12),
        failure: None,
    }
}

fn rules() -> Rules {
    let request = IngestRequest {
        scope: Scope::Organisation,
        project: None,
        environment: None,
        session: None,
        service: None,
        format: None,
        encodings: Vec::new(),
        mode: IngestMode::Live,
        idempotency_key: None,
        limit: 0,
    };
    Rules::new(&[7; 32], &Settings::default(), &request)
}

fn imported(har: &str) -> Record {
    let mut splitter = Splitter::new(Format::Har);
    splitter.push(har.as_bytes());
    splitter.finish().expect("a whole file");
    let unit = splitter.next().expect("an entry");
    let parser = Parser::new(Format::Har, &Head::default(), Timestamp::from_millis(0));
    parser.parse(&unit).expect("a whole entry")
}

#[test]
fn an_exchange_becomes_what_an_importer_makes_of_it() {
    let har = r#"{"log":{"entries":[{"startedDateTime":"2025-06-15T15:06:40.000Z","time":12,
        "request":{"method":"POST","url":"https://api.test/v1/pay?id=7","httpVersion":"HTTP/2","headers":[
            {"name":"Host","value":"api.test"},{"name":"Content-Type","value":"application/json"},
            {"name":"User-Agent","value":"probe/1"},{"name":"X-Request-Id","value":"r-1"},
            {"name":"X-Reqlog-Session","value":"ci-42"},{"name":"Authorization","value":"Bearer abcdefghijklmnop"},
            {"name":"traceparent","value":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}],
            "postData":{"mimeType":"application/json","text":"{\"password\":\"correct horse\"}"},"bodySize":28},
        "response":{"status":404,"httpVersion":"HTTP/2","headers":[{"name":"Content-Type","value":"text/plain"},
            {"name":"Set-Cookie","value":"id=0123456789abcdef"}],
            "content":{"size":4,"mimeType":"text/plain","text":"none"},"bodySize":4}}]}}"#;
    let request = map(&[
        ("host", "api.test"),
        ("content-type", "application/json"),
        ("user-agent", "probe/1"),
        ("x-request-id", "r-1"),
        ("x-reqlog-session", "ci-42"),
        ("authorization", "Bearer abcdefghijklmnop"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ]);
    let response = map(&[("content-type", "text/plain"), ("set-cookie", "id=0123456789abcdef")]);
    let captured = Exchange {
        request_body: whole("{\"password\":\"correct horse\"}"),
        status: Some(404),
        response_body: whole("none"),
        ..exchange(&request, &response)
    };
    let captured = rules().accept(captured.record()).unwrap();
    let mut expected = rules().accept(imported(har)).unwrap();
    // what only a proxy knows
    expected.source = Some(Source::Edge);
    expected.texts.set(Field::ClientIp, "192.0.2.1");
    assert_eq!(captured, expected);
    assert_eq!(captured.text(Field::TraceId), Some(TRACE));
    assert_eq!((captured.kind, captured.level), (Kind::Exchange, Level::Warn));
}

#[test]
fn secrets_of_captured_traffic_are_replaced_as_everywhere() {
    let request = map(&[("cookie", "sid=0123456789abcdef"), ("x-api-key", "k-0123456789ab")]);
    let response = map(&[("content-type", "application/json")]);
    // the cap fell into the secret
    let cut = Captured { bytes: "{\"a\":1,\"token\":\"tok-0123456789".into(), size: 900, end: End::Whole };
    let record = Exchange {
        url: "https://ann:pass-word-1@api.test/v1?api_key=k-0123456789ab",
        response_body: cut,
        ..exchange(&request, &response)
    }
    .record();
    let accepted = rules().accept(record).unwrap();
    let shown = format!("{accepted:?}{}", String::from_utf8_lossy(&accepted.response.body.as_ref().unwrap().bytes));
    for secret in ["0123456789", "pass-word"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(accepted.redacted && accepted.text(Field::Host) == Some("api.test"));
}

#[test]
fn bodies_say_how_they_ended() {
    let none = HeaderMap::new();
    let body = |captured: Captured| {
        let record = Exchange { response_body: captured, ..exchange(&none, &none) }.record();
        let body = record.response.body.clone().unwrap();
        let code = record.text(Field::ErrorCode).map(str::to_owned);
        (body.size, String::from_utf8(body.bytes).unwrap(), body.cut, code, record.level)
    };
    let part = |end, size| Captured { bytes: "abc".into(), size, end };
    assert_eq!(body(part(End::Whole, 3)), (3, "abc".into(), None, None, Level::Info));
    assert_eq!(body(part(End::Whole, 9)), (9, "abc".into(), Some(Cut::Cap), None, Level::Info));
    let aborted = Some("upstream_aborted".to_owned());
    assert_eq!(body(part(End::Aborted, 3)), (3, "abc".into(), Some(Cut::NotCaptured), aborted, Level::Error));
    let cancelled = Some("client_aborted".to_owned());
    assert_eq!(body(part(End::Cancelled, 9)), (9, "abc".into(), Some(Cut::Cap), cancelled, Level::Warn));
    assert_eq!(body(Captured::default()), (0, String::new(), None, None, Level::Info));
}

#[test]
fn a_request_has_a_body_only_where_one_was_sent() {
    let none = HeaderMap::new();
    let body = |captured| {
        let record = Exchange { request_body: captured, ..exchange(&none, &none) }.record();
        (record.request.body.as_ref().map(|body| body.cut), record.text(Field::ErrorCode).map(str::to_owned))
    };
    assert_eq!(body(Captured::default()), (None, None));
    let ended = |end, size| Captured { size, end, ..Captured::default() };
    assert_eq!(body(ended(End::Aborted, 0)), (Some(Some(Cut::NotCaptured)), Some("client_aborted".into())));
    // answered early: no failure
    assert_eq!(body(ended(End::Cancelled, 5)), (Some(Some(Cut::Cap)), None));
}

#[test]
fn an_origin_that_does_not_answer_is_a_record_with_an_error_code() {
    let none = HeaderMap::new();
    let failed = |failure, status| {
        let record = Exchange { failure: Some(failure), status, ..exchange(&none, &none) }.record();
        let text = |field| record.text(field).unwrap_or_default().to_owned();
        (record.kind, record.level, text(Field::ErrorCode), text(Field::Message))
    };
    assert_eq!(
        failed(Failure::Unreachable("connection refused"), Some(502)),
        (Kind::Exchange, Level::Error, "upstream_unreachable".into(), "connection refused".into())
    );
    assert_eq!(
        failed(Failure::TimedOut("no answer in 30 s"), None),
        (Kind::Request, Level::Error, "upstream_timeout".into(), "no answer in 30 s".into())
    );
}

#[test]
fn what_was_cut_ends_between_characters_and_json_is_closed() {
    let none = HeaderMap::new();
    let cut = |text: &[u8], headers: &[(&str, &str)]| {
        let captured = Captured { bytes: Bytes::copy_from_slice(text), size: 1000, end: End::Whole };
        captured.body(&map(headers)).bytes
    };
    assert_eq!(cut("aé€".as_bytes(), &[]), "aé€".as_bytes());
    assert_eq!(cut(&"aé€".as_bytes()[..5], &[]), "aé".as_bytes());
    assert_eq!(cut(&[0xff, 0xe2, 0x82], &[]), [0xff, 0xe2, 0x82], "binary");
    assert_eq!(cut(&"é".as_bytes()[..1], &[("content-encoding", "gzip")]), [0xc3], "no text yet");
    let json = cut("{\"a\":[1,\"long text that was é".as_bytes(), &[("content-type", "application/json")]);
    assert!(serde_json::from_slice::<serde_json::Value>(&json).is_ok(), "{}", String::from_utf8_lossy(&json));
    assert_eq!(exchange(&none, &none).record().request.body, None);
}

#[test]
fn the_record_is_complete_before_it_is_accepted() {
    let request = map(&[("user-agent", "probe/1"), ("traceparent", &format!("00-{TRACE}-00f067aa0ba902b7-01"))]);
    let record = exchange(&request, &HeaderMap::new()).record();
    let filter =
        Filter::parse(&format!("ua:probe/1 trace:{TRACE} source:edge ip:192.0.2.1 query.id:7")).unwrap().filter;
    assert!(filter.resolve(record.time).unwrap().matches(&record), "{record:?}");
}

#[test]
fn header_values_that_are_no_text_are_kept() {
    let mut seen = HeaderMap::new();
    seen.insert("x-latin", HeaderValue::from_bytes(b"caf\xe9").unwrap());
    seen.insert("x-utf8", HeaderValue::from_bytes("café".as_bytes()).unwrap());
    let record = exchange(&seen, &HeaderMap::new()).record();
    assert_eq!(
        (record.request.headers.get("x-latin"), record.request.headers.get("x-utf8")),
        (Some("café"), Some("café"))
    );
}

fn captured() -> impl Strategy<Value = Captured> {
    let end = prop::sample::select(vec![End::Whole, End::Aborted, End::Cancelled]);
    let text = prop_oneof![
        any::<Vec<u8>>(),
        "[\\PC\"{}\\[\\]:,]{0,40}".prop_map(String::into_bytes),
        "\\{\"a\":[\\PC]{0,40}".prop_map(String::into_bytes),
    ];
    (text, 0usize..80, 0u64..4, end).prop_map(|(mut bytes, cap, more, end)| {
        let size = bytes.len() as u64 + more;
        bytes.truncate(cap);
        Captured { bytes: bytes.into(), size, end }
    })
}

proptest! {
    #[test]
    fn any_exchange_is_a_record_that_is_accepted(
        url in "(https?://)?\\PC{0,20}",
        client in proptest::option::of("\\PC{0,10}"),
        value in proptest::collection::vec(0x20u8..=0xff, 0..20),
        request_body in captured(),
        response_body in captured(),
        status in proptest::option::of(any::<u16>()),
        nanos: u64,
    ) {
        let mut seen = HeaderMap::new();
        for name in ["traceparent", "content-type", "content-encoding", "user-agent", "x-request-id"] {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                seen.insert(name, value);
            }
        }
        let given = Exchange {
            url: &url,
            client: client.as_deref(),
            request_body: request_body.clone(),
            response_body,
            status,
            duration: Duration::from_nanos(nanos),
            ..exchange(&seen, &seen)
        };
        let record = given.record();
        prop_assert_eq!(record.status.is_some(), status.is_some_and(|status| (100..1000).contains(&status)));
        if let Some(body) = &record.request.body {
            prop_assert_eq!(body.size, request_body.size);
            prop_assert!(body.bytes.len() <= request_body.bytes.len());
        }
        prop_assert!(rules().accept(record).is_ok() || seen.contains_key("x-reqlog-session"));
    }

    #[test]
    fn a_text_is_never_cut_in_the_middle_of_a_character(text in "\\PC{0,40}", cap in 0usize..120) {
        let bytes = &text.as_bytes()[..cap.min(text.len())];
        let captured = Captured { bytes: Bytes::copy_from_slice(bytes), size: text.len() as u64, end: End::Whole };
        let body = captured.body(&HeaderMap::new());
        let kept = std::str::from_utf8(&body.bytes);
        prop_assert!(kept.is_ok(), "{:?}", body.bytes);
        prop_assert_eq!(body.cut.is_some(), cap < text.len());
    }
}
