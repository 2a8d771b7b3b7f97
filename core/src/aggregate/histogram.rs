//! Counts by time and status class.

use crate::catalog::class_of;
use crate::filter::{Number, Predicate};
use crate::id::Seq;
use crate::timestamp::Timestamp;

/// What a histogram is asked of.
#[derive(Clone, Debug)]
pub struct HistogramQuery {
    /// Which rows; the caller's scope is part of it.
    pub filter: Predicate,
    /// Rows that arrived after this one are not counted.
    pub bound: Seq,
    /// How wide buckets are.
    pub width: Width,
}

/// How wide the buckets of a histogram are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// This many nanoseconds, at least 1.
    Interval(i64),
    /// The narrowest of [`Grid::NICE`] with which there are at most so many buckets; the widest where none is wide
    /// enough, which before 1970 can be.
    Buckets(usize),
}

/// Counts by time. Buckets are contiguous and ascending, empty ones included.
///
/// They cover the time from the filter's lower bound to its upper one ([`window`]), both inclusive, and where it has none,
/// from the first or to the last row that matches. Without rows there is nothing to cover, unless the filter has both
/// bounds: then there are no buckets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Width of every bucket in nanoseconds; 0 without buckets, unless it was given.
    pub interval: i64,
    /// At most [`Grid::MOST`].
    pub buckets: Vec<Bucket>,
}

/// The rows from its start to before the start of the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// When it starts: a whole number of intervals since 1970. The first bucket of all time starts later than that, at
    /// [`Timestamp::MIN`].
    pub start: Timestamp,
    /// Rows by hundreds of the status, `1xx` first.
    pub classes: [u64; 9],
    /// Rows without a status.
    pub none: u64,
}

impl Bucket {
    /// All rows.
    pub fn total(&self) -> u64 {
        self.classes.iter().sum::<u64>() + self.none
    }

    /// Counts a row of this status.
    pub fn add(&mut self, status: Option<u16>) {
        match status.and_then(class_of) {
            Some(class) => self.classes[class] += 1,
            None => self.none += 1,
        }
    }
}

/// An interval divides the time in more buckets than there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyBuckets {
    /// How many.
    pub buckets: u64,
    /// The narrowest of [`Grid::NICE`] that would do.
    pub least: i64,
}

/// Buckets over a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    interval: i64,
    // intervals from 1970 to the first bucket
    first: i64,
    len: usize,
}

const MS: i64 = 1_000_000;
const S: i64 = 1_000 * MS;
const M: i64 = 60 * S;
const H: i64 = 60 * M;
const D: i64 = 24 * H;
const Y: i64 = 365 * D;

impl Grid {
    /// Most buckets of a histogram.
    pub const MOST: usize = 1000;
    /// Intervals that people find round: ms, s, min, h, days, weeks from the Thursday of 1970, years of 365 days.
    pub const NICE: [i64; 44] = [
        MS,
        2 * MS,
        5 * MS,
        10 * MS,
        20 * MS,
        50 * MS,
        100 * MS,
        200 * MS,
        500 * MS,
        S,
        2 * S,
        5 * S,
        10 * S,
        15 * S,
        30 * S,
        M,
        2 * M,
        5 * M,
        10 * M,
        15 * M,
        30 * M,
        H,
        2 * H,
        3 * H,
        6 * H,
        12 * H,
        D,
        2 * D,
        7 * D,
        14 * D,
        30 * D,
        60 * D,
        90 * D,
        180 * D,
        Y,
        2 * Y,
        5 * Y,
        10 * Y,
        20 * Y,
        25 * Y,
        50 * Y,
        100 * Y,
        150 * Y,
        200 * Y,
    ];

    /// The grid over the nanoseconds from `first` to `last`, both inclusive.
    pub fn new((first, last): (i64, i64), width: Width) -> Result<Self, TooManyBuckets> {
        let last = last.max(first);
        let count = |interval: i64| last.div_euclid(interval).abs_diff(first.div_euclid(interval)).saturating_add(1);
        let narrowest = |most: usize| Self::NICE.into_iter().find(|interval| count(*interval) <= most as u64);
        let widest = Self::NICE[Self::NICE.len() - 1];
        let interval = match width {
            Width::Buckets(most) => narrowest(most).unwrap_or(widest),
            Width::Interval(interval) => interval.max(1),
        };
        let len = count(interval);
        if len > Self::MOST as u64 {
            return Err(TooManyBuckets { buckets: len, least: narrowest(Self::MOST).unwrap_or(widest) });
        }
        Ok(Self { interval, first: first.div_euclid(interval), len: len as usize })
    }

    /// How many buckets it has.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The bucket of a time; one outside of the grid is taken to the nearest.
    pub fn bucket(&self, nanos: i64) -> usize {
        let at = nanos.div_euclid(self.interval).saturating_sub(self.first);
        usize::try_from(at).unwrap_or(0).min(self.len - 1)
    }

