//! Compaction's side of the committer: numbers for new segments, and the transaction that exchanges sources.

use super::committer::Committer;
use super::data_dir::SegmentFile;
use super::database::{self, StoredSegment};
use super::{DataDir, Fault};
use reqlog_core::catalog::{Entry, SourceId};
use reqlog_core::retention::Retained;
use std::sync::Arc;

/// Segments whose files are durable, and what they stand for from now on.
pub(super) struct Replacement {
    pub(super) added: Vec<StoredSegment>,
    pub(super) removed: Vec<SourceId>,
    /// Numbers of deletions that no remaining source needs.
    pub(super) settled: Vec<u64>,
    /// Leftovers whose files are durably gone.
    pub(super) gone: Vec<u64>,
}

impl Committer {
    /// Numbers for this many files; until they are part of the catalog, a start removes them.
    pub(super) fn reserve(&mut self, count: usize) -> Result<Vec<u64>, Fault> {
        self.database.write(|tx| (0..count).map(|_| database::reserve_segment(tx)).collect())
    }

    /// Exchanges sources in one transaction and publishes the result.
    pub(super) fn replace(&mut self, replacement: Replacement) -> Result<(), Fault> {
        let Replacement { added, removed, settled, gone } = replacement;
        let old = self.shared.snapshot.get();
        // what retention has hidden may be among the rows that go for good
        let retained = Retained::new(&old.catalog().expired, self.retained.cuts());
        let news = retained != self.retained;
        self.database.write(|tx| {
            for id in &removed {
                match *id {
                    SourceId::Batch(first) => database::drop_batch(tx, first)?,
                    SourceId::Segment(id) => database::drop_segment(tx, id)?,
                }
            }
            added.iter().try_for_each(|segment| database::put_segment(tx, segment))?;
            settled.iter().try_for_each(|&id| database::drop_deletion(tx, id))?;
            if news {
                database::put_retained(tx, &retained)?;
            }
            gone.iter().try_for_each(|&id| database::drop_leftover(tx, id))
        })?;
        self.retained = retained;
        let dir: &Arc<DataDir> = &self.shared.dir;
        let added = added.into_iter().map(|segment| {
            let file = Arc::new(SegmentFile::new(dir.clone(), segment.id, segment.size, segment.erased));
            (Entry { id: SourceId::Segment(segment.id), summary: segment.summary }, file)
        });
        let new = old.with_replacement(added.collect(), &removed, &settled);
        for id in removed {
            if let SourceId::Segment(id) = id
                && let Some(file) = old.segment(id)
            {
                file.replace();
            }
        }
        drop(old);
        self.shared.publish(new);
        Ok(())
    }
}
