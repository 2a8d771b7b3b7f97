//! Times as people write them, and the span that each covers.

use super::ast::Unit;
use super::measure::Decimal;
use crate::timestamp::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

const DAY: i64 = 86_400_000_000_000;

/// A written time: the first and the last nanosecond of its last written unit.
///
/// `2026-06-23` covers the day, `2026-06-23T12:00Z` the minute, `…12:00:00.5Z` a tenth of a second; `today` and
/// `yesterday` are days in UTC; `now` and `-1h` are instants. A date and time without an offset is in UTC. Times
/// outside of what [`Timestamp`] holds are clamped to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Where it begins: what `>=` and a range's lower end mean.
    pub first: Timestamp,
    /// Where it ends, inclusive: what `<=` and a range's upper end mean.
    pub last: Timestamp,
    /// Whether it was written as an age, `-1h`.
    pub(super) age: bool,
}

impl Moment {
    /// Reads RFC 3339, a date, `-<number><unit>`, `now`, `today` or `yesterday`. `None` where it is none of these.
    pub fn parse(text: &str, now: Timestamp) -> Option<Self> {
        let span = |first: i64, nanos: i64| Self {
            first: Timestamp::from_nanos(first),
            last: Timestamp::from_nanos(first.saturating_add(nanos - 1)),
            age: false,
        };
        let midnight = now.as_nanos().div_euclid(DAY).saturating_mul(DAY);
        let is = |name| text.eq_ignore_ascii_case(name);
        if is("now") {
            return Some(span(now.as_nanos(), 1));
        }
        if is("today") {
            return Some(span(midnight, DAY));
        }
        if is("yesterday") {
            return Some(span(midnight.saturating_sub(DAY), DAY));
        }
        if let Some(age) = text.strip_prefix('-') {
            let (decimal, unit) = Decimal::parse_with_unit(age)?;
            let nanos = decimal.times(unit.and_then(Unit::nanos)?).floor();
            let nanos = i64::try_from(nanos).unwrap_or(i64::MAX);
            return Some(Self { age: true, ..span(now.as_nanos().saturating_sub(nanos), 1) });
        }
        let (first, nanos) = absolute(text)?;
        Some(span(first, nanos))
    }

    /// Reads RFC 3339 or a date: what does not depend on the clock.
    pub fn absolute(text: &str) -> Option<Self> {
        Self::parse(text, Timestamp::MIN).filter(|_| Self::is_absolute(text))
    }

    /// Whether `text` is a time that does not depend on the clock.
    pub(super) fn is_absolute(text: &str) -> bool {
        absolute(text).is_some()
    }
}

// The first nanosecond and the length of the last written unit.
fn absolute(text: &str) -> Option<(i64, i64)> {
    let mut rest = Fields(text);
    let (year, month, day) = (rest.digits(4)?, rest.after("-")?.digits(2)?, rest.after("-")?.digits(2)?);
    let date = Date::new(year as i16, month as i8, day as i8).ok()?;
    if rest.0.is_empty() {
        return Some((nanos(date.to_datetime(Time::midnight()), Offset::UTC), DAY));
    }
    let (hour, minute) = (rest.one_of(&["T", "t", " "])?.digits(2)?, rest.after(":")?.digits(2)?);
    let (mut second, mut fraction, mut unit) = (0, 0, 60_000_000_000);
    if rest.after(":").is_some() {
        // a leap second is shown as the one before it, as POSIX clocks do
        second = rest.digits(2)?;
        second = if second == 60 { 59 } else { second };
        unit = 1_000_000_000;
        if rest.after(".").is_some() {
            (fraction, unit) = rest.fraction()?;
        }
    }
    let offset = match rest.0 {
        "" | "Z" | "z" => Offset::UTC,
        _ => rest.offset()?,
    };
    let time = Time::new(hour as i8, minute as i8, second as i8, fraction as i32).ok()?;
    Some((nanos(date.to_datetime(time), offset), unit))
}

