//! What `/metrics` says: the Prometheus text format 0.0.4.
//!
//! The shell reads the numbers, this module names them; names and units follow
//! <https://prometheus.io/docs/practices/naming/>. Counters count since the start of the process. No label has values
//! that clients choose, so that the number of series is fixed; in particular nothing is told by project or key.

mod durations;
mod exposition;

pub use durations::Durations;

use crate::dialect::Dialect;
use crate::plan::{BodyUse, Operation, Plan};
use crate::timestamp::Timestamp;
use durations::seconds;
use exposition::{
    Exposition,
    Kind::{Counter, Gauge, Histogram},
};
use std::fmt;

/// The numbers of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// The process.
    pub process: Process,
    /// Requests.
    pub http: Http,
    /// Live streams.
    pub tails: Tails,
    /// What was sent to be stored.
    pub ingest: Ingest,
    /// What was made durable.
    pub commits: Commits,
    /// What is stored.
    pub store: Store,
    /// What was read to answer questions.
    pub scans: Scans,
    /// What is kept of it.
    pub cache: Cache,
    /// What was rewritten.
    pub compaction: Compaction,
    /// Where it is stored.
    pub disk: Disk,
}

/// The process that answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// When it began to serve.
    pub started: Timestamp,
    /// Bytes of memory that it holds; absent where the system does not tell.
    pub resident_bytes: Option<u64>,
}

/// Requests that were answered, refused ones included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Http {
    /// By dialect, in the order of [`Dialect::ALL`], and class of status, from 2xx to 5xx.
    pub requests: [[u64; 4]; Dialect::ALL.len()],
    /// Those of them that were answered 429, by dialect.
    pub limited: [u64; Dialect::ALL.len()],
    /// Those that are being answered, the one for these metrics included.
    pub in_flight: u64,
    /// From the head of the request to the head of the answer, by [`Work::ALL`].
    pub durations: [Durations; Work::ALL.len()],
}

/// What a request makes a server do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// The answer needs no store: refusals, documentation.
    Answer,
    /// Pages, records, counts.
    Read,
    /// A page that may wait for records.
    Wait,
    /// A stream of everything that matches.
    Export,
    /// Records to be stored; most of the time is the client's.
    Ingest,
    /// Deletion and administration.
    Change,
    /// Readiness and these metrics.
    Probe,
}

impl Work {
    /// Every kind of work.
    pub const ALL: [Self; 7] =
        [Self::Answer, Self::Read, Self::Wait, Self::Export, Self::Ingest, Self::Change, Self::Probe];

    /// What a plan that was just made will do.
    pub fn of(plan: &Plan) -> Self {
        match (plan.body(), plan.operation()) {
            (BodyUse::Collect { .. }, _)
            | (
                _,
                Operation::Delete { .. }
                | Operation::CreateProject { .. }
                | Operation::DeleteProject { .. }
                | Operation::CreateKey(_)
                | Operation::RevokeKey { .. },
            ) => Self::Change,
            (_, Operation::Nothing) => Self::Answer,
            (_, Operation::Page { wait: Some(_), .. }) => Self::Wait,
            (_, Operation::Export(_)) => Self::Export,
            (_, Operation::Ingest(_)) => Self::Ingest,
            (_, Operation::Ready | Operation::Metrics) => Self::Probe,
            _ => Self::Read,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Read => "read",
            Self::Wait => "wait",
            Self::Export => "export",
            Self::Ingest => "ingest",
            Self::Change => "change",
            Self::Probe => "probe",
        }
    }
}

/// Live streams of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tails {
    /// Open now.
    pub open: u64,
    /// Opened since the start.
    pub opened: u64,
    /// Frames sent on all of them.
    pub frames: u64,
    /// How often one was behind what is kept in memory, and turned to the store.
    pub resumed: u64,
}

/// Records that clients sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ingest {
    /// Stored.
    pub accepted: u64,
    /// Known from before and not stored again.
    pub duplicates: u64,
    /// Refused.
    pub rejected: u64,
}

/// Transactions that store records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Commits {
    /// Those that are durable.
    pub durable: u64,
    /// Those that were not made, by [`CommitFailure::ALL`].
    pub failures: [u64; CommitFailure::ALL.len()],
    /// From submission to durability, of everything that was submitted.
    pub latency: Durations,
}

/// Why records that were fine were not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitFailure {
    /// Free space is at the reserve.
    DiskFull,
    /// Compaction is too far behind, or another import of the same source goes on.
    Busy,
    /// The catalog does not read back as it was written.
    Corrupt,
    /// The operating system or the database refused.
    Failed,
}

