//! Percentiles of durations.

use sketches_ddsketch::{Config, DDSketch};

/// Durations in nanoseconds, of which percentiles are asked.
///
/// Up to [`Self::EXACT`] of them are kept as they are, and percentiles are exact. Of more, a `DDSketch` is kept
/// (Masson, Rim, Lee: *`DDSketch`*, VLDB 2019): a percentile is then within [`Self::ERROR`] of the exact one, whatever the
/// durations are, and however they were merged. It takes 18 KB at most, a tenth of that where durations lie within a
/// factor of a hundred.
#[derive(Clone)]
pub struct Durations(Kept);

#[derive(Clone)]
enum Kept {
    All(Vec<u64>),
    Sketch(Box<DDSketch>),
}

impl Durations {
    /// How many are kept exactly.
    pub const EXACT: usize = 512;
    /// Greatest relative error of a percentile of more than [`Self::EXACT`] durations.
    pub const ERROR: f64 = 0.01;
    // more than the distinct bins of all 64-bit numbers at this error, so that none is ever merged into another
    const BINS: u32 = 2304;

    /// Adds one.
    pub fn add(&mut self, nanos: u64) {
        match &mut self.0 {
            Kept::All(all) if all.len() < Self::EXACT => all.push(nanos),
            Kept::All(_) => self.sketch().add(nanos as f64),
            Kept::Sketch(sketch) => sketch.add(nanos as f64),
        }
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: &Self) {
        match &other.0 {
            Kept::All(all) => all.iter().for_each(|nanos| self.add(*nanos)),
            Kept::Sketch(sketch) => {
                self.sketch().merge(sketch).expect("all sketches are configured alike");
            }
        }
    }

    fn sketch(&mut self) -> &mut DDSketch {
        if let Kept::All(all) = &self.0 {
            let mut sketch = DDSketch::new(Config::new(Self::ERROR, Self::BINS, 0.5));
            all.iter().for_each(|nanos| sketch.add(*nanos as f64));
            self.0 = Kept::Sketch(Box::new(sketch));
        }
        match &mut self.0 {
            Kept::Sketch(sketch) => sketch,
            Kept::All(_) => unreachable!("it was made a sketch above"),
        }
    }

    /// The percentiles at these fractions by nearest rank: the least duration that at least so large a share of all does
    /// not exceed. `None` where there are none.
    pub fn percentiles<const N: usize>(&self, fractions: [f64; N]) -> [Option<u64>; N] {
        match &self.0 {
            Kept::All(all) => {
                let mut sorted = all.clone();
                sorted.sort_unstable();
                fractions.map(|fraction| sorted.get(Self::place(fraction, sorted.len())).copied())
            }
            Kept::Sketch(sketch) => fractions.map(|fraction| {
                // the sketch takes the place at ⌊q · (n − 1)⌋
                let last = sketch.count() - 1;
                let q = (Self::place(fraction, sketch.count()) as f64 + 0.5) / last as f64;
                sketch.quantile(q.min(1.0)).ok().flatten().map(|nanos| nanos.round() as u64)
            }),
        }
    }

    /// The place of a percentile among so many durations in ascending order, counted from 0.
    pub fn place(fraction: f64, of: usize) -> usize {
        // a product that should be whole may lie a little above
        ((fraction * of as f64 - 1e-9).ceil() as usize).saturating_sub(1)
    }
}

impl Default for Durations {
    fn default() -> Self {
        Self(Kept::All(Vec::new()))
    }
}

impl std::fmt::Debug for Durations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Kept::All(all) => write!(f, "{} durations", all.len()),
            Kept::Sketch(sketch) => write!(f, "sketch of {} durations", sketch.count()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn duration() -> impl Strategy<Value = u64> {
        prop_oneof![
            4 => 100_000u64..5_000_000_000,
            1 => 0u64..3,
            1 => (0u32..64).prop_map(|bits| 1 << bits),
            1 => any::<u64>(),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn percentiles_are_exact_for_few_and_within_the_stated_error_for_many(
            parts in proptest::collection::vec(proptest::collection::vec(duration(), 0..900), 1..5), fraction in 0.001f64..0.999
        ) {
            let mut merged = Durations::default();
            for part in &parts {
                let mut durations = Durations::default();
                part.iter().for_each(|nanos| durations.add(*nanos));
                merged.merge(&durations);
            }
            let mut all = parts.concat();
            all.sort_unstable();
            let [found] = merged.percentiles([fraction]);
            // a share of at least `fraction` does not exceed it, by definition
            let exact = all.iter().zip(1..).find(|(_, rank)| f64::from(*rank) >= fraction * all.len() as f64 - 1e-9);
            let exact = exact.map(|(nanos, _)| *nanos);
            prop_assert_eq!(found.is_some(), exact.is_some());
            let (Some(found), Some(exact)) = (found, exact) else { return Ok(()) };
            if all.len() <= Durations::EXACT {
                prop_assert_eq!(found, exact);
            } else {
                // half a nanosecond is lost to rounding, and the last digits of a double
                let allowed = exact as f64 * (Durations::ERROR + 1e-9) + 0.5;
                prop_assert!((found as f64 - exact as f64).abs() <= allowed, "{found} for {exact}");
            }
        }
    }
}
