//! Retention: what has expired is hidden within a second, and compaction is told what to free.
//!
//! A limit of age moves with the clock. A limit of bytes cuts a project back to nine tenths once its segments and batches
//! exceed it ([`retention::cut`]); such a cut is durable, because the bytes alone would not tell of it after a restart.

use super::committer::{Committer, Request};
use super::compaction::Compactor;
use super::database::{self, Retained};
use super::source::Unreadable;
use super::{Fault, Shared, Snapshot, Store, run};
use reqlog_core::catalog::{Catalog, Entry, Expiry, SourceId};
use reqlog_core::filter::{Number, Predicate};
use reqlog_core::id::Seq;
use reqlog_core::retention::{self, Cut, Held};
use reqlog_core::segment::{Part, PartId};
use std::collections::{BTreeSet, HashMap};
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
    let Some(expired) = hidden(shared, &snapshot, &expiry) else { return Ok(()) };
    run(requests, move |committer| committer.expire(&expiry, &cuts, expired))
}

/// Hides what expired while nobody looked, before anybody reads.
pub(super) fn wake(shared: &Shared) {
    let snapshot = shared.snapshot.get();
    let mut catalog = (**snapshot.catalog()).clone();
    let now = shared.now();
    let expiry = catalog.expiry.max(&shared.options.retention.by_age(now.as_millis().max(0) as u64));
    // cuts that were made before are known already
    let before = Catalog { expiry: Arc::default(), ..catalog.clone() };
    let hidden = hidden(shared, &snapshot.with_catalog(before), &expiry);
    hidden.into_iter().for_each(|last| catalog.expired.add(now, last));
    catalog.expiry = Arc::new(expiry);
    shared.snapshot.set(snapshot.with_catalog(catalog));
}

/// The horizons of projects that exceed their bytes; everything else has none.
fn cuts(shared: &Shared, snapshot: &Snapshot) -> Expiry {
    let limits = &shared.options.retention;
    let catalog = snapshot.catalog();
    let mut cuts = Expiry::default();
    if !limits.limits_bytes() {
        return cuts;
    }
    // what no reader sees any more is dropped without a cut
    let live: Vec<Entry> = catalog.entries.iter().filter(|entry| !catalog.is_gone(&entry.summary)).cloned().collect();
    for (project, parts) in retention::held(&live, |entry| snapshot.size(entry.id)) {
        let Some(limit) = limits.limits(project.as_deref()).bytes else { continue };
        let (entries, mut held): (Vec<&Entry>, Vec<Held>) = parts.into_iter().unzip();
        let horizon = loop {
            match retention::cut(&held, limit) {
                Cut::None => break 0,
                Cut::Before(horizon) => break horizon,
                Cut::Look(places) => {
                    for at in places {
                        // one that cannot be read goes with its last row
                        let known = arrivals(shared, snapshot, entries[at]);
                        held[at].arrivals = Some(known.unwrap_or_else(|_| vec![held[at].arrival.1]));
                    }
                }
            }
        };
        match project {
            _ if horizon == 0 => {}
            Some(name) => drop(cuts.projects.insert(name, horizon)),
            None => cuts.unnamed = horizon,
        }
    }
    cuts
}

/// The arrivals of a source's rows, ascending; for segments, and for batches, which have one arrival.
fn arrivals(shared: &Shared, snapshot: &Snapshot, entry: &Entry) -> Result<Vec<u64>, Unreadable> {
    let mut arrivals: Vec<u64> = columns(shared, snapshot, entry)?.into_iter().map(|(arrival, _)| arrival).collect();
    arrivals.sort_unstable();
    Ok(arrivals)
}

