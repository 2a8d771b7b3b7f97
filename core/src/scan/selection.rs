//! Where an offset leads in an order by number, without collecting what lies before it.
//!
//! What is looked for is a rank shortly before the row at the offset, with the exact number of units up to it; the page
//! then begins after that rank. Three things are done, each only as far as it is needed:
//!
//! 1. **Counting.** Sources are taken in the order of their best ranks until those that certainly lie before some rank
//!    hold more units than are skipped. Summaries and earlier counts know most of them. What then lies before and what
//!    behind is settled by extents: in an order by time, all but one or two sources.
//! 2. **Sampling.** Every so manieth match of the sources that are left, some thousands in all. The row at the offset
//!    lies, almost certainly, between two samples some hundred places apart.
//! 3. **Dividing.** The matches of these sources are counted between the samples there, exactly. If the gap that holds
//!    the row is still wide, the last two are done again within it.
//!
//! Samples decide how much is counted, never what is answered (Floyd and Rivest, *Expected time bounds for selection*).

use super::measure::{Counted, Measure};
use super::order::{Rank, Ranking};
use super::ranks::{Division, Sampling};
use super::sorting::Place;
use super::task::{Job, Partial, Search, Task};
use super::{Next, Plain, Scan, TOGETHER, wanted};
use crate::catalog::SourceId;
use crate::filter::Predicate;
use crate::sort;
use std::sync::Arc;

/// A source that may hold visible matches.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) source: SourceId,
    pub(super) rows: u64,
    pub(super) predicate: Predicate,
    /// Between these all its rows lie.
    pub(super) extent: (Rank, Rank),
    /// Its matches in units, where that is known.
    pub(super) count: Option<u64>,
    pub(super) plain: Plain,
}

/// What to do next.
#[derive(Debug)]
pub(super) enum Todo {
    /// Count the matches of the candidate at this place.
    Run(usize, Option<Measure>),
    Wait,
    Done(Found),
}

/// Where the page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// So many units after this rank, and how many units lie between it and each of some later ones.
    After(Rank, u64, Vec<(Rank, u64)>),
    /// Behind the last match.
    Beyond,
}

/// How the row at an offset is looked for; what is found is the same.
#[derive(Clone, Copy, Debug)]
pub struct Selecting {
    /// So many units before it are collected rather than looked for any closer.
    pub few: u64,
    /// How many matches are sampled, about; at least 1.
    pub samples: u64,
    /// At most about so many samples part the matches of one round; at least 1.
    pub pivots: usize,
}

impl Default for Selecting {
    /// What costs least for millions of rows.
    fn default() -> Self {
        Self { few: 1024, samples: 16 << 10, pivots: 256 }
    }
}

/// After so many rounds, what is left is collected.
const ROUNDS: u8 = 8;

#[derive(Debug)]
pub(super) struct Selection {
    ranking: Ranking,
    selecting: Selecting,
    // units to skip
    offset: u64,
    // by best rank
    candidates: Vec<Candidate>,
    // places of candidates by worst rank
    by_worst: Vec<usize>,
    // no unit at or before this rank is the one at the offset
    low: Option<Rank>,
    // the unit at the offset lies at or before this rank
    high: Option<Rank>,
    // units of the sources that are settled, all at or before `low`
    before: u64,
    // how many units the others have, after the first round only those between `low` and `high`, and how many of these are
    // skipped
    inside: u64,
    skipped: u64,
    stage: Stage,
    rounds: u8,
    samples: Vec<Rank>,
    // the candidates that are not settled
    left: Vec<usize>,
}

#[derive(Debug)]
enum Stage {
    // from the best on; the next candidate
    Counting(usize),
    // the candidates still to be sampled
    Sampling(Vec<usize>, Sampling),
    // the candidates still to be divided, and the units up to each pivot and behind the last
    Dividing(Vec<usize>, Division, Vec<u64>),
}

impl Selection {
    pub(super) fn new(ranking: Ranking, selecting: Selecting, offset: u64, mut candidates: Vec<Candidate>) -> Self {
        sort::by_key(&mut candidates, |candidate| candidate.extent);
        let mut by_worst: Vec<usize> = (0..candidates.len()).collect();
        sort::by_key(&mut by_worst, |&at| candidates[at].extent.1);
        let mut selection = Self {
            ranking,
            selecting,
            offset,
            candidates,
            by_worst,
            low: None,
            high: None,
            before: 0,
            inside: 0,
            skipped: 0,
            stage: Stage::Counting(0),
            rounds: 0,
            samples: Vec::new(),
            left: Vec::new(),
        };
        selection.bound();
        selection
    }

    /// Takes over what is known of the counts.
    pub(super) fn recall(&mut self, known: impl Fn(SourceId) -> Option<u64>) {
        for candidate in self.candidates.iter_mut().filter(|candidate| candidate.plain == Plain::Yes) {
            candidate.count = candidate.count.or_else(|| known(candidate.source));
        }
        self.bound();
    }