impl CommitFailure {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::DiskFull, Self::Busy, Self::Corrupt, Self::Failed];

    const fn name(self) -> &'static str {
        match self {
            Self::DiskFull => "disk_full",
            Self::Busy => "busy",
            Self::Corrupt => "corrupt",
            Self::Failed => "failed",
        }
    }
}

/// What is stored now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Store {
    /// The highest sequence given out; 0 in an empty store.
    pub head: u64,
    /// Records.
    pub records: u64,
    /// Batches that compaction has not taken yet.
    pub batches: u64,
    /// Bytes of those batches.
    pub batch_bytes: u64,
    /// Bytes of batches above which ingestion waits for compaction.
    pub batch_limit: u64,
    /// Segments.
    pub segments: u64,
    /// Bytes of their files.
    pub segment_bytes: u64,
    /// Deletions that compaction has not made physical everywhere.
    pub deletions: u64,
}

/// Questions answered over the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scans {
    /// Scans.
    pub scans: u64,
    /// Batches and segments that they opened.
    pub sources: u64,
    /// Rows whose columns they compared.
    pub rows: u64,
    /// Bytes of segments that they read from files.
    pub read_bytes: u64,
}

/// Decoded parts of segments and batches in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cache {
    /// Parts that were there.
    pub hits: u64,
    /// Parts that had to be read or decoded.
    pub misses: u64,
    /// Bytes that it holds.
    pub bytes: u64,
    /// Bytes that it may hold.
    pub limit: u64,
}

/// Batches and segments rewritten as segments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compaction {
    /// Rewritings that are durable.
    pub merges: u64,
    /// Rows that they wrote.
    pub rows: u64,
    /// Nanoseconds that they took.
    pub nanos: u64,
    /// Those that failed.
    pub failures: u64,
}

/// The file system of the data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disk {
    /// Bytes that can still be written; absent where the system does not tell.
    pub free: Option<u64>,
    /// Free bytes below which nothing is ingested.
    pub reserve: u64,
}

impl fmt::Display for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let out = &mut Exposition(f);
        self.process.write(out)?;
        self.http.write(out)?;
        self.tails.write(out)?;
        self.ingest.write(out)?;
        self.commits.write(out)?;
        self.store.write(out)?;
        self.scans.write(out)?;
        self.cache.write(out)?;
        self.compaction.write(out)?;
        self.disk.write(out)
    }
}

type Out<'o, 'a, 'f> = &'o mut Exposition<'a, 'f>;

