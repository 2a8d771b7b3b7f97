//! Pages, single rows and aggregates.

use super::source::{Reader, Unreadable};
use super::{Fault, Shared, Snapshot, Store};
use reqlog_core::aggregate::{
    Endpoints, EndpointsQuery, Facets, FacetsQuery, Histogram, HistogramQuery, TooManyBuckets,
};
use reqlog_core::filter::Predicate;
use reqlog_core::id::Seq;
use reqlog_core::neighbours::{Neighbours, Side};
use reqlog_core::query::{Detail, Page, Query, Stats, Unit};
use reqlog_core::record::Stored;
use reqlog_core::scan::Scan;
use std::sync::Arc;

// over the cache of pages or that of walks
type MakeReader = for<'a> fn(&'a Shared, &'a Snapshot) -> Reader<'a>;

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
        let row = self.page(&Query::one(seq, filter, detail))?.rows.pop();
        Ok(row.filter(|row| arrived(row, arrival)))
    }

    /// The same row with at most `count` on each side of it, all from one moment of the store.
    pub fn neighbours(
        &self,
        seq: Seq,
        arrival: Option<u64>,
        filter: &Predicate,
        count: usize,
    ) -> Result<Option<Neighbours>, Fault> {
        self.look(Shared::reader, |reader| {
            let page = |query: Query| {
                let mut scan = Scan::page(query, reader.snapshot.catalog());
                reader.drive(&mut scan)?;
                self.inner.shared.counters.scanned(scan.scanned());
                Ok(scan.finish().rows)
            };
            let row = page(Query::one(seq, filter, Detail::Preview))?.pop();
            let Some(row) = row.filter(|row| arrived(row, arrival)) else { return Ok(None) };
            let before = page(Side::Before.query(&row, filter, count))?;
            let after = page(Side::After.query(&row, filter, count))?;
            Ok(Some(Neighbours { row, before, after }))
        })
    }

    /// Counts of the rows that match among those up to `bound`, in units.
    pub fn stats(&self, filter: &Predicate, bound: Seq, unit: Unit) -> Result<Stats, Fault> {
        self.scan(Shared::reader, |snapshot| Scan::stats(filter, bound, unit, snapshot.catalog()))
            .map(Scan::finish_stats)
    }

    /// Counts by time and status class, or why there are none.
    pub fn histogram(&self, query: &HistogramQuery) -> Result<Result<Histogram, TooManyBuckets>, Fault> {
        self.scan(Shared::reader, |snapshot| Scan::histogram(query, snapshot.catalog())).map(Scan::finish_histogram)
    }

    /// Counts by the values of fields.
    pub fn facets(&self, query: &FacetsQuery) -> Result<Facets, Fault> {
        let scan = self.scan(Shared::reader, |snapshot| Scan::facets(query, snapshot.catalog()));
        scan.map(|scan| scan.finish_facets(query))
    }

    /// Counts by method and route.
    pub fn endpoints(&self, query: &EndpointsQuery) -> Result<Endpoints, Fault> {
        let scan = self.scan(Shared::reader, |snapshot| Scan::endpoints(query, snapshot.catalog()));
        scan.map(|scan| scan.finish_endpoints(query))
    }

    fn scan(&self, reader: MakeReader, plan: impl Fn(&Snapshot) -> Scan) -> Result<Scan, Fault> {
        let scan = self.look(reader, |reader| {
            let mut scan = plan(reader.snapshot);
            reader.drive(&mut scan).map(|()| scan)
        })?;
        self.inner.shared.counters.scanned(scan.scanned());
        Ok(scan)
    }

    // a source that cannot be read may have been replaced since: asked again while the view changes
    fn look<T>(&self, reader: MakeReader, work: impl Fn(Reader<'_>) -> Result<T, Unreadable>) -> Result<T, Fault> {
        let shared = &self.inner.shared;
        let mut snapshot = shared.snapshot.get();
        loop {
            let Unreadable { source, fault } = match work(reader(shared, &snapshot)) {
                Ok(found) => return Ok(found),
                Err(unreadable) => unreadable,
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

fn arrived(row: &Stored, arrival: Option<u64>) -> bool {
    arrival.is_none_or(|arrival| arrival == row.id.arrival_ms())
}
