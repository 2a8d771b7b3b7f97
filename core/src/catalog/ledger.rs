//! What replaced what, while the replaced are still readable.
//!
//! In an eventually consistent store a segment may be committed in the catalog before every reader sees its values. So what
//! a merge replaced stays for a grace period, and a reader that misses a value goes back to it.
//!
//! Replacements form a graph: one *builds upon* another whose segments it removed. Those of any set that holds with each
//! replacement all that build upon it can be undone: what is left is a history that might have happened, in which every row
//! is in exactly one source. [`live`] undoes the least such set without which an unread segment would be used.
//!
//! What a shell owes, for this to hold:
//! - Sources and replacements change in one transaction: a merge adds its segments and its [`Replacement`], under an id
//!   above all earlier ones. It removes only sources that no known replacement has removed.
//! - Forgetting a replacement removes the rows of its [`removed`](Replacement::removed) and its own in one transaction, and
//!   happens in the order of [`due`]. If one were forgotten before another that it builds upon, nobody would know any more
//!   which later segments hold the rows of the other's.
//! - A deletion is kept as long as a replacement that made it physical: what it removed still has the rows.

mod sources;

pub use sources::{NotSources, Sources};

use super::{Entry, SourceId};
use std::collections::{BTreeMap, BTreeSet};

/// Segments that took the place of other sources, in which the same rows are but for those that nobody sees any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// Ascends in the order of commits.
    pub id: u64,
    /// When it was committed, in ms since 1970.
    pub at_ms: u64,
    /// What was replaced.
    pub removed: Sources,
    /// The segments instead of it; none when no row was left.
    pub added: Vec<u64>,
}

/// The entries that a reader uses, in the order given, each row in exactly one of them.
///
/// Without `unread` those are the entries that no replacement removed. `unread` are segments of which the reader missed a
/// value: where one would be used, what its replacement removed is used instead. Fails with the segment if that is not
/// there: no known replacement added it, or what that one removed is not among the entries any more. A segment in `unread`
/// that is not used anyway changes nothing.
///
/// ```
/// # use reqlog_core::{catalog::{Entry, Replacement, SourceId, Summary, live}, record::Record, timestamp::Timestamp};
/// # use reqlog_core::id::Seq;
/// # use std::{collections::BTreeSet, sync::Arc};
/// # let draft = Summary::draft([Record::new(Timestamp::from_nanos(0))].iter()).expect("a record");
/// # let summary = Arc::new(draft.place(Seq::new(1).expect("from 1"), 5).expect("few rows"));
/// # let entry = |id| Entry { id, summary: summary.clone() };
/// let entries = [entry(SourceId::Batch(1)), entry(SourceId::Segment(7))];
/// let merge = Replacement { id: 1, at_ms: 0, removed: "b1-2".parse()?, added: vec![7] };
/// let used = |unread: &[u64]| {
///     let unread = BTreeSet::from_iter(unread.iter().copied());
///     live(&entries, std::slice::from_ref(&merge), &unread).map(|live| live[0].id)
/// };
/// assert_eq!(used(&[]), Ok(SourceId::Segment(7)));
/// assert_eq!(used(&[7]), Ok(SourceId::Batch(1)));
/// # Ok::<(), reqlog_core::catalog::NotSources>(())
/// ```
pub fn live(entries: &[Entry], replacements: &[Replacement], unread: &BTreeSet<u64>) -> Result<Vec<Entry>, u64> {
    let graph = Graph::of(replacements);
    let stored: BTreeMap<SourceId, &Entry> = entries.iter().map(|entry| (entry.id, entry)).collect();
    let is_there = |segment: u64| !unread.contains(&segment) && stored.contains_key(&SourceId::Segment(segment));
    let mut undone = BTreeSet::new();
    // segments that cannot be used, and because of which unread one
    let mut lost: Vec<(u64, u64)> = unread
        .iter()
        .filter(|segment| stored.contains_key(&SourceId::Segment(**segment)))
        .map(|segment| (*segment, *segment))
        .collect();
    // One that is not used now may be after another was undone, which then asks again.
    while let Some((segment, missed)) = lost.pop() {
        let remover = graph.remover(SourceId::Segment(segment));
        if remover.is_some_and(|at| !undone.contains(&at)) {
            continue;
        }
        let adder = *graph.adders.get(&segment).ok_or(missed)?;
        for at in graph.upon(adder) {
            if !undone.insert(at) {
                continue;
            }
            let removed = &replacements[at].removed;
            if !removed.has_batches(&stored) {
                return Err(missed);
            }
            lost.extend(removed.segments().filter(|segment| !is_there(*segment)).map(|segment| (segment, missed)));
        }
    }
    let is_used = |entry: &&Entry| {
        let is_added = match entry.id {
            SourceId::Segment(segment) => graph.adders.get(&segment).is_none_or(|at| !undone.contains(at)),
            SourceId::Batch(_) => true,
        };
        is_added && graph.remover(entry.id).is_none_or(|at| undone.contains(&at))
    };
    Ok(entries.iter().filter(is_used).cloned().collect())
}

