//! Access log lines as servers write them, and as they break.

use super::{one, refused};
use crate::body::Cut;
use crate::format::Format;
use crate::record::Field;

#[test]
fn a_combined_line_fills_its_fields() {
    let record = one(
        Format::Access,
        "203.0.113.9 - ann [10/Oct/2000:13:55:36 -0700] \"GET /a?b=1 HTTP/1.0\" 404 2326 \"http://x.test/\" \"UA \\\"1\\\"\"\n",
    );
    assert_eq!(record.time.to_string(), "2000-10-10T20:55:36Z");
    assert_eq!(
        format!("{:?}", record.texts),
        r#"{"method": "GET", "path": "/a", "query": "b=1", "client_ip": "203.0.113.9", "user_agent": "UA \"1\"", "protocol": "HTTP/1.0", "user_id": "ann"}"#
    );
    assert_eq!((record.status, record.level.name()), (Some(404), "warn"));
    let body = record.response.body.unwrap();
    assert_eq!((body.size, body.cut), (2326, Some(Cut::NotCaptured)));
    assert_eq!(record.request.headers.get("referer"), Some("http://x.test/"));
    assert_eq!(record.attributes, None);
}

#[test]
fn fields_behind_the_combined_ones_are_kept() {
    let line = |rest: &str| {
        one(
            Format::Access,
            &format!("192.0.2.1 - - [10/Oct/2000:13:55:36 +0000] \"GET / HTTP/2.0\" 200 - \"-\" \"-\" {rest}"),
        )
    };
    let traefik = line("241 \"web@docker\" \"http://172.16.0.3:80\" 12ms");
    assert_eq!(traefik.duration, Some(12_000_000));
    assert_eq!(
        traefik.attributes.as_deref(),
        Some(r#"{"RequestCount":241,"RouterName":"web@docker","ServiceURL":"http://172.16.0.3:80"}"#)
    );
    assert_eq!((traefik.text(Field::UserAgent), &traefik.response.body), (None, &None));
    assert_eq!(
        line("\"198.51.100.1, 10.0.0.1\"").request.headers.get("x-forwarded-for"),
        Some("198.51.100.1, 10.0.0.1")
    );
    let timed = line("rt=0.005 uct=\"0.001\"");
    assert_eq!((timed.duration, timed.attributes.as_deref()), (Some(5_000_000), Some(r#"{"uct":"0.001"}"#)));
    assert_eq!(line("\"TLSv1.3\" 77").attributes.as_deref(), Some(r#"{"extra":["TLSv1.3","77"]}"#));
    assert_eq!(line("\"-\"").attributes, None);
}

#[test]
fn a_request_that_is_no_http_is_kept_as_message() {
    for request in [r"\x16\x03\x01\x00", "HELP", "-", "lv|'|'|x y z", "GET", "get / HTTP/1.1", ""] {
        let record = one(Format::Access, &format!("192.0.2.1 - - [10/Oct/2000:13:55:36 +0000] \"{request}\" 400 157"));
        assert_eq!((record.text(Field::Method), record.status), (None, Some(400)), "{request}");
        assert_eq!(record.text(Field::Message), Some(request).filter(|text| *text != "-" && !text.is_empty()));
        assert_eq!(record.text(Field::Protocol), None);
    }
}

#[test]
fn odd_but_whole_lines_are_read() {
    let path = |line: &str| one(Format::Access, line).text(Field::Path).map(str::to_owned);
    assert_eq!(path("h - - [10/Oct/2000:13:55:36 +0000] \"GET /a\"b HTTP/1.1\" 200 1").as_deref(), Some("/a\"b"));
    assert_eq!(path("h - - [10/Oct/2000:13:55:36 +0000] \"GET /a b HTTP/1.1\" 200 1").as_deref(), Some("/a b"));
    assert_eq!(path("h - - [10/Oct/2000:13:55:36 +0000] \"GET /\\xc3\\xa9 HTTP/1.1\" 200 1").as_deref(), Some("/é"));
    assert_eq!(path("h - - [10/Oct/2000:13:55:36 +0000] \"GET /old\" 200 1").as_deref(), Some("/old"));
    let host = one(
        Format::Access,
        "www.test:443 192.0.2.1 - John Smith [10/Oct/2000:13:55:36 +0000] \"GET / HTTP/1.1\" 200 1",
    );
    assert_eq!(
        [Field::Host, Field::ClientIp, Field::UserId].map(|field| host.text(field).unwrap_or("")),
        ["www.test:443", "192.0.2.1", "John Smith"]
    );
    let proxy = one(Format::Access, "h - - [10/Oct/2000:13:55:36 +0000] \"GET http://u:pw@x.test/p HTTP/1.1\" 200 1");
    assert_eq!((proxy.text(Field::Host), proxy.redacted), (Some("x.test"), true));
    let cut =
        one(Format::Access, "h - - [10/Oct/2000:13:55:36 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"Mozilla/5.0 (cut");
    assert_eq!(cut.text(Field::UserAgent), Some("Mozilla/5.0 (cut"));
}

#[test]
fn a_broken_structure_is_named() {
    let input = "nothing\nh [10/Oct/2000:13:55:36 +0000] \"GET / HTTP/1.1\" 200 1\nh - - [yesterday] \"GET /\" 200 1\n\
        h - - [10/Oct/2000:13:55:36 +0000] GET / 200 1\nh - - [10/Oct/2000:13:55:36 +0000] \"GET / HTTP/1.1\nh - - [10/Oct/2000:13:55:36 +0000] \"GET /\" ok 1\n\
        h - - [10/Oct/2000:13:55:36 +0000] \"GET /\" 200 many\n";
    assert_eq!(
        refused(Format::Access, input.as_bytes()),
        [
            (1, "no [time]"),
            (2, "expected `host ident user` before the time"),
            (3, "the time is not like 17/May/2015:10:05:03 +0000"),
            (4, "no \"request\" after the time"),
            (5, "the \"request\" has no closing quote"),
            (6, "the status is no number of 100 to 999"),
            (7, "the size is no number"),
        ]
        .map(|(line, reason)| (line, reason.to_owned()))
    );
}
