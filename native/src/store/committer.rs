//! The one thread that writes: it owns the database, gives out sequences, and publishes what is durable.
//!
//! Invariant: every commit's arrival is greater than the one before, also across restarts; see [`EntryId`].

use super::database::{self, Database, Head};
use super::ingest::{Content, Prepared, chunks};
use super::memory;
use super::{Fault, Shared};
use bytes::Bytes;
use reqlog_core::batch::{self, EncodedBatch};
use reqlog_core::catalog::Summary;
use reqlog_core::id::{EntryId, Seq};
use reqlog_core::identity::{Fresh, Memory};
use reqlog_core::record::Record;
use reqlog_core::retention::Retained;
use reqlog_core::sequencer::{Committed, Place};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender};

/// What the committer is asked for.
pub(super) enum Request {
    /// Records; those that wait together are committed together.
    Ingest(Prepared, SyncSender<Result<Committed, Fault>>),
    /// Any other change.
    Run(Box<dyn FnOnce(&mut Committer) + Send>),
    /// Empty the log and end, after everything that was asked before.
    Close(SyncSender<Result<(), Fault>>),
}

/// Owner of the database and of the head.
pub(super) struct Committer {
    pub(super) database: Database,
    pub(super) shared: Arc<Shared>,
    pub(super) retained: Retained,
    head: Head,
    memory: Memory,
}

// what one transaction takes at most; more waits for the next
const GROUP_ROWS: u64 = 256 << 10;
const GROUP_BYTES: u64 = 32 << 20;

type Waiting = (Prepared, SyncSender<Result<Committed, Fault>>);

impl Committer {
    pub(super) fn new(database: Database, shared: Arc<Shared>) -> Result<Self, Fault> {
        let (head, memory, retained) = (database.head()?, memory::load(&database)?, database.retained()?);
        shared.remembered.store(memory.len(), Ordering::Relaxed);
        Ok(Self { database, shared, retained, head, memory })
    }

    /// The highest sequence given out and the latest arrival.
    pub(super) fn last(&self) -> Option<EntryId> {
        self.head.last()
    }

    /// Serves until it is closed or nobody can ask any more.
    pub(super) fn run(mut self, inbox: &Receiver<Request>) {
        let mut held = None;
        while let Some(request) = held.take().or_else(|| inbox.recv().ok()) {
            match request {
                Request::Ingest(prepared, reply) => {
                    let group;
                    (group, held) = gather((prepared, reply), inbox);
                    self.commit(group);
                }
                Request::Run(work) => work(&mut self),
                Request::Close(reply) => {
                    let _ = reply.send(self.database.checkpoint());
                    break;
                }
            }
        }
    }

    fn commit(&mut self, group: Vec<Waiting>) {
        let (prepared, replies): (Vec<Prepared>, Vec<_>) = group.into_iter().unzip();
        let submitted: Vec<_> = prepared.iter().map(|prepared| prepared.submitted).collect();
        match self.store(prepared) {
            Ok(committed) => {
                self.shared.counters.committed(submitted.into_iter());
                for (reply, committed) in replies.iter().zip(committed) {
                    let _ = reply.send(Ok(committed));
                }
            }
            Err(fault) => {
                self.shared.counters.not_committed(&fault);
                for reply in replies {
                    let _ = reply.send(Err(fault.clone()));
                }
            }
        }
    }

