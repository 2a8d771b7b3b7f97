//! The resolved form of a filter: no units, no relative times, only numbers in ranges and text matchers.

use super::matcher::TextMatcher;
use crate::body::Body;
use crate::id::EntryId;
use crate::record::{Field, Kind, Record, Stored};

/// A numeric property of a record; a record may lack it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Number {
    /// Nanoseconds since 1970.
    Time,
    /// Sequence in arrival order; records not yet committed lack it.
    Seq,
    /// When the store accepted it, in ms since 1970; records not yet committed lack it. By the invariant of
    /// [`EntryId`], a bound by arrival is a bound by sequence.
    Arrival,
    /// HTTP status code.
    Status,
    /// Nanoseconds.
    Duration,
    /// Bytes of both bodies.
    Size,
    /// Bytes of the request body.
    ReqSize,
    /// Bytes of the response body.
    ResSize,
    /// `Level as u8`.
    Level,
    /// `Kind as u8`.
    Kind,
    /// `Source as u8`.
    Source,
    /// 0 or 1.
    Overridden,
    /// 0 or 1.
    Redacted,
    /// 1 when either body was cut.
    Truncated,
}

impl Number {
    /// The value of this property in a record that is not committed.
    pub fn of(self, record: &Record) -> Option<i64> {
        let clamp = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let size = |body: &Option<Body>| body.as_ref().map(|body| clamp(body.size));
        match self {
            Self::Time => Some(record.time.as_nanos()),
            Self::Seq | Self::Arrival => None,
            Self::Status => record.status.map(i64::from),
            Self::Duration => record.duration.map(clamp),
            Self::Size => record.size().map(clamp),
            Self::ReqSize => size(&record.request.body),
            Self::ResSize => size(&record.response.body),
            Self::Level => Some(record.level as i64),
            Self::Kind => Some(record.kind as i64),
            Self::Source => record.source.map(|source| source as i64),
            Self::Overridden => Some(record.overridden.into()),
            Self::Redacted => Some(record.redacted.into()),
            Self::Truncated => Some(
                [&record.request, &record.response]
                    .iter()
                    .any(|m| m.body.as_ref().is_some_and(|b| b.cut.is_some()))
                    .into(),
            ),
        }
    }

    /// The value of this property in a committed record.
    pub fn of_stored(self, row: &Stored) -> Option<i64> {
        self.of_committed(&row.record, Some(row.id))
    }

    fn of_committed(self, record: &Record, id: Option<EntryId>) -> Option<i64> {
        // both have 48 bits
        match self {
            Self::Seq => id.map(|id| id.seq().get() as i64),
            Self::Arrival => id.map(|id| id.arrival_ms() as i64),
            number => number.of(record),
        }
    }
}

/// A text property of a record; it may have none, one or several values.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TextKey {
    /// A field.
    Field(Field),
    /// Path and query.
    Url,
    /// Message, URL, route and error code: what bare text searches.
    Search,
    /// The line that stands for the record, [`shown`](crate::shown::shown()). Dialects search it; no key of the query
    /// language names it.
    Shown,
    /// The decoded values of one query parameter.
    QueryParam(String),
    /// The values of one request header field (name in lower case).
    ReqHeader(String),
    /// The values of one response header field.
    ResHeader(String),
    /// The request body, where it is text.
    ReqBody,
    /// The response body, where it is text.
    ResBody,
    /// Both bodies.
    Body,
    /// The value at a path in the request body, where it is JSON.
    ReqJson(String),
    /// The value at a path in the response body.
    ResJson(String),
    /// Media type.
    Type,
    /// The value at a path in the attributes.
    Attr(String),
}

/// What is evaluated. Logic is two-valued: a leaf over an absent value is false, and so its negation is true.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicate {
    /// Always or never.
    Const(bool),
    /// Not.
    Not(Box<Predicate>),
    /// All of.
    And(Vec<Predicate>),
    /// Any of.
    Or(Vec<Predicate>),
    /// Present and within any of these inclusive, ascending, disjoint ranges.
    Number(Number, Vec<(i64, i64)>),
    /// Any value matches.
    Text(TextKey, TextMatcher),
}

