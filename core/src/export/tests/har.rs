//! HAR 1.2, by its mandatory members and by reqlog's reader.

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{file, read, records};
use crate::body::{Body, Cut};
use crate::export::Format;
use crate::format;
use crate::headers::Headers;
use crate::id::{EntryId, Seq};
use crate::record::{Field, Kind, Record, Stored, Texts};
use crate::timestamp::Timestamp;

// The members that HAR 1.2 does not call optional; nothing here has a default.

#[derive(Deserialize)]
struct Har {
    log: Log,
}

#[derive(Deserialize)]
struct Log {
    version: String,
    creator: Creator,
    entries: Vec<Entry>,
    #[serde(rename = "_reqlog")]
    own: Own,
}

#[derive(Deserialize)]
struct Creator {
    name: String,
    version: String,
}

#[derive(Deserialize)]
struct Own {
    skipped: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    started_date_time: String,
    time: f64,
    request: Request,
    response: Response,
    cache: serde_json::Map<String, serde_json::Value>,
    timings: Timings,
    #[serde(rename = "_reqlog")]
    own: Box<RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    method: String,
    url: String,
    http_version: String,
    cookies: Vec<Pair>,
    headers: Vec<Pair>,
    query_string: Vec<Pair>,
    post_data: Option<PostData>,
    headers_size: i64,
    body_size: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    status: u16,
    status_text: String,
    http_version: String,
    cookies: Vec<Pair>,
    headers: Vec<Pair>,
    content: Content,
    #[serde(rename = "redirectURL")]
    redirect_url: String,
    headers_size: i64,
    body_size: i64,
}

#[derive(Deserialize)]
struct Pair {
    name: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostData {
    mime_type: String,
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    size: i64,
    mime_type: String,
    text: Option<String>,
    encoding: Option<String>,
}

#[derive(Deserialize)]
struct Timings {
    send: f64,
    wait: f64,
    receive: f64,
}

fn parse(rows: &[Stored]) -> Log {
    serde_json::from_slice::<Har>(&file(Format::Har, rows)).unwrap().log
}

fn sample() -> Stored {
    let mut record = Record::new(Timestamp::from_nanos(1_782_216_000_000_142_000));
    record.kind = Kind::Exchange;
    for (field, value) in [
        (Field::Method, "POST"),
        (Field::Scheme, "https"),
        (Field::Host, "api.example.test"),
        (Field::Path, "/v1/us ers"),
        (Field::Query, "a=1+2&b=%C3%A9&c"),
        (Field::Protocol, "HTTP/2"),
        (Field::Project, "checkout"),
    ] {
        record.texts.set(field, value);
    }
    (record.status, record.duration) = (Some(302), Some(102_400_000));
    record.request.headers.push("Cookie", "s=1; t=a=b");
    record.request.body = Some(Body { size: 2, bytes: b"\xff\0".to_vec(), ..Body::default() });
    record.response.headers.push("Set-Cookie", "s=2; Path=/a; path=/b; HttpOnly");
    record.response.headers.push("Location", "/next");
    record.response.body = Some(Body {
        size: 9,
        bytes: b"cut".to_vec(),
        content_type: Some("text/plain".into()),
        cut: Some(Cut::Cap),
        ..Body::default()
    });
    Stored { id: EntryId::new(1_782_216_000_001, Seq::new(7).unwrap()), record }
}

#[test]
fn an_entry_says_what_har_can_say_and_reqlog_the_rest() {
    let text = String::from_utf8(file(Format::Har, &[sample()])).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        text,
        [
            r#"{"log":{"version":"1.2","creator":{"name":"reqlog","version":""#,
            version,
            r#""},"entries":["#,
            "\n",
            r#"{"startedDateTime":"2026-06-23T12:00:00.000142Z","time":102.4,"request":{"method":"POST","url":"https://api.example.test/v1/us%20ers?a=1+2&b=%C3%A9&c","httpVersion":"HTTP/2","#,
            r#""cookies":[{"name":"s","value":"1"},{"name":"t","value":"a=b"}],"headers":[{"name":"cookie","value":"s=1; t=a=b"}],"#,
            r#""queryString":[{"name":"a","value":"1 2"},{"name":"b","value":"é"},{"name":"c","value":""}],"#,
            r#""postData":{"mimeType":"","text":"/wA=","_encoding":"base64"},"headersSize":-1,"bodySize":2},"#,
            r#""response":{"status":302,"statusText":"Found","httpVersion":"HTTP/2","cookies":[{"name":"s","value":"2","path":"/b","httpOnly":true}],"#,
            r#""headers":[{"name":"set-cookie","value":"s=2; Path=/a; path=/b; HttpOnly"},{"name":"location","value":"/next"}],"#,
            r#""content":{"size":9,"mimeType":"text/plain","text":"cut"},"redirectURL":"/next","headersSize":-1,"bodySize":9},"#,
            r#""cache":{},"timings":{"send":0,"wait":102.4,"receive":0},"_reqlog":{"id":"01KVT5M0G10000000007","seq":7,"time":"2026-06-23T12:00:00.000142Z","#,
            r#""kind":"exchange","level":"info","project":"checkout","method":"POST","scheme":"https","host":"api.example.test","path":"/v1/us ers","query":"a=1+2&b=%C3%A9&c","#,
            r#""status":302,"duration_ms":102.4,"protocol":"HTTP/2","overridden":false,"request":{"body":{"size":2,"captured":2,"truncated":false}},"#,
            r#""response":{"body":{"size":9,"captured":3,"truncated":true,"reason":"cap","content_type":"text/plain"}}}}"#,
            "\n],\"_reqlog\":{\"skipped\":0}}}\n",
        ]
        .concat()
    );
}

