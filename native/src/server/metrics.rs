//! The numbers behind `/metrics`: what the server counts, and what it asks the store.

use crate::latency::Latency;
use crate::store::Store;
use http::StatusCode;
use reqlog_core::dialect::Dialect;
use reqlog_core::metrics::{self, Http, Ingest, Metrics, Process, Work};
use reqlog_core::plan::Report;
use reqlog_core::timestamp::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

/// What was counted since the start.
#[derive(Debug)]
pub(super) struct Counted {
    started: Timestamp,
    requests: [[AtomicU64; 4]; Dialect::ALL.len()],
    limited: [AtomicU64; Dialect::ALL.len()],
    in_flight: AtomicU64,
    durations: [Latency; Work::ALL.len()],
    accepted: AtomicU64,
    duplicates: AtomicU64,
    rejected: AtomicU64,
    tails: Arc<Tails>,
}

impl Counted {
    pub(super) fn new(started: Timestamp) -> Self {
        Self {
            started,
            requests: Default::default(),
            limited: Default::default(),
            in_flight: AtomicU64::new(0),
            durations: Default::default(),
            accepted: AtomicU64::new(0),
            duplicates: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            tails: Arc::default(),
        }
    }

    /// A request came in.
    pub(super) fn request(&self) -> Asking<'_> {
        self.in_flight.fetch_add(1, Relaxed);
        Asking { counted: self, since: Instant::now() }
    }

    pub(super) fn ingested(&self, report: &Report) {
        self.accepted.fetch_add(report.accepted, Relaxed);
        self.duplicates.fetch_add(report.duplicates, Relaxed);
        self.rejected.fetch_add(report.rejected, Relaxed);
    }

    pub(super) fn tails(&self) -> &Arc<Tails> {
        &self.tails
    }

    /// With what the store is like now.
    pub(super) fn text(&self, store: &Store) -> String {
        let http = Http {
            requests: std::array::from_fn(|of| std::array::from_fn(|class| self.requests[of][class].load(Relaxed))),
            limited: std::array::from_fn(|of| self.limited[of].load(Relaxed)),
            in_flight: self.in_flight.load(Relaxed),
            durations: std::array::from_fn(|work| self.durations[work].read()),
        };
        let ingest = Ingest {
            accepted: self.accepted.load(Relaxed),
            duplicates: self.duplicates.load(Relaxed),
            rejected: self.rejected.load(Relaxed),
        };
        Metrics {
            process: Process { started: self.started, resident_bytes: resident_bytes() },
            http,
            tails: self.tails.read(),
            ingest,
            commits: store.commits(),
            store: store.stored(),
            scans: store.scans(),
            cache: store.cache(),
            compaction: store.compactions(),
            disk: store.disk(),
        }
        .to_string()
    }
}

/// A request that is being answered. A client that leaves before the answer leaves nothing in the counts.
#[derive(Debug)]
pub(super) struct Asking<'a> {
    counted: &'a Counted,
    since: Instant,
}

impl Asking<'_> {
    /// The head of the answer is ready.
    pub(super) fn answered(self, dialect: Dialect, work: Work, status: StatusCode) {
        // there are no answers of 1xx
        let class = usize::from(status.as_u16() / 100).clamp(2, 5) - 2;
        self.counted.requests[dialect as usize][class].fetch_add(1, Relaxed);
        if status == StatusCode::TOO_MANY_REQUESTS {
            self.counted.limited[dialect as usize].fetch_add(1, Relaxed);
        }
        self.counted.durations[work as usize].observe(self.since.elapsed());
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.counted.in_flight.fetch_sub(1, Relaxed);
    }
}

/// Live streams, counted: hold an [`OpenTail`] for as long as one is open.
#[derive(Debug, Default)]
pub(super) struct Tails {
    open: AtomicU64,
    opened: AtomicU64,
    frames: AtomicU64,
    resumed: AtomicU64,
}

impl Tails {
    /// A stream begins.
    #[must_use = "the stream ends when it is dropped"]
    pub(super) fn open(self: &Arc<Self>) -> OpenTail {
        self.open.fetch_add(1, Relaxed);
        self.opened.fetch_add(1, Relaxed);
        OpenTail(self.clone())
    }

    fn read(&self) -> metrics::Tails {
        metrics::Tails {
            open: self.open.load(Relaxed),
            opened: self.opened.load(Relaxed),
            frames: self.frames.load(Relaxed),
            resumed: self.resumed.load(Relaxed),
        }
    }
}

/// A live stream, open until it is dropped.
#[derive(Debug)]
pub(super) struct OpenTail(Arc<Tails>);

impl OpenTail {
    /// So many frames were sent, heartbeats not counted.
    pub(super) fn sent(&self, frames: u64) {
        self.0.frames.fetch_add(frames, Relaxed);
    }

    /// It was behind what is kept in memory, and turned to the store.
    pub(super) fn resumed(&self) {
        self.0.resumed.fetch_add(1, Relaxed);
    }
}

impl Drop for OpenTail {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Relaxed);
    }
}

/// As Linux tells it.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}
