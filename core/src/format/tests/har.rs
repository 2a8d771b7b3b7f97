//! HAR as tools write it, whole and broken.

use super::{NOW, one, read};
use crate::body::Cut;
use crate::format::Format;
use crate::record::{Field, Kind, Record};

fn entry(text: &str) -> Record {
    one(Format::Har, &format!("{{\"log\":{{\"version\":\"1.2\",\"entries\":[{text}]}}}}"))
}

#[test]
fn an_entry_fills_its_fields() {
    let record = entry(
        r#"{"startedDateTime":"2023-03-29T17:37:42.482-07:00","time":107.25,"request":{"method":"POST","url":"https://u:p@x.test:8443/a?b=c#d","httpVersion":"http/2.0",
        "headers":[{"name":":path","value":"/a"},{"name":"User-Agent","value":"UA"},{"name":"X","value":null}],"cookies":[{"name":"s","value":"secret"}],"queryString":[],"headersSize":-1,"bodySize":3,
        "postData":{"mimeType":"text/plain","text":"abc","params":[]}},
        "response":{"status":201,"statusText":"Created","httpVersion":"h2","headers":[],"content":{"size":1330,"mimeType":"image/svg+xml","text":"PHN2\nZz4=","encoding":"base64","compression":11},"redirectURL":"","bodySize":519,"_transferSize":917},
        "cache":{},"timings":{"send": 0, "wait": 7},"serverIPAddress":"192.0.2.1","connection":"","_resourceType":"xhr","pageref":null}"#,
    );
    assert_eq!(record.time.to_string(), "2023-03-30T00:37:42.482Z");
    assert_eq!(
        (record.kind, record.status, record.duration, record.redacted),
        (Kind::Exchange, Some(201), Some(107_250_000), true)
    );
    assert_eq!(
        format!("{:?}", record.texts),
        r#"{"method": "POST", "scheme": "https", "host": "x.test:8443", "path": "/a", "query": "b=c", "user_agent": "UA", "protocol": "HTTP/2"}"#
    );
    assert_eq!(format!("{:?}", record.request.headers), r#"[("user-agent", "UA"), ("x", "")]"#);
    let (request, response) = (record.request.body.unwrap(), record.response.body.unwrap());
    assert_eq!(
        (request.size, request.bytes.as_slice(), request.content_type.as_deref()),
        (3, &b"abc"[..], Some("text/plain"))
    );
    assert_eq!((response.size, response.bytes.as_slice(), response.cut), (519, &b"<svg>"[..], None));
    assert_eq!(
        record.attributes.as_deref(),
        Some(
            r#"{"timings":{"send": 0, "wait": 7},"serverIPAddress":"192.0.2.1","_resourceType":"xhr","request":{"fragment":"d"},"response":{"_transferSize":917}}"#
        )
    );
}

#[test]
fn anything_may_be_missing_null_or_minus_one() {
    let record = entry(
        r#"{"time":-1,"request":{"method":null,"url":"","headers":null,"postData":{},"bodySize":-1,"httpVersion":""},"response":{"status":0,"content":null,"headers":[],"bodySize":-1},"timings":null,"cache":null}"#,
    );
    assert_eq!((record.time, record.duration, record.status), (NOW, None, None));
    assert_eq!((record.request.body, record.response.body, record.attributes), (None, None, None));
    let sized =
        entry(r#"{"request":{"url":"/"},"response":{"content":{"size":9},"bodySize":-1}}"#).response.body.unwrap();
    assert_eq!((sized.size, sized.cut), (9, Some(Cut::NotCaptured)));
    let moved = entry(r#"{"request":{"url":"/","startedDateTime":"2018-03-20T23:47:30.357Z","time":308.5}}"#);
    assert_eq!(
        (moved.time.to_string().as_str(), moved.duration, moved.kind),
        ("2018-03-20T23:47:30.357Z", Some(308_500_000), Kind::Request)
    );
}

#[test]
fn a_network_error_has_a_code_and_no_status() {
    let check = |error: &str, code, message| {
        let record =
            entry(&format!(r#"{{"request":{{"method":"GET","url":"/"}},"response":{{"status":0,"_error":{error}}}}}"#));
        assert_eq!(
            (record.status, record.text(Field::ErrorCode), record.text(Field::Message)),
            (None, code, message),
            "{error}"
        );
        assert_eq!(record.level.name(), if code.is_some() { "error" } else { "info" });
    };
    check(r#""net::ERR_FAILED""#, Some("net::ERR_FAILED"), None);
    check(r#""connection refused by peer""#, Some("network_error"), Some("connection refused by peer"));
    check(r#"{"message":"Max redirects","code":"MAXREDIRECTS"}"#, Some("MAXREDIRECTS"), Some("Max redirects"));
    check("null", None, None);
    check("\"\"", None, None);
}

#[test]
fn parameters_without_text_become_a_form() {
    let record = entry(
        r#"{"request":{"method":"POST","url":"/","bodySize":-1,"postData":{"mimeType":"application/x-www-form-urlencoded","params":[{"name":"a b","value":"1&2"},{"name":"f","fileName":"x.png"},{"value":"nameless"}]}}}"#,
    );
    assert_eq!(record.request.body.unwrap().bytes, b"a%20b=1%262&f=x%2Epng");
}

#[test]
fn web_socket_messages_are_attributes() {
    let record = entry(
        r#"{"request":{"url":"wss://x.test/s"},"response":{"status":101},"_webSocketMessages":[{"type":"send","time":1.5,"opcode":1,"data":"foo"}]}"#,
    );
    assert_eq!(
        record.attributes.as_deref(),
        Some(r#"{"_webSocketMessages":[{"type":"send","time":1.5,"opcode":1,"data":"foo"}]}"#)
    );
}

#[test]
fn a_truncated_file_gives_its_whole_entries_and_one_error() {
    let whole = "{\"log\":{\"entries\":[\n{\"request\":{\"url\":\"/1\"}},\n{\"request\":{\"url\":\"/2\"}},\n{\"request\":{\"url\":\"/3\"}}\n]}}";
    let second_ends = whole.find(",\n{\"request\":{\"url\":\"/3").unwrap();
    for cut in 0..whole.len() {
        let all = read(Format::Har, &whole.as_bytes()[..cut], 16);
        let entries = all.iter().filter(|result| result.is_ok()).count();
        let expected = whole[..cut].matches("\"}}").count().min(3);
        assert_eq!((entries, all.len() - entries), (expected, 1), "cut at {cut}");
        if cut == second_ends + 10 {
            let error = all.last().unwrap().as_ref().unwrap_err();
            assert_eq!((error.line, error.reason.as_str()), (4, "the file ends inside an entry"));
        }
    }
    assert_eq!(read(Format::Har, whole.as_bytes(), 16).iter().flatten().count(), 3);
}

#[test]
fn an_entry_that_is_none_is_refused_and_the_next_is_read() {
    let all =
        read(Format::Har, b"{\"log\":{\"entries\":[3,{},{\"request\":5},{\"request\":{\"url\":\"/\"}},null]}}", 4096);
    assert_eq!(all.iter().map(Result::is_ok).collect::<Vec<_>>(), [false, false, false, true, false]);
}