#[test]
fn urls_are_absolute_where_there_is_a_target() {
    let url = |fields: &[(Field, &str)]| {
        let mut row = sample();
        row.record.texts = fields.iter().fold(Texts::default(), |mut texts, (field, value)| {
            texts.set(*field, value);
            texts
        });
        parse(&[row]).entries.remove(0).request.url
    };
    assert_eq!(url(&[]), "");
    assert_eq!(url(&[(Field::Path, "/a")]), "http://localhost/a");
    assert_eq!(url(&[(Field::Host, "x.test")]), "http://x.test/");
    assert_eq!(url(&[(Field::Host, "x.test"), (Field::Path, "*")]), "http://x.test/*");
    assert_eq!(url(&[(Field::Path, "/a#b?é"), (Field::Query, "c?#")]), "http://localhost/a%23b%3F%C3%A9?c?%23");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_mandatory_member_is_there(rows in proptest::collection::vec(records::stored(), 0..4)) {
        let log = parse(&rows);
        prop_assert_eq!((log.version.as_str(), log.creator.name.as_str()), ("1.2", "reqlog"));
        prop_assert!(!log.creator.version.is_empty());
        let (events, http): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.record.kind == Kind::Event);
        prop_assert_eq!((log.own.skipped, log.entries.len()), (events.len() as u64, http.len()));
        for (entry, Stored { record, .. }) in log.entries.iter().zip(http) {
            prop_assert_eq!(&entry.started_date_time, &record.time.to_string());
            let timings = &entry.timings;
            let sum: f64 = [timings.send, timings.wait, timings.receive].iter().filter(|time| **time >= 0.0).sum();
            prop_assert!(entry.time >= 0.0 && (entry.time - sum).abs() < 1e-6);
            prop_assert!(entry.cache.is_empty());
            prop_assert_eq!(&entry.request.method, record.text(Field::Method).unwrap_or_default());
            prop_assert!(entry.request.url.is_empty() || entry.request.url.contains("://"));
            prop_assert!(!entry.request.url.contains('#'));
            prop_assert_eq!(&entry.request.http_version, &entry.response.http_version);
            prop_assert_eq!(entry.response.status, record.status.unwrap_or(0));
            prop_assert!(entry.response.status_text.is_empty() || entry.response.status != 0);
            prop_assert_eq!(&entry.response.redirect_url, record.response.headers.get("location").unwrap_or_default());
            for (fields, message) in [(&entry.request.headers, &record.request), (&entry.response.headers, &record.response)] {
                let pairs = fields.iter().map(|field| (field.name.as_str(), field.value.as_str()));
                prop_assert!(pairs.eq(message.headers.iter()));
            }
            for cookie in entry.request.cookies.iter().chain(&entry.response.cookies).chain(&entry.request.query_string) {
                prop_assert!(cookie.value.len() + cookie.name.len() > 0 || record.text(Field::Query).is_some());
            }
            for (size, message) in [(entry.request.body_size, &record.request), (entry.response.body_size, &record.response)] {
                prop_assert_eq!(size, message.body.as_ref().map_or(-1, |body| body.size as i64));
            }
            prop_assert_eq!((entry.request.headers_size, entry.response.headers_size), (-1, -1));
            if let Some(post) = &entry.request.post_data {
                prop_assert!(!post.text.is_empty() && post.mime_type.len() < 100);
            }
            let content = &entry.response.content;
            prop_assert!(content.size >= -1 && content.mime_type.len() < 100);
            prop_assert!(content.encoding.is_none() || content.text.is_some());
        }
    }

    #[test]
    fn what_har_can_say_comes_back(row in records::stored()) {
        let back = read(format::Format::Har, &file(Format::Har, std::slice::from_ref(&row)));
        let record = row.record;
        let Some(back) = back.into_iter().next().map(|parsed| parsed.record) else {
            prop_assert_eq!(record.kind, Kind::Event);
            return Ok(());
        };
        prop_assert_eq!((back.time, back.status), (record.time, record.status));
        prop_assert_eq!(back.duration.unwrap_or(0), record.duration.unwrap_or(0));
        prop_assert_eq!(back.text(Field::Method), record.text(Field::Method));
        prop_assert_eq!(back.text(Field::Protocol), record.text(Field::Protocol));
        for (back, message) in [(&back.request, &record.request), (&back.response, &record.response)] {
            prop_assert_eq!(&back.headers, &message.headers);
            let bytes = |body: &Option<Body>| body.as_ref().map(|body| body.bytes.clone()).unwrap_or_default();
            let size = |body: &Option<Body>| body.as_ref().map_or(0, |body| body.size);
            prop_assert_eq!(bytes(&back.body), bytes(&message.body));
            prop_assert_eq!(size(&back.body), size(&message.body));
        }
    }

    #[test]
    fn what_har_cannot_say_is_in_reqlogs_own_member(row in records::stored()) {
        let Some(entry) = parse(std::slice::from_ref(&row)).entries.into_iter().next() else { return Ok(()) };
        let mut back = read(format::Format::Ndjson, format!("{}\n", entry.own.get()).as_bytes()).remove(0);
        prop_assert_eq!(back.id, Some(row.id));
        let mut record = row.record;
        for message in [&mut record.request, &mut record.response, &mut back.record.request, &mut back.record.response] {
            message.headers = Headers::default();
            if let Some(body) = &mut message.body {
                (body.bytes, body.cut) = (Vec::new(), None);
            }
        }
        prop_assert_eq!(back.record, record);
    }
}
