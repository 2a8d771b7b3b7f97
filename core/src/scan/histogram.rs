//! Counting rows by time and status class.
//!
//! Where the filter leaves the time open, the first and the last matching row are looked for before anything is counted:
//! summaries say it of sources whose every row matches, of others only those are opened that may lie outside of what is
//! known, and of these only the blocks before the first match and behind the last.

use crate::aggregate::{Grid, Histogram, HistogramQuery, TooManyBuckets, Width, window};
use crate::catalog::{SourceId, Summary, class_of};
use crate::filter::{Number, Predicate};
use crate::segment::evaluate::{Evaluator, Mask, all_rows, want, want_number};
use crate::segment::{BLOCK, Columns, Need};
use std::sync::Arc;

/// A source that may hold matching rows.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) source: SourceId,
    pub(super) summary: Arc<Summary>,
    /// True of every row where the summary decides.
    pub(super) predicate: Predicate,
}

/// Finds out which time is covered.
#[derive(Debug)]
pub(super) struct Survey {
    width: Width,
    // as the filter says
    low: Option<i64>,
    high: Option<i64>,
    // of the matching rows, as far as it is known
    found: Option<(i64, i64)>,
    candidates: Vec<Candidate>,
    // places of candidates whose first and last match are not known
    left: Vec<usize>,
}

impl Survey {
    pub(super) fn new(query: &HistogramQuery, candidates: Vec<Candidate>) -> Self {
        let (low, high) = window(&query.filter);
        let mut survey = Self { width: query.width, low, high, found: None, candidates, left: Vec::new() };
        if low.is_none() || high.is_none() {
            let open = |at: &usize| survey.candidates[*at].predicate != Predicate::Const(true);
            survey.left = (0..survey.candidates.len()).filter(open).collect();
            let whole = survey.candidates.iter().filter(|candidate| candidate.predicate == Predicate::Const(true));
            let times: Vec<_> = whole.map(|candidate| candidate.summary.time).collect();
            times.into_iter().for_each(|time| survey.find(time));
        }
        survey
    }

    /// Takes in the times of the first and the last match of a source.
    pub(super) fn find(&mut self, (first, last): (i64, i64)) {
        let found = self.found.get_or_insert((first, last));
        *found = (found.0.min(first), found.1.max(last));
    }

    /// The source to look into that promises most.
    pub(super) fn next(&mut self) -> Option<Candidate> {
        let time = |at: &usize| self.candidates[*at].summary.time;
        let earliest = || self.left.iter().copied().min_by_key(|at| time(at).0).filter(|_| self.low.is_none());
        let latest = || self.left.iter().copied().max_by_key(|at| time(at).1).filter(|_| self.high.is_none());
        let next = match self.found {
            None => earliest().or_else(latest),
            Some((first, last)) => {
                earliest().filter(|at| time(at).0 < first).or_else(|| latest().filter(|at| time(at).1 > last))
            }
        };
        self.left.retain(|at| Some(*at) != next);
        next.map(|at| self.candidates[at].clone())
    }

    /// The buckets, and the sources to count; no buckets where there is nothing to cover.
    pub(super) fn finish(self) -> (Result<Option<Grid>, TooManyBuckets>, Vec<Candidate>) {
        let low = self.low.or(self.found.map(|(first, _)| first));
        let high = self.high.or(self.found.map(|(_, last)| last));
        let span = low.zip(high).filter(|(low, high)| low <= high);
        (span.map(|span| Grid::new(span, self.width)).transpose(), self.candidates)
    }

    /// The answer where there are no buckets.
    pub(super) fn nothing(width: Width) -> Histogram {
        let interval = if let Width::Interval(interval) = width { interval } else { 0 };
        Histogram { interval, buckets: Vec::new() }
    }

    pub(super) fn width(&self) -> Width {
        self.width
    }
}

/// Looks for the first and the last match of a source.
#[derive(Debug, Default)]
pub(super) struct Edges {
    evaluator: Option<Evaluator>,
    // blocks before this one hold no match
    front: usize,
    first: Option<i64>,
    // nor do so many at the end
    back: usize,
}