fn nanos(civil: DateTime, offset: Offset) -> i64 {
    // the last hours of the year 9999 are no instants there, and the commonest way to write "no end"
    let Ok(instant) = offset.to_timestamp(civil) else {
        return if civil.year() < 1970 { i64::MIN } else { i64::MAX };
    };
    let nanos = instant.as_nanosecond();
    i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
}

struct Fields<'t>(&'t str);

impl Fields<'_> {
    fn after(&mut self, sign: &str) -> Option<&mut Self> {
        self.0 = self.0.strip_prefix(sign)?;
        Some(self)
    }

    fn one_of(&mut self, signs: &[&str]) -> Option<&mut Self> {
        self.0 = signs.iter().find_map(|sign| self.0.strip_prefix(sign))?;
        Some(self)
    }

    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
    }

    // nanoseconds and what the last digit stands for; digits past the ninth are dropped
    fn fraction(&mut self) -> Option<(i64, i64)> {
        let count = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let kept = count.min(9);
        let unit = 10i64.pow(9 - kept as u32);
        let value = if kept == 0 { return None } else { self.digits(kept)? * unit };
        self.0 = &self.0[count - kept..];
        Some((value, unit))
    }

    fn offset(&mut self) -> Option<Offset> {
        let sign = match self.0.as_bytes().first()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        self.0 = &self.0[1..];
        let (hours, minutes) = (self.digits(2)?, self.after(":")?.digits(2)?);
        if !self.0.is_empty() || hours > 23 || minutes > 59 {
            return None;
        }
        Offset::from_seconds((sign * (hours * 3_600 + minutes * 60)) as i32).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_covers_its_last_written_unit() {
        let now = Timestamp::from_nanos(1_782_216_000_000_000_000); // 2026-06-23T12:00:00Z
        for (text, first, last) in [
            ("2026-06-23", "2026-06-23T00:00:00Z", "2026-06-23T23:59:59.999999999Z"),
            ("2026-06-23T12:00Z", "2026-06-23T12:00:00Z", "2026-06-23T12:00:59.999999999Z"),
            ("2026-06-23t12:00:00z", "2026-06-23T12:00:00Z", "2026-06-23T12:00:00.999999999Z"),
            ("2026-06-23T12:00:00.5+02:00", "2026-06-23T10:00:00.500Z", "2026-06-23T10:00:00.599999999Z"),
            ("2026-06-23T12:00:00.1234567899", "2026-06-23T12:00:00.123456789Z", "2026-06-23T12:00:00.123456789Z"),
            ("2026-12-31T23:59:60Z", "2026-12-31T23:59:59Z", "2026-12-31T23:59:59.999999999Z"),
            ("now", "2026-06-23T12:00:00Z", "2026-06-23T12:00:00Z"),
            ("Today", "2026-06-23T00:00:00Z", "2026-06-23T23:59:59.999999999Z"),
            ("yesterday", "2026-06-22T00:00:00Z", "2026-06-22T23:59:59.999999999Z"),
            ("-1.5h", "2026-06-23T10:30:00Z", "2026-06-23T10:30:00Z"),
            ("-0s", "2026-06-23T12:00:00Z", "2026-06-23T12:00:00Z"),
        ] {
            let moment = Moment::parse(text, now).unwrap();
            assert_eq!((moment.first.to_string(), moment.last.to_string()), (first.into(), last.into()), "{text}");
        }
        assert_eq!(Moment::parse("9999-01-01", now).unwrap().last, Timestamp::MAX);
        for text in [
            "",
            "-",
            "-1",
            "-1kb",
            "1h",
            "2026",
            "2026-6-1",
            "2026-02-30",
            "2026-06-23T",
            "2026-06-23T25:00Z",
            "2026-06-23T12:00:00.Z",
            "2026-06-23T12:00:00+0200",
            "2026-06-23T12:00:00+24:00",
            "2026-06-23x",
            "tomorrow",
            "2026-06-2é",
        ] {
            assert_eq!(Moment::parse(text, now), None, "{text}");
        }
    }
}
