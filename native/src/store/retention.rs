//! Retention: what has expired is hidden within a second, and compaction is told what to free.
//!
//! What that is, [`retention`] decides; here are the clock, the reads and the transaction.

use super::committer::{Committer, Request};
use super::compaction::Compactor;
use super::database;
use super::source::Unreadable;
use super::{Fault, Shared, Snapshot, Store, run};
use reqlog_core::catalog::{Catalog, Entry, Expiry, SourceId};
use reqlog_core::id::Seq;
use reqlog_core::retention::{self, Look};
use std::collections::HashMap;
use std::sync::mpsc::Sender;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// How often it is found out what has expired: a record is hidden within a second.
const TICK: Duration = Duration::from_millis(500);
/// Segments that are looked into at each tick for the last hidden row; of more, their summaries have to do.
const LOOKS: usize = 16;

impl Store {
    /// Hides what has expired by the store's clock, and frees what that allows: every limit of bytes holds afterwards.
    /// A store that compacts in the background does this by itself.
    pub fn retain_now(&self) -> Result<(), Fault> {
        let shared = &self.inner.shared;
        let mut compactor = Compactor::new(shared.clone(), self.inner.requests.clone());
        loop {
            tick(shared, &self.inner.requests)?;
            let mut freed = false;
            while compactor.free()? {
                freed = true;
            }
            if !freed {
                return compactor.tidy();
            }
        }
    }
}

/// Hides what expires until the store closes.
pub(super) fn watch(shared: &Shared, requests: &Sender<Request>) {
    loop {
        match tick(shared, requests) {
            Err(Fault::Closed) => return,
            Err(fault) => tracing::error!("retention: {fault}"),
            Ok(()) => {}
        }
        let state = shared.state();
        let going = shared.changed.wait_timeout_while(state, TICK, |state| !state.closing);
        if going.unwrap_or_else(PoisonError::into_inner).0.closing {
            return;
        }
    }
}

/// Hides what has expired by now.
pub(super) fn tick(shared: &Shared, requests: &Sender<Request>) -> Result<(), Fault> {
    if shared.options.retention.is_endless() {
        return Ok(());
    }
    // so that two of them do not cut the same bytes twice
    let _alone = shared.retaining.lock().unwrap_or_else(PoisonError::into_inner);
    let snapshot = shared.snapshot.get();
    let catalog = snapshot.catalog();
    // what arrives from now on is above every horizon, also after the clock was set back
    let now = shared.now().as_millis().max(0) as u64;
    let cuts = cuts(shared, &snapshot);
    let expiry = catalog.expiry.max(&shared.options.retention.by_age(now)).max(&cuts);
    let Some(expired) = retention::hidden(catalog, &expiry, look(shared, &snapshot)) else { return Ok(()) };
    run(requests, move |committer| committer.expire(&expiry, &cuts, expired))
}

/// Hides what expired while nobody looked, before anybody reads.
pub(super) fn wake(shared: &Shared) {
    let snapshot = shared.snapshot.get();
    let woken = retention::wake(&shared.options.retention, snapshot.catalog(), shared.now(), look(shared, &snapshot));
    shared.snapshot.set(snapshot.with_catalog(woken));
}

// into at most so many sources
fn look<'a>(shared: &'a Shared, snapshot: &'a Snapshot) -> impl FnMut(&Entry) -> Look + 'a {
    let mut looks = 0;
    move |entry| {
        looks += 1;
        match entry.id {
            _ if looks > LOOKS => Look::Spared,
            SourceId::Batch(_) => shared.reader(snapshot).rows(entry).map_or(Look::Unreadable, Look::Rows),
            SourceId::Segment(_) => columns(shared, snapshot, entry).map_or(Look::Unreadable, Look::Columns),
        }
    }
}

