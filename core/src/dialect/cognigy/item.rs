//! One entry as JSON: `_id`, `timestamp`, `msg`, `meta`, `traceId`, `type`.
//!
//! **Ours:** `type` follows the documented members. `msg` is the message as displayed, empty where there is none, and
//! `traceId` is left out where there is none, so that each is a string wherever it is. `meta` is the record's
//! attributes, and for exchanges and their halves `http`: `method`, `scheme`, `host`, `path`, `query`, `route`,
//! `status`, `durationMs`, `protocol`, `clientIp`, `userAgent`, `requestId`, `errorCode`. Of these the texts that a
//! record lacks are left out and the numbers are `null`. An attribute of that name is then called `_http`.

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
    let own = record.kind != Kind::Event;
    if let Some(attributes) = &record.attributes {
        match serde_json::from_str::<Members<'_>>(attributes) {
            Ok(Members(members)) => {
                for (name, value) in members {
                    let name = if own && name == "http" { "_http" } else { &*name };
                    object.name(name).extend_from_slice(value.get().as_bytes());
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
pub(super) mod tests;
