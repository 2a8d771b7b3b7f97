//! Which sources are rewritten together, so that there are few segments however records trickle in.
//!
//! Segments of one project are in classes by rows, each class [`FAN_IN`] times the one before. As soon as a class has
//! [`FAN_IN`] segments they become one of a higher class, until a segment is full. So there are at most
//! [`most_segments`] of a project, and a row is written at most [`MOST_WRITES`] times as part of a segment.

use crate::catalog::{Entry, SourceId};
use crate::segment::MAX_ROWS;
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

/// Rows in batches from which a segment is written.
const FRESH_ROWS: u64 = 16 << 10;
/// Batches from which a segment is written, if it gets [`FRESH_SHARE`] rows: one is written of each project.
const FRESH_BATCHES: usize = 512;
/// Rows that each project of many should have gathered on average.
const FRESH_SHARE: u64 = 8;
/// Batches from which a segment is written, however few rows of however many projects they hold.
pub const MOST_BATCHES: usize = 4096;
/// Segments of one class that are merged into one of the next.
pub const FAN_IN: usize = 8;
/// Rows from which a segment is left as it is; two smaller ones fit into one.
const FULL: u64 = MAX_ROWS as u64 / 2;
/// Bytes from which it is, too: a step has all rows of what it merges in memory, bodies included.
const FULL_BYTES: u64 = 32 << 20;

/// How often a row is written as part of a segment at most: once from its batch, and once more from each class. Making
/// deletions and expiry physical comes on top, and where a segment is full of bytes before it is full of rows, a class may
/// take up to three steps.
pub const MOST_WRITES: u64 = 2 + class(FULL - 1);

/// The most segments of a project with so many rows and bytes once nothing is due: fewer than [`FAN_IN`] in each class,
/// and those that are full. 1 M rows of 100 bytes: 59.
pub const fn most_segments(rows: u64, bytes: u64) -> u64 {
    if rows == 0 {
        return 0;
    }
    let classes = if rows < FULL { 1 + class(rows) } else { 1 + class(FULL - 1) };
    (FAN_IN as u64 - 1) * classes + rows / FULL + bytes / FULL_BYTES
}

const fn class(rows: u64) -> u64 {
    if rows == 0 { 0 } else { rows.ilog(FAN_IN as u64) as u64 }
}

/// The next merge, if any is due. `size` is of an entry, in bytes.
pub fn plan(entries: &[Entry], size: impl Fn(&Entry) -> u64, urgency: Urgency) -> Option<Merge> {
    fresh(entries, &size, urgency).or_else(|| tiers(entries, &size))
}

/// All batches that fit into one step; `None` without any.
fn fresh(entries: &[Entry], size: impl Fn(&Entry) -> u64, urgency: Urgency) -> Option<Merge> {
    let mut batches: Vec<&Entry> = entries.iter().filter(|entry| matches!(entry.id, SourceId::Batch(_))).collect();
    let rows: u64 = batches.iter().map(|entry| entry.summary.rows).sum();
    let due = match urgency {
        Urgency::Relaxed => rows >= FRESH_ROWS || batches.len() >= FRESH_BATCHES && is_worth(&batches, rows),
        Urgency::Settle => !batches.is_empty(),
    };
    batches.sort_by_key(|entry| entry.summary.seq.0);
    due.then(|| Merge { inputs: take(batches.into_iter(), size) })
}

fn is_worth(batches: &[&Entry], rows: u64) -> bool {
    let projects = || batches.iter().flat_map(|entry| entry.summary.projects.iter().flat_map(BTreeMap::keys));
    batches.len() >= MOST_BATCHES || rows >= FRESH_SHARE * projects().collect::<BTreeSet<_>>().len() as u64
}

fn tiers(entries: &[Entry], size: impl Fn(&Entry) -> u64) -> Option<Merge> {
    let mut classes: BTreeMap<(u64, Option<&str>), Vec<&Entry>> = BTreeMap::new();
    for entry in entries {
        let summary = &entry.summary;
        if let (SourceId::Segment(_), Some(projects)) = (entry.id, &summary.projects)
            && summary.rows < FULL
            && size(entry) < FULL_BYTES
        {
            // one project a segment
            let project = projects.keys().next().map(String::as_str);
            classes.entry((class(summary.rows), project)).or_default().push(entry);
        }
    }
    let mut group = classes.into_values().find(|group| group.len() >= FAN_IN)?;
    group.sort_by_key(|entry| entry.summary.seq.0);
    Some(Merge { inputs: take(group.into_iter(), size) })
}

// The first sources up to one segment's rows and twice the bytes of a full one; at least one.
fn take<'a>(entries: impl Iterator<Item = &'a Entry>, size: impl Fn(&Entry) -> u64) -> Vec<SourceId> {
    let (mut rows, mut bytes) = (0, 0);
    let mut inputs = Vec::new();
    for entry in entries {
        rows += entry.summary.rows;
        bytes += size(entry);
        if !inputs.is_empty() && (rows > MAX_ROWS as u64 || bytes > 2 * FULL_BYTES) {
            break;
        }
        inputs.push(entry.id);
    }
    inputs
}
