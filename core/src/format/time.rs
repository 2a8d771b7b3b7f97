//! Times and durations as logs spell them.

use crate::timestamp::Timestamp;

/// The unit of a bare number that says how long something took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Nanoseconds.
    Nanos,
    /// Microseconds.
    Micros,
    /// Milliseconds.
    Millis,
    /// Seconds.
    Seconds,
}

impl Unit {
    const fn power(self) -> u32 {
        match self {
            Self::Nanos => 0,
            Self::Micros => 3,
            Self::Millis => 6,
            Self::Seconds => 9,
        }
    }
}

/// Reads RFC 3339, Apache's `17/May/2015:10:05:03 +0000` (brackets allowed), or a Unix time.
pub fn timestamp(text: &str) -> Option<Timestamp> {
    let text = text.trim_ascii();
    let bytes = text.as_bytes();
    match (bytes.get(2), bytes.get(4)) {
        (Some(b'/'), _) => apache(text),
        _ if bytes.first() == Some(&b'[') => apache(text.strip_prefix('[')?.strip_suffix(']')?),
        (_, Some(b'-')) => rfc3339(text),
        _ => unix(text),
    }
}

/// Reads RFC 3339; a space may stand for `T`, a comma for the point, and no zone means UTC.
///
/// A date alone is its midnight; digits past nanoseconds are dropped; a leap second is the next second.
pub fn rfc3339(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    if bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') {
        return None;
    }
    let year = i64::from(two(bytes, 0)?) * 100 + i64::from(two(bytes, 2)?);
    let days = days(year, two(bytes, 5)?, two(bytes, 8)?)?;
    if bytes.len() == 10 {
        return civil(days, 0, 0, 0);
    }
    if !matches!(bytes[10], b'T' | b't' | b' ' | b'_') || bytes.get(13) != Some(&b':') {
        return None;
    }
    let (hour, minute) = (two(bytes, 11)?, two(bytes, 14)?);
    let (second, mut at) = match bytes.get(16) {
        Some(b':') => (two(bytes, 17)?, 19),
        _ => (0, 16),
    };
    let mut nanos = 0;
    if matches!(bytes.get(at), Some(b'.' | b',')) {
        let digits = bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return None;
        }
        for place in 0..9 {
            let digit = if place < digits { bytes[at + 1 + place] - b'0' } else { 0 };
            nanos = nanos * 10 + i64::from(digit);
        }
        at += 1 + digits;
    }
    let offset = offset(text.get(at..)?.trim_ascii_start())?;
    civil(days, clock(hour, minute, second)?, offset, nanos)
}

/// Reads `17/May/2015:10:05:03 +0000`.
pub fn apache(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    if bytes.len() < 20 || bytes[2] != b'/' || bytes[6] != b'/' || bytes[11] != b':' || bytes[14] != b':' {
        return None;
    }
    if bytes[17] != b':' {
        return None;
    }
    let month = match bytes[3..6].to_ascii_lowercase().as_slice() {
        b"jan" => 1,
        b"feb" => 2,
        b"mar" => 3,
        b"apr" => 4,
        b"may" => 5,
        b"jun" => 6,
        b"jul" => 7,
        b"aug" => 8,
        b"sep" => 9,
        b"oct" => 10,
        b"nov" => 11,
        b"dec" => 12,
        _ => return None,
    };
    let year = i64::from(two(bytes, 7)?) * 100 + i64::from(two(bytes, 9)?);
    let seconds = clock(two(bytes, 12)?, two(bytes, 15)?, two(bytes, 18)?)?;
    civil(days(year, month, two(bytes, 0)?)?, seconds, offset(text.get(20..)?.trim_ascii_start())?, 0)
}

/// Reads a Unix time in seconds, milliseconds, microseconds or nanoseconds, told apart by size; fractions are exact.
///
/// Below 10^11 it is seconds (until year 5138), below 10^14 milliseconds, below 10^17 microseconds.
pub fn unix(text: &str) -> Option<Timestamp> {
    let whole = decimal(text, 0)?;
    let unit = match whole.unsigned_abs() {
        0..100_000_000_000 => Unit::Seconds,
        100_000_000_000..100_000_000_000_000 => Unit::Millis,
        100_000_000_000_000..100_000_000_000_000_000 => Unit::Micros,
        _ => Unit::Nanos,
    };
    i64::try_from(decimal(text, unit.power())?).ok().map(Timestamp::from_nanos)
}

