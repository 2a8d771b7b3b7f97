//! Which sources are rewritten together, so that there are few segments however records trickle in.
//!
//! Segments of one project are in classes by rows, each class [`FAN_IN`] times the one before. As soon as a class has
//! [`FAN_IN`] segments they become one of a higher class, until a segment is full. So there are at most
//! [`Bounds::most_segments`] of a project, and a row is written at most [`Bounds::most_writes`] times as part of a segment.
//!
//! A step of a compactor, over one catalog: what is [`gone`] is dropped; else what [`plan`] says is rewritten, else what
//! [`erase`] says, else what retention has [due](crate::retention::due). Of every input the [`Survivors`] are kept, and
//! written [by project](by_project) and [sorted](sort). The transaction that exchanges the sources removes the deletions
//! that are [`settled`] by it.

mod bounds;
mod rewriting;

pub use bounds::Bounds;
pub use rewriting::{Survivors, by_project, erase, gone, rewrite, settled, sort};

use crate::catalog::{Entry, SourceId};
use bounds::class;
use std::collections::{BTreeMap, BTreeSet};

/// Sources to be replaced by segments of the same rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merge {
    /// What is replaced, oldest first.
    pub inputs: Vec<SourceId>,
}

/// When batches are worth a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Enough rows or batches have gathered.
    Relaxed,
    /// All batches now: before closing, or when asked.
    Settle,
}

/// Segments of one class that are merged into one of the next.
pub const FAN_IN: usize = 8;
/// Rows that each project of many should have gathered on average before batches are compacted for being many.
const FRESH_SHARE: u64 = 8;

/// The next merge, if any is due. `size` is of an entry, in bytes.
pub fn plan(entries: &[Entry], size: impl Fn(&Entry) -> u64, urgency: Urgency, bounds: &Bounds) -> Option<Merge> {
    fresh(entries, &size, urgency, bounds).or_else(|| tiers(entries, &size, bounds))
}

/// All batches that fit into one step; `None` without any.
fn fresh(entries: &[Entry], size: impl Fn(&Entry) -> u64, urgency: Urgency, bounds: &Bounds) -> Option<Merge> {
    let mut batches: Vec<&Entry> = entries.iter().filter(|entry| matches!(entry.id, SourceId::Batch(_))).collect();
    let due = match urgency {
        Urgency::Relaxed => is_worth(&batches, &size, bounds),
        Urgency::Settle => !batches.is_empty(),
    };
    batches.sort_by_key(|entry| entry.summary.seq.0);
    due.then(|| Merge { inputs: take(batches.into_iter(), size, bounds) })
}

fn is_worth(batches: &[&Entry], size: impl Fn(&Entry) -> u64, bounds: &Bounds) -> bool {
    let rows: u64 = batches.iter().map(|entry| entry.summary.rows).sum();
    let bytes = || batches.iter().map(|entry| size(entry)).sum::<u64>();
    let projects = || batches.iter().flat_map(|entry| entry.summary.projects.iter().flat_map(BTreeMap::keys));
    let share = || rows >= FRESH_SHARE * projects().collect::<BTreeSet<_>>().len() as u64;
    rows >= bounds.fresh_rows
        || bytes() >= bounds.fresh_bytes
        || batches.len() >= bounds.most_batches
        || batches.len() >= bounds.fresh_batches && share()
}

fn tiers(entries: &[Entry], size: impl Fn(&Entry) -> u64, bounds: &Bounds) -> Option<Merge> {
    let mut classes: BTreeMap<(u64, Option<&str>), Vec<&Entry>> = BTreeMap::new();
    for entry in entries {
        let summary = &entry.summary;
        if let SourceId::Segment(_) = entry.id
            && summary.projects.is_some()
            && summary.rows < bounds.full_rows
            && size(entry) < bounds.full_bytes
        {
            classes.entry((class(summary.rows), summary.project())).or_default().push(entry);
        }
    }
    let mut group = classes.into_values().find(|group| group.len() >= FAN_IN)?;
    group.sort_by_key(|entry| entry.summary.seq.0);
    Some(Merge { inputs: take(group.into_iter(), size, bounds) })
}

// the first sources that fit into one step; at least one
fn take<'a>(entries: impl Iterator<Item = &'a Entry>, size: impl Fn(&Entry) -> u64, bounds: &Bounds) -> Vec<SourceId> {
    let (mut rows, mut bytes) = (0, 0);
    let mut inputs = Vec::new();
    for entry in entries {
        rows += entry.summary.rows;
        bytes += size(entry);
        if !inputs.is_empty() && (rows > bounds.step_rows || bytes > bounds.step_bytes) {
            break;
        }
        inputs.push(entry.id);
    }
    inputs
}
