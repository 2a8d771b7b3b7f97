//! What retention has removed, as far as a walk that began before has to know.

use crate::id::Seq;
use crate::timestamp::Timestamp;

/// The removals by retention: for each the time and the highest sequence among the rows that went.
///
/// Kept are those that no later one outdoes, so that there are few: where rows go by age, one. A shell adds to it in the
/// transaction that hides or removes the rows, and keeps it with the catalog.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    // times ascend, sequences descend
    removals: Vec<(Timestamp, Seq)>,
}

impl Expired {
    /// Takes note of a removal at a time, up to this sequence.
    pub fn add(&mut self, at: Timestamp, last: Seq) {
        // a clock that was set back must not make it look older than the one before it
        let at = self.removals.last().map_or(at, |(latest, _)| at.max(*latest));
        self.removals.retain(|(_, known)| *known > last);
        self.removals.push((at, last));
    }

    /// Whether a walk that began then and stands at `position`, or before all rows, may have lost rows that it was to
    /// see: some were removed since it began, and one of them had a higher sequence.
    pub fn lost_since(&self, began: Timestamp, position: Option<Seq>) -> bool {
        let since = self.removals.partition_point(|(at, _)| *at < began);
        self.removals.get(since).is_some_and(|(_, last)| position.is_none_or(|position| *last > position))
    }

    /// The highest sequence of all removals.
    pub fn highest(&self) -> Option<Seq> {
        self.removals.first().map(|(_, last)| *last)
    }

    /// The removals to be kept, by ascending time; to be added again in this order.
    pub fn iter(&self) -> impl Iterator<Item = (Timestamp, Seq)> {
        self.removals.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(nanos: i64) -> Timestamp {
        Timestamp::from_nanos(nanos)
    }

    proptest! {
        #[test]
        fn what_is_kept_tells_as_much_as_all_removals(
            removals in proptest::collection::vec((0i64..4, 1u64..20), 0..12), began in 0i64..30, position in 0u64..20
        ) {
            let mut expired = Expired::default();
            let mut now = 0;
            let all: Vec<_> = removals.iter().map(|(passed, last)| {
                now += passed;
                expired.add(at(now), Seq::new(*last).unwrap());
                (now, *last)
            }).collect();
            let truth = all.iter().any(|(at, last)| *at >= began && *last > position);
            prop_assert_eq!(expired.lost_since(at(began), Seq::new(position)), truth);
            let mut again = Expired::default();
            expired.iter().for_each(|(at, last)| again.add(at, last));
            prop_assert_eq!(again, expired);
        }
    }

    #[test]
    fn a_clock_that_is_set_back_hides_no_removal() {
        let mut expired = Expired::default();
        expired.add(at(100), Seq::new(50).unwrap());
        expired.add(at(10), Seq::new(9).unwrap());
        assert!(expired.lost_since(at(90), Seq::new(8)));
        assert_eq!(
            expired.iter().map(|(at, last)| (at.as_nanos(), last.get())).collect::<Vec<_>>(),
            [(100, 50), (100, 9)]
        );
    }
}
