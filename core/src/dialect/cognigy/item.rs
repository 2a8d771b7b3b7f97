//! One entry as JSON: `_id`, `timestamp`, `msg`, `meta`, `traceId`, `type`.
//!
//! **Ours:** `type` follows the documented members. `msg` is the message as displayed, empty where there is none, and
//! `traceId` is left out where there is none, so that each is a string wherever it is. `meta` is the record's
//! attributes, and for exchanges and their halves `http`: `method`, `scheme`, `host`, `path`, `query`, `route`,
//! `status`, `durationMs`, `protocol`, `clientIp`, `userAgent`, `requestId`, `errorCode`. Of these the texts that a
//! record lacks are left out and the numbers are `null`. Attributes named `http` stand as they came, and ours are then
//! left out.

use crate::export::json::{decimal, millis};
use crate::json::string;
use crate::record::{Field, Kind, Record, Stored};
use crate::shown::shown;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The members of an entry, rendered as far as every representation needs them.
#[derive(Debug)]
pub(super) struct Item<'r> {
    /// The id as this dialect spells it.
    pub id: String,
    /// RFC 3339 in UTC.
    pub timestamp: String,
    /// The message as displayed.
    pub msg: Cow<'r, str>,
    /// A JSON object.
    pub meta: String,
    /// The trace, where the record has one.
    pub trace_id: Option<&'r str>,
    /// The level.
    pub level: &'static str,
}

impl<'r> Item<'r> {
    pub(super) fn of(row: &'r Stored) -> Self {
        let record = &row.record;
        Self {
            id: row.id.to_cognigy(),
            timestamp: record.time.to_string(),
            msg: shown(record).unwrap_or_default(),
            meta: meta(record),
            trace_id: record.text(Field::TraceId),
            level: record.level.name(),
        }
    }

    /// Appends the item as a JSON object, without the brace that ends it.
    pub(super) fn open_json(&self, out: &mut Vec<u8>) {
        // neither id, time nor level needs an escape
        for part in ["{\"_id\":\"", &self.id, "\",\"timestamp\":\"", &self.timestamp, "\",\"msg\":"] {
            out.extend_from_slice(part.as_bytes());
        }
        string(&self.msg, out);
        out.extend_from_slice(b",\"meta\":");
        out.extend_from_slice(self.meta.as_bytes());
        if let Some(trace) = self.trace_id {
            out.extend_from_slice(b",\"traceId\":");
            string(trace, out);
        }
        for part in [",\"type\":\"", self.level, "\""] {
            out.extend_from_slice(part.as_bytes());
        }
    }
}

/// Appends rows as a JSON array.
pub(super) fn array(rows: &[Stored], out: &mut Vec<u8>) {
    out.push(b'[');
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        Item::of(row).open_json(out);
        out.push(b'}');
    }
    out.push(b']');
}

const TEXTS_BEFORE: [(&str, Field); 6] = [
    ("method", Field::Method),
    ("scheme", Field::Scheme),
    ("host", Field::Host),
    ("path", Field::Path),
    ("query", Field::Query),
    ("route", Field::Route),
];
const TEXTS_AFTER: [(&str, Field); 5] = [
    ("protocol", Field::Protocol),
    ("clientIp", Field::ClientIp),
    ("userAgent", Field::UserAgent),
    ("requestId", Field::RequestId),
    ("errorCode", Field::ErrorCode),
];

fn meta(record: &Record) -> String {
    let mut object = Object::default();
    let mut own = record.kind != Kind::Event;
    if let Some(attributes) = &record.attributes {
        match serde_json::from_str::<Members<'_>>(attributes) {
            Ok(Members(members)) => {
                for (name, value) in members {
                    own &= name != "http";
                    object.name(&name).extend_from_slice(value.get().as_bytes());
                }
            }
            // never stored by ingestion, and JSON all the same
            Err(_) => string(attributes, object.name("attributes")),
        }
    }
    if own {
        let http = http(record);
        object.name("http").extend_from_slice(&http);
    }
    String::from_utf8(object.end()).unwrap_or_default()
}

fn http(record: &Record) -> Vec<u8> {
    let mut object = Object::default();
    let texts = |object: &mut Object, table: &[(&str, Field)]| {
        for (name, field) in table {
            if let Some(text) = record.text(*field) {
                string(text, object.name(name));
            }
        }
    };
    texts(&mut object, &TEXTS_BEFORE);
    let status = object.name("status");
    match record.status {
        Some(number) => decimal(number.into(), status),
        None => status.extend_from_slice(b"null"),
    }
    let duration = object.name("durationMs");
    match record.duration {
        Some(nanos) => millis(nanos, duration),
        None => duration.extend_from_slice(b"null"),
    }
    texts(&mut object, &TEXTS_AFTER);
    object.end()
}

/// A JSON object that is being written.
#[derive(Default)]
struct Object(Vec<u8>);

impl Object {
    /// Where to write the value of a member.
    fn name(&mut self, name: &str) -> &mut Vec<u8> {
        self.0.push(if self.0.is_empty() { b'{' } else { b',' });
        string(name, &mut self.0);
        self.0.push(b':');
        &mut self.0
    }

    fn end(mut self) -> Vec<u8> {
        self.0.extend_from_slice(if self.0.is_empty() { b"{}" } else { b"}" });
        self.0
    }
}

/// The members of a JSON object in their order, values as written.
pub(super) struct Members<'j>(pub Vec<(Cow<'j, str>, &'j RawValue)>);

impl<'j> Deserialize<'j> for Members<'j> {
    fn deserialize<D: Deserializer<'j>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'j> Visitor<'j> for Read {
            type Value = Members<'j>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'j>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut members = Vec::new();
                while let Some((Name(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Read)
    }
}

#[derive(serde::Deserialize)]
struct Name<'j>(#[serde(borrow)] Cow<'j, str>);

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::id::{EntryId, Seq};
    use crate::timestamp::Timestamp;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    /// Text with everything that a format could stumble over.
    pub(in super::super) fn text() -> impl Strategy<Value = String> {
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
    pub(in super::super) fn row() -> impl Strategy<Value = Stored> {
        let attributes = prop::collection::vec((text(), value()), 0..5);
        let texts = prop::collection::vec((0..Field::COUNT, text()), 0..6);
        (attributes, texts, 0..4usize, prop::option::of(100..999u16), prop::option::of(any::<u64>()), 1..1000u64)
            .prop_map(|(attributes, texts, kind, status, duration, seq)| {
                let mut record = Record::new(Timestamp::from_millis(1_782_216_000_000));
                record.kind = Kind::ALL[kind];
                (record.status, record.duration) = (status, duration);
                for (field, text) in texts {
                    record.texts.set(Field::ALL[field], &text);
                }
                let object = Value::Object(attributes.into_iter().collect());
                record.attributes = (object != json!({})).then(|| object.to_string());
                Stored { id: EntryId::new(1_782_216_000_001, Seq::new(seq).unwrap()), record }
            })
    }

    pub(in super::super) fn json_of(row: &Stored) -> Value {
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
        assert_eq!(meta(&record), "{\"http\":[\"mine\"]}");
    }
}
