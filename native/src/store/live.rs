//! The ring of recent records, fed while anybody follows.
//!
//! The committer does nothing for it but tell of deletions: what it committed is read back from the snapshot, by a
//! thread that has time. Where compaction or a load of records was quicker, the ring skips, and tails read the store.
//!
//! **Ours:** what expires once it is in the ring stays there, so that a tail that is slow shows it all the same, until newer
//! records push it out; what was deleted is never shown.

use super::{Fault, Shared, Snapshot, Store};
use reqlog_core::catalog::{Deletion, SourceId};
use reqlog_core::id::{EntryId, Seq};
use reqlog_core::live::{Ring, Step, Tail};
use reqlog_core::record::Stored;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::sync::watch;

/// What tails look at.
pub(super) struct Live {
    followed: RwLock<Followed>,
    // grows with every change of the ring, and whatever else streams depend on
    version: watch::Sender<u64>,
}

// Under one lock: who begins to follow sees every commit that the feeder passed over because nobody did.
struct Followed {
    ring: Ring,
    by: usize,
}

/// As long as one of these is there, the ring is fed.
pub struct Follow(Arc<Shared>);

impl Live {
    pub(super) fn new(ring: Ring) -> Self {
        Self { followed: RwLock::new(Followed { ring, by: 0 }), version: watch::Sender::new(0) }
    }

    fn read(&self) -> RwLockReadGuard<'_, Followed> {
        self.followed.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Followed> {
        self.followed.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be called once the deletion is published.
    pub(super) fn erase(&self, deletion: Arc<Deletion>) {
        self.write().ring.erase(deletion);
        self.tell();
    }

    /// Has every tail look again.
    pub(super) fn tell(&self) {
        self.version.send_modify(|version| *version += 1);
    }
}

impl Store {
    /// Keeps recent records in memory for tails, until the last of these is dropped.
    pub fn follow(&self) -> Follow {
        let mut followed = self.inner.shared.live.write();
        if followed.by == 0 {
            followed.ring.skip(self.catalog().head.map(EntryId::seq));
        }
        followed.by += 1;
        Follow(self.inner.shared.clone())
    }

    /// How many follow.
    pub fn followers(&self) -> usize {
        self.inner.shared.live.read().by
    }

    /// Changes whenever a tail may have something to do.
    pub fn fed(&self) -> watch::Receiver<u64> {
        self.inner.shared.live.version.subscribe()
    }

    /// Wakes every tail, as a change does: for a clock that is set by hand.
    pub fn wake(&self) {
        self.inner.shared.live.tell();
    }

    /// Takes what was committed since the last call into the ring, if anybody follows. Blocks on the processor; for
    /// one caller, after [`Store::watch`] has changed (a second one does the work twice, no harm). What cannot be read
    /// is left to who reads the store.
    pub fn feed(&self) -> Result<(), Fault> {
        let shared = &self.inner.shared;
        let live = &shared.live;
        // before the snapshot: whatever is deleted after this moment, the ring is told of
        let (from, by, deleted) = {
            let followed = live.read();
            (followed.ring.head(), followed.by, followed.ring.deleted())
        };
        let snapshot = shared.snapshot.get();
        let Some(head) = snapshot.catalog().head.map(EntryId::seq) else { return Ok(()) };
        if by == 0 || head.get() <= from {
            return Ok(());
        }
        let (floor, rows) = shared.recent(&snapshot, from);
        let mut followed = live.write();
        if followed.by == 0 {
            return Ok(());
        }
        let fed = match rows {
            // more was deleted meanwhile than the ring remembers
            Ok(_) if !followed.ring.remembers(deleted) => {
                followed.ring.skip(Some(head));
                Ok(())
            }
            Ok(rows) => {
                if floor > from {
                    followed.ring.skip(Seq::new(floor));
                }
                followed.ring.push(rows, head);
                Ok(())
            }
            Err(fault) => {
                followed.ring.skip(Some(head));
                Err(fault)
            }
        };
        drop(followed);
        live.tell();
        fed
    }

    /// What a tail has to do now.
    pub fn poll(&self, tail: &mut Tail) -> Step {
        let (keyring, now) = (self.keyring(), self.now());
        tail.poll(&self.inner.shared.live.read().ring, &keyring, now)
    }
}

impl Shared {
    // The rows after `from` that are still there, ascending, and up to where the store has to be asked instead. No more is
    // read than the ring has room for, and a batch.
    pub(super) fn recent(&self, snapshot: &Snapshot, from: u64) -> (u64, Result<Vec<Stored>, Fault>) {
        let room = self.options.ring;
        let (mut floor, batches) = batches(snapshot, from);
        let (mut rows, mut bytes, mut kept) = (0, 0, Vec::new());
        for Batch { first, last, count } in batches.into_iter().rev() {
            // a load of records that would push out everything is left to the store
            rows += count;
            if first <= floor || rows > room.records as u64 || bytes > room.bytes {
                floor = floor.max(last);
                break;
            }
            match self.reader(snapshot).batch(SourceId::Batch(first), first) {
                Ok(batch) => {
                    bytes += batch.iter().map(|row| row.record.weight()).sum::<usize>();
                    kept.push(batch);
                }
                Err(fault) => return (floor, Err(fault)),
            }
        }
        let (deletions, expiry) = (&snapshot.catalog().deletions, &snapshot.catalog().expiry);
        let is_deleted = |row: &Stored| deletions.iter().any(|deletion| deletion.hides(row));
        let is_there = |row: &Stored| !is_deleted(row) && !expiry.hides(row);
        (floor, Ok(kept.into_iter().rev().flatten().filter(is_there).collect()))
    }
}

struct Batch {
    first: u64,
    last: u64,
    count: u64,
}

// what is not compacted yet of what came after `from`, ascending, and up to where compaction was quicker
fn batches(snapshot: &Snapshot, from: u64) -> (u64, Vec<Batch>) {
    let (mut batches, mut floor) = (Vec::new(), from);
    for entry in snapshot.catalog().entries.iter().filter(|entry| entry.summary.seq.1.get() > from) {
        let (last, count) = (entry.summary.seq.1.get(), entry.summary.rows);
        match entry.id {
            SourceId::Batch(first) => batches.push(Batch { first, last, count }),
            SourceId::Segment(_) => floor = floor.max(last),
        }
    }
    batches.sort_unstable_by_key(|batch| batch.first);
    (floor, batches)
}

impl Drop for Follow {
    fn drop(&mut self) {
        let mut followed = self.0.live.write();
        followed.by -= 1;
        if followed.by == 0 {
            followed.ring.clear();
        }
    }
}
