//! What reqlog exports, reqlog reads back whole.

use proptest::prelude::*;

use super::NOW;
use crate::body::{Body, Cut};
use crate::export::json::{Shape, write};
use crate::format::{Format, Head, Parser, Splitter};
use crate::id::{EntryId, Seq};
use crate::level::Level;
use crate::record::{Field, Kind, Message, Record, Source, Stored};
use crate::timestamp::Timestamp;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), Just("-".to_owned()), "[ -~]{1,12}", "\\PC{1,6}", "[\"\\\\\n\r\t\u{1}]{1,4}"]
}

fn message() -> impl Strategy<Value = Message> {
    let body = (
        0u64..9000,
        prop_oneof![text().prop_map(String::into_bytes), proptest::collection::vec(any::<u8>(), 0..9)],
        proptest::option::of(text()),
        proptest::option::of(proptest::sample::select(&Cut::ALL[..])),
    );
    let body =
        body.prop_map(|(size, bytes, content_type, cut)| Body { size, bytes, content_type, cut, ..Body::default() });
    let headers = proptest::collection::vec(("[a-z-]{1,8}", text()), 0..3);
    (headers, proptest::option::of(body)).prop_map(|(fields, body)| Message {
        headers: fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
        body,
    })
}

prop_compose! {
    fn record()(
        nanos in any::<i64>(),
        kind in proptest::sample::select(&Kind::ALL[..]),
        level in proptest::sample::select(&Level::ALL[..]),
        source in proptest::option::of(proptest::sample::select(&Source::ALL[..])),
        status in proptest::option::of(100u16..1000),
        duration in proptest::option::of(any::<u64>()),
        flags in any::<[bool; 2]>(),
        fields in proptest::collection::vec((proptest::sample::select(Field::ALL), text()), 0..6),
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

proptest! {
    #[test]
    fn an_exported_record_comes_back_with_its_id(record in record(), arrival in 0u64..1 << 48, seq in 1u64..1 << 48) {
        let id = EntryId::new(arrival, Seq::new(seq).unwrap());
        let mut line = Vec::new();
        write(&Stored { id, record: record.clone() }, Shape::EXPORT, &mut line);
        line.push(b'\n');
        let mut splitter = Splitter::new(Format::Ndjson);
        splitter.push(&line);
        let parser = Parser::new(Format::Ndjson, &Head::default(), NOW);
        let parsed = parser.parse_identified(&splitter.next().unwrap()).unwrap();
        prop_assert_eq!(parsed.id, Some(id));
        prop_assert_eq!(parsed.record, record);
    }
}