impl Edges {
    /// Goes on; the times of both once they are known, none where nothing matches.
    pub(super) fn step(&mut self, predicate: &Predicate, columns: &Columns) -> Result<Option<(i64, i64)>, Need> {
        let mut need = Need::new();
        let evaluator = if let Some(evaluator) = &self.evaluator {
            evaluator
        } else {
            want(predicate, columns, &mut need);
            want_number(Number::Time, columns, &mut need);
            if !need.is_empty() {
                return Err(need);
            }
            self.evaluator.insert(Evaluator::new(predicate, columns))
        };
        let blocks = if evaluator.is_never() { 0 } else { columns.rows().div_ceil(BLOCK) };
        let mask = |block, need: &mut Need| evaluator.mask(columns, block, &all_rows(columns, block), need);
        while self.first.is_none() {
            if self.front == blocks {
                return Ok(None);
            }
            let mask = mask(self.front, &mut need);
            if !need.is_empty() {
                return Err(need);
            }
            match mask.iter().position(|word| *word != 0) {
                Some(word) => self.first = Some(time(columns, self.front, word, mask[word].trailing_zeros())),
                None => self.front += 1,
            }
        }
        loop {
            let block = blocks - 1 - self.back;
            let mask = mask(block, &mut need);
            if !need.is_empty() {
                return Err(need);
            }
            if let Some(word) = mask.iter().rposition(|word| *word != 0) {
                return Ok(self.first.map(|first| (first, time(columns, block, word, mask[word].ilog2()))));
            }
            self.back += 1;
        }
    }
}

// rows stand in the order of their times, and each has one
fn time(columns: &Columns, block: usize, word: usize, bit: u32) -> i64 {
    let row = block * BLOCK + word * 64 + bit as usize;
    columns.number(Number::Time, row).unwrap_or(i64::MIN)
}

/// The rows of one source by bucket: those without a class, then by class.
#[derive(Debug)]
pub(super) struct Slices(Vec<[u64; 10]>);

impl Slices {
    pub(super) fn new(grid: &Grid) -> Self {
        Self(vec![[0; 10]; grid.len()])
    }

    /// Counts all rows of a source that lies in one bucket.
    pub(super) fn of_summary(grid: &Grid, summary: &Summary) -> Option<Self> {
        let at = grid.bucket(summary.time.0);
        if grid.bucket(summary.time.1) != at {
            return None;
        }
        let mut slices = Self::new(grid);
        slices.0[at][1..].copy_from_slice(&summary.classes);
        slices.0[at][0] = summary.rows - summary.classes.iter().sum::<u64>();
        Some(slices)
    }

    pub(super) fn want(columns: &Columns, need: &mut Need) {
        want_number(Number::Time, columns, need);
        want_number(Number::Status, columns, need);
    }

    /// Counts the rows of a block whose bits are set: it is cut where buckets begin, and each piece counted as a whole.
    pub(super) fn add(&mut self, grid: &Grid, columns: &Columns, block: usize, mask: &Mask) {
        let Some(times) = columns.ints(Number::Time) else { return };
        let time = |row: usize| times.get(block * BLOCK + row).unwrap_or(i64::MIN);
        let rows = columns.rows().saturating_sub(block * BLOCK).min(BLOCK);
        let mut from = 0;
        while let Some(first) = next(mask, from).filter(|first| *first < rows) {
            let bucket = grid.bucket(time(first));
            let end = grid.end(bucket);
            let inside = |row: usize| end.is_none_or(|end| time(row) < end);
            let to = if inside(rows - 1) { rows } else { boundary(first + 1, rows - 1, inside) };
            let piece = cut(mask, first, to);
            let all: u64 = piece.iter().map(|word| u64::from(word.count_ones())).sum();
            let slice = &mut self.0[bucket];
            let mut classed = 0;
            if let Some(statuses) = columns.ints(Number::Status) {
                statuses.each(block, &piece, |status| {
                    if let Some(class) = u16::try_from(status).ok().and_then(class_of) {
                        slice[class + 1] += 1;
                        classed += 1;
                    }
                });
            }
            slice[0] += all - classed;
            from = to;
        }
    }

    pub(super) fn add_to(&self, histogram: &mut Histogram) {
        for (bucket, [none, classes @ ..]) in histogram.buckets.iter_mut().zip(&self.0) {
            bucket.none += none;
            bucket.classes.iter_mut().zip(classes).for_each(|(to, from)| *to += from);
        }
    }
}

// the first bit that is set at `from` or after it
fn next(mask: &Mask, from: usize) -> Option<usize> {
    let word = from / 64;
    let rest = *mask.get(word)? & u64::MAX << (from % 64);
    if rest != 0 {
        return Some(word * 64 + rest.trailing_zeros() as usize);
    }
    let later = mask[word + 1..].iter().position(|word| *word != 0)? + word + 1;
    Some(later * 64 + mask[later].trailing_zeros() as usize)
}

// the first row of `from..to` that is not inside, else `to`; those inside come first
fn boundary(mut from: usize, mut to: usize, inside: impl Fn(usize) -> bool) -> usize {
    while from < to {
        let middle = usize::midpoint(from, to);
        if inside(middle) { from = middle + 1 } else { to = middle }
    }
    from
}

// the bits of `from..to`
fn cut(mask: &Mask, from: usize, to: usize) -> Mask {
    let below = |row: usize, word: usize| match row.saturating_sub(word * 64) {
        0 => 0,
        left @ 1..64 => (1 << left) - 1,
        _ => u64::MAX,
    };
    std::array::from_fn(|word| mask[word] & below(to, word) & !below(from, word))
}
