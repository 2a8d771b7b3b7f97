//! Durations by fixed buckets.

use super::exposition::{Exposition, Label};
use std::fmt;
use std::time::Duration;

/// How many durations there were, by bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Durations {
    /// Those up to each bound of [`Self::BOUNDS`] and above the one before; last, those above all.
    pub counts: [u64; Self::BUCKETS],
    /// The sum of all, in nanoseconds.
    pub nanos: u64,
}

impl Durations {
    /// Upper bounds of the buckets in microseconds, inclusive: 0.5 ms to 10 s.
    pub const BOUNDS: [u64; 14] = [
        500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000,
        10_000_000,
    ];
    /// One more than there are bounds.
    pub const BUCKETS: usize = Self::BOUNDS.len() + 1;

    /// The bucket of a duration.
    pub fn bucket(duration: Duration) -> usize {
        Self::BOUNDS.partition_point(|bound| Duration::from_micros(*bound) < duration)
    }

    pub(super) fn write(&self, out: &mut Exposition<'_, '_>, name: &str, labels: &[Label<'_>]) -> fmt::Result {
        let bucket = format!("{name}_bucket");
        let mut count = 0;
        let bounds = Self::BOUNDS.iter().map(|micros| seconds(micros * 1_000).to_string());
        for (bound, more) in bounds.chain(["+Inf".to_owned()]).zip(self.counts) {
            count += more;
            let labels: Vec<_> = labels.iter().copied().chain([("le", bound.as_str())]).collect();
            out.sample(&bucket, &labels, count)?;
        }
        out.sample(&format!("{name}_sum"), labels, seconds(self.nanos))?;
        out.sample(&format!("{name}_count"), labels, count)
    }
}

pub(super) fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        let micros = |micros| Durations::bucket(Duration::from_micros(micros));
        assert_eq!([micros(0), micros(500), micros(501), micros(10_000_000), micros(10_000_001)], [0, 0, 1, 13, 14]);
        assert_eq!(Durations::bucket(Duration::MAX), Durations::BUCKETS - 1);
    }
}
