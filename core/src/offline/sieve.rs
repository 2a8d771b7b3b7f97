//! Units that a filter may match, told by their bytes alone.

use super::clues::Clues;
use std::ops::Range;
use std::sync::Arc;

/// Goes over the bytes of some units; give it what it [wants](Self::want), then [`finish`](Self::finish).
#[derive(Debug)]
pub(super) struct Sieve {
    clues: Arc<Clues>,
    units: Vec<Unit>,
    // the first unit of which bytes are wanted
    first: usize,
    // the next byte that is wanted
    at: u64,
    // the bytes before it, where a clue may have begun
    tail: Vec<u8>,
}

/// A unit and whether it is to be parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) bytes: Range<u64>,
    pub(super) passes: bool,
}

/// Bytes that are read at a time, at most.
const STEP: u64 = 4 << 20;
/// Bytes between two units that are rather read than left out.
const GAP: u64 = 64 << 10;

impl Sieve {
    /// For units in the order of their offsets; those that pass already are not looked at.
    pub(super) fn new(clues: Arc<Clues>, units: Vec<Unit>) -> Self {
        Self { clues, units, first: 0, at: 0, tail: Vec::new() }.skipped()
    }

    fn skipped(mut self) -> Self {
        self.skip();
        self
    }

    // Goes on to the next unit that is not decided.
    fn skip(&mut self) {
        let decided = |unit: &&Unit| unit.passes || unit.bytes.end <= self.at;
        self.first += self.units[self.first..].iter().take_while(decided).count();
        if let Some(unit) = self.units.get(self.first)
            && unit.bytes.start > self.at
        {
            self.at = unit.bytes.start;
            self.tail.clear();
        }
    }

    /// The bytes of the plain input to push next, from the first on; `None` when all are looked at.
    pub(super) fn want(&self) -> Option<Range<u64>> {
        let (start, most) = (self.at, self.at + STEP);
        let mut end = self.units.get(self.first)?.bytes.end;
        for unit in &self.units[self.first + 1..] {
            if end >= most || unit.bytes.start.saturating_sub(end) > GAP {
                break;
            }
            end = end.max(unit.bytes.end);
        }
        Some(start..end.min(most))
    }

    /// Takes the next bytes of what is wanted, in slices of any size; an empty one says that the input has ended.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let Some(wanted) = self.want() else { return };
        if bytes.is_empty() {
            // whoever reads them again will see what has become of them
            self.units[self.first..].iter_mut().for_each(|unit| unit.passes = true);
            return self.skip();
        }
        let bytes = &bytes[..bytes.len().min(usize::try_from(wanted.end - wanted.start).unwrap_or(usize::MAX))];
        let most = self.clues.longest() - 1;
        if !self.tail.is_empty() {
            let start = wanted.start - self.tail.len() as u64;
            let mut border = std::mem::take(&mut self.tail);
            border.extend_from_slice(&bytes[..bytes.len().min(most)]);
            self.search(start, &border);
            // slices may be shorter than a clue
            if bytes.len() < most {
                border.drain(..border.len().saturating_sub(most));
                self.tail = border;
            }
        }
        self.search(wanted.start, bytes);
        if self.tail.is_empty() {
            self.tail.extend_from_slice(&bytes[bytes.len().saturating_sub(most)..]);
        }
        self.at = wanted.start + bytes.len() as u64;
        self.skip();
    }

    fn search(&mut self, start: u64, bytes: &[u8]) {
        let (clues, units) = (self.clues.clone(), &mut self.units[self.first..]);
        clues.search(bytes, |hit| {
            let offset = start + hit as u64;
            let at = units.partition_point(|unit| unit.bytes.end <= offset);
            let Some(unit) = units.get_mut(at) else { return bytes.len() };
            let next = if unit.bytes.start <= offset {
                unit.passes = true;
                unit.bytes.end
            } else {
                unit.bytes.start
            };
            usize::try_from(next - start).unwrap_or(usize::MAX)
        });
    }

    /// The units, each with whether it is to be parsed.
    pub(super) fn finish(self) -> Vec<Unit> {
        self.units
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::{Predicate, TextKey, TextMatcher};
    use crate::format::Format;
    use proptest::prelude::*;

    fn clues() -> Arc<Clues> {
        let filter = Predicate::Text(TextKey::Body, TextMatcher::contains("alpha"));
        Arc::new(Clues::of(&filter, Format::Ndjson).unwrap())
    }

    fn sieved(input: &[u8], units: &[Range<u64>], slice: usize) -> Vec<bool> {
        let units = units.iter().map(|bytes| Unit { bytes: bytes.clone(), passes: false }).collect();
        let mut sieve = Sieve::new(clues(), units);
        while let Some(wanted) = sieve.want() {
            let end = (wanted.end as usize).min(input.len()).min(wanted.start as usize + slice);
            sieve.push(&input[(wanted.start as usize).min(end)..end]);
        }
        sieve.finish().into_iter().map(|unit| unit.passes).collect()
    }

    #[test]
    fn units_with_a_clue_pass_whatever_slices_they_come_in() {
        let input = br#"{"b":"ALPHA"}{"b":"alph"} {"b":"\u0061"},{"b":"a"}lpha"#;
        let units = [0..13, 13..25, 26..40, 41..50];
        for slice in 1..=input.len() {
            assert_eq!(sieved(input, &units, slice), [true, false, true, false], "{slice}");
        }
        assert_eq!(sieved(&input[..20], &units, 64), [true, true, true, true], "the input ends too early");
        assert!(sieved(input, &[], 64).is_empty());
    }

    proptest! {
        #[test]
        fn exactly_those_with_a_clue_pass(
            pieces in prop::collection::vec(("[a-c ]{0,8}(alpha|base64|\\\\u0041|ALPHA|\\\\u00e9)?[lp ]{0,3}", 0u64..3), 1..40),
            slice in 1usize..64,
        ) {
            let (mut input, mut units, mut expected) = (Vec::new(), Vec::new(), Vec::new());
            for (text, gap) in &pieces {
                let start = input.len() as u64;
                input.extend_from_slice(text.as_bytes());
                if !text.is_empty() {
                    units.push(start..input.len() as u64);
                    expected.push(["alpha", "base64", "\\u0041", "ALPHA"].iter().any(|clue| text.contains(clue)));
                }
                input.extend(std::iter::repeat_n(b'|', *gap as usize + 1));
            }
            prop_assert_eq!(sieved(&input, &units, slice), expected);
        }
    }
}
