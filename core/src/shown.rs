//! The one line that stands for a record where a wire shows one: its message, or what stands in for it.
//!
//! Dialects show this text and search in it ([`TextKey::Shown`](crate::filter::TextKey::Shown)), so a search finds what
//! is shown. **Ours:** a message that is there but empty is shown as it is; a method or path that is empty is left out
//! like one that is absent; parts are separated by one blank, whichever are there.

use crate::filter::Number;
use crate::record::{Field, Kind, Record};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt::Write;

/// The message of a record, else for anything but an event `"<METHOD> <path> <status> in <n> ms"`, where n is the
/// duration in whole milliseconds, halves up.
///
/// Parts that are absent are left out: no status, no ` <status>`; no duration, no ` in <n> ms`. `None` where nothing is
/// left, and for an event without a message.
pub fn shown(record: &Record) -> Option<Cow<'_, str>> {
    if let Some(message) = record.text(Field::Message) {
        return Some(message.into());
    }
    let derived = Derived {
        method: record.text(Field::Method),
        path: record.text(Field::Path),
        status: Number::Status.of(record),
        duration: Number::Duration.of(record),
    };
    if record.kind == Kind::Event || derived.is_empty() {
        return None;
    }
    let mut text = String::new();
    derived.write(&mut text);
    Some(text.into())
}

/// What a message is derived from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Derived<'a> {
    pub(crate) method: Option<&'a str>,
    pub(crate) path: Option<&'a str>,
    pub(crate) status: Option<i64>,
    /// Nanoseconds.
    pub(crate) duration: Option<i64>,
}

impl Derived<'_> {
    fn words(&self) -> impl Iterator<Item = &str> {
        [self.method, self.path].into_iter().flatten().filter(|word| !word.is_empty())
    }

    /// Whether nothing is there to be shown.
    pub(crate) fn is_empty(&self) -> bool {
        self.words().next().is_none() && self.status.is_none() && self.duration.is_none()
    }

    /// Appends the text to an empty `out`.
    pub(crate) fn write(&self, out: &mut String) {
        let blank = |out: &String| if out.is_empty() { "" } else { " " };
        for word in self.words() {
            out.push_str(blank(out));
            out.push_str(word);
        }
        // writing to a string never fails
        if let Some(status) = self.status {
            let _ = write!(out, "{}{status}", blank(out));
        }
        if let Some(nanos) = self.duration {
            let millis = nanos / 1_000_000 + i64::from(nanos % 1_000_000 >= 500_000);
            let _ = write!(out, "{}in {millis} ms", blank(out));
        }
    }

    /// How the text compares with another one, byte by byte; it is written to `scratch` only where method and path do
    /// not decide.
    pub(crate) fn compare(&self, other: &str, scratch: &mut String) -> Ordering {
        let mut rest = other.as_bytes();
        for (at, word) in self.words().enumerate() {
            for piece in [if at > 0 { " " } else { "" }, word].map(str::as_bytes) {
                let (head, tail) = rest.split_at(piece.len().min(rest.len()));
                match piece[..head.len()].cmp(head) {
                    Ordering::Equal if head.len() < piece.len() => return Ordering::Greater,
                    Ordering::Equal => rest = tail,
                    decided => return decided,
                }
            }
        }
        scratch.clear();
        self.write(scratch);
        scratch.as_str().cmp(other)
    }

    /// Whether a literal without blanks can be part of a status or duration, and not only of method or path.
    pub(crate) fn may_count(literal: &[u8]) -> bool {
        let in_word = |word: &[u8]| word.windows(literal.len().max(1)).any(|part| part.eq_ignore_ascii_case(literal));
        literal.iter().all(u8::is_ascii_digit) || in_word(b"in") || in_word(b"ms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timestamp::Timestamp;

    #[test]
    fn a_record_shows_its_message_or_what_is_there_instead() {
        // kind; message, method, path; status; duration; what is shown
        type Case = (Kind, [Option<&'static str>; 3], Option<u16>, Option<u64>, Option<&'static str>);
        let cases: &[Case] = &[
            (Kind::Exchange, [Some("done"), Some("GET"), Some("/")], Some(200), Some(1), Some("done")),
            (Kind::Exchange, [Some(""), Some("GET"), Some("/")], Some(200), Some(1), Some("")),
            (
                Kind::Exchange,
                [None, Some("GET"), Some("/a b")],
                Some(200),
                Some(12_499_999),
                Some("GET /a b 200 in 12 ms"),
            ),
            (Kind::Exchange, [None, Some("GET"), Some("/")], Some(200), Some(12_500_000), Some("GET / 200 in 13 ms")),
            (Kind::Exchange, [None, Some("GET"), Some("/")], None, Some(0), Some("GET / in 0 ms")),
            (Kind::Request, [None, Some("GET"), Some("/")], None, None, Some("GET /")),
            (Kind::Request, [None, None, Some("/")], None, None, Some("/")),
            (Kind::Request, [None, Some("GET"), None], None, None, Some("GET")),
            (Kind::Response, [None, None, None], Some(404), Some(1_000_000), Some("404 in 1 ms")),
            (Kind::Response, [None, None, Some("")], None, Some(499_999), Some("in 0 ms")),
            (Kind::Response, [None, Some(""), None], None, None, None),
            (Kind::Exchange, [None, None, None], None, None, None),
            (Kind::Event, [Some("done"), None, None], None, None, Some("done")),
            (Kind::Event, [None, Some("GET"), Some("/")], Some(200), Some(1), None),
        ];
        for (kind, texts, status, duration, expected) in cases {
            let mut record = Record::new(Timestamp::from_nanos(0));
            (record.kind, record.status, record.duration) = (*kind, *status, *duration);
            for (field, text) in [Field::Message, Field::Method, Field::Path].into_iter().zip(texts) {
                if let Some(text) = text {
                    record.texts.set(field, text);
                }
            }
            assert_eq!(shown(&record).as_deref(), *expected, "{record:?}");
        }
    }

    #[test]
    fn the_longest_duration_is_rounded_without_overflow() {
        let mut record = Record::new(Timestamp::from_nanos(0));
        (record.kind, record.duration) = (Kind::Response, Some(u64::MAX));
        assert_eq!(shown(&record).as_deref(), Some("in 9223372036855 ms"));
    }
}
