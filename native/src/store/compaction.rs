//! Rewriting batches and small segments as larger segments, and deletions and expiry as absence.

use super::committer::Request;
use super::database::StoredSegment;
use super::forgetting;
use super::replacement::Replacement;
use super::retention::Halves;
use super::source::Unreadable;
use super::{Compaction, Fault, Shared, Snapshot, Store, run};
use rayon::prelude::*;
use reqlog_core::catalog::{Deletion, Entry, SourceId, Verdict};
use reqlog_core::compact::{self, Merge, Urgency};
use reqlog_core::record::{Field, Stored};
use reqlog_core::segment::{self, Builder, Built, Piece};
use std::collections::{BTreeMap, HashSet};
use std::sync::mpsc::Sender;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// Takes one step after another; steps never overlap.
pub(super) struct Compactor {
    shared: Arc<Shared>,
    requests: Sender<Request>,
    // sources that could not be read: left as they are, for `doctor`
    avoided: HashSet<SourceId>,
    halves: Halves,
    // rows were removed since imports were last forgotten
    removed: bool,
}

// an import that submits nothing for so long is no reason to wait
pub(super) const LULL: Duration = Duration::from_secs(1);
// after a step that failed for want of space or luck
const PAUSE: Duration = Duration::from_secs(10);

impl Store {
    /// Compacts until everything is in segments, deletions are physical, and retention has nothing to free.
    pub fn compact_now(&self) -> Result<(), Fault> {
        let mut compactor = Compactor::new(self.inner.shared.clone(), self.inner.requests.clone());
        while compactor.step(Urgency::Settle)? {}
        compactor.tidy()
    }

    /// One step of [`Self::compact_now`], of those that can be told apart from outside; whether anything was left to do.
    pub fn compact_step(&self) -> Result<bool, Fault> {
        Compactor::new(self.inner.shared.clone(), self.inner.requests.clone()).step(Urgency::Settle)
    }
}

impl Compactor {
    pub(super) fn new(shared: Arc<Shared>, requests: Sender<Request>) -> Self {
        Self { shared, requests, avoided: HashSet::new(), halves: Halves::default(), removed: true }
    }

    /// Compacts whatever becomes due until the store closes.
    pub(super) fn run(mut self) {
        debug_assert_eq!(self.shared.options.compaction, Compaction::Background);
        // the run before may have ended before it tidied up
        let mut idle = false;
        loop {
            let seen = {
                let state = self.shared.state();
                if state.closing {
                    return;
                }
                state.version
            };
            if self.gives_way() {
                self.wait(seen, LULL);
                continue;
            }
            match self.step(Urgency::Relaxed) {
                Ok(true) => idle = false,
                Ok(false) => {
                    if !std::mem::replace(&mut idle, true)
                        && let Err(fault) = self.tidy()
                    {
                        tracing::warn!("tidying the catalog: {fault}");
                    }
                    self.wait(seen, Duration::MAX);
                }
                Err(Fault::Closed) => return,
                Err(fault) => {
                    tracing::error!("compaction: {fault}");
                    self.wait(u64::MAX, PAUSE);
                }
            }
        }
    }

    // An import takes every core, and what it commits meanwhile is rewritten once instead of once for each size class.
    // It may fill half of the backlog: ingestion that had to wait for compaction would gain nothing.
    pub(super) fn gives_way(&self) -> bool {
        let imports = self.shared.state().importing.is_some_and(|last| last.elapsed() < LULL);
        imports && self.shared.snapshot.get().backlog() <= self.shared.options.backlog / 2
    }

    // until another version than `seen` is published, the store closes, or time is up
    fn wait(&self, seen: u64, most: Duration) {
        let state = self.shared.state();
        let unchanged = |state: &mut super::State| !state.closing && (state.version == seen || seen == u64::MAX);
        if most == Duration::MAX {
            drop(self.shared.changed.wait_while(state, unchanged).unwrap_or_else(PoisonError::into_inner));
        } else {
            drop(self.shared.changed.wait_timeout_while(state, most, unchanged));
        }
    }

    /// Gives back what the catalog database no longer needs.
    pub(super) fn tidy(&mut self) -> Result<(), Fault> {
        if std::mem::take(&mut self.removed) {
            forgetting::forget(&self.shared, &self.requests)?;
        }
        run(&self.requests, |committer| committer.database.tidy())
    }

    /// Does what is due, if anything is.
    fn step(&mut self, urgency: Urgency) -> Result<bool, Fault> {
        self.take(|snapshot, entries| compact::plan(entries, |entry| snapshot.size(entry.id), urgency))
    }

