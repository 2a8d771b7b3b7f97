//! The numbers behind `/metrics`.

use crate::store::Store;
use reqlog_core::catalog::SourceId;
use reqlog_core::metrics::Metrics;
use reqlog_core::plan::Report;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What was counted since the start.
#[derive(Debug, Default)]
pub(super) struct Counted {
    requests: AtomicU64,
    accepted: AtomicU64,
    duplicates: AtomicU64,
    rejected: AtomicU64,
    pub(super) tails: Tails,
}

/// What was counted of live tails since the start.
#[derive(Debug, Default)]
pub(super) struct Tails {
    open: AtomicU64,
    records: AtomicU64,
    resumed: AtomicU64,
    refused: AtomicU64,
}

/// An open stream, until it is dropped.
pub(super) struct Open<'a>(&'a Tails);

impl Tails {
    pub(super) fn open(&self) -> Open<'_> {
        self.open.fetch_add(1, Relaxed);
        Open(self)
    }

    /// So many records were sent.
    pub(super) fn sent(&self, records: u64) {
        self.records.fetch_add(records, Relaxed);
    }

    /// A stream was behind the ring and turned to the store.
    pub(super) fn resumed(&self) {
        self.resumed.fetch_add(1, Relaxed);
    }

    /// A key had as many streams as it may.
    pub(super) fn refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Relaxed);
    }
}

impl Counted {
    pub(super) fn request(&self) {
        self.requests.fetch_add(1, Relaxed);
    }

    pub(super) fn ingested(&self, report: &Report) {
        self.accepted.fetch_add(report.accepted, Relaxed);
        self.duplicates.fetch_add(report.duplicates, Relaxed);
        self.rejected.fetch_add(report.rejected, Relaxed);
    }

    /// With what the store is like now.
    pub(super) fn text(&self, store: &Store) -> String {
        let snapshot = store.snapshot();
        let catalog = snapshot.catalog();
        let batches = catalog.entries.iter().filter(|entry| matches!(entry.id, SourceId::Batch(_))).count() as u64;
        Metrics {
            requests: self.requests.load(Relaxed),
            accepted: self.accepted.load(Relaxed),
            duplicates: self.duplicates.load(Relaxed),
            rejected: self.rejected.load(Relaxed),
            head: catalog.head.map_or(0, |head| head.seq().get()),
            records: catalog.entries.iter().map(|entry| entry.summary.rows).sum(),
            batches,
            batch_bytes: snapshot.backlog(),
            segments: catalog.entries.len() as u64 - batches,
            segment_bytes: snapshot.segment_bytes(),
            deletions: catalog.deletions.len() as u64,
            free_bytes: store.free().ok(),
        }
        .to_string()
    }
}
