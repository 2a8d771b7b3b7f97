//! From what was written to what is evaluated: relative times, units, classes and names become numbers.

use super::ast::{Cmp, Filter, Flag, Key, Scalar, Term, Test, Unit};
use super::fault::Fault;
use super::keys::Family;
use super::matcher::{Case, TextMatcher};
use super::predicate::{Number, Predicate, TextKey};
use super::scalar::names;
use crate::level::Level;
use crate::record::Field;
use crate::sort;
use crate::timestamp::Timestamp;
use std::ops::Bound;

/// An exchange that takes longer is `is:slow`.
const SLOW_NANOS: i64 = 1_000_000_000;

const EVERYTHING: (i128, i128) = (i64::MIN as i128, i64::MAX as i128);

impl Filter {
    /// Fixes what depends on the time of asking and on units.
    ///
    /// Rules: a bare duration is ms, a bare size bytes; equality of a number holds where the value rounds to it at its
    /// last written place; an upper time bound covers its last written unit, and an age by itself (`time:-1h`) means
    /// since then; `!=` needs a value that differs; in keys that may hold numbers (attributes, JSON, header fields,
    /// query parameters) equal numbers are equal however they are written; bodies are searched; a media type without a
    /// `/` is searched; a pasted URL is searched with its host.
    ///
    /// A parsed filter fails only with [`Fault::Inverted`] of times, because only then the times are known.
    pub fn resolve(&self, now: Timestamp) -> Result<Predicate, Fault> {
        Ok(match self {
            Self::All => Predicate::ALL,
            Self::Not(inner) => inner.resolve(now)?.negated(),
            Self::And(parts) => Predicate::all_of(every(parts, |part| part.resolve(now))?),
            Self::Or(parts) => Predicate::any_of(every(parts, |part| part.resolve(now))?),
            Self::Term(Term { key, any }) => term(key, any, now)?,
            Self::Text(test) => search(test)?,
        })
    }
}

/// Whether `test` can be resolved for `key`; times may still turn out to be inverted.
pub(super) fn check(key: &Key, test: &Test) -> Result<(), Fault> {
    match term(key, std::slice::from_ref(test), Timestamp::from_nanos(0)) {
        Err(Fault::Inverted { .. }) if *key == Key::Time => Ok(()),
        result => result.map(drop),
    }
}

/// Whether `test` can be resolved as bare text.
pub(super) fn check_text(test: &Test) -> Result<(), Fault> {
    search(test).map(drop)
}

fn every<T, R>(parts: &[T], resolve: impl Fn(&T) -> Result<R, Fault>) -> Result<Vec<R>, Fault> {
    parts.iter().map(resolve).collect()
}

fn term(key: &Key, any: &[Test], now: Timestamp) -> Result<Predicate, Fault> {
    let number = match key {
        Key::Time => Number::Time,
        Key::Level => Number::Level,
        Key::Kind => Number::Kind,
        Key::Source => Number::Source,
        Key::Status => Number::Status,
        Key::Duration => Number::Duration,
        Key::Size => Number::Size,
        Key::ReqSize => Number::ReqSize,
        Key::ResSize => Number::ResSize,
        Key::Overridden => Number::Overridden,
        Key::Is => return Ok(Predicate::any_of(every(any, flag)?)),
        key => {
            let tests = every(any, |test| text(key, test))?;
            return Ok(Predicate::any_of(tests));
        }
    };
    let ranges: Vec<_> = every(any, |test| numbers(key.family(), test, now))?.into_iter().flatten().collect();
    let ranges = united(ranges);
    Ok(if ranges.is_empty() { Predicate::Const(false) } else { Predicate::Number(number, ranges) })
}

fn flag(test: &Test) -> Result<Predicate, Fault> {
    let (cmp, value) = match test {
        Test::Compare(cmp @ (Cmp::Eq | Cmp::Ne), value) => (cmp, value.written()),
        Test::Compare(..) | Test::Range(..) => return Err(Fault::NoOrder),
        Test::Present => (&Cmp::Eq, "*".to_owned()),
        Test::Glob(_) | Test::Regex { .. } => return Err(Fault::NoPattern),
    };
    let Some(flag) = Flag::parse(&value) else {
        return Err(Fault::UnknownName { value, accepted: Flag::ALL.iter().map(|flag| flag.name()).collect() });
    };
    let is_set = |number| Predicate::Number(number, vec![(1, 1)]);
    let plain = match flag {
        Flag::Error => Predicate::Number(Number::Level, vec![(Level::Error as i64, i64::MAX)]),
        Flag::Slow => Predicate::Number(Number::Duration, vec![(SLOW_NANOS + 1, i64::MAX)]),
        Flag::Truncated => is_set(Number::Truncated),
        Flag::Redacted => is_set(Number::Redacted),
        Flag::Overridden => is_set(Number::Overridden),
    };
    Ok(if *cmp == Cmp::Ne { plain.negated() } else { plain })
}