/// Arrival and sequence of each row.
fn columns(shared: &Shared, snapshot: &Snapshot, entry: &Entry) -> Result<Vec<(u64, u64)>, Unreadable> {
    let reader = shared.reader(snapshot);
    let column = |id| {
        let part = reader.part(entry.id, id).map_err(|fault| Unreadable { source: entry.id, fault })?;
        let value = |row| if let Part::Ints(ints) = &*part { ints.get(row) } else { None };
        let values: Option<Vec<u64>> = (0..entry.summary.rows as usize).map(|row| Some(value(row)? as u64)).collect();
        let fault = || Fault::Corrupt(format!("{:?} has no {id:?}", entry.id));
        values.ok_or_else(|| Unreadable { source: entry.id, fault: fault() })
    };
    Ok(column(PartId::Arrival)?.into_iter().zip(column(PartId::Number(Number::Seq))?).collect())
}

/// The highest sequence that `expiry` hides or that retention has removed; `None` if `expiry` hides no more than before.
fn hidden(shared: &Shared, snapshot: &Snapshot, expiry: &Expiry) -> Option<Seq> {
    let catalog = snapshot.catalog();
    let mut touched: Vec<&Entry> = catalog.entries.iter().filter(|entry| expiry.of(&entry.summary).is_some()).collect();
    if touched.iter().all(|entry| expiry.of(&entry.summary) == catalog.expiry.of(&entry.summary)) {
        return None;
    }
    touched.sort_by_key(|entry| std::cmp::Reverse(entry.summary.seq.1));
    let (mut most, mut looks) = (catalog.expired.highest(), 0);
    for entry in touched {
        let last = entry.summary.seq.1;
        if most.is_some_and(|most| last <= most) {
            break;
        }
        let is_whole = expiry.of(&entry.summary) == Some(Predicate::ALL);
        looks += usize::from(!is_whole);
        let hidden = if is_whole {
            Some(last)
        } else if looks <= LOOKS {
            last_hidden(shared, snapshot, entry, expiry)
        } else {
            Some(last.min(bound(catalog, expiry)))
        };
        most = most.max(hidden);
    }
    most
}

// a sequence that no hidden row exceeds: sequences grow as arrivals do
fn bound(catalog: &Catalog, expiry: &Expiry) -> Seq {
    let latest = expiry.projects.values().copied().fold(expiry.unnamed.max(expiry.others), u64::max);
    let young = catalog.entries.iter().filter(|entry| entry.summary.arrival.0 >= latest);
    young.map(|entry| entry.summary.seq.0).min().unwrap_or(Seq::MAX)
}

fn last_hidden(shared: &Shared, snapshot: &Snapshot, entry: &Entry, expiry: &Expiry) -> Option<Seq> {
    let found = match entry.id {
        SourceId::Batch(_) => shared.reader(snapshot).rows(entry).map(|rows| {
            let hidden = rows.iter().filter(|row| expiry.hides(row)).map(|row| row.id.seq());
            hidden.max()
        }),
        SourceId::Segment(_) => columns(shared, snapshot, entry).map(|rows| {
            let horizon = expiry.horizon(project(entry));
            let hidden = rows.into_iter().filter(|(arrival, _)| *arrival < horizon).map(|(_, seq)| seq);
            hidden.max().and_then(Seq::new)
        }),
    };
    // of one that cannot be read, nobody reads on
    found.unwrap_or(Some(entry.summary.seq.0))
}

/// The project of a segment.
fn project(entry: &Entry) -> Option<&str> {
    entry.summary.projects.as_ref().and_then(|counts| counts.keys().next()).map(String::as_str)
}

/// When which segment is half expired, once that was looked up.
#[derive(Default)]
pub(super) struct Halves(HashMap<u64, u64>);