    /// Removes what deletions and retention have hidden, as far as that is due.
    pub(super) fn free(&mut self) -> Result<bool, Fault> {
        self.take(|_, _| None)
    }

    // one step: what nobody sees any more goes first, then `plan` says, then deletions and retention do
    fn take(&mut self, plan: impl FnOnce(&Snapshot, &[Entry]) -> Option<Merge>) -> Result<bool, Fault> {
        let shared = self.shared.clone();
        let _alone = shared.compacting.lock().unwrap_or_else(PoisonError::into_inner);
        let snapshot = shared.snapshot.get();
        let catalog = snapshot.catalog();
        let gone: Vec<SourceId> =
            catalog.entries.iter().filter(|entry| catalog.is_gone(&entry.summary)).map(|entry| entry.id).collect();
        if !gone.is_empty() {
            // without reading it, whether or not it could be read
            let settled = settled(&snapshot, &gone);
            self.exchange(&snapshot, &[], gone, settled)?;
            self.removed = true;
            return Ok(true);
        }
        let entries: Vec<Entry> =
            catalog.entries.iter().filter(|entry| !self.avoided.contains(&entry.id)).cloned().collect();
        let merge = plan(&snapshot, &entries).or_else(|| erase(&snapshot, &entries));
        let merge = merge.map_or_else(|| self.expire(&snapshot, &entries), Some);
        let inputs = merge.map(|merge| merge.inputs).unwrap_or_default();
        let settled = settled(&snapshot, &inputs);
        if inputs.is_empty() && settled.is_empty() {
            return Ok(false);
        }
        let began = Instant::now();
        match self.rows(&snapshot, &inputs) {
            Ok(rows) => {
                let count = rows.len() as u64;
                let before = inputs.iter().filter_map(|id| snapshot.entry(*id)).map(|entry| entry.summary.rows);
                self.removed |= count < before.sum();
                let built = build(rows, &shared);
                let exchanged = self.exchange(&snapshot, &built, inputs, settled);
                match &exchanged {
                    Ok(()) => shared.counters.compacted(count, began.elapsed()),
                    // the store ends, and nothing is wrong with it
                    Err(Fault::Closed) => {}
                    Err(_) => shared.counters.not_compacted(),
                }
                exchanged?;
            }
            Err(Unreadable { source, fault }) => {
                tracing::error!("not compacted: {fault}");
                shared.counters.not_compacted();
                self.avoided.insert(source);
            }
        }
        Ok(true)
    }

    // what retention needs rewritten
    fn expire(&mut self, snapshot: &Snapshot, entries: &[Entry]) -> Option<Merge> {
        loop {
            let readable = entries.iter().filter(|entry| !self.avoided.contains(&entry.id));
            match self.halves.next(&self.shared, snapshot, readable) {
                Ok(entry) => return entry.and_then(|entry| rewrite(snapshot, entry, entries)),
                Err(Unreadable { source, fault }) => {
                    tracing::error!("retention: {fault}");
                    self.avoided.insert(source);
                }
            }
        }
    }

    // the rows of the inputs that are neither deleted nor expired
    fn rows(&self, snapshot: &Snapshot, inputs: &[SourceId]) -> Result<Vec<Stored>, Unreadable> {
        let reader = super::source::Reader { cache: None, ..self.shared.reader(snapshot) };
        let entries: Vec<&Entry> = inputs.iter().filter_map(|id| snapshot.entry(*id)).collect();
        let (deletions, expiry) = (&snapshot.catalog().deletions, &snapshot.catalog().expiry);
        let rows: Vec<Vec<Stored>> = entries
            .into_par_iter()
            .map(|entry| {
                let touching: Vec<&Deletion> =
                    deletions.iter().map(|deletion| &**deletion).filter(|deletion| touches(deletion, entry)).collect();
                let mut rows = reader.rows(entry)?;
                rows.retain(|row| !expiry.hides(row) && !touching.iter().any(|deletion| is_deleted(row, deletion)));
                Ok(rows)
            })
            .collect::<Result<_, Unreadable>>()?;
        Ok(rows.into_iter().flatten().collect())
    }