impl Predicate {
    /// Everything.
    pub const ALL: Self = Self::Const(true);

    /// The scope of one project; its name is compared byte for byte.
    pub fn project(name: &str) -> Self {
        Self::Text(TextKey::Field(Field::Project), TextMatcher::verbatim(name))
    }

    /// Calls: exchanges, and halves that have a method.
    pub fn calls() -> Self {
        let kind = |kind: Kind| (kind as i64, kind as i64);
        let half = Self::Number(Number::Kind, vec![kind(Kind::Request), kind(Kind::Response)]);
        let method = Self::Text(TextKey::Field(Field::Method), TextMatcher::present());
        Self::any_of([Self::Number(Number::Kind, vec![kind(Kind::Exchange)]), Self::all_of([half, method])])
    }

    /// A number between `low` and `high`, both inclusive; nothing where they are inverted.
    pub fn between(number: Number, low: i64, high: i64) -> Self {
        if low > high { Self::Const(false) } else { Self::Number(number, vec![(low, high)]) }
    }

    /// All of `parts`; nested conjunctions and constants are folded away.
    pub fn all_of(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Vec::new();
        for part in parts {
            match part {
                Self::Const(true) => {}
                Self::Const(false) => return part,
                Self::And(parts) => all.extend(parts),
                part => all.push(part),
            }
        }
        if all.len() > 1 { Self::And(all) } else { all.pop().unwrap_or(Self::Const(true)) }
    }

    /// Any of `parts`; nested disjunctions and constants are folded away.
    pub fn any_of(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut any = Vec::new();
        for part in parts {
            match part {
                Self::Const(false) => {}
                Self::Const(true) => return part,
                Self::Or(parts) => any.extend(parts),
                part => any.push(part),
            }
        }
        if any.len() > 1 { Self::Or(any) } else { any.pop().unwrap_or(Self::Const(false)) }
    }

    /// What this is not; double negations and constants are folded away.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Const(value) => Self::Const(!value),
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    /// The negation-normal form: [`Self::Not`] only around leaves, no constants inside, no nested conjunctions.
    #[must_use]
    pub fn normal(self) -> Self {
        self.normal_as(Sign::Plain)
    }

    fn normal_as(self, sign: Sign) -> Self {
        match (self, sign) {
            (Self::Not(inner), Sign::Plain) => inner.normal_as(Sign::Negated),
            (Self::Not(inner), Sign::Negated) => inner.normal_as(Sign::Plain),
            (Self::And(parts), Sign::Plain) | (Self::Or(parts), Sign::Negated) => {
                Self::all_of(parts.into_iter().map(|part| part.normal_as(sign)))
            }
            (Self::Or(parts), Sign::Plain) | (Self::And(parts), Sign::Negated) => {
                Self::any_of(parts.into_iter().map(|part| part.normal_as(sign)))
            }
            (leaf, Sign::Plain) => leaf,
            (leaf, Sign::Negated) => leaf.negated(),
        }
    }

    /// Whether a record that is not committed matches; it has neither sequence nor arrival.
    pub fn matches(&self, record: &Record) -> bool {
        self.decide(record, None)
    }

    /// Whether a committed record matches.
    pub fn matches_stored(&self, stored: &Stored) -> bool {
        self.decide(&stored.record, Some(stored.id))
    }

    fn decide(&self, record: &Record, id: Option<EntryId>) -> bool {
        match self {
            Self::Const(value) => *value,
            Self::Not(inner) => !inner.decide(record, id),
            Self::And(parts) => parts.iter().all(|part| part.decide(record, id)),
            Self::Or(parts) => parts.iter().any(|part| part.decide(record, id)),
            Self::Number(number, ranges) => {
                let value = number.of_committed(record, id);
                value.is_some_and(|value| ranges.iter().any(|(low, high)| (*low..=*high).contains(&value)))
            }
            Self::Text(key, matcher) => key.each(record, &mut |value| matcher.matches(value)),
        }
    }
}

#[derive(Clone, Copy)]
enum Sign {
    Plain,
    Negated,
}
