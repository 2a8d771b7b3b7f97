//! Decimal numbers as written, scaled by a unit without loss.

use super::ast::Unit;

/// Digits past this many are refused: more are a slip, and with any unit this many still fit 128 bits.
const MOST_DIGITS: usize = 20;

/// A decimal number whose last digit's place is kept: `1.50` is more precise than `1.5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    digits: i128,
    // ten to the number of places behind the point
    scale: i128,
}

/// A decimal times a unit: a fraction and the size of its last written place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scaled {
    numerator: i128,
    denominator: i128,
    place: i128,
}

impl Decimal {
    /// Reads `-?digits[.digits]`, where one side of the point may be empty.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let digits: String = [whole, fraction].concat();
        if digits.is_empty() || digits.len() > MOST_DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let magnitude: i128 = digits.parse().ok()?;
        let digits = if text.starts_with('-') { -magnitude } else { magnitude };
        Some(Self { digits, scale: 10i128.pow(fraction.len() as u32) })
    }

    /// Reads a number with an optional unit behind it.
    pub(super) fn parse_with_unit(text: &str) -> Option<(Self, Option<Unit>)> {
        let (number, unit) = split_unit(text);
        let unit = if unit.is_empty() { None } else { Some(Unit::parse(unit)?) };
        Some((Self::parse(number)?, unit))
    }

    /// This many of a unit.
    pub(super) fn times(self, unit: i128) -> Scaled {
        Scaled { numerator: self.digits * unit, denominator: self.scale, place: unit }
    }
}

impl Scaled {
    /// The greatest integer that is not greater.
    pub(super) fn floor(self) -> i128 {
        self.numerator.div_euclid(self.denominator)
    }

    /// The least integer that is not less.
    pub(super) fn ceil(self) -> i128 {
        -(-self.numerator).div_euclid(self.denominator)
    }

    /// The integers that become this when rounded, halves up, to its last written place; inverted where there are none.
    pub(super) fn rounded(self) -> (i128, i128) {
        let half = |numerator: i128| Self { numerator, denominator: 2 * self.denominator, place: 0 }.ceil();
        (half(2 * self.numerator - self.place), half(2 * self.numerator + self.place) - 1)
    }
}

/// The text before the first letter, and the rest.
pub(super) fn split_unit(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len()))
}

/// A number as it is printed: no `+`, no needless zeros in front, a digit on both sides of a point.
pub(super) fn canonical(number: &str) -> String {
    let (sign, unsigned) = match number.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_rounds_to_the_last_written_place() {
        for (text, range) in [
            ("102ms", (101_500_000, 102_499_999)),
            ("1.5s", (1_450_000_000, 1_549_999_999)),
            ("1.50s", (1_495_000_000, 1_504_999_999)),
            ("0ms", (-500_000, 499_999)),
            ("7ns", (7, 7)),
            (".5h", (1_620_000_000_000, 1_979_999_999_999)),
        ] {
            let (decimal, unit) = Decimal::parse_with_unit(text).unwrap();
            assert_eq!(decimal.times(unit.and_then(Unit::nanos).unwrap()).rounded(), range, "{text}");
        }
    }

    #[test]
    fn fractions_are_exact() {
        let of = |text: &str, unit| {
            let scaled = Decimal::parse(text).unwrap().times(unit);
            (scaled.floor(), scaled.ceil())
        };
        assert_eq!(of("0.5", 1), (0, 1));
        assert_eq!(of("-0.5", 1), (-1, 0));
        assert_eq!(of("1.5", 1_000), (1_500, 1_500));
        let largest = "9".repeat(MOST_DIGITS);
        let _ = Decimal::parse(&largest).unwrap().times(86_400_000_000_000).rounded();
        for text in ["", ".", "-", "1.2.3", "1e3", "--1", "١", &"1".repeat(MOST_DIGITS + 1)] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_print_canonically() {
        for (written, printed) in [("007", "7"), ("+1.50", "1.50"), (".5", "0.5"), ("5.", "5"), ("-00", "-0")] {
            assert_eq!(canonical(written), printed);
        }
    }
}
