//! Points in time as nanoseconds since 1970, UTC.

use std::fmt;

/// Nanoseconds since 1970-01-01T00:00:00Z, from year 1677 to 2262.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest time.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest time.
    pub const MAX: Self = Self(i64::MAX);

    /// From nanoseconds since 1970.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// From milliseconds since 1970, clamped to the range.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// Nanoseconds since 1970.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// Milliseconds since 1970, rounded down.
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This time and `nanos` more, clamped to the range.
    #[must_use]
    pub const fn plus_nanos(self, nanos: i64) -> Self {
        Self(self.0.saturating_add(nanos))
    }

    /// RFC 3339 in UTC with exactly three digits of fraction.
    pub fn to_rfc3339_millis(self) -> String {
        let (date, nanos) = self.parts();
        format!("{date}.{:03}Z", nanos / 1_000_000)
    }

    fn parts(self) -> (Civil, u32) {
        let seconds = self.0.div_euclid(1_000_000_000);
        (Civil::of(seconds), self.0.rem_euclid(1_000_000_000) as u32)
    }
}

/// RFC 3339 in UTC; the fraction is printed when it is not zero, in groups of three digits.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (date, nanos) = self.parts();
        match nanos {
            0 => write!(f, "{date}Z"),
            n if n % 1_000_000 == 0 => write!(f, "{date}.{:03}Z", n / 1_000_000),
            n if n % 1_000 == 0 => write!(f, "{date}.{:06}Z", n / 1_000),
            n => write!(f, "{date}.{n:09}Z"),
        }
    }
}

struct Civil {
    year: i64,
    month: u8,
    day: u8,
    second: u32,
}

impl Civil {
    // Howard Hinnant's civil_from_days: eras of 400 years from March
    fn of(seconds: i64) -> Self {
        let days = seconds.div_euclid(86_400) + 719_468;
        let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year_of_era = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month: month as u8,
            day: (day_of_year - (153 * shifted + 2) / 5 + 1) as u8,
            second: seconds.rem_euclid(86_400) as u32,
        }
    }
}

impl fmt::Display for Civil {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, second } = self;
        write!(f, "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_the_fraction_it_has() {
        let check = |nanos, text: &str| assert_eq!(Timestamp::from_nanos(nanos).to_string(), text);
        check(0, "1970-01-01T00:00:00Z");
        check(1_782_216_000_000_142_000, "2026-06-23T12:00:00.000142Z");
        check(-1, "1969-12-31T23:59:59.999999999Z");
        check(951_782_400_000_000_000, "2000-02-29T00:00:00Z");
        assert_eq!(Timestamp::from_nanos(1_500_000).to_rfc3339_millis(), "1970-01-01T00:00:00.001Z");
    }
}
