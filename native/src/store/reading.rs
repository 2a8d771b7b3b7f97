//! Pages, single rows and counts.

use super::source::{Reader, Unreadable};
use super::{Fault, Shared, Snapshot, Store};
use reqlog_core::filter::{Number, Predicate};
use reqlog_core::id::Seq;
use reqlog_core::query::{Detail, Direction, Order, Page, Query, Start, Stats, Total, Unit};
use reqlog_core::record::Stored;
use reqlog_core::scan::Scan;
use std::sync::Arc;

impl Store {
    /// The page that answers `query`. Blocks on disk and processor: not for an async thread.
    pub fn page(&self, query: &Query) -> Result<Page, Fault> {
        let counts = &self.inner.shared.counts;
        let scan = self.scan(Shared::reader, |snapshot| {
            let mut scan = Scan::page(query.clone(), snapshot.catalog());
            counts.recall(&mut scan);
            scan
        })?;
        counts.learn(&scan);
        Ok(scan.finish())
    }

    /// One page of a walk over everything, which is not counted: what it decodes is not kept in the place of what other
    /// pages need, and stays within 32 MiB for all walks together.
    pub fn sweep(&self, query: &Query) -> Result<Page, Fault> {
        self.scan(Shared::sweeper, |snapshot| Scan::page(query.clone(), snapshot.catalog())).map(Scan::finish)
    }

    /// The row of a sequence, if it is there, matches, and arrived when its id says.
    pub fn get(
        &self,
        seq: Seq,
        arrival: Option<u64>,
        filter: &Predicate,
        detail: Detail,
    ) -> Result<Option<Stored>, Fault> {
        let exact = i64::try_from(seq.get()).unwrap_or(i64::MAX);
        let query = Query {
            filter: Predicate::And(vec![Predicate::Number(Number::Seq, vec![(exact, exact)]), filter.clone()]),
            order: Order::Arrival,
            direction: Direction::Ascending,
            start: Start::First,
            bound: Seq::MAX,
            limit: 1,
            detail,
            total: Total::Skip,
            unit: Unit::Record,
        };
        let row = self.page(&query)?.rows.pop();
        Ok(row.filter(|row| arrival.is_none_or(|arrival| arrival == row.id.arrival_ms())))
    }

    /// Counts of the rows that match among those up to `bound`, in units.
    pub fn stats(&self, filter: &Predicate, bound: Seq, unit: Unit) -> Result<Stats, Fault> {
        self.scan(Shared::reader, |snapshot| Scan::stats(filter, bound, unit, snapshot.catalog()))
            .map(Scan::finish_stats)
    }

    // a source that cannot be read may have been replaced since: asked again while the view changes
    fn scan(
        &self,
        reader: for<'a> fn(&'a Shared, &'a Snapshot) -> Reader<'a>,
        plan: impl Fn(&Snapshot) -> Scan,
    ) -> Result<Scan, Fault> {
        let shared = &self.inner.shared;
        let mut snapshot = shared.snapshot.get();
        loop {
            let mut scan = plan(&snapshot);
            let Err(Unreadable { source, fault }) = reader(shared, &snapshot).drive(&mut scan) else {
                shared.counters.scanned(scan.scanned());
                return Ok(scan);
            };
            let fresh = shared.snapshot.get();
            if Arc::ptr_eq(&snapshot, &fresh) || fresh.entry(source).is_some() {
                tracing::error!("{fault}");
                return Err(fault);
            }
            snapshot = fresh;
        }
    }
}
