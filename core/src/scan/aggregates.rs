//! Scans that add something up over all matching rows.

use super::facets::{Plan, Totals};
use super::histogram::{Candidate, Slices, Survey};
use super::measure::{Counted, Measure, Sum};
use super::sorting::Sorting;
use super::tally::{self, Tally};
use super::task::{Job, Task};
use super::{Next, Plain, Scan, Work, visible};
use crate::aggregate::{
    EndpointCounts, Endpoints, EndpointsQuery, Facets, FacetsQuery, Histogram, HistogramQuery, Ranking, TooManyBuckets,
};
use crate::catalog::{Catalog, Entry, SourceId, Verdict};
use crate::filter::Predicate;
use crate::id::Seq;
use crate::query::{Stats, Unit};

impl Scan {
    /// A scan that counts what matches `filter` among the rows up to `bound` by the usual dimensions, in units.
    pub fn stats(filter: &Predicate, bound: Seq, unit: Unit, catalog: &Catalog) -> Self {
        let mut scan = Self { unit, ..Self::of(Sum::Stats(tally::Totals::default()), catalog) };
        for (entry, predicate, verdict) in visible(catalog, filter, bound) {
            let units = entry.summary.units_a_row(unit).filter(|_| verdict == Verdict::Always);
            match units.zip(Tally::of_summary(&entry.summary)) {
                Some((units, tally)) => {
                    tally.times(units).into_iter().for_each(|tally| scan.sum.add(&Counted::Stats(tally)));
                }
                None => scan.count(entry, predicate, Measure::Stats(entry.summary.clone())),
            }
        }
        scan
    }

    /// A scan that counts by time and status class.
    pub fn histogram(query: &HistogramQuery, catalog: &Catalog) -> Self {
        let mut scan = Self::of(Sum::Histogram(Ok(Survey::nothing(query.width))), catalog);
        let candidates = visible(catalog, &query.filter, query.bound).map(|(entry, predicate, _)| Candidate {
            source: entry.id,
            summary: entry.summary.clone(),
            predicate,
        });
        scan.survey = Some(Survey::new(query, candidates.collect()));
        scan
    }

    /// A scan that counts by the values of fields. What is counted of all sources takes no more memory than
    /// [`Ranking::MOST_BYTES`].
    pub fn facets(query: &FacetsQuery, catalog: &Catalog) -> Self {
        Self::facets_within(query, catalog, Ranking::MOST_BYTES)
    }

    /// The same with another limit of memory.
    pub fn facets_within(query: &FacetsQuery, catalog: &Catalog, most_bytes: usize) -> Self {
        let keys = query.keys.as_slice().into();
        let mut scan = Self::of(Sum::Facets(Totals::new(&keys, most_bytes)), catalog);
        for (entry, predicate, verdict) in visible(catalog, &query.filter, query.bound) {
            let whole = (verdict == Verdict::Always).then(|| entry.summary.clone());
            let plan = Plan { keys: keys.clone(), whole };
            match plan.of_summary() {
                Some(counts) => scan.sum.add(&Counted::Facets(counts)),
                None => scan.count(entry, predicate, Measure::Facets(plan)),
            }
        }
        scan
    }

    /// A scan that counts by method and route.
    pub fn endpoints(query: &EndpointsQuery, catalog: &Catalog) -> Self {
        let mut scan = Self::of(Sum::Endpoints(EndpointCounts::default()), catalog);
        for (entry, predicate, _) in visible(catalog, &query.filter, query.bound) {
            scan.count(entry, predicate, Measure::Endpoints);
        }
        scan
    }

    fn of(sum: Sum, catalog: &Catalog) -> Self {
        Self { sum, ..Self::new(Sorting::arrival(), Unit::Record, 0, catalog) }
    }

    fn count(&mut self, entry: &Entry, predicate: Predicate, measure: Measure) {
        self.work.push(Work::counting(entry.id, entry.summary.rows, predicate, measure));
    }

    // The next source that may hold the first or the last row of a histogram; `None` when this phase is over.
    pub(super) fn survey(&mut self) -> Option<Next> {
        let survey = self.survey.as_mut()?;
        if self.running >= self.window {
            return Some(Next::Wait);
        }
        if let Some(Candidate { source, summary, predicate }) = survey.next() {
            self.running += 1;
            self.scanned.opened += 1;
            return Some(Next::Run(Box::new(Task::new(source, summary.rows, 0, Job::Edges(predicate)))));
        }
        if self.running > 0 {
            return Some(Next::Wait);
        }
        let survey = self.survey.take()?;
        let width = survey.width();
        let (grid, candidates) = survey.finish();
        let grid = match grid {
            Ok(Some(grid)) => grid,
            Ok(None) => {
                self.sum = Sum::Histogram(Ok(Survey::nothing(width)));
                return None;
            }
            Err(refused) => {
                self.sum = Sum::Histogram(Err(refused));
                return None;
            }
        };
        self.sum = Sum::Histogram(Ok(grid.empty()));
        for Candidate { source, summary, predicate } in candidates {
            let whole = predicate == Predicate::Const(true);
            match Slices::of_summary(&grid, &summary).filter(|_| whole) {
                Some(slices) => self.sum.add(&Counted::Histogram(slices)),
                None => self.work.push(Work::counting(source, summary.rows, predicate, Measure::Histogram(grid))),
            }
        }
        None
    }

    /// The counts of a scan made by [`Self::stats`], after [`Next::Done`].
    pub fn finish_stats(self) -> Stats {
        if let Sum::Stats(totals) = self.sum { totals.finish() } else { Stats::default() }
    }

    /// The counts of a scan made by [`Self::histogram`], after [`Next::Done`]; or why there are none.
    pub fn finish_histogram(self) -> Result<Histogram, TooManyBuckets> {
        if let Sum::Histogram(histogram) = self.sum { histogram } else { Ok(Histogram::default()) }
    }

    /// The counts of a scan made by [`Self::facets`], after [`Next::Done`].
    pub fn finish_facets(self, query: &FacetsQuery) -> Facets {
        if let Sum::Facets(totals) = self.sum { totals.finish(query.top) } else { Facets::default() }
    }

    /// The counts of a scan made by [`Self::endpoints`], after [`Next::Done`].
    pub fn finish_endpoints(self, query: &EndpointsQuery) -> Endpoints {
        match self.sum {
            Sum::Endpoints(counts) => counts.finish(query.order, query.limit),
            _ => Endpoints::default(),
        }
    }
}

impl Work {
    fn counting(source: SourceId, rows: u64, predicate: Predicate, measure: Measure) -> Self {
        Self { source, rows, predicate, extent: None, whole: true, measure: Some(measure), plain: Plain::No }
    }
}
