//! Rewriting batches and small segments as larger segments, and deletions and expiry as absence.

use super::committer::Request;
use super::database::StoredSegment;
use super::forgetting;
use super::replacement::Replacement;
use super::retention::Halves;
use super::source::Unreadable;
use super::{Compaction, Fault, Shared, Snapshot, Store, run};
use rayon::prelude::*;
use reqlog_core::catalog::{Entry, SourceId};
use reqlog_core::compact::{self, Bounds, Merge, Survivors, Urgency};
use reqlog_core::record::Stored;
use reqlog_core::segment::{self, Builder, Built, Piece};
use std::collections::HashSet;
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
        self.take(|snapshot, entries| compact::plan(entries, |entry| snapshot.size(entry.id), urgency, &Bounds::SERVER))
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
        let gone = compact::gone(catalog);
        if !gone.is_empty() {
            // without reading it, whether or not it could be read
            let settled = compact::settled(catalog, |id| snapshot.erased(id), &gone);
            self.exchange(&snapshot, &[], gone, settled)?;
            self.removed = true;
            return Ok(true);
        }
        let entries: Vec<Entry> =
            catalog.entries.iter().filter(|entry| !self.avoided.contains(&entry.id)).cloned().collect();
        let size = |entry: &Entry| snapshot.size(entry.id);
        let erase = || compact::erase(catalog, &entries, |id| snapshot.erased(id), size, &Bounds::SERVER);
        let merge = plan(&snapshot, &entries).or_else(erase);
        let merge = merge.map_or_else(|| self.expire(&snapshot, &entries), Some);
        let inputs = merge.map(|merge| merge.inputs).unwrap_or_default();
        let settled = compact::settled(catalog, |id| snapshot.erased(id), &inputs);
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
                Ok(entry) => {
                    let size = |entry: &Entry| snapshot.size(entry.id);
                    return entry.and_then(|entry| compact::rewrite(entry, entries, size, &Bounds::SERVER));
                }
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
        let rows: Vec<Vec<Stored>> = entries
            .into_par_iter()
            .map(|entry| {
                let survivors = Survivors::of(snapshot.catalog(), entry);
                let mut rows = reader.rows(entry)?;
                rows.retain(|row| survivors.keep(row));
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
        let erased = snapshot.catalog().last_deletion();
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
    let mut projects = compact::by_project(rows);
    projects.par_iter_mut().for_each(|rows| compact::sort(rows));
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
