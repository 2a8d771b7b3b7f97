//! What a reader sees: one moment of the store, in memory.

use super::data_dir::SegmentFile;
use bytes::Bytes;
use reqlog_core::catalog::{Catalog, Entry, SourceId, Summary};
use reqlog_core::id::EntryId;
use std::sync::{Arc, PoisonError, RwLock};

/// One moment of the store: batches by value, segments by name. Holding it keeps the files it names.
#[derive(Clone, Default)]
pub struct Snapshot {
    catalog: Arc<Catalog>,
    // by first sequence
    batches: Vec<(u64, Bytes)>,
    // by number
    segments: Vec<Arc<SegmentFile>>,
    backlog: u64,
}

impl Snapshot {
    pub(super) fn new(catalog: Catalog, mut batches: Vec<(u64, Bytes)>, mut segments: Vec<Arc<SegmentFile>>) -> Self {
        batches.sort_unstable_by_key(|(first, _)| *first);
        segments.sort_unstable_by_key(|file| file.id());
        let backlog = batches.iter().map(|(_, blob)| blob.len() as u64).sum();
        Self { catalog: Arc::new(catalog), batches, segments, backlog }
    }

    /// Summaries, head and deletions.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// Bytes of the batches, which are held in memory until they are compacted.
    pub fn backlog(&self) -> u64 {
        self.backlog
    }

    /// Bytes of the segments' files.
    pub fn segment_bytes(&self) -> u64 {
        self.segments.iter().map(|file| file.size()).sum()
    }

    pub(super) fn files(&self) -> &[Arc<SegmentFile>] {
        &self.segments
    }

    pub(super) fn batch(&self, first: u64) -> Option<&Bytes> {
        let at = self.batches.binary_search_by_key(&first, |(first, _)| *first).ok()?;
        Some(&self.batches[at].1)
    }

    pub(super) fn segment(&self, id: u64) -> Option<&Arc<SegmentFile>> {
        let at = self.segments.binary_search_by_key(&id, |file| file.id()).ok()?;
        Some(&self.segments[at])
    }

    /// Bytes of a source: of a segment's file, or of a batch.
    pub(super) fn size(&self, id: SourceId) -> u64 {
        match id {
            SourceId::Batch(first) => self.batch(first).map_or(0, |blob| blob.len() as u64),
            SourceId::Segment(id) => self.segment(id).map_or(0, |file| file.size()),
        }
    }

    /// Number of the last deletion that was made physical in a source, 0 in a batch.
    pub(super) fn erased(&self, id: SourceId) -> u64 {
        match id {
            SourceId::Batch(_) => 0,
            SourceId::Segment(id) => self.segment(id).map_or(0, |file| file.erased()),
        }
    }

    pub(super) fn entry(&self, id: SourceId) -> Option<&Entry> {
        self.catalog.entries.iter().find(|entry| entry.id == id)
    }

    /// The same with batches added, up to a new head.
    pub(super) fn with_batches(&self, added: Vec<(Summary, Bytes)>, head: Option<EntryId>) -> Self {
        let mut catalog = Catalog { head, ..(*self.catalog).clone() };
        let mut batches = self.batches.clone();
        for (summary, blob) in added {
            let first = summary.seq.0.get();
            catalog.entries.push(Entry { id: SourceId::Batch(first), summary: Arc::new(summary) });
            batches.push((first, blob));
        }
        Self::new(catalog, batches, self.segments.clone())
    }

    /// The same with some sources replaced by segments, and without the deletions that this made physical.
    pub(super) fn with_replacement(
        &self,
        added: Vec<(Entry, Arc<SegmentFile>)>,
        removed: &[SourceId],
        settled: &[u64],
    ) -> Self {
        let mut catalog = (*self.catalog).clone();
        catalog.entries.retain(|entry| !removed.contains(&entry.id));
        catalog.deletions.retain(|deletion| !settled.contains(&deletion.id));
        let mut batches = self.batches.clone();
        batches.retain(|(first, _)| !removed.contains(&SourceId::Batch(*first)));
        let mut segments = self.segments.clone();
        segments.retain(|file| !removed.contains(&SourceId::Segment(file.id())));
        for (entry, file) in added {
            catalog.entries.push(entry);
            segments.push(file);
        }
        Self::new(catalog, batches, segments)
    }

    /// The same with another catalog over the same sources.
    pub(super) fn with_catalog(&self, catalog: Catalog) -> Self {
        Self { catalog: Arc::new(catalog), ..self.clone() }
    }
}

/// A value that one thread replaces and many read.
#[derive(Default)]
pub(super) struct Published<T>(RwLock<Arc<T>>);

impl<T> Published<T> {
    pub(super) fn new(value: T) -> Self {
        Self(RwLock::new(Arc::new(value)))
    }

    pub(super) fn get(&self) -> Arc<T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set(&self, value: T) -> Arc<T> {
        let value = Arc::new(value);
        let old = std::mem::replace(&mut *self.0.write().unwrap_or_else(PoisonError::into_inner), value.clone());
        // outside of the lock: the last holder of a replaced file unlinks it
        drop(old);
        value
    }
}
