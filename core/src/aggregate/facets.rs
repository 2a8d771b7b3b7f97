//! Counts by the values of fields.

use crate::filter::{Number, Predicate, TextKey};
use crate::id::Seq;
use crate::level::Level;
use crate::record::{Field, Kind, Record, Source};
use std::borrow::Cow;

/// What facets are asked of.
#[derive(Clone, Debug)]
pub struct FacetsQuery {
    /// Which rows; the caller's scope is part of it.
    pub filter: Predicate,
    /// Rows that arrived after this one are not counted.
    pub bound: Seq,
    /// By what they are counted; each once.
    pub keys: Vec<FacetKey>,
    /// Most values of each.
    pub top: usize,
}

/// By what rows are counted. A row has at most one value of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FacetKey {
    /// Severity.
    Level,
    /// What the record is.
    Kind,
    /// Which side captured it.
    Source,
    /// Status code.
    Status,
    /// Hundreds of the status code: `2xx`.
    Class,
    /// `true` where a rule changed the answer, else `false`.
    Overridden,
    /// A text field, byte by byte.
    Text(Field),
    /// Media type of the response's body, else of the request's. No column has it: details of all matching rows are
    /// read.
    Type,
}

macro_rules! keys {
    ($($name:literal => $key:expr,)*) => {
        impl FacetKey {
            /// Every key by its name, which is that of the query language; `class` has none there.
            pub const ALL: &'static [(&'static str, Self)] = &[$(($name, $key),)*];
            /// The names of [`Self::ALL`].
            pub const NAMES: &'static [&'static str] = &[$($name,)*];
        }
    };
}

keys! {
    "level" => Self::Level,
    "kind" => Self::Kind,
    "status" => Self::Status,
    "class" => Self::Class,
    "method" => Self::Text(Field::Method),
    "scheme" => Self::Text(Field::Scheme),
    "host" => Self::Text(Field::Host),
    "path" => Self::Text(Field::Path),
    "route" => Self::Text(Field::Route),
    "protocol" => Self::Text(Field::Protocol),
    "type" => Self::Type,
    "service" => Self::Text(Field::Service),
    "project" => Self::Text(Field::Project),
    "environment" => Self::Text(Field::Environment),
    "session" => Self::Text(Field::Session),
    "container" => Self::Text(Field::Container),
    "source" => Self::Source,
    "ip" => Self::Text(Field::ClientIp),
    "ua" => Self::Text(Field::UserAgent),
    "user" => Self::Text(Field::UserId),
    "auth" => Self::Text(Field::AuthType),
    "flow" => Self::Text(Field::FlowName),
    "error" => Self::Text(Field::ErrorCode),
    "message" => Self::Text(Field::Message),
    "request_id" => Self::Text(Field::RequestId),
    "trace" => Self::Text(Field::TraceId),
    "span" => Self::Text(Field::SpanId),
    "overridden" => Self::Overridden,
}

impl FacetKey {
    /// The key of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, key)| *key)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, known)| *known == self).map_or("", |(name, _)| name)
    }

    /// The column that tells it, where it is one of numbers.
    pub(crate) const fn number(self) -> Option<Number> {
        Some(match self {
            Self::Level => Number::Level,
            Self::Kind => Number::Kind,
            Self::Source => Number::Source,
            Self::Status | Self::Class => Number::Status,
            Self::Overridden => Number::Overridden,
            Self::Text(_) | Self::Type => return None,
        })
    }

    /// The value that a number of its column stands for; none where it is not one.
    pub(crate) fn spell(self, number: i64) -> Option<Cow<'static, str>> {
        let at = usize::try_from(number).ok()?;
        Some(match self {
            Self::Level => Level::from_stored(u8::try_from(number).ok()?)?.name().into(),
            Self::Kind => Kind::ALL.get(at)?.name().into(),
            Self::Source => Source::ALL.get(at.checked_sub(1)?)?.name().into(),
            Self::Status => number.to_string().into(),
            Self::Class if (1..=9).contains(&(at / 100)) => format!("{}xx", at / 100).into(),
            Self::Overridden => ["false", "true"].get(at).copied()?.into(),
            Self::Class | Self::Text(_) | Self::Type => return None,
        })
    }

    /// The value that a record has.
    pub fn of(self, record: &Record) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(field) => record.text(field).map(Cow::Borrowed),
            Self::Type => {
                let mut found = None;
                TextKey::Type.each(record, &mut |value| {
                    found = Some(value.to_owned());
                    true
                });
                found.map(Cow::Owned)
            }
            key => key.spell(key.number()?.of(record)?),
        }
    }
}

/// Counts by value, one [`Facet`] for each key asked for, in that order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facets {
    /// All matching rows.
    pub total: u64,
    /// By key.
    pub facets: Vec<(FacetKey, Facet)>,
}

/// The values of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facet {
    /// Values with how many rows have them, most first, ties by the value's bytes. Each count is exact.
    pub values: Vec<(String, u64)>,
    /// How many values there are; where not [`Self::complete`], how many were counted.
    pub distinct: u64,
    /// Rows without a value.
    pub missing: u64,
    /// Whether all values were counted. Else there were more than memory is spent on ([`Ranking::MOST_BYTES`]), and one
    /// that was not counted may be had by more rows than one that was.
    pub complete: bool,
}

impl Facets {
    /// Whether all values of all keys were counted.
    pub fn complete(&self) -> bool {
        self.facets.iter().all(|(_, facet)| facet.complete)
    }
}

/// The best of many counted values.
#[derive(Debug)]
pub struct Ranking;

impl Ranking {
    /// Memory for the values of all keys of one request, about: each key has an equal share of it.
    pub const MOST_BYTES: usize = 32 << 20;
    /// What a value takes beside its bytes.
    pub(crate) const OVERHEAD: usize = 48;

    /// The `top` values: most rows first, ties by the value's bytes.
    pub fn cut(mut values: Vec<(String, u64)>, top: usize) -> Vec<(String, u64)> {
        let order = |a: &(String, u64), b: &(String, u64)| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0));
        if top > 0 && top < values.len() {
            values.select_nth_unstable_by(top - 1, order);
        }
        values.truncate(top);
        values.sort_unstable_by(order);
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::{Filter, Predicate};
    use crate::timestamp::Timestamp;

    #[test]
    fn names_are_those_of_the_query_language() {
        for (name, key) in FacetKey::ALL {
            let filter = Filter::parse(&format!("{name}:*")).unwrap().filter.resolve(Timestamp::from_nanos(0)).unwrap();
            let known = match (key, &filter) {
                (FacetKey::Class, _) => true,
                (FacetKey::Text(field), Predicate::Text(TextKey::Field(found), _)) => field == found,
                (FacetKey::Type, Predicate::Text(TextKey::Type, _)) => true,
                (key, Predicate::Number(found, _)) => key.number() == Some(*found),
                _ => false,
            };
            assert!(known, "{name}: {filter:?}");
            assert_eq!((FacetKey::named(name), key.name()), (Some(*key), *name));
        }
    }

    #[test]
    fn the_best_values_are_those_of_most_rows_then_of_the_least_bytes() {
        let values = |all: &[(&str, u64)]| all.iter().map(|(value, count)| ((*value).to_owned(), *count)).collect();
        let all: Vec<(String, u64)> = values(&[("b", 2), ("é", 3), ("a", 2), ("c", 1), ("z", 3)]);
        assert_eq!(Ranking::cut(all.clone(), 3), values(&[("z", 3), ("é", 3), ("a", 2)]));
        assert_eq!(Ranking::cut(all, 9).len(), 5);
    }
}
