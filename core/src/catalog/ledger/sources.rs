//! Sets of sources, in few bytes.

use crate::catalog::{Entry, SourceId};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

/// A set of sources: batches by ranges of their first sequences, segments by their numbers.
///
/// Its text is a list such as `b1-2049,s5,s7-10`: the batches whose first sequence is 1 or more and less than 2049,
/// segment 5, and segments 7 to 9. **Ours:** every range is half-open; batches stand before segments, ascending, in ranges
/// as long as they can be; one segment is no range. Only this spelling is read, so equal sets have equal texts. The empty
/// set is the empty text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    // both ascending, apart, none empty
    batches: Vec<(u64, u64)>,
    segments: Vec<(u64, u64)>,
}

/// A text that is not that of a [`Sources`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotSources(pub String);

impl fmt::Display for NotSources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no list of sources", self.0)
    }
}

impl std::error::Error for NotSources {}

impl Sources {
    /// The set of `ids`, each of one of the entries.
    ///
    /// A range of batches ends where a sequence is missing between two, so that no other batch, now or later, is in it.
    pub fn of(ids: &[SourceId], entries: &[Entry]) -> Self {
        let wanted: BTreeSet<SourceId> = ids.iter().copied().collect();
        let ends = entries.iter().filter_map(|entry| match entry.id {
            SourceId::Batch(first) if wanted.contains(&entry.id) => Some((first, entry.summary.seq.1.get() + 1)),
            _ => None,
        });
        let ends: BTreeMap<u64, u64> = ends.collect();
        let mut sources = Self::default();
        for id in wanted {
            match id {
                // without its entry, that batch alone
                SourceId::Batch(first) => {
                    push(&mut sources.batches, (first, ends.get(&first).copied().unwrap_or(first + 1)));
                }
                SourceId::Segment(segment) => push(&mut sources.segments, (segment, segment + 1)),
            }
        }
        sources
    }

    /// Whether a source is one of them.
    pub fn contains(&self, source: SourceId) -> bool {
        let (ranges, at) = match source {
            SourceId::Batch(first) => (&self.batches, first),
            SourceId::Segment(segment) => (&self.segments, segment),
        };
        let after = ranges.partition_point(|(from, _)| *from <= at);
        after.checked_sub(1).is_some_and(|last| at < ranges[last].1)
    }

    /// Ranges of the batches' first sequences, each from the first to before the second number; ascending.
    pub fn batches(&self) -> &[(u64, u64)] {
        &self.batches
    }

    /// The numbers of the segments, ascending.
    pub fn segments(&self) -> impl Iterator<Item = u64> {
        self.segments.iter().flat_map(|&(from, to)| from..to)
    }

    /// Whether the batches are all stored, without a gap from the start of each range to its end.
    pub(super) fn has_batches(&self, stored: &BTreeMap<SourceId, &Entry>) -> bool {
        self.batches.iter().all(|&(from, to)| {
            let range = stored.range(SourceId::Batch(from)..SourceId::Batch(to));
            let end = range.fold(
                from,
                |end, (id, entry)| {
                    if *id == SourceId::Batch(end) { entry.summary.seq.1.get() + 1 } else { end }
                },
            );
            end == to
        })
    }
}

// adds a range that begins at or after the end of the last
fn push(ranges: &mut Vec<(u64, u64)>, (from, to): (u64, u64)) {
    match ranges.last_mut() {
        Some((_, end)) if *end == from => *end = to,
        _ => ranges.push((from, to)),
    }
}

impl fmt::Display for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        for (from, to) in &self.batches {
            write!(f, "{comma}b{from}-{to}")?;
            comma = ",";
        }
        for (from, to) in &self.segments {
            if from + 1 == *to {
                write!(f, "{comma}s{from}")?;
            } else {
                write!(f, "{comma}s{from}-{to}")?;
            }
            comma = ",";
        }
        Ok(())
    }
}

impl FromStr for Sources {
    type Err = NotSources;

    fn from_str(text: &str) -> Result<Self, NotSources> {
        let read = || {
            let mut sources = Self::default();
            for item in text.split(',').filter(|_| !text.is_empty()) {
                let (ranges, rest) = match item.split_at_checked(1)? {
                    ("b", rest) => (&mut sources.batches, rest),
                    ("s", rest) => (&mut sources.segments, rest),
                    _ => return None,
                };
                let (from, to) = match rest.split_once('-') {
                    Some((from, to)) => (from.parse().ok()?, to.parse().ok()?),
                    None => (rest.parse().ok()?, rest.parse::<u64>().ok()?.checked_add(1)?),
                };
                let apart = ranges.last().is_none_or(|(_, end): &(u64, u64)| *end < from);
                if !apart || from >= to {
                    return None;
                }
                ranges.push((from, to));
            }
            Some(sources)
        };
        // zeros and signs before a number, a range of one, another order: all spelt otherwise
        read().filter(|sources| sources.to_string() == text).ok_or_else(|| NotSources(text.to_owned()))
    }
}
