//! `GET /histogram`: how many records match, by time and status class.

use super::Render;
use super::parameters::{BUCKETS, INTERVAL};
use super::selection::Selection;
use crate::aggregate::{Bucket, Grid, Histogram, HistogramQuery, TooManyBuckets, Width};
use crate::auth::Key;
use crate::dialect::params::{INTERVAL_UNITS, ParamError, Params};
use crate::dialect::{Asked, Planned, json};
use crate::error::Error;
use crate::plan::Operation;
use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Map, Value, json};

pub(super) fn plan(asked: &Asked<'_>, key: &Key, params: &Params) -> Result<Planned, Error> {
    let given = |name: &str| params.given().find(|(given, _)| *given == name).map(|(_, text)| text.to_owned());
    let interval = given(INTERVAL.name);
    if interval.is_some() && given(BUCKETS.name).is_some() {
        return Err(ParamError::Exclusive { name: INTERVAL.name, other: BUCKETS.name }.into());
    }
    let width = match params.interval(&INTERVAL) {
        Some(nanos) => Width::Interval(nanos),
        None => Width::Buckets(params.integer(&BUCKETS).map_or(60, |buckets| buckets as usize)),
    };
    let filter = Selection::read(key, params)?.predicate(asked.context.now)?;
    let query = HistogramQuery { filter, bound: asked.bound(), width };
    Ok(Planned::run(Operation::Histogram(query), Render::Histogram(interval)))
}

pub(super) fn reply(
    asked: Option<String>,
    histogram: Result<Histogram, TooManyBuckets>,
) -> Result<Response<Bytes>, Error> {
    let histogram = histogram.map_err(|TooManyBuckets { buckets, least }| {
        let asked = asked.unwrap_or_default();
        let least = spelt(least).unwrap_or_default();
        let most = Grid::MOST;
        let accepted = format!("{least} or more here: the time has {buckets} such intervals, and {most} are the most");
        ParamError::value(&INTERVAL, &asked, accepted)
    })?;
    let total: u64 = histogram.buckets.iter().map(Bucket::total).sum();
    let buckets: Vec<Value> = histogram
        .buckets
        .iter()
        .map(|bucket| json!({"time": bucket.start.to_string(), "total": bucket.total(), "class": classes(bucket)}))
        .collect();
    let body = json!({"interval": spelt(histogram.interval), "total": total, "buckets": buckets});
    Ok(json(StatusCode::OK, &body))
}

fn classes(bucket: &Bucket) -> Map<String, Value> {
    let classes = (1..).zip(bucket.classes).map(|(class, count): (u8, u64)| (format!("{class}xx"), count));
    let present = classes.chain([("none".to_owned(), bucket.none)]).filter(|(_, count)| *count > 0);
    present.map(|(class, count)| (class, count.into())).collect()
}

/// An interval in its longest whole unit; none where there is none.
fn spelt(nanos: i64) -> Option<String> {
    let nanos = u64::try_from(nanos).ok().filter(|nanos| *nanos > 0)?;
    INTERVAL_UNITS.iter().find(|(_, unit)| nanos % unit == 0).map(|(name, unit)| format!("{}{name}", nanos / unit))
}