impl Halves {
    /// The next source that has to be rewritten for what has expired in it: half of its rows, or any while its project
    /// exceeds its bytes. What has expired as a whole is no concern of this.
    pub(super) fn next<'a>(
        &mut self,
        shared: &Shared,
        snapshot: &Snapshot,
        entries: impl Iterator<Item = &'a Entry>,
    ) -> Result<Option<&'a Entry>, Unreadable> {
        let catalog = snapshot.catalog();
        let touched = |entry: &&Entry| catalog.expiry.of(&entry.summary).is_some();
        let mut over = None;
        for entry in entries.filter(touched) {
            let over = over.get_or_insert_with(|| exceeding(shared, snapshot));
            if self.is_half(shared, snapshot, entry)? || is_any(entry, over, catalog) {
                return Ok(Some(entry));
            }
        }
        self.0.retain(|id, _| snapshot.segment(*id).is_some());
        Ok(None)
    }

    fn is_half(&mut self, shared: &Shared, snapshot: &Snapshot, entry: &Entry) -> Result<bool, Unreadable> {
        let (summary, expiry) = (&entry.summary, &snapshot.catalog().expiry);
        let SourceId::Segment(id) = entry.id else {
            let counts = summary.projects.iter().flatten();
            let gone = counts.filter(|(name, _)| summary.arrival.0 < expiry.horizon(Some(name)));
            return Ok(2 * gone.map(|(_, rows)| rows).sum::<u64>() >= summary.rows);
        };
        let half = if let Some(half) = self.0.get(&id) {
            *half
        } else {
            let arrivals = arrivals(shared, snapshot, entry)?;
            // a source has at least one row
            *self.0.entry(id).or_insert(arrivals[(arrivals.len() - 1) / 2])
        };
        Ok(half < expiry.horizon(project(entry)))
    }
}

// whether the source holds something hidden of a project that exceeds its bytes
fn is_any(entry: &Entry, over: &BTreeSet<Option<String>>, catalog: &Catalog) -> bool {
    let hides = |project: &Option<String>| entry.summary.arrival.0 < catalog.expiry.horizon(project.as_deref());
    let holds = |project: &Option<String>| match (&entry.summary.projects, project) {
        (Some(counts), Some(name)) => counts.contains_key(name),
        (Some(counts), None) => counts.values().sum::<u64>() < entry.summary.rows,
        (None, _) => false,
    };
    over.iter().any(|project| hides(project) && holds(project))
}

/// Projects of more bytes than their limit.
fn exceeding(shared: &Shared, snapshot: &Snapshot) -> BTreeSet<Option<String>> {
    if !shared.options.retention.limits_bytes() {
        return BTreeSet::new();
    }
    let held = retention::held(&snapshot.catalog().entries, |entry| snapshot.size(entry.id));
    let exceeds = |project: &Option<String>, parts: &[(&Entry, Held)]| {
        let limit = shared.options.retention.limits(project.as_deref()).bytes;
        limit.is_some_and(|limit| parts.iter().map(|(_, part)| part.bytes).sum::<u64>() > limit)
    };
    held.into_iter().filter(|(project, parts)| exceeds(project, parts)).map(|(project, _)| project).collect()
}

impl Committer {
    /// Hides rows, durably where nothing else would tell of it later.
    fn expire(&mut self, expiry: &Expiry, cuts: &Expiry, expired: Seq) -> Result<(), Fault> {
        let old = self.shared.snapshot.get();
        let mut catalog: Catalog = (**old.catalog()).clone();
        // a walk that began before the clock was set back is to hear of it
        catalog.expired.add(self.shared.now().max(self.shared.told()), expired);
        catalog.expiry = Arc::new(catalog.expiry.max(expiry));
        // a cut below which nothing is left has done its work
        let mut kept = self.retained.cuts().max(cuts);
        let cut = |project: Option<&str>, horizon: u64| {
            let parts = catalog.entries.iter().filter(|entry| entry.summary.arrival.0 < horizon);
            parts.into_iter().any(|entry| {
                entry.summary.projects.as_ref().is_none_or(|counts| match project {
                    Some(name) => counts.contains_key(name),
                    None => counts.values().sum::<u64>() < entry.summary.rows,
                })
            })
        };
        kept.projects.retain(|name, horizon| cut(Some(name.as_str()), *horizon));
        kept.unnamed = if cut(None, kept.unnamed) { kept.unnamed } else { 0 };
        if kept != self.retained.cuts() {
            self.retain(Retained::new(&catalog.expired, kept))?;
        }
        self.shared.publish(old.with_catalog(catalog));
        Ok(())
    }

    fn retain(&mut self, retained: Retained) -> Result<(), Fault> {
        self.database.write(|tx| database::put_retained(tx, &retained))?;
        self.retained = retained;
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
