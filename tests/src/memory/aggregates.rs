//! What aggregates mean: a loop over all rows.

use reqlog_core::aggregate::{
    Endpoint, Endpoints, EndpointsQuery, Facet, FacetKey, Facets, FacetsQuery, Grid, Histogram, HistogramQuery,
    TooManyBuckets, Width, template, window,
};
use reqlog_core::filter::{Number, Predicate};
use reqlog_core::id::Seq;
use reqlog_core::level::Level;
use reqlog_core::record::{Field, Record, Stored};
use std::cmp::Reverse;
use std::collections::BTreeMap;

fn matching<'a>(rows: &'a [Stored], filter: &Predicate, bound: Seq) -> Vec<&'a Record> {
    let matches = |row: &&Stored| row.id.seq() <= bound && filter.matches_stored(row);
    rows.iter().filter(matches).map(|row| &row.record).collect()
}

/// From the filter's bounds, else from the first row and to the last.
pub(super) fn histogram(rows: &[Stored], query: &HistogramQuery) -> Result<Histogram, TooManyBuckets> {
    let rows = matching(rows, &query.filter, query.bound);
    let times = || rows.iter().map(|record| record.time.as_nanos());
    let (low, high) = window(&query.filter);
    let (low, high) = (low.or(times().min()), high.or(times().max()));
    let Some(span) = low.zip(high).filter(|(low, high)| low <= high) else {
        let interval = if let Width::Interval(interval) = query.width { interval } else { 0 };
        return Ok(Histogram { interval, buckets: Vec::new() });
    };
    let grid = Grid::new(span, query.width)?;
    let mut histogram = grid.empty();
    for record in rows {
        histogram.buckets[grid.bucket(record.time.as_nanos())].add(record.status);
    }
    Ok(histogram)
}

pub(super) fn facets(rows: &[Stored], query: &FacetsQuery) -> Facets {
    let rows = matching(rows, &query.filter, query.bound);
    let facet = |key: &FacetKey| {
        let mut counts = BTreeMap::<String, u64>::new();
        for value in rows.iter().filter_map(|record| key.of(record)) {
            *counts.entry(value.into_owned()).or_default() += 1;
        }
        let (distinct, present) = (counts.len() as u64, counts.values().sum::<u64>());
        let mut values: Vec<(String, u64)> = counts.into_iter().collect();
        values.sort_by(|(a, fewer), (b, more)| (Reverse(fewer), a).cmp(&(Reverse(more), b)));
        values.truncate(query.top);
        (*key, Facet { values, distinct, missing: rows.len() as u64 - present, complete: true })
    };
    Facets { total: rows.len() as u64, facets: query.keys.iter().map(facet).collect() }
}

pub(super) fn endpoints(rows: &[Stored], query: &EndpointsQuery) -> Endpoints {
    let rows = matching(rows, &query.filter, query.bound);
    let mut groups = BTreeMap::<(Option<String>, Option<String>), Vec<&Record>>::new();
    for &record in &rows {
        let path = record.text(Field::Path).map(|path| template(path).into_owned());
        let route = record.text(Field::Route).map(str::to_owned).or(path);
        let method = record.text(Field::Method).map(str::to_owned);
        groups.entry((route, method)).or_default().push(record);
    }
    let distinct = groups.len() as u64;
    // stable, and by route and method before
    let mut items: Vec<Endpoint> = groups.into_iter().map(|((route, method), rows)| of(method, route, &rows)).collect();
    items.sort_by(|a, b| query.order.compare(b, a));
    items.truncate(query.limit);
    Endpoints { total: rows.len() as u64, items, distinct, complete: true }
}

fn of(method: Option<String>, route: Option<String>, rows: &[&Record]) -> Endpoint {
    let count = |test: &dyn Fn(&Record) -> bool| rows.iter().filter(|record| test(record)).count() as u64;
    let bytes = |number: Number| rows.iter().filter_map(|record| number.of(record)).sum::<i64>() as u64;
    let mut durations: Vec<u64> = rows.iter().filter_map(|record| record.duration).collect();
    durations.sort_unstable();
    // nearest rank
    let place = |fraction: f64| ((fraction * durations.len() as f64 - 1e-9).ceil() as usize).saturating_sub(1);
    Endpoint {
        method,
        route,
        count: rows.len() as u64,
        errors: count(&|record| record.level >= Level::Error),
        client_errors: count(&|record| record.status.is_some_and(|status| (400..500).contains(&status))),
        percentiles: [0.5, 0.95, 0.99].map(|fraction| durations.get(place(fraction)).copied()),
        request_bytes: bytes(Number::ReqSize),
        response_bytes: bytes(Number::ResSize),
    }
}
