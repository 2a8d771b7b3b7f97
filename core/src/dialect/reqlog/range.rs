//! `Range` of RFC 9110: one range of bytes.

use std::ops::Range;

/// What a `Range` field asks of so many bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of them: no field, another unit, several ranges, or not understood, which the RFC lets a server ignore.
    Whole,
    /// These.
    Part(Range<usize>),
    /// Bytes that do not exist.
    Nothing,
}

impl Wanted {
    /// Reads the field's value.
    pub(super) fn read(field: Option<&str>, size: usize) -> Self {
        let spec = field.and_then(|field| field.trim().strip_prefix("bytes="));
        let Some((first, last)) = spec.and_then(|spec| spec.trim().split_once('-')) else { return Self::Whole };
        let number = |text: &str| -> Option<usize> {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            // a number too long to be read is past the end
            digits.then(|| text.parse().unwrap_or(usize::MAX))
        };
        let range = match (first, last) {
            ("", suffix) => number(suffix).map(|length| size.saturating_sub(length)..size),
            (first, "") => number(first).map(|first| first..size),
            (first, last) => match (number(first), number(last)) {
                (Some(first), Some(last)) if first <= last => Some(first..size.min(last.saturating_add(1))),
                _ => None,
            },
        };
        match range {
            None => Self::Whole,
            Some(range) if range.start < range.end => Self::Part(range),
            Some(_) => Self::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_ten_bytes() {
        let check = |field, wanted| assert_eq!(Wanted::read(field, 10), wanted, "{field:?}");
        check(None, Wanted::Whole);
        check(Some("bytes=0-3"), Wanted::Part(0..4));
        check(Some("bytes=8-"), Wanted::Part(8..10));
        check(Some("bytes=-3"), Wanted::Part(7..10));
        check(Some("bytes=-30"), Wanted::Part(0..10));
        check(Some("bytes=2-99999999999999999999999"), Wanted::Part(2..10));
        check(Some("bytes=10-"), Wanted::Nothing);
        check(Some("bytes=-0"), Wanted::Nothing);
        for ignored in ["bytes=3-2", "bytes=a-", "bytes=-", "bytes=1", "items=0-1", "bytes=0-1,4-5", "bytes=+1-2"] {
            check(Some(ignored), Wanted::Whole);
        }
    }
}