    fn exchange(
        &self,
        snapshot: &Snapshot,
        built: &[Built],
        removed: Vec<SourceId>,
        settled: Vec<u64>,
    ) -> Result<(), Fault> {
        let erased = snapshot.catalog().deletions.iter().map(|deletion| deletion.id).max().unwrap_or(0);
        let dir = &self.shared.dir;
        let gone = dir.take_unlinked();
        let count = built.len();
        let ids = if count == 0 { Vec::new() } else { run(&self.requests, move |committer| committer.reserve(count))? };
        let written = ids.iter().zip(built).map(|(id, built)| dir.write_segment(*id, &built.bytes));
        if let Err(fault) = written.collect::<Result<(), _>>().and_then(|()| dir.sync_segments()) {
            for id in ids {
                dir.discard(id);
            }
            return Err(fault);
        }
        let added = ids.iter().zip(built).map(|(&id, built)| StoredSegment {
            id,
            size: built.bytes.len() as u64,
            erased,
            summary: Arc::new(built.summary.clone()),
        });
        let replacement = Replacement { added: added.collect(), removed, settled, gone };
        // the files stay even if this fails: a commit that could not be synced may yet turn out to be durable
        run(&self.requests, move |committer| committer.replace(replacement))
    }
}

// one segment or more of each project, rows by (time, sequence)
pub(super) fn build(rows: Vec<Stored>, shared: &Shared) -> Vec<Built> {
    let mut projects: BTreeMap<Option<String>, Vec<Stored>> = BTreeMap::new();
    for row in rows {
        let project = row.record.text(Field::Project);
        match projects.get_mut(&project.map(str::to_owned)) {
            Some(rows) => rows.push(row),
            None => {
                projects.insert(project.map(str::to_owned), vec![row]);
            }
        }
    }
    let mut projects: Vec<Vec<Stored>> = projects.into_values().collect();
    projects.par_iter_mut().for_each(|rows| rows.sort_unstable_by_key(|row| (row.record.time, row.id.seq())));
    let chunks: Vec<&[Stored]> = projects.iter().flat_map(|rows| rows.chunks(segment::MAX_ROWS)).collect();
    let codec = &*shared.options.codec;
    let build = |rows| {
        let builder = Builder::new(rows)?;
        let pieces: Vec<Piece> =
            (0..builder.pieces()).into_par_iter().with_max_len(1).map(|at| builder.piece(at, codec)).collect();
        Some(builder.finish(&pieces))
    };
    chunks.into_iter().filter_map(build).collect()
}

fn touches(deletion: &Deletion, entry: &Entry) -> bool {
    entry.summary.seq.0 <= deletion.head && entry.summary.judge(&deletion.filter) != Verdict::Never
}

fn is_deleted(row: &Stored, deletion: &Deletion) -> bool {
    row.id.seq() <= deletion.head && deletion.filter.matches_stored(row)
}

// whether rows of the entry may still be hidden by the deletion
fn is_pending(snapshot: &Snapshot, deletion: &Deletion, entry: &Entry) -> bool {
    let erased = match entry.id {
        SourceId::Batch(_) => 0,
        SourceId::Segment(id) => snapshot.segment(id).map_or(0, |file| file.erased()),
    };
    erased < deletion.id && touches(deletion, entry)
}

/// The next source that a deletion still has to be made physical in.
fn erase(snapshot: &Snapshot, entries: &[Entry]) -> Option<Merge> {
    let deletions = &snapshot.catalog().deletions;
    let pending = |entry: &&Entry| deletions.iter().any(|deletion| is_pending(snapshot, deletion, entry));
    entries.iter().find(pending).and_then(|entry| rewrite(snapshot, entry, entries))
}

// A segment alone. A batch with all others: each alone would make a small segment of every project in it.
fn rewrite(snapshot: &Snapshot, entry: &Entry, entries: &[Entry]) -> Option<Merge> {
    match entry.id {
        SourceId::Batch(_) => compact::plan(entries, |entry| snapshot.size(entry.id), Urgency::Settle),
        SourceId::Segment(_) => Some(Merge { inputs: vec![entry.id] }),
    }
}

/// Deletions that hide nothing any more once `inputs` are rewritten: whatever is committed meanwhile is younger.
fn settled(snapshot: &Snapshot, inputs: &[SourceId]) -> Vec<u64> {
    let catalog = snapshot.catalog();
    let hides = |deletion: &Deletion| {
        let rest = catalog.entries.iter().filter(|entry| !inputs.contains(&entry.id));
        rest.into_iter().any(|entry| is_pending(snapshot, deletion, entry))
    };
    catalog.deletions.iter().filter(|deletion| !hides(deletion)).map(|deletion| deletion.id).collect()
}
