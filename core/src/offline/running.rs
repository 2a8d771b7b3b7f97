//! An operation on its way to its outcome: one scan after another.

use super::answer::Read;
use super::driver::Driver;
use super::store::Store;
use crate::aggregate::{EndpointsQuery, FacetsQuery};
use crate::filter::Predicate;
use crate::neighbours::{Neighbours, Side};
use crate::plan::{Failure, Offer, Operation, Outcome};
use crate::query::{Detail, Query};
use crate::record::Stored;
use crate::scan::Scan;

#[derive(Debug)]
pub(super) struct Running {
    wanted: Wanted,
    driver: Driver,
}

/// How far it got.
#[derive(Debug)]
pub(super) enum Progress {
    Read(Vec<Read>),
    Done(Box<Outcome>),
}

// what is made of the scan under way
#[derive(Debug)]
enum Wanted {
    // known without a scan
    Known(Outcome),
    // counts that it made are kept
    Page,
    One { arrival: Option<u64> },
    Stats,
    Histogram,
    Facets(FacetsQuery),
    Endpoints(EndpointsQuery),
    Around(Around),
}

/// A row, then those before it, then those after it.
#[derive(Debug)]
struct Around {
    arrival: Option<u64>,
    filter: Predicate,
    count: usize,
    row: Option<Stored>,
    before: Option<Vec<Stored>>,
}

impl Running {
    /// Fails where an opened file cannot do it.
    pub(super) fn new(operation: &Operation, store: &Store) -> Result<Self, Failure> {
        let catalog = store.catalog();
        let (wanted, scan) = match operation {
            // nothing will be committed for which to wait
            Operation::Page { query, .. } => return Ok(Self::page(query, store)),
            Operation::Get { seq, arrival, filter, detail } => {
                (Wanted::One { arrival: *arrival }, Scan::page(Query::one(*seq, filter, *detail), catalog))
            }
            Operation::Stats { filter, bound, unit } => (Wanted::Stats, Scan::stats(filter, *bound, *unit, catalog)),
            Operation::Histogram(query) => (Wanted::Histogram, Scan::histogram(query, catalog)),
            Operation::Facets(query) => (Wanted::Facets(query.clone()), Scan::facets(query, catalog)),
            Operation::Endpoints(query) => (Wanted::Endpoints(query.clone()), Scan::endpoints(query, catalog)),
            Operation::Neighbours { seq, arrival, filter, count } => {
                let (filter, arrival, count) = (filter.clone(), *arrival, *count);
                let scan = Scan::page(Query::one(*seq, &filter, Detail::Preview), catalog);
                (Wanted::Around(Around { arrival, filter, count, row: None, before: None }), scan)
            }
            Operation::Nothing => return Ok(Self::known(Outcome::Nothing)),
            Operation::Ready => return Ok(Self::known(Outcome::Ready(store.ready()))),
            // an exporter asks for its pages itself
            Operation::Export(_) => return Err(Failure::Internal),
            // refused by the plan, unless the settings promise more than opened files can do
            Operation::Tail { .. } => return Err(Failure::NotOffered(Offer::Tail)),
            Operation::Metrics => return Err(Failure::NotOffered(Offer::Metrics)),
            Operation::Backup => return Err(Failure::NotOffered(Offer::Backup)),
            Operation::Ingest(_)
            | Operation::Delete { .. }
            | Operation::CreateProject { .. }
            | Operation::DeleteProject { .. }
            | Operation::CreateKey(_)
            | Operation::RevokeKey { .. } => return Err(Failure::NotOffered(Offer::Write)),
        };
        let driver = match &wanted {
            Wanted::One { .. } => Driver::new(scan).whole(),
            _ => Driver::new(scan),
        };
        Ok(Self { wanted, driver })
    }

    /// One page.
    pub(super) fn page(query: &Query, store: &Store) -> Self {
        let mut scan = Scan::page(query.clone(), store.catalog());
        store.recall(&mut scan);
        Self { wanted: Wanted::Page, driver: Driver::new(scan) }
    }

    fn known(outcome: Outcome) -> Self {
        Self { wanted: Wanted::Known(outcome), driver: Driver::idle() }
    }

    /// Goes on until bytes are needed or the outcome is known.
    pub(super) fn step(&mut self, store: &Store) -> Result<Progress, Failure> {
        loop {
            if let Some(reads) = self.driver.step(store)? {
                return Ok(Progress::Read(reads));
            }
            if let Some(outcome) = self.finish(store) {
                return Ok(Progress::Done(Box::new(outcome)));
            }
        }
    }

    /// What came of the scan; `None` where another one follows.
    fn finish(&mut self, store: &Store) -> Option<Outcome> {
        let wanted = std::mem::replace(&mut self.wanted, Wanted::Known(Outcome::Nothing));
        let Some(scan) = self.driver.take() else {
            let Wanted::Known(outcome) = wanted else { return Some(Outcome::Failed(Failure::Internal)) };
            return Some(outcome);
        };
        Some(match wanted {
            Wanted::Known(outcome) => outcome,
            Wanted::Page => {
                store.learn(&scan);
                Outcome::Page(scan.finish())
            }
            Wanted::One { arrival } => Outcome::Record(one(scan, arrival).map(Box::new)),
            Wanted::Stats => Outcome::Stats(scan.finish_stats()),
            Wanted::Histogram => Outcome::Histogram(scan.finish_histogram()),
            Wanted::Facets(query) => Outcome::Facets(scan.finish_facets(&query)),
            Wanted::Endpoints(query) => Outcome::Endpoints(scan.finish_endpoints(&query)),
            Wanted::Around(mut around) => {
                let side = match (around.row.take(), around.before.take()) {
                    (Some(row), Some(before)) => {
                        let after = scan.finish().rows;
                        return Some(Outcome::Neighbours(Some(Box::new(Neighbours { row, before, after }))));
                    }
                    (Some(row), None) => {
                        (around.row, around.before) = (Some(row), Some(scan.finish().rows));
                        Side::After
                    }
                    (None, _) => {
                        around.row = one(scan, around.arrival);
                        Side::Before
                    }
                };
                let Some(row) = &around.row else { return Some(Outcome::Neighbours(None)) };
                let query = side.query(row, &around.filter, around.count);
                self.driver = Driver::new(Scan::page(query, store.catalog()));
                self.wanted = Wanted::Around(around);
                return None;
            }
        })
    }

    pub(super) fn supply(&mut self, bytes: &[u8]) {
        self.driver.supply(bytes);
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        self.driver.fail(failure);
    }

    pub(super) fn changed(&mut self) {
        self.driver.changed();
    }
}

fn one(scan: Scan, arrival: Option<u64>) -> Option<Stored> {
    scan.finish().rows.pop().filter(|row| arrival.is_none_or(|arrival| arrival == row.id.arrival_ms()))
}
