//! The language as tables and its algebra as properties.

use crate::body::{Body, Cut};
use crate::level::Level;
use crate::record::{Field, Kind, Record, Source};
use crate::timestamp::Timestamp;

mod completing;
mod meaning;
mod properties;
mod spelling;

// 2026-06-23T12:00:00Z
const NOW: Timestamp = Timestamp::from_nanos(1_782_216_000_000_000_000);

fn record() -> Record {
    let mut record = Record::new(Timestamp::from_nanos(NOW.as_nanos() - 1_800_000_000_000));
    record.kind = Kind::Exchange;
    record.level = Level::Error;
    record.source = Some(Source::Edge);
    record.status = Some(503);
    record.duration = Some(1_520_400_000);
    record.redacted = true;
    for (field, value) in [
        (Field::Project, "checkout"),
        (Field::Session, "007"),
        (Field::Service, "user-api"),
        (Field::Method, "POST"),
        (Field::Host, "api.example.test"),
        (Field::Path, "/v1/Users/42"),
        (Field::Query, "page=2&q=a+b&tag=x&tag=y"),
        (Field::Route, "/v1/users/{id}"),
        (Field::ErrorCode, "ETIMEDOUT"),
        (Field::Message, "upstream Timed out after 30 s"),
    ] {
        record.texts.set(field, value);
    }
    record.request.headers.push("Content-Length", "412");
    record.response.headers.push("X-Cache", "MISS");
    record.request.body = Some(Body {
        size: 412,
        withheld: 0,
        bytes: br#"{"user":{"id":7,"mail":"ann@example.test"},"tags":["a"]}"#.to_vec(),
        content_type: Some("application/json; charset=utf-8".into()),
        cut: Some(Cut::Cap),
    });
    record.attributes = Some(
        r#"{"service.name":"x","retries":3,"ok":true,"none":null,"big":9007199254740993,"nested":{"k":"v"}}"#.into(),
    );
    record
}
