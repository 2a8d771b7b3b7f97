//! What `/metrics` says: the Prometheus text format 0.0.4.
//!
//! The shell reads the numbers, this module names them; names and units follow
//! <https://prometheus.io/docs/practices/naming/>.

use std::fmt::{self, Write};

/// The numbers of one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Requests answered since the start, refused ones included.
    pub requests: u64,
    /// Records stored since the start.
    pub accepted: u64,
    /// Records known from before and not stored again, since the start.
    pub duplicates: u64,
    /// Records refused since the start.
    pub rejected: u64,
    /// The highest sequence given out; 0 in an empty store.
    pub head: u64,
    /// Records that are stored now.
    pub records: u64,
    /// Batches that compaction has not taken yet.
    pub batches: u64,
    /// Bytes of those batches.
    pub batch_bytes: u64,
    /// Segments.
    pub segments: u64,
    /// Bytes of their files.
    pub segment_bytes: u64,
    /// Deletions that compaction has not made physical everywhere.
    pub deletions: u64,
    /// Bytes that can still be written where the data is; absent where the system does not tell.
    pub free_bytes: Option<u64>,
}

impl fmt::Display for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        counter(f, "requests", "HTTP requests answered.", self.requests)?;
        counter(f, "records_accepted", "Records stored.", self.accepted)?;
        counter(f, "records_duplicate", "Records known from before and not stored again.", self.duplicates)?;
        counter(f, "records_rejected", "Records refused.", self.rejected)?;
        gauge(f, "head", "Highest sequence given out.", self.head)?;
        gauge(f, "records", "Records stored now.", self.records)?;
        gauge(f, "batches", "Batches that wait for compaction.", self.batches)?;
        gauge(f, "batch_bytes", "Bytes of the batches that wait for compaction.", self.batch_bytes)?;
        gauge(f, "segments", "Segments.", self.segments)?;
        gauge(f, "segment_bytes", "Bytes of the segments.", self.segment_bytes)?;
        gauge(f, "deletions", "Deletions that compaction has not made physical yet.", self.deletions)?;
        self.free_bytes.map_or(Ok(()), |free| gauge(f, "free_bytes", "Free bytes on the disk of the data.", free))
    }
}

fn counter(f: &mut impl Write, name: &str, help: &str, value: u64) -> fmt::Result {
    metric(f, &format!("reqlog_{name}_total"), "counter", help, value)
}

fn gauge(f: &mut impl Write, name: &str, help: &str, value: u64) -> fmt::Result {
    metric(f, &format!("reqlog_{name}"), "gauge", help, value)
}

fn metric(f: &mut impl Write, name: &str, kind: &str, help: &str, value: u64) -> fmt::Result {
    writeln!(f, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}")
}

#[cfg(test)]
mod tests {
    use super::Metrics;

    #[test]
    fn every_sample_has_its_help_and_type() {
        let text = Metrics { accepted: 7, free_bytes: Some(1), ..Metrics::default() }.to_string();
        assert!(text.contains("\n# TYPE reqlog_records_accepted_total counter\nreqlog_records_accepted_total 7\n"));
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len() % 3, 0);
        for sample in lines.chunks(3) {
            let name = sample[2].split(' ').next().unwrap();
            assert!(
                sample[0].starts_with(&format!("# HELP {name} ")) && sample[1].starts_with(&format!("# TYPE {name} "))
            );
        }
        assert!(!Metrics::default().to_string().contains("free_bytes"));
    }
}
