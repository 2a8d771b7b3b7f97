//! What could not be read, by name, and the truthful answer to one import.

use serde::Serialize;

/// Longest excerpt of refused input, in bytes of UTF-8.
pub const EXCERPT: usize = 256;

/// One refused unit: where it stands, why, and how it begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// Line of the input on which the unit begins, from 1.
    pub line: u64,
    /// What is wrong with it, in words for the person who sent it.
    pub reason: String,
    /// Its first bytes, at most [`EXCERPT`], invalid UTF-8 replaced.
    pub excerpt: String,
}

impl Rejection {
    /// Names what is wrong with `unit`, which begins on `line`.
    pub fn new(line: u64, reason: impl Into<String>, unit: &[u8]) -> Self {
        let head = &unit[..unit.len().min(EXCERPT)];
        let mut excerpt = String::from_utf8_lossy(head).into_owned();
        // a replacement character is longer than the byte it stands for
        excerpt.truncate(excerpt.floor_char_boundary(EXCERPT));
        Self { line, reason: reason.into(), excerpt }
    }
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl std::error::Error for Rejection {}

/// The answer to one import; its JSON is the wire's `{"accepted":…,"duplicates":…,"rejected":…,"errors":[…]}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Records that are durable now.
    pub accepted: u64,
    /// Records that were known already and not stored again.
    pub duplicates: u64,
    /// Units that could not be read.
    pub rejected: u64,
    /// The first [`Report::ERRORS`] rejections.
    pub errors: Vec<Rejection>,
}

impl Report {
    /// How many rejections are named; the rest is only counted.
    pub const ERRORS: usize = 100;

    /// Counts `rejection` and names it while there is room.
    pub fn reject(&mut self, rejection: Rejection) {
        self.rejected += 1;
        if self.errors.len() < Self::ERRORS {
            self.errors.push(rejection);
        }
    }

    /// Adds what a later piece of the same input brought.
    pub fn absorb(&mut self, later: Self) {
        self.accepted += later.accepted;
        self.duplicates += later.duplicates;
        self.rejected += later.rejected;
        let room = Self::ERRORS.saturating_sub(self.errors.len());
        self.errors.extend(later.errors.into_iter().take(room));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_is_the_wires_json_and_names_a_hundred() {
        let mut report = Report { accepted: 2, ..Report::default() };
        report.reject(Rejection::new(7, "no method", b"\xffabc"));
        assert_eq!(
            serde_json::to_string(&report).unwrap(),
            "{\"accepted\":2,\"duplicates\":0,\"rejected\":1,\"errors\":[{\"line\":7,\"reason\":\"no method\",\"excerpt\":\"\u{fffd}abc\"}]}"
        );
        for line in 0..200 {
            report.reject(Rejection::new(line, "x", &[0xff; 400]));
        }
        assert_eq!((report.rejected, report.errors.len()), (201, 100));
        assert!(report.errors[1].excerpt.len() <= EXCERPT);
    }
}
