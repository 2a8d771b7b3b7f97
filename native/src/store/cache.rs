//! Decoded parts, kept by weight so that warm pages touch no disk.

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use reqlog_core::catalog::SourceId;
use reqlog_core::metrics;
use reqlog_core::scan::{Question, Scan};
use reqlog_core::segment::{Directory, Part, PartId};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What a batch holds, as columns.
pub(super) type BatchParts = HashMap<PartId, Arc<Part>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    Batch(u64),
    Directory(u64),
    Part(u64, PartId),
}

#[derive(Clone)]
enum Kept {
    Batch(Arc<BatchParts>),
    Directory(Arc<Directory>),
    Part(Arc<Part>),
}

#[derive(Clone)]
struct Weight;

impl Weighter<Key, Kept> for Weight {
    fn weight(&self, _: &Key, kept: &Kept) -> u64 {
        let bytes = match kept {
            Kept::Batch(parts) => parts.values().map(|part| part.weight()).sum(),
            Kept::Directory(directory) => 4096 + 48 * directory.parts().count(),
            Kept::Part(part) => part.weight(),
        };
        bytes as u64
    }
}

/// A bounded cache; numbers of sources are never used again, so nothing in it goes stale.
///
/// Two threads that miss the same part both decode it: waiting for each other inside the pool could dead-lock.
pub(super) struct Parts {
    kept: Cache<Key, Kept, Weight>,
    // of parts and batches, not of directories, one of which is looked up with every part
    hits: AtomicU64,
    misses: AtomicU64,
    read_bytes: AtomicU64,
}

impl Parts {
    /// A cache of at most `bytes` bytes of decoded parts.
    pub(super) fn new(bytes: u64) -> Self {
        // a part is some 30 KB on average
        let kept = Cache::with_weighter((bytes >> 15) as usize + 16, bytes, Weight);
        Self::counting(kept)
    }

    fn counting(kept: Cache<Key, Kept, Weight>) -> Self {
        Self { kept, hits: AtomicU64::new(0), misses: AtomicU64::new(0), read_bytes: AtomicU64::new(0) }
    }

    /// So many bytes were read from files for what was not here.
    pub(super) fn count_read(&self, bytes: usize) {
        self.read_bytes.fetch_add(bytes as u64, Relaxed);
    }

    /// All bytes that were.
    pub(super) fn read_bytes(&self) -> u64 {
        self.read_bytes.load(Relaxed)
    }

    pub(super) fn measure(&self) -> metrics::Cache {
        metrics::Cache {
            hits: self.hits.load(Relaxed),
            misses: self.misses.load(Relaxed),
            bytes: self.kept.weight(),
            limit: self.kept.capacity(),
        }
    }

    // a part or a batch
    fn find(&self, key: &Key) -> Option<Kept> {
        let found = self.kept.get(key);
        let count = if found.is_some() { &self.hits } else { &self.misses };
        count.fetch_add(1, Relaxed);
        found
    }

    /// What walks over everything keep, all of them together: some columns of a segment are needed for every page of it,
    /// but nothing that was passed is needed again, and must not take the place of what is.
    pub(super) fn of_sweeps() -> Self {
        const BYTES: u64 = 32 << 20;
        let mut options = OptionsBuilder::new();
        // in one piece, so that a long column has room
        options.shards(1).weight_capacity(BYTES).estimated_items_capacity((BYTES >> 15) as usize);
        let options = options.build().expect("both capacities are given");
        let (hash, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
        Self::counting(Cache::with_options(options, Weight, hash, lifecycle))
    }

    /// A part, if it is there.
    pub(super) fn known_part(&self, segment: u64, id: PartId) -> Option<Arc<Part>> {
        match self.kept.peek(&Key::Part(segment, id))? {
            Kept::Part(part) => Some(part),
            _ => None,
        }
    }

    /// What a batch holds, if it is there.
    pub(super) fn known_batch(&self, first: u64) -> Option<Arc<BatchParts>> {
        match self.kept.peek(&Key::Batch(first))? {
            Kept::Batch(parts) => Some(parts),
            _ => None,
        }
    }

    pub(super) fn batch<E>(
        &self,
        first: u64,
        decode: impl FnOnce() -> Result<BatchParts, E>,
    ) -> Result<Arc<BatchParts>, E> {
        if let Some(Kept::Batch(parts)) = self.find(&Key::Batch(first)) {
            return Ok(parts);
        }
        let parts = Arc::new(decode()?);
        self.kept.insert(Key::Batch(first), Kept::Batch(parts.clone()));
        Ok(parts)
    }

    pub(super) fn directory<E>(
        &self,
        id: u64,
        read: impl FnOnce() -> Result<Directory, E>,
    ) -> Result<Arc<Directory>, E> {
        if let Some(Kept::Directory(directory)) = self.kept.get(&Key::Directory(id)) {
            return Ok(directory);
        }
        let directory = Arc::new(read()?);
        self.kept.insert(Key::Directory(id), Kept::Directory(directory.clone()));
        Ok(directory)
    }

    pub(super) fn part<E>(
        &self,
        segment: u64,
        id: PartId,
        decode: impl FnOnce() -> Result<Part, E>,
    ) -> Result<Arc<Part>, E> {
        if let Some(Kept::Part(part)) = self.find(&Key::Part(segment, id)) {
            return Ok(part);
        }
        let part = Arc::new(decode()?);
        self.kept.insert(Key::Part(segment, id), Kept::Part(part.clone()));
        Ok(part)
    }
}

/// How many units of which segment answer which question: a total over segments that were counted before costs nothing.
pub(super) struct Counts(Cache<(u64, Question), u64>);

impl Counts {
    /// A cache of at most this many counts, of some 60 bytes each.
    pub(super) fn new(most: usize) -> Self {
        Self(Cache::new(most))
    }

    /// Tells a scan what is known.
    pub(super) fn recall(&self, scan: &mut Scan) {
        scan.recall(|source, question| match source {
            SourceId::Segment(id) => self.0.get(&(id, question)),
            // soon gone, and counted as fast as looked up
            SourceId::Batch(_) => None,
        });
    }

    /// Keeps what a scan counted.
    pub(super) fn learn(&self, scan: &Scan) {
        for (source, question, count) in scan.learned() {
            if let SourceId::Segment(id) = source {
                self.0.insert((id, question), count);
            }
        }
    }
}
