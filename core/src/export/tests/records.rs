//! Records that are hard to write down: formulas, quotes, line ends, empty texts, bodies of every kind.

use proptest::prelude::*;
use proptest::sample::select;

use crate::body::{Body, Cut};
use crate::id::{EntryId, Seq};
use crate::level::Level;
use crate::record::{Field, Kind, Message, Record, Source, Stored};
use crate::timestamp::Timestamp;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        select(vec![
            "",
            "-",
            "-1",
            "+1e3",
            "=1+1",
            "@x",
            "\t=1",
            "\rx",
            "'=1",
            "a, \"b\"\r\nc",
            "api.test:8443",
            "a=%20&b=+c"
        ])
        .prop_map(str::to_owned),
        "[ -~]{1,12}",
        "\\PC{1,6}",
        "[\"\\\\\n\r\t\u{1},;]{1,4}",
    ]
}

fn body() -> impl Strategy<Value = Body> {
    let bytes = prop_oneof![
        Just(Vec::new()),
        select(vec!["{\"size\":3,\"text\":\"abc\"}", "{\"a\":1}", "--boundary\r\n", "[1]"]).prop_map(Into::into),
        text().prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 1..9),
    ];
    let types = prop_oneof![Just(None), select(vec!["application/json", "text/plain"]).prop_map(Some)];
    let cut = prop_oneof![3 => Just(None), 1 => select(&Cut::ALL[..]).prop_map(Some)];
    (bytes, prop_oneof![Just(0u64), 0u64..40], types, cut).prop_map(|(bytes, extra, content_type, cut)| Body {
        // 0 bytes of which none is kept and no reason is given are a whole body
        cut: cut.or((bytes.is_empty() && extra > 0).then_some(Cut::NotCaptured)),
        size: bytes.len() as u64 + extra,
        bytes,
        content_type: content_type.map(str::to_owned),
        ..Body::default()
    })
}

fn message() -> impl Strategy<Value = Message> {
    let name = prop_oneof![
        select(vec!["content-type", "cookie", "set-cookie", "host"]).prop_map(str::to_owned),
        "[a-z-]{1,8}"
    ];
    let value = prop_oneof![
        text(),
        select(vec!["application/json", "a=1; b", "s=x; Path=/; HttpOnly"]).prop_map(str::to_owned)
    ];
    (proptest::collection::vec((name, value), 0..4), proptest::option::of(body())).prop_map(|(fields, body)| Message {
        headers: fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
        body,
    })
}

prop_compose! {
    fn record()(
        nanos in any::<i64>(),
        kind in select(&Kind::ALL[..]),
        level in select(&Level::ALL[..]),
        source in proptest::option::of(select(&Source::ALL[..])),
        status in proptest::option::of(100u16..1000),
        duration in proptest::option::of(any::<u64>()),
        flags in any::<[bool; 2]>(),
        fields in proptest::collection::vec((select(Field::ALL), text()), 0..8),
        messages in (message(), message()),
        attributes in proptest::option::of(text()),
    ) -> Record {
        let mut record = Record::new(Timestamp::from_nanos(nanos));
        record.kind = kind;
        record.level = Level::at_ingestion(Some(level), status);
        (record.source, record.status, record.duration) = (source, status, duration);
        [record.overridden, record.redacted] = flags;
        for (field, value) in fields {
            // methods are in upper case, protocols in one spelling, and paths without their query
            match field {
                Field::Method => record.texts.set(field, "PURGE"),
                Field::Protocol => record.texts.set(field, "HTTP/2"),
                Field::Path => record.texts.set(field, &value.replace('?', "")),
                _ => record.texts.set(field, &value),
            }
        }
        (record.request, record.response) = messages;
        record.attributes = attributes.map(|text| serde_json::json!({ "method": text, "n": [1, null] }).to_string());
        record
    }
}

prop_compose! {
    /// A committed record of any kind.
    pub(super) fn stored()(record in record(), arrival in 0u64..1 << 48, seq in 1u64..1 << 48) -> Stored {
        Stored { id: EntryId::new(arrival, Seq::new(seq).unwrap()), record }
    }
}