    /// The first nanosecond after a bucket; `None` where time ends in it.
    pub(crate) fn end(&self, bucket: usize) -> Option<i64> {
        self.first.checked_add(bucket as i64 + 1)?.checked_mul(self.interval)
    }

    /// The histogram of these buckets without rows.
    pub fn empty(&self) -> Histogram {
        let start = |at: usize| (self.first + at as i64).saturating_mul(self.interval);
        let bucket = |at| Bucket { start: Timestamp::from_nanos(start(at)), classes: [0; 9], none: 0 };
        Histogram { interval: self.interval, buckets: (0..self.len).map(bucket).collect() }
    }
}

/// The least and the greatest time that `filter` lets through, as far as it says so by itself: of alternatives the widest,
/// of conditions the narrowest; what a negation excludes is not looked at.
pub fn window(filter: &Predicate) -> (Option<i64>, Option<i64>) {
    match filter {
        Predicate::Number(Number::Time, ranges) => {
            let low = ranges.iter().map(|(low, _)| *low).min().filter(|low| *low != i64::MIN);
            (low, ranges.iter().map(|(_, high)| *high).max().filter(|high| *high != i64::MAX))
        }
        Predicate::And(parts) => parts.iter().map(window).fold((None, None), |(low, high), part| {
            let least = [high, part.1].into_iter().flatten().min();
            (low.max(part.0), least)
        }),
        Predicate::Or(parts) => {
            let windows: Vec<_> = parts.iter().map(window).collect();
            let low = windows.iter().map(|(low, _)| *low).min().flatten();
            // `None` is the least of all, so that one open alternative opens the whole
            let open = windows.iter().any(|(_, high)| high.is_none());
            (low, if open { None } else { windows.iter().filter_map(|(_, high)| *high).max() })
        }
        _ => (None, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_782_216_000 * S;

    #[test]
    fn buckets_are_round_and_as_narrow_as_their_number_allows() {
        let check = |span: (i64, i64), most, interval, len| {
            let grid = Grid::new(span, Width::Buckets(most)).unwrap();
            assert_eq!((grid.interval, grid.len), (interval, len), "{span:?} in {most}");
        };
        check((NOON, NOON + H - 1), 60, M, 60);
        // one nanosecond more is another bucket
        check((NOON, NOON + H), 60, 2 * M, 31);
        check((NOON, NOON), 60, MS, 1);
        check((NOON - 1, NOON), 1, D, 1);
        check((NOON, NOON + 10 * D), 1000, 15 * M, 961);
        check((0, i64::MAX), 1000, 180 * D, 594);
        // a span over 1970 is never in one bucket
        check((-1, 0), 1, 200 * Y, 2);
        check((i64::MIN, i64::MAX), 1, 200 * Y, 4);
    }

    #[test]
    fn an_interval_that_makes_too_many_buckets_names_one_that_does_not() {
        let fine = Grid::new((NOON, NOON + 1_000 * S - 1), Width::Interval(S)).unwrap();
        assert_eq!((fine.len, fine.bucket(NOON), fine.bucket(NOON + 999 * S + 1)), (1000, 0, 999));
        let refused = Grid::new((NOON, NOON + 1_000 * S), Width::Interval(S)).unwrap_err();
        assert_eq!(refused, TooManyBuckets { buckets: 1001, least: 2 * S });
        assert_eq!(Grid::new((i64::MIN, i64::MAX), Width::Interval(1)).unwrap_err().least, Y);
    }

    #[test]
    fn every_time_lies_in_its_bucket() {
        let grid = Grid::new((i64::MIN, i64::MAX), Width::Buckets(7)).unwrap();
        let histogram = grid.empty();
        for time in [i64::MIN, i64::MIN + 1, -1, 0, 1, NOON, i64::MAX - 1, i64::MAX] {
            let at = grid.bucket(time);
            assert!(histogram.buckets[at].start.as_nanos() <= time, "{time}");
            assert!(grid.end(at).is_none_or(|end| time < end), "{time}");
        }
    }

    #[test]
    fn the_window_is_what_the_filter_says_of_time() {
        use crate::filter::Filter;
        let check = |text: &str, expected: (Option<i64>, Option<i64>)| {
            let filter = Filter::parse(text).unwrap().filter.resolve(Timestamp::from_nanos(NOON)).unwrap();
            assert_eq!(window(&filter), expected, "{text}");
        };
        check("", (None, None));
        check("status:500 time:-1h..", (Some(NOON - H), None));
        check("time:-2h..-1h status:500", (Some(NOON - 2 * H), Some(NOON - H)));
        check("time:-2h.. time:-1h..now", (Some(NOON - H), Some(NOON)));
        check("(time:-3h..-2h status:500) OR time:-1h..now", (Some(NOON - 3 * H), Some(NOON)));
        check("time:-3h..-2h OR status:500", (None, None));
        check("time:-3h..-2h OR time:-1h..", (Some(NOON - 3 * H), None));
        check("-time:-3h..-2h", (None, None));
    }
}
