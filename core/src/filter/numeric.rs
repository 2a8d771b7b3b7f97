//! Numbers found in text: attributes, JSON values, header fields and query parameters.

use std::cmp::Ordering;
use std::ops::Bound;

/// A finite number; integers of up to 38 digits compare exactly, all others as `f64`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numeric {
    float: f64,
    integer: Option<i128>,
}

impl Numeric {
    /// Reads a decimal number, with an exponent or without; blanks around it are ignored.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        // what f64 reads besides numbers: inf, infinity, nan
        if !text.ends_with(|c: char| c.is_ascii_digit() || c == '.') {
            return None;
        }
        let float: f64 = text.parse().ok()?;
        float.is_finite().then(|| Self { float, integer: text.parse().ok() })
    }
}

impl PartialEq for Numeric {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Numeric {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self.integer, other.integer) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ => self.float.partial_cmp(&other.float),
        }
    }
}

/// Whether `value` lies between the bounds.
pub(super) fn within<T: PartialOrd>(value: &T, low: Bound<&T>, high: Bound<&T>) -> bool {
    let above = match low {
        Bound::Included(low) => value >= low,
        Bound::Excluded(low) => value > low,
        Bound::Unbounded => true,
    };
    above
        && match high {
            Bound::Included(high) => value <= high,
            Bound::Excluded(high) => value < high,
            Bound::Unbounded => true,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_as_numbers() {
        let of = |text| Numeric::parse(text);
        assert_eq!(of("1e3"), of(" 1000.0 "));
        assert_ne!(of("9007199254740993"), of("9007199254740992"), "integers compare exactly");
        assert!(of("10") > of("9") && of("-1") < of("0.5"));
        for text in ["", "inf", "-Infinity", "nan", "5s", "0x10", "1,000", "1e999"] {
            assert!(of(text).is_none(), "{text}");
        }
    }
}