/// Reads a duration in nanoseconds: a number in `unit`, or one that names its own as `12ms`, `1.5s` or Go's `1m2.5s`.
///
/// Negative and longer than 584 years is none.
pub fn duration(text: &str, unit: Unit) -> Option<u64> {
    let text = text.trim_ascii();
    if let Some(nanos) = short(text, unit.power()) {
        return Some(nanos);
    }
    let number =
        text.bytes().take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E'));
    if number.count() == text.len() {
        return u64::try_from(decimal(text, unit.power())?).ok();
    }
    let (mut rest, mut total) = (text, 0i128);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
        let (number, tail) = rest.split_at(digits);
        let tail = tail.trim_ascii_start();
        let name = tail.split(|c: char| c.is_ascii_digit() || c == ' ').next()?;
        let (power, times) = match name {
            "ns" => (0, 1),
            "us" | "µs" | "μs" => (3, 1),
            "ms" => (6, 1),
            "s" | "sec" | "seconds" => (9, 1),
            "m" | "min" => (9, 60),
            "h" => (9, 3600),
            _ => return None,
        };
        total = total.checked_add(decimal(number, power)?.checked_mul(times)?)?;
        rest = tail[name.len()..].trim_ascii_start();
    }
    u64::try_from(total).ok().filter(|_| !text.is_empty())
}

/// As [`decimal`] of digits that leave it far below what 64 bits hold; none of anything else.
fn short(text: &str, power: u32) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() || whole.len() + power as usize > 18 {
        return None;
    }
    let digit = |byte: u8| byte.is_ascii_digit().then(|| u64::from(byte - b'0'));
    let mut value = 0;
    for byte in whole.bytes() {
        value = value * 10 + digit(byte)?;
    }
    let mut places = power;
    for byte in fraction.bytes() {
        let digit = digit(byte)?;
        if places > 0 {
            value = value * 10 + digit;
            places -= 1;
        }
    }
    Some(value * 10u64.pow(places))
}

/// A decimal number times 10^`power`, exact, what remains of a fraction dropped; at most 38 digits in all.
fn decimal(text: &str, power: u32) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (digits, exponent) = match digits.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok().filter(|e| e.abs() < 64)?),
        None => (digits, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut places = i32::try_from(power).ok()? + exponent;
    let mut value = 0i128;
    for (digit, is_whole) in whole.bytes().map(|b| (b, true)).chain(fraction.bytes().map(|b| (b, false))) {
        if !digit.is_ascii_digit() {
            return None;
        }
        if is_whole || places > 0 {
            value = value.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
            places -= i32::from(!is_whole);
        }
    }
    let scale = 10i128.checked_pow(places.unsigned_abs())?;
    Some(sign * if places < 0 { value / scale } else { value.checked_mul(scale)? })
}

fn two(bytes: &[u8], at: usize) -> Option<u8> {
    match bytes.get(at..at + 2)? {
        [a @ b'0'..=b'9', b @ b'0'..=b'9'] => Some((a - b'0') * 10 + (b - b'0')),
        _ => None,
    }
}

fn clock(hour: u8, minute: u8, second: u8) -> Option<i64> {
    (hour < 24 && minute < 60 && second <= 60)
        .then(|| i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second))
}

