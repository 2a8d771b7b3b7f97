//! Which sources are rewritten together, so that there are few segments however records trickle in.

use crate::catalog::{Entry, SourceId};
use crate::segment::MAX_ROWS;

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
/// Batches from which a segment is written, however few rows they hold.
const FRESH_BATCHES: usize = 512;
/// Segments of one size class that are merged into one of the next.
const FAN_IN: usize = 8;

/// The next merge, if any is due. Rows are rewritten once for each size class: about log₈ of a segment's rows.
pub fn plan(entries: &[Entry], urgency: Urgency) -> Option<Merge> {
    fresh(entries, urgency).or_else(|| tiers(entries))
}

fn fresh(entries: &[Entry], urgency: Urgency) -> Option<Merge> {
    let mut batches: Vec<&Entry> = entries.iter().filter(|entry| matches!(entry.id, SourceId::Batch(_))).collect();
    batches.sort_by_key(|entry| entry.summary.seq.0);
    let rows: u64 = batches.iter().map(|entry| entry.summary.rows).sum();
    let due = match urgency {
        Urgency::Relaxed => rows >= FRESH_ROWS || batches.len() >= FRESH_BATCHES,
        Urgency::Settle => !batches.is_empty(),
    };
    due.then(|| Merge { inputs: take_rows(batches.into_iter()) })
}

fn tiers(entries: &[Entry]) -> Option<Merge> {
    let class = |entry: &Entry| entry.summary.rows.max(1).ilog(FAN_IN as u64);
    let mut segments: Vec<&Entry> = entries.iter().filter(|entry| matches!(entry.id, SourceId::Segment(_))).collect();
    // One project a segment, so that neighbours here are of one project.
    let project = |entry: &Entry| entry.summary.projects.as_ref().and_then(|map| map.keys().next().cloned());
    segments.sort_by_key(|entry| (project(entry), class(entry), entry.summary.seq.0));
    segments
        .chunk_by(|a, b| (project(a), class(a)) == (project(b), class(b)))
        .filter(|group| group.len() >= FAN_IN && group[0].summary.rows < MAX_ROWS as u64)
        .map(|group| take_rows(group.iter().copied()))
        .find(|inputs| inputs.len() >= 2)
        .map(|inputs| Merge { inputs })
}

// The first sources up to one segment's rows; at least one.
fn take_rows<'a>(entries: impl Iterator<Item = &'a Entry>) -> Vec<SourceId> {
    let mut rows = 0;
    let mut inputs = Vec::new();
    for entry in entries {
        if !inputs.is_empty() && rows + entry.summary.rows > MAX_ROWS as u64 {
            break;
        }
        rows += entry.summary.rows;
        inputs.push(entry.id);
    }
    inputs
}
