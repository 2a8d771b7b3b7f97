//! Any record as an item, and where such records come from.

use super::*;
use crate::id::{EntryId, Seq};
use crate::timestamp::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Text with everything that a format could stumble over.
pub(in crate::dialect::cognigy) fn text() -> impl Strategy<Value = String> {
    "([=+@\\-'\t\r]?(\\PC|[\\x00-\\x20\"\\\\<>&,;_x:\u{fffe}\u{ffff}\u{85}\u{2028}]){0,12})"
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Rows with any texts and attributes.
pub(in crate::dialect::cognigy) fn row() -> impl Strategy<Value = Stored> {
    let attributes = prop::collection::vec((text(), value()), 0..5);
    let texts = prop::collection::vec((0..Field::COUNT, text()), 0..6);
    (attributes, texts, 0..4usize, prop::option::of(100..999u16), prop::option::of(any::<u64>()), 1..1000u64).prop_map(
        |(attributes, texts, kind, status, duration, seq)| {
            let mut record = Record::new(Timestamp::from_millis(1_782_216_000_000));
            record.kind = Kind::ALL[kind];
            (record.status, record.duration) = (status, duration);
            for (field, text) in texts {
                record.texts.set(Field::ALL[field], &text);
            }
            let object = Value::Object(attributes.into_iter().collect());
            record.attributes = (object != json!({})).then(|| object.to_string());
            Stored { id: EntryId::new(1_782_216_000_001, Seq::new(seq).unwrap()), record }
        },
    )
}

pub(in crate::dialect::cognigy) fn json_of(row: &Stored) -> Value {
    let mut out = Vec::new();
    Item::of(row).open_json(&mut out);
    out.push(b'}');
    serde_json::from_slice(&out).unwrap()
}

proptest! {
    #[test]
    fn an_item_is_json_and_keeps_the_attributes(row in row()) {
        let item = json_of(&row);
        prop_assert_eq!(item["_id"].as_str().and_then(EntryId::from_cognigy), Some(row.id));
        prop_assert_eq!(item.get("traceId").and_then(Value::as_str), row.record.text(Field::TraceId));
        let attributes: Value = row.record.attributes.as_deref().map_or(json!({}), |text| text.parse().unwrap());
        let mut meta = item["meta"].clone();
        if row.record.kind != Kind::Event && attributes.get("http").is_none() {
            let http = meta.as_object_mut().unwrap().remove("http").unwrap();
            prop_assert_eq!(http.get("path").and_then(Value::as_str), row.record.text(Field::Path));
            prop_assert_eq!(http["status"].as_u64(), row.record.status.map(u64::from));
        }
        prop_assert_eq!(meta, attributes);
    }
}

#[test]
fn attributes_that_are_no_object_are_a_string() {
    let mut record = Record::new(Timestamp::from_nanos(0));
    for broken in ["[1]", "{\"a\":", "nonsense\n", "{\"\\ud800\":1}"] {
        record.attributes = Some(broken.to_owned());
        assert_eq!(meta(&record).parse::<Value>().unwrap(), json!({"attributes": broken}));
    }
    record.attributes = Some("{ \"http\" : [\"mine\"] }".to_owned());
    record.kind = Kind::Exchange;
    assert_eq!(meta(&record), "{\"_http\":[\"mine\"],\"http\":{\"status\":null,\"durationMs\":null}}");
    record.kind = Kind::Event;
    assert_eq!(meta(&record), "{\"http\":[\"mine\"]}");
}