/// Days since 1970 of a date that exists; Howard Hinnant's `days_from_civil`.
fn days(year: i64, month: u8, day: u8) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u8::from(leap),
        _ => return None,
    };
    if day == 0 || day > longest {
        return None;
    }
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((i64::from(month) + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    Some(era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468)
}

/// Seconds east of UTC; nothing and `Z` are none.
fn offset(zone: &str) -> Option<i64> {
    let bytes = zone.as_bytes();
    let sign = match bytes.first() {
        None => return Some(0),
        Some(b'+') => 1,
        Some(b'-') => -1,
        Some(_) => return matches!(zone, "Z" | "z" | "UTC" | "GMT").then_some(0),
    };
    let minutes = match bytes.len() {
        3 => 0,
        5 => two(bytes, 3)?,
        6 if bytes[3] == b':' => two(bytes, 4)?,
        _ => return None,
    };
    let hours = two(bytes, 1)?;
    (hours < 24 && minutes < 60).then(|| sign * (i64::from(hours) * 3600 + i64::from(minutes) * 60))
}

fn civil(days: i64, seconds: i64, offset: i64, nanos: i64) -> Option<Timestamp> {
    let seconds = i128::from(days * 86_400 + seconds - offset);
    i64::try_from(seconds * 1_000_000_000 + i128::from(nanos)).ok().map(Timestamp::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_spelling_of_a_time() {
        for (text, expected) in [
            ("2026-06-23T12:00:00.000142Z", "2026-06-23T12:00:00.000142Z"),
            ("2026-06-23 12:00:00", "2026-06-23T12:00:00Z"),
            ("2026-06-23T12:00:00,5+02:00", "2026-06-23T10:00:00.500Z"),
            ("2023-03-29T17:37:42.482-0700", "2023-03-30T00:37:42.482Z"),
            ("2013-09-06 22:01:00Z", "2013-09-06T22:01:00Z"),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
            ("2024-02-29", "2024-02-29T00:00:00Z"),
            ("2025-01-01T00:00:00.1234567899Z", "2025-01-01T00:00:00.123456789Z"),
            ("[17/May/2015:10:05:03 +0000]", "2015-05-17T10:05:03Z"),
            ("10/Oct/2000:13:55:36 -0700", "2000-10-10T20:55:36Z"),
            ("1693840791", "2023-09-04T15:19:51Z"),
            ("1693840791.7564995", "2023-09-04T15:19:51.756499500Z"),
            ("1.6938407917564995e9", "2023-09-04T15:19:51.756499500Z"),
            ("1745532517537", "2025-04-24T22:08:37.537Z"),
            ("1745532517537.25", "2025-04-24T22:08:37.537250Z"),
            ("1712790000100000", "2024-04-10T23:00:00.100Z"),
            ("1712790000100000001", "2024-04-10T23:00:00.100000001Z"),
        ] {
            assert_eq!(timestamp(text).map(|time| time.to_string()).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "",
            "-",
            "now",
            "2026-13-01T00:00:00Z",
            "2025-02-29",
            "2026-06-23T24:00:00Z",
            "2026-06-23T1",
            "[",
            "[]",
            "17/Mai/2015:10:05:03 +0000",
            "1e99",
            "99999999999999999999",
            "2026-06-23T12:00:00.Z",
            "éé-é",
            "2026-06-23T12:00:00é",
        ] {
            assert_eq!(timestamp(text), None, "{text}");
        }
    }

    #[test]
    fn durations_by_unit_and_by_name() {
        for (text, unit, nanos) in [
            ("102.4", Unit::Millis, 102_400_000),
            ("0.000002701", Unit::Seconds, 2_701),
            ("2.7e-6", Unit::Seconds, 2_700),
            ("215563", Unit::Nanos, 215_563),
            ("12ms", Unit::Seconds, 12_000_000),
            ("1.5s", Unit::Millis, 1_500_000_000),
            ("1m2.5s", Unit::Millis, 62_500_000_000),
            ("3 ms", Unit::Millis, 3_000_000),
            ("7µs", Unit::Millis, 7_000),
        ] {
            assert_eq!(duration(text, unit), Some(nanos), "{text}");
        }
        for text in ["", "-1", "-", "fast", "1.2.3", "12 parsecs", "e5", "999999999999999999999s"] {
            assert_eq!(duration(text, Unit::Millis), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(nanos in any::<i64>()) {
            let time = Timestamp::from_nanos(nanos);
            prop_assert_eq!(rfc3339(&time.to_string()), Some(time));
        }

        #[test]
        fn any_text_is_a_time_or_none(text in "\\PC{0,40}|[0-9TZ:.+\\-/ a-z\\[\\]]{0,30}") {
            let _ = (timestamp(&text), duration(&text, Unit::Millis), apache(&text), rfc3339(&text));
        }
    }
}
