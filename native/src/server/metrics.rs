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
