//! One record as an entry of the generic dialect's JSON, written byte by byte.

use crate::export::json::{decimal, millis};
use crate::json::string;
use crate::level::Level;
use crate::record::{Field, Record};
use crate::shown::shown;
use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::io::Write as _;

/// The name of a level, of which this dialect has five.
pub(super) const fn name(level: Level) -> &'static str {
    match level {
        Level::Trace | Level::Debug => "DEBUG",
        Level::Info => "INFO",
        Level::Warn => "WARN",
        Level::Error => "ERROR",
        Level::Fatal => "FATAL",
    }
}

/// Appends an entry.
pub(super) fn write(record: &Record, out: &mut Vec<u8>) {
    write!(out, "{{\"timestamp\":\"{}\",\"level\":\"{}\",\"service\":", record.time, name(record.level))
        .expect("writing to memory does not fail");
    match record.text(Field::Service) {
        Some(service) => string(service, out),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"message\":");
    string(shown(record).as_deref().unwrap_or_default(), out);
    let end = out.len();
    out.extend_from_slice(b",\"details\":{");
    let mut details = Details { start: out.len(), out, known: [false; NAMES.len()] };
    details.facts(record);
    if let Some(attributes) = &record.attributes {
        details.attributes(attributes);
    }
    if details.is_empty() {
        out.truncate(end);
    } else {
        out.push(b'}');
    }
    out.push(b'}');
}

const NAMES: [&str; 6] = ["method", "path", "status", "duration_ms", "trace_id", "request_id"];

/// The members of `details` as they are written.
struct Details<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    // which of `NAMES` are there
    known: [bool; NAMES.len()],
}

impl Details<'_> {
    fn is_empty(&self) -> bool {
        self.out.len() == self.start
    }

    fn facts(&mut self, record: &Record) {
        for (at, field) in [(0, Field::Method), (1, Field::Path)] {
            self.text(at, record.text(field));
        }
        if let Some(status) = record.status {
            decimal(status.into(), self.fact(2));
        }
        if let Some(duration) = record.duration {
            millis(duration, self.fact(3));
        }
        for (at, field) in [(4, Field::TraceId), (5, Field::RequestId)] {
            self.text(at, record.text(field));
        }
    }

    fn text(&mut self, at: usize, value: Option<&str>) {
        if let Some(value) = value {
            string(value, self.fact(at));
        }
    }

    /// Where to write the value of a member of this dialect's own.
    fn fact(&mut self, at: usize) -> &mut Vec<u8> {
        self.known[at] = true;
        self.member(NAMES[at])
    }

    fn member(&mut self, name: &str) -> &mut Vec<u8> {
        if !self.is_empty() {
            self.out.push(b',');
        }
        string(name, self.out);
        self.out.push(b':');
        self.out
    }

    /// The members of the attributes. What is no JSON object, which ingestion does not store, is one string.
    fn attributes(&mut self, object: &str) {
        let end = self.out.len();
        let mut reader = serde_json::Deserializer::from_str(object);
        let read = reader.deserialize_map(Splice(self)).and_then(|()| reader.end());
        if read.is_err() {
            self.out.truncate(end);
            string(object, self.member("attributes"));
        }
    }
}

/// Copies the members of an object, values as they are spelt.
struct Splice<'d, 'o>(&'d mut Details<'o>);

impl<'de> Visitor<'de> for Splice<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<(), M::Error> {
        while let Some((name, value)) = members.next_entry::<String, &RawValue>()? {
            let taken = NAMES.iter().zip(self.0.known).any(|(known, there)| there && *known == name);
            if !taken {
                self.0.member(&name).extend_from_slice(value.get().as_bytes());
            }
        }
        Ok(())
    }
}