    pub(super) fn candidate(&self, at: usize) -> &Candidate {
        &self.candidates[at]
    }

    pub(super) fn next(&mut self, running: usize, window: usize) -> Todo {
        loop {
            match &mut self.stage {
                Stage::Counting(next) => {
                    let unknown = |at: &usize| self.candidates[*at].count.is_none();
                    let high = self.high;
                    let at = (*next..self.candidates.len()).find(unknown);
                    let at = at.filter(|&at| high.is_none_or(|high| self.candidates[at].extent.0 <= high));
                    match at {
                        Some(_) if running >= window => return Todo::Wait,
                        Some(at) => {
                            *next = at + 1;
                            return Todo::Run(at, None);
                        }
                        None if running > 0 => return Todo::Wait,
                        None => {}
                    }
                    if let Some(found) = self.settle() {
                        return Todo::Done(found);
                    }
                    self.sample();
                }
                Stage::Sampling(todo, sampling) => {
                    if running >= TOGETHER {
                        return Todo::Wait;
                    }
                    if let Some(at) = todo.pop() {
                        // not all begin with the same place, or short sources would give none
                        let first = at as u64 * 7919 % sampling.stride;
                        return Todo::Run(at, Some(Measure::Sample(Sampling { first, ..*sampling })));
                    }
                    if running > 0 {
                        return Todo::Wait;
                    }
                    self.divide();
                }
                Stage::Dividing(todo, division, _) => {
                    if running >= TOGETHER {
                        return Todo::Wait;
                    }
                    if let Some(at) = todo.pop() {
                        return Todo::Run(at, Some(Measure::Divide(division.clone())));
                    }
                    if running > 0 {
                        return Todo::Wait;
                    }
                    if let Some(found) = self.narrow() {
                        return Todo::Done(found);
                    }
                    self.sample();
                }
            }
        }
    }

    /// Takes in what a task found; how many units of which source match, where that is news.
    pub(super) fn absorb(&mut self, partial: Partial) -> Option<u64> {
        let candidate = &mut self.candidates[partial.at];
        let news = partial.matched.filter(|_| candidate.count.is_none());
        candidate.count = candidate.count.or(news);
        for counted in partial.counted {
            match (counted, &mut self.stage) {
                (Counted::Sample(sample), _) => self.samples.extend(sample.finish()),
                (Counted::Divide(counts), Stage::Dividing(_, _, sums)) => {
                    sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
                }
                _ => debug_assert!(false, "a selection samples and divides"),
            }
        }
        if let Stage::Counting(_) = self.stage {
            self.bound();
        }
        news
    }

    // The rank up to which more units certainly lie than are skipped, as far as counts are known.
    fn bound(&mut self) {
        let mut units = 0;
        let enough = |at: &&usize| {
            units += self.candidates[**at].count.unwrap_or(0);
            units > self.offset
        };
        self.high = self.by_worst.iter().find(enough).map(|&at| self.candidates[at].extent.1);
    }

    /// Settles by extents and counts alone what lies before the offset and what behind.
    fn settle(&mut self) -> Option<Found> {
        let Some(high) = self.high else { return Some(Found::Beyond) };
        let (mut units, mut low) = (0, None);
        for candidate in self.candidates.iter().take_while(|candidate| candidate.extent.0 <= high) {
            // all units before this rank are in the candidates before this one
            if units > self.offset {
                break;
            }
            low = Some(candidate.extent.0);
            units += candidate.count.unwrap_or(0);
        }
        let low = before(low?);
        self.low = Some(low);
        self.left = (0..self.candidates.len()).filter(|&at| self.candidates[at].extent.0 <= high).collect();
        self.pass();
        self.inside = self.left.iter().filter_map(|&at| self.candidates[at].count).sum();
        self.skipped = self.offset - self.before;
        let is_clear = self.left.iter().all(|&at| self.candidates[at].extent.0 > low);
        (is_clear && self.skipped <= self.selecting.few).then(|| Found::After(low, self.skipped, Vec::new()))
    }

    // Settles the candidates that lie before `low` as a whole, and leaves those out that lie behind `high`.
    fn pass(&mut self) {
        let (low, high) = (self.low, self.high);
        let (candidates, before) = (&self.candidates, &mut self.before);
        self.left.retain(|&at| {
            let (best, worst) = candidates[at].extent;
            let is_passed = low.is_some_and(|low| worst <= low);
            if is_passed {
                *before += candidates[at].count.unwrap_or(0);
            }
            !is_passed && high.is_none_or(|high| best <= high)
        });
    }

