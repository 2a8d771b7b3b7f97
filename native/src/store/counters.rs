//! What a store has done since it was opened, for `/metrics`.

use super::{Fault, Store};
use crate::latency::Latency;
use reqlog_core::catalog::SourceId;
use reqlog_core::metrics::{self, Cache, CommitFailure, Commits, Disk, Scans};
use reqlog_core::query::Scanned;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Counted where it happens, by relaxed additions.
#[derive(Debug, Default)]
pub(super) struct Counters {
    commits: AtomicU64,
    failures: [AtomicU64; CommitFailure::ALL.len()],
    latency: Latency,
    scans: AtomicU64,
    sources: AtomicU64,
    rows: AtomicU64,
    merges: AtomicU64,
    merged_rows: AtomicU64,
    merge_nanos: AtomicU64,
    merge_failures: AtomicU64,
}

impl Counters {
    /// A transaction became durable with what was submitted at these times.
    pub(super) fn committed(&self, submitted: impl Iterator<Item = Instant>) {
        self.commits.fetch_add(1, Relaxed);
        submitted.for_each(|since| self.latency.observe(since.elapsed()));
    }

    /// A transaction was not made.
    pub(super) fn not_committed(&self, fault: &Fault) {
        let failure = match fault {
            Fault::DiskFull => CommitFailure::DiskFull,
            Fault::Busy => CommitFailure::Busy,
            Fault::Corrupt(_) => CommitFailure::Corrupt,
            Fault::Closed | Fault::Exists | Fault::Missing | Fault::Failed(_) => CommitFailure::Failed,
        };
        self.failures[failure as usize].fetch_add(1, Relaxed);
    }

    /// A scan came to its end.
    pub(super) fn scanned(&self, scanned: Scanned) {
        self.scans.fetch_add(1, Relaxed);
        self.sources.fetch_add(scanned.opened, Relaxed);
        self.rows.fetch_add(scanned.rows, Relaxed);
    }

    /// Sources were replaced by segments of so many rows.
    pub(super) fn compacted(&self, rows: u64, took: Duration) {
        self.merges.fetch_add(1, Relaxed);
        self.merged_rows.fetch_add(rows, Relaxed);
        self.merge_nanos.fetch_add(took.as_nanos() as u64, Relaxed);
    }

    /// Sources could not be replaced.
    pub(super) fn not_compacted(&self) {
        self.merge_failures.fetch_add(1, Relaxed);
    }
}

impl Store {
    /// What was made durable since the store was opened.
    pub fn commits(&self) -> Commits {
        let counters = &self.inner.shared.counters;
        let failures = std::array::from_fn(|at| counters.failures[at].load(Relaxed));
        Commits { durable: counters.commits.load(Relaxed), failures, latency: counters.latency.read() }
    }

    /// What is stored now.
    pub fn stored(&self) -> metrics::Store {
        let snapshot = self.snapshot();
        let catalog = snapshot.catalog();
        let batches = catalog.entries.iter().filter(|entry| matches!(entry.id, SourceId::Batch(_))).count() as u64;
        metrics::Store {
            head: catalog.head.map_or(0, |head| head.seq().get()),
            records: catalog.entries.iter().map(|entry| entry.summary.rows).sum(),
            batches,
            batch_bytes: snapshot.backlog(),
            batch_limit: self.inner.shared.options.backlog,
            segments: catalog.entries.len() as u64 - batches,
            segment_bytes: snapshot.segment_bytes(),
            deletions: catalog.deletions.len() as u64,
        }
    }

    /// What was read since the store was opened.
    pub fn scans(&self) -> Scans {
        let (counters, cache) = (&self.inner.shared.counters, &self.inner.shared.cache);
        Scans {
            scans: counters.scans.load(Relaxed),
            sources: counters.sources.load(Relaxed),
            rows: counters.rows.load(Relaxed),
            read_bytes: cache.read_bytes(),
        }
    }

    /// What is kept in memory of what was read.
    pub fn cache(&self) -> Cache {
        self.inner.shared.cache.measure()
    }

    /// What was rewritten since the store was opened.
    pub fn compactions(&self) -> metrics::Compaction {
        let counters = &self.inner.shared.counters;
        metrics::Compaction {
            merges: counters.merges.load(Relaxed),
            rows: counters.merged_rows.load(Relaxed),
            nanos: counters.merge_nanos.load(Relaxed),
            failures: counters.merge_failures.load(Relaxed),
        }
    }

    /// How much can still be written.
    pub fn disk(&self) -> Disk {
        Disk { free: self.free().ok(), reserve: self.inner.shared.options.reserve }
    }
}
