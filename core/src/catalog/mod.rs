//! What a store knows of its sources without opening them, and what of them is hidden.

mod erasure;
mod expired;
mod expiry;
mod ledger;
mod summary;

pub use erasure::Erasure;
pub use expired::Expired;
pub use expiry::Expiry;
pub use ledger::{NotSources, Replacement, Sources, due, live};
pub use summary::{Extent, Summary, SummaryDraft, Verdict};
pub(crate) use summary::{class_of, contains, stretch};

use crate::filter::Predicate;
use crate::id::{EntryId, Seq};
use crate::record::Stored;
use std::sync::Arc;

/// A batch or a segment; both are scanned the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SourceId {
    /// A batch in the catalog database, by its first sequence.
    Batch(u64),
    /// A segment, by the number in its file's name.
    Segment(u64),
}

/// A source and its summary.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where the rows are.
    pub id: SourceId,
    /// What is known of them.
    pub summary: Arc<Summary>,
}

/// Rows that were destroyed: those that match among the ones that existed.
#[derive(Clone, Debug)]
pub struct Deletion {
    /// Number in the catalog, from 1; a later deletion has a higher one, also after this one is settled.
    pub id: u64,
    /// Which rows, resolved, scope included.
    pub filter: Predicate,
    /// The head when it was asked for.
    pub head: Seq,
}

impl Deletion {
    /// Whether a row was destroyed by it.
    pub fn hides(&self, row: &Stored) -> bool {
        row.id.seq() <= self.head && self.filter.matches_stored(row)
    }

    /// Whether it may hide rows of a source.
    pub fn touches(&self, summary: &Summary) -> bool {
        summary.seq.0 <= self.head && summary.judge(&self.filter) != Verdict::Never
    }
}

/// A consistent view of the store; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// The highest sequence given out and the arrival of the newest commit; `None` in an empty store.
    pub head: Option<EntryId>,
    /// Every batch and segment, each row in exactly one.
    pub entries: Vec<Entry>,
    /// Deletions that compaction has not made physical everywhere yet.
    pub deletions: Vec<Arc<Deletion>>,
    /// What retention hides.
    pub expiry: Arc<Expiry>,
    /// What retention has hidden or removed lately; where very many sources have expired in part, a bound of it.
    pub expired: Expired,
}

impl Catalog {
    /// The number of the newest deletion, 0 without any: segments written without the rows that this catalog hides are
    /// known to have been through it and all before it.
    pub fn last_deletion(&self) -> u64 {
        self.deletions.iter().map(|deletion| deletion.id).max().unwrap_or(0)
    }

    /// Whether every row of a source is hidden by one deletion or has expired: nobody needs it.
    pub fn is_gone(&self, summary: &Summary) -> bool {
        let deleted = |deletion: &Arc<Deletion>| {
            summary.seq.1 <= deletion.head && summary.judge(&deletion.filter) == Verdict::Always
        };
        let expired = self.expiry.of(summary).is_some_and(|expired| summary.judge(&expired) == Verdict::Always);
        expired || self.deletions.iter().any(deleted)
    }
    /// Whether any source may hold a row of these ranges of sequences, both ends included.
    pub fn may_hold(&self, ranges: &[(u64, u64)]) -> bool {
        let seqs = || self.entries.iter().map(|entry| (entry.summary.seq.0.get(), entry.summary.seq.1.get()));
        ranges.iter().any(|&(first, last)| seqs().any(|(least, greatest)| least <= last && first <= greatest))
    }
}