    // one durable transaction
    fn store(&mut self, mut group: Vec<Prepared>) -> Result<Vec<Committed>, Fault> {
        let bytes: u64 = group.iter().map(Prepared::bytes).sum();
        if self.shared.dir.free()? < self.shared.options.reserve.saturating_add(bytes) {
            return Err(Fault::DiskFull);
        }
        // Strictly later than the last commit, so that a bound by arrival is a bound by sequence, and not before what a
        // reader took for now, so that a walk bounded by that moment stays as it is. More than a thousand commits a
        // second, or a clock that goes back, make it run ahead of the clock by as much.
        let clock = (self.shared.options.clock)().max(self.shared.told()).as_millis();
        let arrival = (self.head.arrival + 1).max(clock.max(0) as u64);
        let mut fresh = Fresh::default();
        let mut committed = Vec::with_capacity(group.len());
        let mut next = self.head.next;
        for prepared in &mut group {
            let duplicates = memory::sift(&self.memory, prepared, &mut fresh, arrival, &*self.shared.options.codec)?;
            let (first, rows) = (Seq::new(next).filter(|_| prepared.rows() > 0), prepared.rows());
            next += rows;
            committed.push(Committed { first, rows, duplicates, arrival_ms: arrival, source: None });
        }
        // an import is committed alone
        let import = group.first_mut().and_then(|prepared| prepared.import.take());
        let mut places = self.unknown(group.iter().flat_map(|prepared| &prepared.places));
        let first = self.head.next;
        let (batches, next) = self.place(group, first, arrival)?;
        let rows = (first < next).then(|| (first, next - 1));
        let head = Head { next, arrival };
        let remembered = &self.memory;
        let (row, source) = self.database.write(|tx| {
            for (summary, blob) in &batches {
                database::put_batch(tx, summary, blob)?;
            }
            for (project, environment) in &places {
                database::declare(tx, project, environment.as_deref())?;
            }
            database::put_head(tx, head)?;
            let source =
                import.map(|import| database::put_import(tx, import.scope, &import.progress, rows)).transpose()?;
            Ok((memory::write(remembered, tx, &fresh, arrival)?, source))
        })?;
        self.head = head;
        if let Some(row) = row {
            self.memory.adopt(row, fresh.hashes(), arrival);
        }
        if let Some(first) = committed.first_mut() {
            first.source = source;
        }
        if !places.is_empty() {
            let mut projects = (*self.shared.projects.get()).clone();
            while let Some((project, environment)) = places.pop_first() {
                projects.declare(&project, environment.as_deref());
            }
            self.shared.projects.set(projects);
        }
        self.shared.remembered.store(self.memory.len(), Ordering::Relaxed);
        let snapshot = self.shared.snapshot.get().with_batches(batches, self.last());
        self.shared.publish(snapshot);
        Ok(committed)
    }

    fn unknown<'a>(&self, places: impl Iterator<Item = &'a Place>) -> BTreeSet<Place> {
        let known = self.shared.projects.get();
        let is_known = |(project, environment): &Place| {
            known.environments(project).is_some_and(|all| environment.as_ref().is_none_or(|name| all.contains(name)))
        };
        places.filter(|place| !is_known(place)).cloned().collect()
    }

    // batches with their sequences, and the next free one
    fn place(&self, group: Vec<Prepared>, first: u64, arrival: u64) -> Result<(Vec<(Summary, Bytes)>, u64), Fault> {
        let mut placed = Placing { batches: Vec::new(), next: first, arrival };
        let mut few: Vec<Record> = Vec::new();
        for prepared in group {
            match prepared.content {
                Content::Few(records) => few.extend(records),
                Content::Encoded(batches) => {
                    placed.merge(&mut few, &self.shared)?;
                    batches.into_iter().try_for_each(|batch| placed.add(batch))?;
                }
            }
        }
        placed.merge(&mut few, &self.shared)?;
        Ok((placed.batches, placed.next))
    }
}

struct Placing {
    batches: Vec<(Summary, Bytes)>,
    next: u64,
    arrival: u64,
}

impl Placing {
    fn add(&mut self, batch: EncodedBatch) -> Result<(), Fault> {
        let first = Seq::new(self.next);
        let summary = first.and_then(|first| batch.draft.place(first, self.arrival));
        let summary = summary.ok_or_else(|| Fault::Failed("every sequence has been given out".into()))?;
        self.next += batch.rows;
        self.batches.push((summary, batch.blob.into()));
        Ok(())
    }

    fn merge(&mut self, few: &mut Vec<Record>, shared: &Shared) -> Result<(), Fault> {
        let batches = chunks(few).into_iter().filter_map(|chunk| batch::encode(chunk, &*shared.options.codec));
        batches.collect::<Vec<_>>().into_iter().try_for_each(|batch| self.add(batch))?;
        few.clear();
        Ok(())
    }
}

// what waits already, up to one transaction's worth, and the request after it that cannot be part of it: an import is
// committed alone, so that one that is out of step with the memory of its source fails alone
fn gather(first: Waiting, inbox: &Receiver<Request>) -> (Vec<Waiting>, Option<Request>) {
    let (mut rows, mut bytes) = (first.0.rows(), first.0.bytes());
    let mut group = vec![first];
    while rows < GROUP_ROWS && bytes < GROUP_BYTES && group[0].0.import.is_none() {
        match inbox.try_recv() {
            Ok(Request::Ingest(prepared, reply)) if prepared.import.is_none() => {
                rows += prepared.rows();
                bytes += prepared.bytes();
                group.push((prepared, reply));
            }
            Ok(other) => return (group, Some(other)),
            Err(_) => break,
        }
    }
    (group, None)
}
