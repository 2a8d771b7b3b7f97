//! Deletions and expiry as absence: which sources still hold what nobody sees, and what is left of one.

use super::{Bounds, Merge, Urgency, plan};
use crate::catalog::{Catalog, Deletion, Entry, Expiry, SourceId};
use crate::record::{Field, Stored};
use std::collections::BTreeMap;

/// Sources that nobody needs any more: they are dropped without being read.
pub fn gone(catalog: &Catalog) -> Vec<SourceId> {
    let gone = catalog.entries.iter().filter(|entry| catalog.is_gone(&entry.summary));
    gone.map(|entry| entry.id).collect()
}

/// The next of these sources that a deletion still has to be made physical in.
///
/// `erased` is of a source the number of the last deletion that was made physical in it: that of
/// [`Catalog::last_deletion`] when a segment was written, 0 of a batch. `size` is of an entry, in bytes.
pub fn erase(
    catalog: &Catalog,
    entries: &[Entry],
    erased: impl Fn(SourceId) -> u64,
    size: impl Fn(&Entry) -> u64,
    bounds: &Bounds,
) -> Option<Merge> {
    let pending = |entry: &&Entry| catalog.deletions.iter().any(|deletion| is_pending(deletion, entry, &erased));
    entries.iter().find(pending).and_then(|entry| rewrite(entry, entries, size, bounds))
}

/// The step that rewrites a source: a segment alone; a batch with all others, each alone would make a small segment of
/// every project in it. Batches are taken from the oldest, so that `entry` may take several steps.
pub fn rewrite(entry: &Entry, entries: &[Entry], size: impl Fn(&Entry) -> u64, bounds: &Bounds) -> Option<Merge> {
    match entry.id {
        SourceId::Batch(_) => plan(entries, size, Urgency::Settle, bounds),
        SourceId::Segment(_) => Some(Merge { inputs: vec![entry.id] }),
    }
}

/// Numbers of the deletions that hide nothing any more once `inputs` are rewritten: whatever is committed meanwhile is
/// younger. `erased` is as of [`erase`].
pub fn settled(catalog: &Catalog, erased: impl Fn(SourceId) -> u64, inputs: &[SourceId]) -> Vec<u64> {
    let rest: Vec<&Entry> = catalog.entries.iter().filter(|entry| !inputs.contains(&entry.id)).collect();
    let hides = |deletion: &Deletion| rest.iter().any(|entry| is_pending(deletion, entry, &erased));
    catalog.deletions.iter().filter(|deletion| !hides(deletion)).map(|deletion| deletion.id).collect()
}

// whether rows of the entry may still be hidden by the deletion
fn is_pending(deletion: &Deletion, entry: &Entry, erased: impl Fn(SourceId) -> u64) -> bool {
    erased(entry.id) < deletion.id && deletion.touches(&entry.summary)
}

/// Which rows of a source are kept when it is rewritten: those that are neither deleted nor expired.
#[derive(Clone, Debug)]
pub struct Survivors<'a> {
    deletions: Vec<&'a Deletion>,
    expiry: &'a Expiry,
}

impl<'a> Survivors<'a> {
    /// Of a source in this catalog.
    pub fn of(catalog: &'a Catalog, entry: &Entry) -> Self {
        let deletions = catalog.deletions.iter().map(|deletion| &**deletion);
        Self {
            deletions: deletions.filter(|deletion| deletion.touches(&entry.summary)).collect(),
            expiry: &catalog.expiry,
        }
    }

    /// Whether a row of the source is one.
    pub fn keep(&self, row: &Stored) -> bool {
        !self.expiry.hides(row) && !self.deletions.iter().any(|deletion| deletion.hides(row))
    }
}

/// Rows as segments want them: each project's by themselves, in no order yet; see [`sort`]. Where there are more than
/// [`MAX_ROWS`](crate::segment::MAX_ROWS) of one they become several segments.
pub fn by_project(rows: Vec<Stored>) -> Vec<Vec<Stored>> {
    let mut projects: BTreeMap<Option<String>, Vec<Stored>> = BTreeMap::new();
    for row in rows {
        let project = row.record.text(Field::Project);
        match projects.get_mut(&project.map(str::to_owned)) {
            Some(rows) => rows.push(row),
            None => drop(projects.insert(project.map(str::to_owned), vec![row])),
        }
    }
    projects.into_values().collect()
}

/// The order of rows in a segment: by time, then sequence.
pub fn sort(rows: &mut [Stored]) {
    rows.sort_unstable_by_key(|row| (row.record.time, row.id.seq()));
}
