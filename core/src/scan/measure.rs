//! What is added up of the matching rows of a scan.

use super::endpoints::SourceCalls;
use super::facets::{self, FacetCounts};
use super::histogram::Slices;
use super::ranks::{Division, Sample, Sampling};
use super::tally::{self, Tally};
use crate::aggregate::{EndpointCounts, Grid, Histogram, TooManyBuckets};
use crate::catalog::Summary;
use crate::segment::evaluate::Mask;
use crate::segment::{Columns, Need};
use std::sync::Arc;

/// What is counted of every match in a source.
#[derive(Clone, Debug)]
pub(super) enum Measure {
    /// Rows by the usual dimensions, of which the source's summary tells some.
    Stats(Arc<Summary>),
    /// Rows by time.
    Histogram(Grid),
    /// Rows by the values of fields.
    Facets(facets::Plan),
    /// Rows by method and route.
    Endpoints,
    /// Some of the ranks of rows.
    Sample(Sampling),
    /// Rows by their ranks.
    Divide(Division),
}

/// The counts of one source.
#[derive(Debug)]
pub(super) enum Counted {
    Stats(Tally),
    Histogram(Slices),
    Facets(FacetCounts),
    Endpoints(SourceCalls),
    Sample(Sample),
    Divide(Vec<u64>),
}

/// The counts of all sources.
#[derive(Debug)]
pub(super) enum Sum {
    /// A scan of another kind.
    Nothing,
    Stats(tally::Totals),
    Histogram(Result<Histogram, TooManyBuckets>),
    Facets(facets::Totals),
    Endpoints(EndpointCounts),
}

impl Measure {
    /// The parts that counting needs before any row is looked at.
    pub(super) fn want(&self, columns: &Columns, need: &mut Need) {
        match self {
            Self::Stats(summary) => Tally::want(summary, columns, need),
            Self::Histogram(_) => Slices::want(columns, need),
            Self::Facets(plan) => plan.want(columns, need),
            Self::Endpoints => SourceCalls::want(columns, need),
            Self::Sample(sampling) => sampling.want(columns, need),
            Self::Divide(division) => division.want(columns, need),
        }
    }

    /// The parts that counting the rows of a block needs.
    pub(super) fn want_block(&self, columns: &Columns, block: usize, mask: &Mask, need: &mut Need) {
        if let Self::Facets(plan) = self {
            plan.want_block(columns, block, mask, need);
        }
    }

    /// Whether counting a row needs its details.
    pub(super) fn reads_details(&self) -> bool {
        matches!(self, Self::Facets(plan) if plan.reads_details())
    }

    /// Nothing counted yet.
    pub(super) fn start(&self, columns: &Columns) -> Counted {
        match self {
            Self::Stats(_) => Counted::Stats(Tally::default()),
            Self::Histogram(grid) => Counted::Histogram(Slices::new(grid)),
            Self::Facets(plan) => Counted::Facets(plan.start(columns)),
            Self::Endpoints => Counted::Endpoints(SourceCalls::new(columns)),
            Self::Sample(sampling) => Counted::Sample(sampling.start()),
            Self::Divide(division) => Counted::Divide(division.start()),
        }
    }
}

impl Counted {
    /// Counts the rows of a block whose bits are set.
    pub(super) fn add(&mut self, measure: &Measure, columns: &Columns, block: usize, mask: &Mask) {
        match (self, measure) {
            (Self::Stats(tally), Measure::Stats(summary)) => tally.add(summary, columns, block, mask),
            (Self::Histogram(slices), Measure::Histogram(grid)) => slices.add(grid, columns, block, mask),
            (Self::Facets(counts), Measure::Facets(plan)) => counts.add(plan, columns, block, mask),
            (Self::Endpoints(calls), Measure::Endpoints) => calls.add(columns, block, mask),
            (Self::Sample(sample), Measure::Sample(sampling)) => sample.add(sampling, columns, block, mask),
            (Self::Divide(counts), Measure::Divide(division)) => division.add(counts, columns, block, mask),
            _ => debug_assert!(false, "a measure starts its own counts"),
        }
    }

    /// The counts after all blocks.
    pub(super) fn finish(self, measure: &Measure) -> Self {
        match (self, measure) {
            (Self::Stats(tally), Measure::Stats(summary)) => Self::Stats(tally.finish(summary)),
            (counted, _) => counted,
        }
    }
}

impl Sum {
    pub(super) fn add(&mut self, counted: &Counted) {
        match (self, counted) {
            (Self::Stats(totals), Counted::Stats(tally)) => totals.add(tally),
            (Self::Histogram(Ok(histogram)), Counted::Histogram(slices)) => slices.add_to(histogram),
            (Self::Facets(totals), Counted::Facets(counts)) => totals.add(counts),
            (Self::Endpoints(counts), Counted::Endpoints(calls)) => calls.add_to(counts),
            _ => debug_assert!(false, "a scan sums what it measures"),
        }
    }
}