/// The replacements that may be forgotten, in the order in which they may be: those at least `grace_ms` old, unless they
/// build upon one that is not. A shell may stop after any of them.
pub fn due(replacements: &[Replacement], now_ms: u64, grace_ms: u64) -> impl Iterator<Item = &Replacement> {
    let mut ordered: Vec<&Replacement> = replacements.iter().collect();
    ordered.sort_unstable_by_key(|replacement| replacement.id);
    // segments of those that stay
    let mut staying = BTreeSet::new();
    ordered.into_iter().filter(move |replacement| {
        // `now_ms` may be before: a clock was set back
        let is_old = now_ms.saturating_sub(replacement.at_ms) >= grace_ms;
        let is_due = is_old && !replacement.removed.segments().any(|segment| staying.contains(&segment));
        if !is_due {
            staying.extend(replacement.added.iter().copied());
        }
        is_due
    })
}

/// Which replacement added and which removed a source, by their places.
struct Graph<'a> {
    replacements: &'a [Replacement],
    adders: BTreeMap<u64, usize>,
    // of segments
    removers: BTreeMap<u64, usize>,
    // end of the range and the replacement, by the range's start
    batches: BTreeMap<u64, (u64, usize)>,
}

impl<'a> Graph<'a> {
    fn of(replacements: &'a [Replacement]) -> Self {
        let mut graph =
            Self { replacements, adders: BTreeMap::new(), removers: BTreeMap::new(), batches: BTreeMap::new() };
        for (at, replacement) in replacements.iter().enumerate() {
            graph.adders.extend(replacement.added.iter().map(|segment| (*segment, at)));
            graph.removers.extend(replacement.removed.segments().map(|segment| (segment, at)));
            graph.batches.extend(replacement.removed.batches().iter().map(|&(from, to)| (from, (to, at))));
        }
        graph
    }

    fn remover(&self, source: SourceId) -> Option<usize> {
        match source {
            SourceId::Segment(segment) => self.removers.get(&segment).copied(),
            SourceId::Batch(first) => {
                let (_, (to, at)) = self.batches.range(..=first).next_back()?;
                (first < *to).then_some(*at)
            }
        }
    }

    /// A replacement and all that build upon it, directly or not.
    fn upon(&self, adder: usize) -> BTreeSet<usize> {
        let mut all = BTreeSet::from([adder]);
        let mut open = vec![adder];
        while let Some(at) = open.pop() {
            let removers = self.replacements[at].added.iter().filter_map(|segment| self.removers.get(segment));
            open.extend(removers.copied().filter(|remover| all.insert(*remover)));
        }
        all
    }
}

#[cfg(test)]
mod tests;