    fn sample(&mut self) {
        self.rounds += 1;
        self.samples.clear();
        let stride = (self.inside / self.selecting.samples).max(1);
        // at first it is not known how many units of the sources that are left lie outside of the bounds
        let (low, high) = if self.rounds == 1 { (None, None) } else { (self.low, self.high) };
        let sampling = Sampling { ranking: self.ranking, low, high, stride, first: 0 };
        self.stage = Stage::Sampling(self.left.clone(), sampling);
    }

    /// Chooses the samples around the offset.
    fn divide(&mut self) {
        self.samples.sort_unstable();
        let count = self.samples.len();
        let share = self.skipped as f64 / self.inside.max(1) as f64;
        let place = (share * count as f64) as usize;
        // four times the standard deviation where half of the samples lie before
        let margin = 2 * count.isqrt() + 8;
        let around = place.saturating_sub(margin).min(count)..(place + margin).min(count);
        let step = around.len().div_ceil(self.selecting.pivots).max(1);
        let mut pivots: Vec<Rank> = self.low.into_iter().collect();
        let inside = |rank: &&Rank| Some(**rank) > self.low && self.high.is_none_or(|high| **rank < high);
        pivots.extend(self.samples[around].iter().step_by(step).filter(inside));
        pivots.extend(self.high);
        pivots.dedup();
        let sums = vec![0; pivots.len() + 1];
        let division = Division { ranking: self.ranking, pivots: Arc::from(pivots) };
        self.stage = Stage::Dividing(self.left.clone(), division, sums);
    }

    /// Narrows down to the gap between two pivots that holds the unit at the offset.
    fn narrow(&mut self) -> Option<Found> {
        let Stage::Dividing(_, division, sums) = &self.stage else { return None };
        let pivots = division.pivots.clone();
        let (mut units, mut gap) = (self.before, 0);
        let mut up_to = self.before;
        for (at, sum) in sums.iter().take(pivots.len()).enumerate() {
            units += sum;
            if units > self.offset {
                break;
            }
            (gap, up_to) = (at, units);
        }
        let behind = pivots.get(gap + 1);
        let mut units = 0;
        let later = pivots.iter().zip(sums).skip(gap + 1).map(|(pivot, sum)| {
            units += sum;
            (*pivot, units)
        });
        let later = later.collect();
        self.inside = sums[gap + 1];
        self.skipped = self.offset - up_to;
        self.low = Some(pivots[gap]);
        self.high = behind.copied().or(self.high);
        self.pass();
        let is_close = self.skipped <= self.selecting.few || self.rounds >= ROUNDS;
        is_close.then_some(Found::After(pivots[gap], self.skipped, later))
    }
}

impl Scan {
    // What the selection counted is not counted again for the total.
    pub(super) fn know(&mut self, source: SourceId, matched: u64, plain: Plain) {
        if plain == Plain::Yes {
            self.learned.push((source, matched));
        }
        for work in self.work.iter_mut().filter(|work| work.source == source && work.whole) {
            self.total += matched;
            work.whole = false;
        }
    }

    // The next source whose matches have to be counted to find where an offset leads; `None` when this phase is over.
    pub(super) fn select(&mut self) -> Option<Next> {
        match self.selection.as_mut()?.next(self.running, self.window) {
            Todo::Wait => Some(Next::Wait),
            Todo::Run(at, measure) => {
                let Candidate { source, rows, predicate, .. } = self.selection.as_ref()?.candidate(at);
                let search = Search {
                    predicate: predicate.clone(),
                    sorting: self.sorting.clone(),
                    wanted: 0,
                    whole: true,
                    unit: self.unit,
                    measure,
                };
                let task = Task::new(*source, *rows, at, Job::Match(search));
                self.running += 1;
                self.scanned.opened += 1;
                Some(Next::Run(Box::new(task)))
            }
            Todo::Done(found) => {
                self.selection = None;
                match found {
                    Found::Beyond => self.wanted = 0,
                    Found::After(rank, skipped, later) => {
                        self.skipped = skipped;
                        self.wanted = self.fetch.as_ref().map_or(0, |fetch| wanted(skipped, &fetch.query));
                        self.sorting.start_after(Place::Number(rank));
                        // a row is two units at most
                        let enough = (self.wanted as u64).saturating_mul(2);
                        if let Some((end, _)) = later.into_iter().find(|(_, units)| *units >= enough) {
                            self.sorting = self.sorting.ending_before(&Place::Number(end));
                        }
                    }
                }
                let none = self.wanted == 0;
                let outside = |extent| self.sorting.is_passed(extent) || self.sorting.is_behind(extent);
                self.work.retain(|work| work.whole || !none && !outside(work.extent));
                None
            }
        }
    }
}

/// The rank right before this one.
fn before((key, seq): Rank) -> Rank {
    match (key, seq) {
        (0, 0) => (0, 0),
        (key, 0) => (key - 1, u64::MAX),
        (key, seq) => (key, seq - 1),
    }
}