impl Process {
    fn write(&self, out: Out<'_, '_, '_>) -> fmt::Result {
        out.family(Gauge, "reqlog_build_info", "1, with the version as a label.")?;
        out.sample("reqlog_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1)?;
        let started = self.started.as_millis() as f64 / 1e3;
        out.one(Gauge, "process_start_time_seconds", "When the process began, in seconds since 1970.", started)?;
        let help = "Bytes of memory that the process holds.";
        self.resident_bytes.map_or(Ok(()), |bytes| out.one(Gauge, "process_resident_memory_bytes", help, bytes))
    }
}

impl Http {
    fn write(&self, out: Out<'_, '_, '_>) -> fmt::Result {
        let name = "reqlog_http_requests_total";
        out.family(Counter, name, "Requests answered, by API and class of status.")?;
        for (dialect, classes) in Dialect::ALL.into_iter().zip(self.requests) {
            for (class, requests) in ["2xx", "3xx", "4xx", "5xx"].into_iter().zip(classes) {
                out.sample(name, &[("dialect", dialect.name()), ("class", class)], requests)?;
            }
        }
        let name = "reqlog_http_requests_limited_total";
        out.family(Counter, name, "Requests refused because of a limit (429), by API.")?;
        for (dialect, requests) in Dialect::ALL.into_iter().zip(self.limited) {
            out.sample(name, &[("dialect", dialect.name())], requests)?;
        }
        out.one(Gauge, "reqlog_http_requests_in_flight", "Requests that are being answered.", self.in_flight)?;
        let name = "reqlog_http_request_duration_seconds";
        out.family(Histogram, name, "From a request to the head of its answer, by what had to be done.")?;
        for (work, durations) in Work::ALL.into_iter().zip(self.durations) {
            durations.write(out, name, &[("operation", work.name())])?;
        }
        Ok(())
    }
}

impl Tails {
    fn write(&self, out: Out<'_, '_, '_>) -> fmt::Result {
        out.one(Gauge, "reqlog_streams_open", "Live streams that are open.", self.open)?;
        out.one(Counter, "reqlog_streams_total", "Live streams opened.", self.opened)?;
        out.one(Counter, "reqlog_stream_frames_total", "Frames sent on live streams.", self.frames)?;
        let help = "How often a live stream turned to the store for what is no longer in memory.";
        out.one(Counter, "reqlog_stream_resumes_total", help, self.resumed)
    }
}

impl Ingest {
    fn write(&self, out: Out<'_, '_, '_>) -> fmt::Result {
        out.one(Counter, "reqlog_records_accepted_total", "Records stored.", self.accepted)?;
        let help = "Records known from before and not stored again.";
        out.one(Counter, "reqlog_records_duplicate_total", help, self.duplicates)?;
        out.one(Counter, "reqlog_records_rejected_total", "Records refused.", self.rejected)
    }
}

impl Commits {
    fn write(&self, out: Out<'_, '_, '_>) -> fmt::Result {
        out.one(Counter, "reqlog_commits_total", "Transactions that stored records.", self.durable)?;
        let name = "reqlog_commit_failures_total";
        out.family(Counter, name, "Transactions that failed, and submissions that found no room, by reason.")?;
        for (failure, times) in CommitFailure::ALL.into_iter().zip(self.failures) {
            out.sample(name, &[("reason", failure.name())], times)?;
        }
        let name = "reqlog_commit_duration_seconds";
        out.family(Histogram, name, "From the submission of records until they are durable.")?;
        self.latency.write(out, name, &[])
    }
}

impl Store {
    fn write(&self, out: Out<'_, '_, '_>) -> fmt::Result {
        out.one(Gauge, "reqlog_head", "Highest sequence given out.", self.head)?;
        out.one(Gauge, "reqlog_records", "Records stored now.", self.records)?;
        out.one(Gauge, "reqlog_batches", "Batches that wait for compaction.", self.batches)?;
        out.one(Gauge, "reqlog_batch_bytes", "Bytes of the batches that wait for compaction.", self.batch_bytes)?;
        let help = "Bytes of batches above which ingestion waits for compaction.";
        out.one(Gauge, "reqlog_batch_limit_bytes", help, self.batch_limit)?;
        out.one(Gauge, "reqlog_segments", "Segments.", self.segments)?;
        out.one(Gauge, "reqlog_segment_bytes", "Bytes of the segments.", self.segment_bytes)?;
        out.one(Gauge, "reqlog_deletions", "Deletions that compaction has not made physical yet.", self.deletions)
    }
}

impl Scans {
    fn write(&self, out: Out<'_, '_, '_>) -> fmt::Result {
        out.one(Counter, "reqlog_scans_total", "Scans of the store.", self.scans)?;
        let help = "Batches and segments that scans opened.";
        out.one(Counter, "reqlog_scan_sources_total", help, self.sources)?;
        out.one(Counter, "reqlog_scan_rows_total", "Rows whose columns scans compared.", self.rows)?;
        let help = "Bytes of segments that scans read from files.";
        out.one(Counter, "reqlog_scan_read_bytes_total", help, self.read_bytes)
    }
}

impl Cache {
    fn write(&self, out: Out<'_, '_, '_>) -> fmt::Result {
        out.one(Counter, "reqlog_cache_hits_total", "Parts of segments and batches found in memory.", self.hits)?;
        out.one(Counter, "reqlog_cache_misses_total", "Parts that had to be read or decoded.", self.misses)?;
        out.one(Gauge, "reqlog_cache_bytes", "Bytes of decoded parts in memory.", self.bytes)?;
        out.one(Gauge, "reqlog_cache_limit_bytes", "Bytes of decoded parts that may be in memory.", self.limit)
    }
}

impl Compaction {
    fn write(&self, out: Out<'_, '_, '_>) -> fmt::Result {
        let help = "Times that batches and segments were rewritten as segments.";
        out.one(Counter, "reqlog_compactions_total", help, self.merges)?;
        out.one(Counter, "reqlog_compaction_rows_total", "Rows that were rewritten.", self.rows)?;
        let help = "Seconds that rewriting took.";
        out.one(Counter, "reqlog_compaction_seconds_total", help, seconds(self.nanos))?;
        out.one(Counter, "reqlog_compaction_failures_total", "Times that rewriting failed.", self.failures)
    }
}

impl Disk {
    fn write(&self, out: Out<'_, '_, '_>) -> fmt::Result {
        if let Some(free) = self.free {
            out.one(Gauge, "reqlog_disk_free_bytes", "Free bytes where the data is.", free)?;
            let help = "1 while free space is below the reserve, so that nothing is ingested; else 0.";
            out.one(Gauge, "reqlog_ingestion_stopped", help, u8::from(free < self.reserve))?;
        }
        let help = "Free bytes below which nothing is ingested.";
        out.one(Gauge, "reqlog_disk_reserve_bytes", help, self.reserve)
    }
}

#[cfg(test)]
mod tests;
