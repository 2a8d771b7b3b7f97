//! The few members that a question asks for, of a record in reqlog's own form: most of a line is only stepped over.
//!
//! An outline is either what the whole record says or none: a line with anything by which another member could change
//! what is asked for (another name for it, a name written twice, an escape, an odd type) has to be read whole.

use super::json::Value;
use super::member::{Member, Scope, Side};
use super::scan::Scan;
use super::time::{self, Unit};
use crate::level::Level;
use crate::record::{Field, Kind, Record};
use crate::timestamp::Timestamp;
use std::borrow::Cow;

/// The text fields of an outline. Time, kind, level, status and duration are in every one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted(u32);

impl Wanted {
    /// Adds a field; false for one that header fields may tell or that has several spellings, which only the whole record has.
    pub fn add(&mut self, field: Field) -> bool {
        let derived =
            matches!(field, Field::Host | Field::UserAgent | Field::RequestId | Field::Protocol | Field::Scheme);
        if !derived {
            self.0 |= 1 << field as u32;
        }
        !derived
    }

    const fn has(self, field: Field) -> bool {
        self.0 >> field as u32 & 1 == 1
    }
}

/// What was seen, in bits after those of the text fields.
const TIME: u32 = 1 << 24;
const LEVEL: u32 = 1 << 25;
const STATUS: u32 = 1 << 26;
const DURATION: u32 = 1 << 27;
const KIND: u32 = 1 << 28;
const REQUEST: u32 = 1 << 29;
const RESPONSE: u32 = 1 << 30;
const _: () = assert!(Field::COUNT <= 24);

/// What `text` says of `wanted`, or none where the whole record has to be read.
pub(super) fn read(text: &str, wanted: Wanted, now: Timestamp) -> Option<Record> {
    let mut outline = Outline { record: Record::new(now), wanted, seen: 0, level: None, kind: None };
    outline.record.texts.reserve(ROOM);
    let mut scan = Scan::new(text);
    scan.object(|name, scan| match name {
        Cow::Borrowed(name) => outline.member(name, scan),
        Cow::Owned(_) => None,
    })?;
    scan.end()?;
    outline.finish()
}

/// Bytes of text fields that room is made for at first.
const ROOM: usize = 128;

struct Outline {
    record: Record,
    wanted: Wanted,
    seen: u32,
    level: Option<Level>,
    kind: Option<Kind>,
}

impl Outline {
    fn member(&mut self, name: &str, scan: &mut Scan<'_>) -> Option<()> {
        match Member::find(Scope::Record, name) {
            // one header field a member
            None if name.starts_with("request_") || name.starts_with("downstream_") => None,
            None => scan.value().map(drop),
            Some(Member::Text(field)) if field.name() == name => {
                self.first(1 << field as u32)?;
                let value = scan.value()?;
                if self.wanted.has(field) { self.text(field, value) } else { Some(()) }
            }
            Some(Member::Time(_)) if name == "time" => {
                self.first(TIME)?;
                self.record.time = time::timestamp(plain(scan.value()?)?)?;
                Some(())
            }
            Some(Member::Level) if name == "level" => {
                self.first(LEVEL)?;
                let name = plain(scan.value()?).filter(|name| !name.contains(['+', '-']))?;
                self.level = Some(Level::parse(name)?);
                Some(())
            }
            Some(Member::Status) if name == "status" => {
                self.first(STATUS)?;
                let digits = scan.value()?;
                self.record.status = Some(digits.parse().ok().filter(|status| (100..1000).contains(status))?);
                Some(())
            }
            Some(Member::Duration(Some(Unit::Millis))) if name == "duration_ms" => {
                self.first(DURATION)?;
                let number = Some(Value::Json(scan.value()?)).filter(|value| value.is_number())?.text()?;
                self.record.duration = Some(time::duration(&number, Unit::Millis)?);
                Some(())
            }
            Some(Member::Kind) => {
                self.first(KIND)?;
                self.kind = Some(Kind::parse(plain(scan.value()?)?)?);
                Some(())
            }
            Some(Member::Nested(side)) if name == "request" || name == "response" => {
                self.first(if side == Side::Request { REQUEST } else { RESPONSE })?;
                scan.object(|name, scan| self.of_message(&name, scan))
            }
            Some(
                Member::Id | Member::Seq | Member::Source | Member::Overridden | Member::Redacted | Member::Attributes,
            ) => scan.value().map(drop),
            Some(_) => None,
        }
    }

    /// Notes that a member was seen, which may be so once.
    fn first(&mut self, member: u32) -> Option<()> {
        let again = self.seen & member != 0;
        self.seen |= member;
        (!again).then_some(())
    }

    fn text(&mut self, field: Field, value: &str) -> Option<()> {
        let value = plain(value).filter(|value| !matches!(*value, "" | "-"))?;
        let as_it_is = match field {
            Field::Method => !value.bytes().any(|byte| byte.is_ascii_lowercase()),
            Field::Path => !value.contains('?'),
            _ => true,
        };
        as_it_is.then(|| self.record.texts.set(field, value))
    }

    fn of_message(&mut self, name: &str, scan: &mut Scan<'_>) -> Option<()> {
        let value = scan.value()?;
        match name {
            "body" => Some(()),
            "headers" if self.wanted.has(Field::Session) && may_name_session(value) => None,
            "headers" => Some(()),
            _ => None,
        }
    }

    fn finish(self) -> Option<Record> {
        let Self { mut record, seen, level, kind, .. } = self;
        // a path given without being asked for may bring its query, and the reverse
        let of_url = 1 << Field::Path as u32 | 1 << Field::Query as u32;
        let wants_query_of_unread_path =
            self.wanted.0 & of_url == 1 << Field::Query as u32 && seen & 1 << Field::Path as u32 != 0;
        if wants_query_of_unread_path {
            return None;
        }
        record.level = Level::at_ingestion(level, record.status);
        record.kind = match kind {
            Some(kind) => kind,
            // whether it was answered is told by its response
            None if record.status.is_none() && seen & RESPONSE != 0 => return None,
            None if seen & 1 << Field::Method as u32 == 0 => Kind::Event,
            // an empty method is none
            None if !self.wanted.has(Field::Method) => return None,
            None if record.status.is_some() => Kind::Exchange,
            None => Kind::Request,
        };
        Some(record)
    }
}

/// What stands in a string without escapes.
fn plain(value: &str) -> Option<&str> {
    let inside = value.strip_prefix('"')?.strip_suffix('"')?;
    memchr::memchr(b'\\', inside.as_bytes()).is_none().then_some(inside)
}

/// Whether header fields may hold one that names the session; false only where none does.
fn may_name_session(headers: &str) -> bool {
    let bytes = headers.as_bytes();
    let is =
        |at: usize, name: &[u8]| bytes.get(at..at + name.len()).is_some_and(|have| have.eq_ignore_ascii_case(name));
    memchr::memchr(b'\\', bytes).is_some()
        || memchr::memchr2_iter(b'x', b'X', bytes)
            .any(|at| is(at, b"x-reqlog-session") || is(at, b"x-flowmock-session"))
}
