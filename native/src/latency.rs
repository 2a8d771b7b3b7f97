//! Durations counted by many threads at once.

use reqlog_core::metrics::Durations;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// A histogram; counting is two relaxed additions.
#[derive(Debug, Default)]
pub(crate) struct Latency {
    counts: [AtomicU64; Durations::BUCKETS],
    nanos: AtomicU64,
}

impl Latency {
    pub(crate) fn observe(&self, duration: Duration) {
        self.counts[Durations::bucket(duration)].fetch_add(1, Relaxed);
        self.nanos.fetch_add(duration.as_nanos() as u64, Relaxed);
    }

    pub(crate) fn read(&self) -> Durations {
        let counts = std::array::from_fn(|at| self.counts[at].load(Relaxed));
        Durations { counts, nanos: self.nanos.load(Relaxed) }
    }
}