/// The horizons of projects that exceed their bytes; everything else has none.
fn cuts(shared: &Shared, snapshot: &Snapshot) -> Expiry {
    let size = |entry: &Entry| snapshot.size(entry.id);
    let look = |entry: &Entry| {
        let mut arrivals = arrivals(shared, snapshot, entry).ok()?;
        arrivals.sort_unstable();
        Some(arrivals)
    };
    retention::cuts(&shared.options.retention, snapshot.catalog(), size, look)
}

/// The arrivals of a source's rows; for segments, and for batches, which have one arrival.
fn arrivals(shared: &Shared, snapshot: &Snapshot, entry: &Entry) -> Result<Vec<u64>, Unreadable> {
    Ok(columns(shared, snapshot, entry)?.into_iter().map(|(arrival, _)| arrival).collect())
}

/// Arrival and sequence of each row.
fn columns(shared: &Shared, snapshot: &Snapshot, entry: &Entry) -> Result<Vec<(u64, u64)>, Unreadable> {
    let reader = shared.reader(snapshot);
    let unreadable = |fault| Unreadable { source: entry.id, fault };
    let part = |id| reader.part(entry.id, id).map_err(unreadable);
    let [arrival, seq] = retention::COLUMNS;
    let columns = retention::columns(entry.summary.rows, [&*part(arrival)?, &*part(seq)?]);
    columns.ok_or_else(|| unreadable(Fault::Corrupt(format!("{:?} lacks arrivals or sequences", entry.id))))
}

/// By when half of which segment had arrived, once that was looked up.
#[derive(Default)]
pub(super) struct Halves(HashMap<u64, u64>);

impl Halves {
    /// The next source that has to be rewritten for what has expired in it.
    pub(super) fn next<'a>(
        &mut self,
        shared: &Shared,
        snapshot: &Snapshot,
        entries: impl Iterator<Item = &'a Entry>,
    ) -> Result<Option<&'a Entry>, Unreadable> {
        let size = |entry: &Entry| snapshot.size(entry.id);
        let half = |entry: &Entry| self.of(shared, snapshot, entry);
        let due = retention::due(&shared.options.retention, snapshot.catalog(), entries, size, half)?;
        if due.is_none() {
            self.0.retain(|id, _| snapshot.segment(*id).is_some());
        }
        Ok(due)
    }

    fn of(&mut self, shared: &Shared, snapshot: &Snapshot, entry: &Entry) -> Result<u64, Unreadable> {
        let SourceId::Segment(id) = entry.id else { return Ok(entry.summary.arrival.0) };
        if let Some(half) = self.0.get(&id) {
            return Ok(*half);
        }
        let half = retention::half(arrivals(shared, snapshot, entry)?).unwrap_or(entry.summary.arrival.1);
        Ok(*self.0.entry(id).or_insert(half))
    }
}

impl Committer {
    /// Hides rows, durably where nothing else would tell of it later.
    fn expire(&mut self, expiry: &Expiry, cuts: &Expiry, expired: Seq) -> Result<(), Fault> {
        let old = self.shared.snapshot.get();
        let mut catalog: Catalog = (**old.catalog()).clone();
        // a walk that began before the clock was set back is to hear of it
        catalog.expired.add(self.shared.now().max(self.shared.told()), expired);
        catalog.expiry = Arc::new(catalog.expiry.max(expiry));
        if let Some(retained) = self.retained.cut(&catalog, cuts) {
            self.database.write(|tx| database::put_retained(tx, &retained))?;
            self.retained = retained;
        }
        self.shared.publish(old.with_catalog(catalog));
        Ok(())
    }
}

impl Snapshot {
    /// Bytes of segments and batches that hold a project's records, by rows where a batch has several projects'.
    pub fn project_bytes(&self, project: &str) -> u64 {
        let held = retention::held(&self.catalog().entries, |entry| self.size(entry.id));
        held.get(&Some(project.to_owned())).map_or(0, |parts| parts.iter().map(|(_, part)| part.bytes).sum())
    }
}