// The ranges of a number or code that fit one test.
fn numbers(family: Family, test: &Test, now: Timestamp) -> Result<Vec<(i128, i128)>, Fault> {
    let (least, most) = EVERYTHING;
    let ordered = !matches!(family, Family::Kind | Family::Source | Family::Truth);
    match test {
        Test::Present => Ok(vec![EVERYTHING]),
        Test::Compare(cmp, value) => {
            let extent = value.extent(family, now)?;
            let (low, high) = extent.equal;
            Ok(match cmp {
                Cmp::Eq => vec![(low, high)],
                Cmp::Ne => vec![(least, low - 1), (high + 1, most)],
                _ if !ordered => return Err(Fault::NoOrder),
                Cmp::Lt => vec![(least, extent.first - 1)],
                Cmp::Le => vec![(least, extent.last)],
                Cmp::Gt => vec![(extent.last + 1, most)],
                Cmp::Ge => vec![(extent.first, most)],
            })
        }
        Test::Range(..) if !ordered => Err(Fault::NoOrder),
        Test::Range(low, high) => {
            let extent = |side: &Option<Scalar>| side.as_ref().map(|side| side.extent(family, now)).transpose();
            let (from, to) = (extent(low)?, extent(high)?);
            // both, because the ends of 0.5..0.5 and of 500..5xx overlap
            if let (Some(from), Some(to)) = (&from, &to)
                && from.first > to.last
                && from.last > to.first
            {
                let written = |side: &Option<Scalar>| side.as_ref().map(Scalar::written).unwrap_or_default();
                return Err(Fault::Inverted { low: written(low), high: written(high) });
            }
            Ok(vec![(from.map_or(least, |from| from.first), to.map_or(most, |to| to.last))])
        }
        Test::Glob(pattern) => spelt(family, &TextMatcher::glob(pattern)),
        Test::Regex { pattern, case } => spelt(family, &regex(pattern, *case)?),
    }
}

// The codes whose spelling fits a pattern.
fn spelt(family: Family, matcher: &TextMatcher) -> Result<Vec<(i128, i128)>, Fault> {
    let codes: Vec<i64> = match family {
        Family::Status => (100..=999).filter(|status: &i64| matcher.matches(&status.to_string())).collect(),
        Family::Level | Family::Kind | Family::Source => {
            names(family).into_iter().filter(|(_, name)| matcher.matches(name)).map(|(code, _)| code).collect()
        }
        _ => return Err(Fault::NoPattern),
    };
    Ok(codes.into_iter().map(|code| (code.into(), code.into())).collect())
}

// Ascending, disjoint, not adjacent, within 64 bits.
fn united(mut ranges: Vec<(i128, i128)>) -> Vec<(i64, i64)> {
    let clamp = |value: i128| value.clamp(EVERYTHING.0, EVERYTHING.1) as i64;
    ranges.retain(|(low, high)| low <= high && *high >= EVERYTHING.0 && *low <= EVERYTHING.1);
    sort::by(&mut ranges, Ord::cmp);
    let mut united: Vec<(i64, i64)> = Vec::with_capacity(ranges.len());
    for (low, high) in ranges.into_iter().map(|(low, high)| (clamp(low), clamp(high))) {
        match united.last_mut() {
            Some(last) if low <= last.1.saturating_add(1) => last.1 = last.1.max(high),
            _ => united.push((low, high)),
        }
    }
    united
}

fn text(key: &Key, test: &Test) -> Result<Predicate, Fault> {
    let family = key.family();
    let leaf = |matcher| Predicate::Text(text_key(key), matcher);
    let equal = |value: &str| match key {
        Key::Type if !value.is_empty() && !value.contains('/') => TextMatcher::contains(value),
        _ => match family {
            Family::Body => TextMatcher::contains(value),
            Family::Open => TextMatcher::equal_number(value),
            _ => TextMatcher::equal(value),
        },
    };
    Ok(match test {
        Test::Present => leaf(TextMatcher::present()),
        Test::Compare(Cmp::Eq, value) => leaf(equal(&value.written())),
        Test::Compare(Cmp::Ne, value) => {
            Predicate::all_of([leaf(TextMatcher::present()), leaf(equal(&value.written())).negated()])
        }
        Test::Compare(..) | Test::Range(..) if family == Family::Body => return Err(Fault::NoOrder),
        Test::Compare(Cmp::Lt, value) => leaf(order(Bound::Unbounded, Bound::Excluded(value))?),
        Test::Compare(Cmp::Le, value) => leaf(order(Bound::Unbounded, Bound::Included(value))?),
        Test::Compare(Cmp::Gt, value) => leaf(order(Bound::Excluded(value), Bound::Unbounded)?),
        Test::Compare(Cmp::Ge, value) => leaf(order(Bound::Included(value), Bound::Unbounded)?),
        Test::Range(low, high) => {
            let bound = |side| Option::map_or(side, Bound::Unbounded, Bound::Included);
            leaf(order(bound(low.as_ref()), bound(high.as_ref()))?)
        }
        Test::Glob(pattern) => leaf(TextMatcher::glob(pattern)),
        Test::Regex { pattern, case } => leaf(regex(pattern, *case)?),
    })
}

