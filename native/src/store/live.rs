//! The ring of recent records, fed while anybody follows.
//!
//! The committer does nothing for it but tell of deletions: what it committed is read back from the snapshot, by a
//! thread that has time. Where compaction or a load of records was quicker, the ring skips, and tails read the store.

use super::{Fault, Shared, Snapshot, Store};
use reqlog_core::catalog::{Deletion, SourceId};
use reqlog_core::id::{EntryId, Seq};
use reqlog_core::live::{Ring, Step, Tail};
use reqlog_core::record::Stored;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::sync::watch;

/// What tails look at.
pub(super) struct Live {
    ring: RwLock<Ring>,
    followers: AtomicUsize,
    // grows with every change of the ring
    version: watch::Sender<u64>,
}

/// As long as one of these is there, the ring is fed.
pub struct Follow(Arc<Shared>);

impl Live {
    pub(super) fn new(ring: Ring) -> Self {
        Self { ring: RwLock::new(ring), followers: AtomicUsize::new(0), version: watch::Sender::new(0) }
    }

    fn read(&self) -> RwLockReadGuard<'_, Ring> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Ring> {
        self.ring.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be called once the deletion is published.
    pub(super) fn erase(&self, deletion: Arc<Deletion>) {
        self.write().erase(deletion);
        self.tell();
    }

    fn tell(&self) {
        self.version.send_modify(|version| *version += 1);
    }
}

impl Store {
    /// Keeps recent records in memory for tails, until the last of these is dropped.
    pub fn follow(&self) -> Follow {
        let live = &self.inner.shared.live;
        let mut ring = live.write();
        if live.followers.fetch_add(1, Ordering::Relaxed) == 0 {
            ring.skip(self.catalog().head.map(EntryId::seq));
        }
        Follow(self.inner.shared.clone())
    }

    /// How many follow.
    pub fn followers(&self) -> usize {
        self.inner.shared.live.followers.load(Ordering::Relaxed)
    }

    /// Changes whenever a tail may have something to do.
    pub fn fed(&self) -> watch::Receiver<u64> {
        self.inner.shared.live.version.subscribe()
    }

    /// Wakes every tail, as a change does: for a clock that is set by hand.
    pub fn wake(&self) {
        self.inner.shared.live.tell();
    }

    /// Takes what was committed since the last call into the ring, if anybody follows. Blocks on the processor; one
    /// caller at a time, after [`Store::watch`] has changed.
    pub fn feed(&self) -> Result<(), Fault> {
        let shared = &self.inner.shared;
        let live = &shared.live;
        let snapshot = shared.snapshot.get();
        let Some(head) = snapshot.catalog().head.map(EntryId::seq) else { return Ok(()) };
        let from = live.read().head();
        if live.followers.load(Ordering::Relaxed) == 0 || head.get() <= from {
            return Ok(());
        }
        let (floor, sources) = recent(&snapshot, from, shared.options.ring.records as u64);
        let mut rows: Vec<Stored> = Vec::new();
        for source in sources {
            let SourceId::Batch(first) = source else { continue };
            rows.extend(shared.reader(&snapshot).batch(source, first)?);
        }
        let deletions = &snapshot.catalog().deletions;
        let is_deleted = |row: &Stored| {
            deletions.iter().any(|deletion| row.id.seq() <= deletion.head && deletion.filter.matches_stored(row))
        };
        rows.retain(|row| !is_deleted(row));
        let mut ring = live.write();
        if live.followers.load(Ordering::Relaxed) == 0 {
            return Ok(());
        }
        if floor > from {
            ring.skip(Seq::new(floor));
        }
        ring.push(rows, head);
        drop(ring);
        live.tell();
        Ok(())
    }

    /// What a tail has to do now.
    pub fn poll(&self, tail: &mut Tail) -> Step {
        let (keyring, now) = (self.keyring(), self.now());
        tail.poll(&self.inner.shared.live.read(), &keyring, now)
    }
}

// The newest batches of some so many rows after `from`, ascending, and up to where the store has to be asked instead.
fn recent(snapshot: &Snapshot, from: u64, most: u64) -> (u64, Vec<SourceId>) {
    let entries = snapshot.catalog().entries.iter().filter(|entry| entry.summary.seq.1.get() > from);
    let (mut batches, mut floor) = (Vec::new(), from);
    for entry in entries {
        match entry.id {
            SourceId::Batch(first) => batches.push((first, entry.summary.rows)),
            // compaction was quicker
            SourceId::Segment(_) => floor = floor.max(entry.summary.seq.1.get()),
        }
    }
    batches.sort_unstable();
    let mut rows = 0;
    let mut kept = Vec::new();
    for (first, count) in batches.into_iter().rev() {
        // a load of records that would push out everything is left to the store
        rows += count;
        if first <= floor || rows > most {
            floor = floor.max(first + count - 1);
            break;
        }
        kept.push(SourceId::Batch(first));
    }
    kept.reverse();
    (floor, kept)
}

impl Drop for Follow {
    fn drop(&mut self) {
        let live = &self.0.live;
        let mut ring = live.write();
        if live.followers.fetch_sub(1, Ordering::Relaxed) == 1 {
            ring.clear();
        }
    }
}
