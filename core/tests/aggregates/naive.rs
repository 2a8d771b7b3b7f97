//! What aggregates mean: a loop over all rows.

use reqlog_core::aggregate::{
    Durations, Endpoint, EndpointOrder, EndpointsQuery, Facet, Facets, FacetsQuery, Grid, Histogram, HistogramQuery,
    TooManyBuckets, Width, template, window,
};
use reqlog_core::filter::{Number, Predicate};
use reqlog_core::id::Seq;
use reqlog_core::level::Level;
use reqlog_core::record::{Field, Record, Stored};
use std::collections::BTreeMap;

fn matching<'a>(rows: &'a [Stored], filter: &'a Predicate, bound: Seq) -> impl Iterator<Item = &'a Record> {
    rows.iter().filter(move |row| row.id.seq() <= bound && filter.matches_stored(row)).map(|row| &row.record)
}

pub fn histogram(rows: &[Stored], query: &HistogramQuery) -> Result<Histogram, TooManyBuckets> {
    let rows: Vec<_> = matching(rows, &query.filter, query.bound).collect();
    let times = || rows.iter().map(|record| record.time.as_nanos());
    let (low, high) = window(&query.filter);
    let span = low.or(times().min()).zip(high.or(times().max())).filter(|(low, high)| low <= high);
    let Some(span) = span else {
        let interval = if let Width::Interval(interval) = query.width { interval } else { 0 };
        return Ok(Histogram { interval, buckets: Vec::new() });
    };
    let mut histogram = Grid::new(span, query.width)?.empty();
    let interval = i128::from(histogram.interval);
    for record in rows {
        let time = i128::from(record.time.as_nanos());
        let of = |bucket: &reqlog_core::aggregate::Bucket| i128::from(bucket.start.as_nanos()).div_euclid(interval);
        let bucket = histogram.buckets.iter_mut().find(|bucket| of(bucket) == time.div_euclid(interval));
        bucket.expect("the grid covers every row").add(record.status);
    }
    Ok(histogram)
}

pub fn facets(rows: &[Stored], query: &FacetsQuery) -> Facets {
    let rows: Vec<_> = matching(rows, &query.filter, query.bound).collect();
    let facet = |key: reqlog_core::aggregate::FacetKey| {
        let mut counts = BTreeMap::<String, u64>::new();
        rows.iter().filter_map(|record| key.of(record)).for_each(|value| *counts.entry(value.into()).or_default() += 1);
        let (distinct, present) = (counts.len() as u64, counts.values().sum::<u64>());
        let mut values: Vec<(String, u64)> = counts.into_iter().collect();
        // stable, and by value before
        values.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        values.truncate(query.top);
        (key, Facet { values, distinct, missing: rows.len() as u64 - present, complete: true })
    };
    Facets { total: rows.len() as u64, facets: query.keys.iter().map(|key| facet(*key)).collect() }
}

/// Every endpoint with exact percentiles, in no order.
pub fn endpoints(rows: &[Stored], query: &EndpointsQuery) -> Vec<Endpoint> {
    let mut groups = BTreeMap::<(Option<String>, Option<String>), Vec<&Record>>::new();
    for record in matching(rows, &query.filter, query.bound) {
        let path = record.text(Field::Path).map(|path| template(path).into_owned());
        let route = record.text(Field::Route).map(str::to_owned).or(path);
        groups.entry((record.text(Field::Method).map(str::to_owned), route)).or_default().push(record);
    }
    let endpoint = |((method, route), records): ((_, _), Vec<&Record>)| {
        let count = |test: &dyn Fn(&Record) -> bool| records.iter().filter(|record| test(record)).count() as u64;
        let bytes = |number: Number| records.iter().filter_map(|record| number.of(record)).sum::<i64>() as u64;
        let mut durations: Vec<u64> = records.iter().filter_map(|record| record.duration).collect();
        durations.sort_unstable();
        // nearest rank
        let place = |fraction: f64| ((fraction * durations.len() as f64 - 1e-9).ceil() as usize).saturating_sub(1);
        Endpoint {
            method,
            route,
            count: records.len() as u64,
            errors: count(&|record| record.level >= Level::Error),
            client_errors: count(&|record| record.status.is_some_and(|status| (400..500).contains(&status))),
            percentiles: [0.5, 0.95, 0.99].map(|fraction| durations.get(place(fraction)).copied()),
            request_bytes: bytes(Number::ReqSize),
            response_bytes: bytes(Number::ResSize),
        }
    };
    groups.into_iter().map(endpoint).collect()
}

/// Whether `found` is `exact` but for the stated error of percentiles.
pub fn is_alike(found: &Endpoint, exact: &Endpoint) -> bool {
    let close = |(found, exact): (&Option<u64>, &Option<u64>)| match (found, exact) {
        (Some(found), Some(exact)) => {
            (*found as f64 - *exact as f64).abs() <= *exact as f64 * (Durations::ERROR + 1e-9) + 0.5
        }
        (found, exact) => found == exact,
    };
    let same = Endpoint { percentiles: exact.percentiles, ..found.clone() } == *exact;
    let few = exact.count <= Durations::EXACT as u64;
    let mut percentiles = found.percentiles.iter().zip(&exact.percentiles);
    same && if few { found.percentiles == exact.percentiles } else { percentiles.all(close) }
}

/// Whether endpoints stand in an order.
pub fn is_sorted(items: &[Endpoint], order: EndpointOrder) -> bool {
    items.is_sorted_by(|a, b| {
        order.compare(b, a).then_with(|| (&a.route, &a.method).cmp(&(&b.route, &b.method))).is_lt()
    })
}