// Numbers where every bound is one, else texts.
fn order(low: Bound<&Scalar>, high: Bound<&Scalar>) -> Result<TextMatcher, Fault> {
    let mut numeric = true;
    let mut written = |bound: Bound<&Scalar>| {
        Ok(match bound {
            Bound::Unbounded => Bound::Unbounded,
            Bound::Included(scalar) | Bound::Excluded(scalar) => {
                if let Scalar::Number(_, Some(unit)) = scalar {
                    return Err(Fault::WrongUnit { unit: Unit::name(*unit), accepted: &[] });
                }
                numeric &= matches!(scalar, Scalar::Number(..));
                bound.map(Scalar::written)
            }
        })
    };
    let (low, high) = (written(low)?, written(high)?);
    let (low, high) = (low.as_ref().map(String::as_str), high.as_ref().map(String::as_str));
    let matcher = if numeric { TextMatcher::numbers(low, high) } else { None };
    let matcher = matcher.unwrap_or_else(|| TextMatcher::texts(low, high));
    match (low, high) {
        (Bound::Included(a), Bound::Included(b)) if !matcher.matches(a) && !matcher.matches(b) => {
            Err(Fault::Inverted { low: a.to_owned(), high: b.to_owned() })
        }
        _ => Ok(matcher),
    }
}

fn text_key(key: &Key) -> TextKey {
    match key {
        Key::Field(field) => TextKey::Field(*field),
        Key::Url => TextKey::Url,
        Key::QueryParam(name) => TextKey::QueryParam(name.clone()),
        Key::ReqHeader(name) => TextKey::ReqHeader(name.to_ascii_lowercase()),
        Key::ResHeader(name) => TextKey::ResHeader(name.to_ascii_lowercase()),
        Key::ReqBody => TextKey::ReqBody,
        Key::ResBody => TextKey::ResBody,
        Key::Body => TextKey::Body,
        Key::ReqJson(path) => TextKey::ReqJson(path.clone()),
        Key::ResJson(path) => TextKey::ResJson(path.clone()),
        Key::Type => TextKey::Type,
        Key::Attr(path) => TextKey::Attr(path.clone()),
        // the rest are numbers and never asked for as text
        Key::Time
        | Key::Level
        | Key::Kind
        | Key::Source
        | Key::Status
        | Key::Duration
        | Key::Size
        | Key::ReqSize
        | Key::ResSize
        | Key::Overridden
        | Key::Is => TextKey::Search,
    }
}

// Bare text. A whole URL is also looked for as its host and the rest.
fn search(test: &Test) -> Result<Predicate, Fault> {
    let leaf = |matcher| Predicate::Text(TextKey::Search, matcher);
    Ok(match test {
        Test::Present => leaf(TextMatcher::present()),
        Test::Compare(Cmp::Eq, value) => {
            let value = value.written();
            Predicate::any_of([Some(leaf(TextMatcher::contains(&value))), pasted(&value)].into_iter().flatten())
        }
        Test::Glob(pattern) => leaf(TextMatcher::glob(pattern)),
        Test::Regex { pattern, case } => leaf(regex(pattern, *case)?),
        Test::Compare(..) | Test::Range(..) => return Err(Fault::NoOrder),
    })
}

fn pasted(text: &str) -> Option<Predicate> {
    let (scheme, rest) = text.split_once("://")?;
    if !["http", "https"].iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
        return None;
    }
    let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let url = path.split_once('#').map_or(path, |(url, _)| url);
    let host = Predicate::Text(TextKey::Field(Field::Host), TextMatcher::equal(host));
    let url = (!url.is_empty()).then(|| Predicate::Text(TextKey::Url, TextMatcher::contains(url)));
    Some(Predicate::all_of([Some(host), url].into_iter().flatten()))
}

fn regex(pattern: &str, case: Case) -> Result<TextMatcher, Fault> {
    TextMatcher::regex(pattern, case).map_err(|error| Fault::BadRegex {
        // syntax errors draw the pattern; their last line says what is wrong
        reason: error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    })
}
