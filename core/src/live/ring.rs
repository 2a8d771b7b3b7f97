//! Recent records in memory.

use crate::catalog::Deletion;
use crate::id::Seq;
use crate::record::Stored;
use std::collections::VecDeque;
use std::sync::Arc;

/// How much a [`Ring`] holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// At most this many records.
    pub records: usize,
    /// At most about this many bytes of them; one record may be more.
    pub bytes: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self { records: 5000, bytes: 16 << 20 }
    }
}

/// The newest records of a store by sequence, and the deletions that were newest.
///
/// It holds every record of a stretch of sequences that ends at the head it was told last; what is older, or was
/// skipped, is in the store only.
#[derive(Debug)]
pub struct Ring {
    room: Room,
    rows: VecDeque<Arc<Stored>>,
    bytes: usize,
    // every row after the floor, up to the head, is here; 0 is before the first sequence
    floor: u64,
    head: u64,
    deletions: VecDeque<Arc<Deletion>>,
    // how many there ever were
    deleted: u64,
}

// a reader that misses more of them is made to come again
const DELETIONS: usize = 256;

impl Ring {
    /// An empty ring at the head of a store.
    pub fn new(room: Room, head: Option<Seq>) -> Self {
        let head = head.map_or(0, Seq::get);
        Self { room, rows: VecDeque::new(), bytes: 0, floor: head, head, deletions: VecDeque::new(), deleted: 0 }
    }

    /// Up to where records are known; 0 before the first.
    pub fn head(&self) -> u64 {
        self.head
    }

    /// How many records it holds.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Takes in what was committed after [`Self::head`] up to a new one: all of it, by ascending sequence. What a
    /// deletion that it [`remembers`](Self::remembers) destroyed is left out.
    pub fn push(&mut self, rows: impl IntoIterator<Item = Stored>, head: Seq) {
        for row in rows {
            // a ring that was told of a newer head meanwhile
            if row.id.seq().get() <= self.head {
                continue;
            }
            self.head = row.id.seq().get();
            if !self.deletions.iter().any(|deletion| deletion.hides(&row)) {
                self.bytes += row.record.weight();
                self.rows.push_back(Arc::new(row));
            }
        }
        self.head = self.head.max(head.get());
        while self.rows.len() > self.room.records || (self.bytes > self.room.bytes && self.rows.len() > 1) {
            let Some(oldest) = self.rows.pop_front() else { break };
            self.bytes -= oldest.record.weight();
            self.floor = oldest.id.seq().get();
        }
    }

    /// Learns of a new head without the records up to it: they are in the store.
    pub fn skip(&mut self, head: Option<Seq>) {
        let head = head.map_or(0, Seq::get);
        if head > self.head {
            self.head = head;
            self.clear();
        }
    }

    /// Forgets the records, which stay in the store.
    pub fn clear(&mut self) {
        self.rows = VecDeque::new();
        self.bytes = 0;
        self.floor = self.head;
    }

    /// Destroys what a deletion destroys, of what is here and of what comes late.
    pub fn erase(&mut self, deletion: Arc<Deletion>) {
        self.rows.retain(|row| !deletion.hides(row));
        self.bytes = self.rows.iter().map(|row| row.record.weight()).sum();
        self.deletions.push_back(deletion);
        self.deleted += 1;
        if self.deletions.len() > DELETIONS {
            self.deletions.pop_front();
        }
    }

    /// The records after a position; `None` where the store has to be asked.
    pub(super) fn after(&self, position: u64) -> Option<impl Iterator<Item = &Arc<Stored>>> {
        let first = self.rows.partition_point(|row| row.id.seq().get() <= position);
        (position >= self.floor).then(|| self.rows.range(first..))
    }

    /// How many deletions there ever were.
    pub fn deleted(&self) -> u64 {
        self.deleted
    }

    /// Whether it still knows every deletion after so many, so that [`Self::push`] leaves out what they destroyed.
    pub fn remembers(&self, deleted: u64) -> bool {
        self.deletions_after(deleted).is_some()
    }

    /// The deletions after so many; `None` where some of them are forgotten.
    pub(super) fn deletions_after(&self, seen: u64) -> Option<impl Iterator<Item = &Arc<Deletion>>> {
        let missed = (self.deleted - seen) as usize;
        let first = self.deletions.len().checked_sub(missed)?;
        Some(self.deletions.range(first..))
    }
}
