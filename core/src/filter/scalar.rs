//! Single values: reading them for a key, and what a comparison with them covers.

use super::ast::{Flag, Scalar, Unit};
use super::fault::Fault;
use super::keys::Family;
use super::measure::{Decimal, canonical, split_unit};
use super::moment::Moment;
use crate::level::Level;
use crate::record::{Kind, Source};
use crate::timestamp::Timestamp;

/// Whether a value stands behind `<`, in a range, or for itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Equal,
    Ordered,
}

/// Whether a value was quoted, so that in text it is no number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Quotes {
    Bare,
    Quoted,
}

/// The integers that a comparison with a value means.
pub(super) struct Extent {
    /// The least that is not below it.
    pub(super) first: i128,
    /// The greatest that is not above it.
    pub(super) last: i128,
    /// Those that equal it; inverted where there are none.
    pub(super) equal: (i128, i128),
}

impl Extent {
    fn one(value: i128) -> Self {
        Self { first: value, last: value, equal: (value, value) }
    }

    fn span(first: i128, last: i128) -> Self {
        Self { first, last, equal: (first, last) }
    }
}

const TIME_UNITS: &[&str] = &["ns", "us", "ms", "s", "m", "h", "d"];
const SIZE_UNITS: &[&str] = &["b", "kb", "mb", "gb", "kib", "mib", "gib"];

impl Scalar {
    /// Reads `text` as the one variant that `family` makes of it, in canonical form.
    pub(super) fn read(family: Family, text: &str, quotes: Quotes, place: Place) -> Result<Self, Fault> {
        match family {
            Family::Time => read_time(text),
            Family::Level | Family::Kind | Family::Source | Family::Truth | Family::Flag => {
                code(family, text).map(|(_, name)| Self::Text(name.to_owned()))
            }
            Family::Status => match class(text) {
                Some(class) => Ok(Self::Class(class)),
                None => read_number(family, text),
            },
            Family::Duration | Family::Bytes => read_number(family, text),
            Family::Text | Family::Open | Family::Body => {
                let ordered_number = place == Place::Ordered && quotes == Quotes::Bare;
                Ok(match Decimal::parse_with_unit(text) {
                    Some((_, unit)) if ordered_number => Self::Number(canonical(split_unit(text).0), unit),
                    _ => Self::Text(text.to_owned()),
                })
            }
        }
    }

    /// As it was written, without quotes.
    pub(super) fn written(&self) -> String {
        match self {
            Self::Number(digits, unit) => format!("{digits}{}", unit.map_or("", Unit::name)),
            Self::Class(digit) => format!("{digit}xx"),
            Self::Time(text) | Self::Text(text) => text.clone(),
        }
    }

    /// What a comparison with this covers, for a key whose values are numbers or codes.
    pub(super) fn extent(&self, family: Family, now: Timestamp) -> Result<Extent, Fault> {
        match (family, self) {
            (Family::Time, value) => {
                let text = value.written();
                let moment = Moment::parse(&text, now).ok_or(Fault::NotATime { value: text })?;
                let (first, last) = (i128::from(moment.first.as_nanos()), i128::from(moment.last.as_nanos()));
                // an age by itself means since then
                let until = if moment.age { last.max(now.as_nanos().into()) } else { last };
                Ok(Extent { first, last, equal: (first, until) })
            }
            (Family::Status, Self::Class(digit)) => {
                let first = i128::from(*digit) * 100;
                Ok(Extent::span(first, first + 99))
            }
            (Family::Status | Family::Duration | Family::Bytes, Self::Number(digits, unit)) => {
                let factor = factor(family, *unit)?;
                let decimal = Decimal::parse(digits).ok_or_else(|| not_a_number(family, digits))?;
                let scaled = decimal.times(factor);
                Ok(Extent { first: scaled.ceil(), last: scaled.floor(), equal: scaled.rounded() })
            }
            (Family::Level | Family::Kind | Family::Source | Family::Truth, Self::Text(name)) => {
                code(family, name).map(|(code, _)| Extent::one(code.into()))
            }
            (family, other) => Err(not_a_number(family, &other.written())),
        }
    }
}

/// The names that a key of `family` takes and their codes; none for other families.
pub(super) fn names(family: Family) -> Vec<(i64, &'static str)> {
    match family {
        Family::Level => Level::ALL.iter().map(|level| (*level as i64, level.name())).collect(),
        Family::Kind => Kind::ALL.iter().map(|kind| (*kind as i64, kind.name())).collect(),
        Family::Source => Source::ALL.iter().map(|source| (*source as i64, source.name())).collect(),
        Family::Truth => vec![(1, "true"), (0, "false")],
        Family::Flag => Flag::ALL.iter().map(|flag| (*flag as i64, flag.name())).collect(),
        _ => Vec::new(),
    }
}

// The code and the canonical name.
fn code(family: Family, text: &str) -> Result<(i64, &'static str), Fault> {
    let names = names(family);
    let wanted = match family {
        Family::Level => match Level::parse(text) {
            Some(level) => level.name(),
            None => text,
        },
        Family::Truth => match text {
            "1" => "true",
            "0" => "false",
            text if text.eq_ignore_ascii_case("yes") => "true",
            text if text.eq_ignore_ascii_case("no") => "false",
            text => text,
        },
        _ => text,
    };
    match names.iter().find(|(_, name)| name.eq_ignore_ascii_case(wanted)) {
        Some(found) => Ok(*found),
        None => Err(Fault::UnknownName {
            value: text.to_owned(),
            accepted: names.into_iter().map(|(_, name)| name).collect(),
        }),
    }
}

fn read_time(text: &str) -> Result<Scalar, Fault> {
    let written = text.trim();
    // whether it is a time does not depend on when it is
    if Moment::parse(written, Timestamp::from_nanos(0)).is_none() {
        return Err(Fault::NotATime { value: text.to_owned() });
    }
    let absolute = written.starts_with(|c: char| c.is_ascii_digit());
    Ok(Scalar::Time(if absolute {
        written.to_ascii_uppercase().replace(' ', "T")
    } else {
        written.to_ascii_lowercase()
    }))
}

fn read_number(family: Family, text: &str) -> Result<Scalar, Fault> {
    let text = text.trim();
    let (_, unit) = Decimal::parse_with_unit(text).ok_or_else(|| not_a_number(family, text))?;
    factor(family, unit)?;
    Ok(Scalar::Number(canonical(split_unit(text).0), unit))
}

// What a number is multiplied by: a bare duration is ms, a bare size bytes.
fn factor(family: Family, unit: Option<Unit>) -> Result<i128, Fault> {
    let (bare, of, accepted): (_, fn(Unit) -> Option<i128>, _) = match family {
        Family::Duration => (1_000_000, Unit::nanos, TIME_UNITS),
        Family::Bytes => (1, Unit::bytes, SIZE_UNITS),
        _ => (1, |_| None, &[][..]),
    };
    match unit {
        None => Ok(bare),
        Some(unit) => of(unit).ok_or(Fault::WrongUnit { unit: unit.name(), accepted }),
    }
}

fn class(text: &str) -> Option<u8> {
    match text.as_bytes() {
        [digit @ b'0'..=b'9', b'x' | b'X', b'x' | b'X'] => Some(digit - b'0'),
        _ => None,
    }
}

fn not_a_number(family: Family, value: &str) -> Fault {
    let example = match family {
        Family::Status => "404, 5xx, 200..299, >=500",
        Family::Duration => "100, 1.5s, >250ms, 1s..2s",
        Family::Bytes => "412, 10kb, >1mib",
        _ => "10",
    };
    Fault::NotANumber { value: value.to_owned(), example }
}
