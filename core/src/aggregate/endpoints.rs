//! Counts by method and route.

use super::durations::Durations;
use crate::filter::Predicate;
use crate::id::Seq;
use crate::level::Level;
use crate::record::{Field, Record};
use hashbrown::HashTable;
use std::borrow::Cow;
use xxhash_rust::xxh3::Xxh3;

/// What endpoints are asked of.
#[derive(Clone, Debug)]
pub struct EndpointsQuery {
    /// Which rows; the caller's scope is part of it.
    pub filter: Predicate,
    /// Rows that arrived after this one are not counted.
    pub bound: Seq,
    /// Which endpoints come first.
    pub order: EndpointOrder,
    /// At most so many.
    pub limit: usize,
}

/// What endpoints are sorted by, greatest first; ties by route, then by method. An endpoint without a duration comes after
/// all that have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointOrder {
    /// How many rows.
    Count,
    /// How many errors.
    Errors,
    /// Errors a row.
    ErrorRate,
    /// The median duration.
    P50,
    /// The 95th percentile of durations.
    P95,
    /// The 99th percentile of durations.
    P99,
    /// Bytes of both bodies.
    Bytes,
}

/// Rows by method and route.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Endpoints {
    /// All matching rows.
    pub total: u64,
    /// Sorted and cut.
    pub items: Vec<Endpoint>,
    /// How many there are; where not `complete`, how many were counted.
    pub distinct: u64,
    /// Whether all endpoints were counted. Else there were more than [`EndpointCounts::MOST`], and one that was not
    /// counted may have had more rows than one that was; the counts of those that were are whole.
    pub complete: bool,
}

/// What is known of one method of one route.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// As sent; rows without one are an endpoint too.
    pub method: Option<String>,
    /// The route, and of rows without one the [`template`] of their path; rows without either are an endpoint too.
    pub route: Option<String>,
    /// How many rows.
    pub count: u64,
    /// Rows of level error or fatal, which every exchange of status 500 and above is: what `is:error` finds.
    pub errors: u64,
    /// Rows of status 400 to 499.
    pub client_errors: u64,
    /// Median, 95th and 99th percentile of the durations in nanoseconds, see [`Durations::percentiles`]; `None` where no
    /// row has a duration.
    pub percentiles: [Option<u64>; 3],
    /// Bytes of request bodies.
    pub request_bytes: u64,
    /// Bytes of response bodies.
    pub response_bytes: u64,
}

/// The rows of one endpoint.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    /// How many.
    pub count: u64,
    /// See [`Endpoint::errors`].
    pub errors: u64,
    /// See [`Endpoint::client_errors`].
    pub client_errors: u64,
    /// Of request bodies.
    pub request_bytes: u64,
    /// Of response bodies.
    pub response_bytes: u64,
    /// Of the rows that have one.
    pub durations: Durations,
}

/// One row as endpoints see it; levels and kinds as stored.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Call {
    pub(crate) level: Option<i64>,
    pub(crate) status: Option<i64>,
    pub(crate) duration: Option<i64>,
    pub(crate) sizes: [Option<i64>; 2],
}

impl Calls {
    pub(crate) fn add(&mut self, call: Call) {
        self.count += 1;
        self.errors += u64::from(call.level.is_some_and(|level| level >= Level::Error as i64));
        self.client_errors += u64::from(call.status.is_some_and(|status| (400..500).contains(&status)));
        let [request, response] = call.sizes.map(|size| size.unwrap_or(0) as u64);
        self.request_bytes = self.request_bytes.saturating_add(request);
        self.response_bytes = self.response_bytes.saturating_add(response);
        if let Some(duration) = call.duration {
            self.durations.add(duration as u64);
        }
    }

    fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.errors += other.errors;
        self.client_errors += other.client_errors;
        self.request_bytes = self.request_bytes.saturating_add(other.request_bytes);
        self.response_bytes = self.response_bytes.saturating_add(other.response_bytes);
        self.durations.merge(&other.durations);
    }
}

type Name = (Option<Box<str>>, Option<Box<str>>);

/// Endpoints being counted, row by row or source by source.
#[derive(Debug, Default)]
pub struct EndpointCounts {
    total: u64,
    endpoints: HashTable<(Name, Calls)>,
    lacks: bool,
}

impl EndpointCounts {
    /// Most endpoints that are counted.
    pub const MOST: usize = 4096;

    /// Counts a record.
    pub fn add(&mut self, record: &Record) {
        use crate::filter::Number::{Duration, Level, ReqSize, ResSize, Status};
        let mut calls = Calls::default();
        let [level, status, duration, request, response] =
            [Level, Status, Duration, ReqSize, ResSize].map(|number| number.of(record));
        calls.add(Call { level, status, duration, sizes: [request, response] });
        let path = || record.text(Field::Path).map(template);
        let route = record.text(Field::Route).map(Cow::Borrowed).or_else(path);
        self.add_calls(record.text(Field::Method), route.as_deref(), &calls);
    }

    /// Counts rows of one endpoint.
    pub(crate) fn add_calls(&mut self, method: Option<&str>, route: Option<&str>, calls: &Calls) {
        self.total += calls.count;
        let hash = hash(method, route);
        let is = |(name, _): &(Name, Calls)| name.0.as_deref() == method && name.1.as_deref() == route;
        if let Some((_, known)) = self.endpoints.find_mut(hash, is) {
            known.merge(calls);
        } else if self.endpoints.len() < Self::MOST {
            let name = (method.map(Into::into), route.map(Into::into));
            let again = |(name, _): &(Name, Calls)| self::hash(name.0.as_deref(), name.1.as_deref());
            self.endpoints.insert_unique(hash, (name, calls.clone()), again);
        } else {
            self.lacks = true;
        }
    }

    /// Adds what another has counted.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        let counted: u64 = other.endpoints.iter().map(|(_, calls)| calls.count).sum();
        if other.lacks {
            // the other has seen rows of what it did not count, maybe of these
            let has = |(method, route): &Name| {
                let hash = hash(method.as_deref(), route.as_deref());
                other.endpoints.find(hash, |(name, _)| name.0 == *method && name.1 == *route).is_some()
            };
            self.endpoints.retain(|(name, _)| has(name));
        }
        self.total += other.total - counted;
        self.lacks |= other.lacks;
        for ((method, route), calls) in other.endpoints {
            self.add_calls(method.as_deref(), route.as_deref(), &calls);
        }
        self
    }

    /// The first `limit` endpoints in an order.
    pub fn finish(self, order: EndpointOrder, limit: usize) -> Endpoints {
        let distinct = self.endpoints.len() as u64;
        let mut items: Vec<Endpoint> = self.endpoints.into_iter().map(Endpoint::of).collect();
        let tied = |a: &Endpoint, b: &Endpoint| (&a.route, &a.method).cmp(&(&b.route, &b.method));
        crate::sort::by(&mut items, |a, b| order.compare(b, a).then_with(|| tied(a, b)));
        items.truncate(limit);
        Endpoints { total: self.total, items, distinct, complete: !self.lacks }
    }
}

impl Endpoint {
    fn of(((method, route), calls): (Name, Calls)) -> Self {
        Self {
            method: method.map(Into::into),
            route: route.map(Into::into),
            count: calls.count,
            errors: calls.errors,
            client_errors: calls.client_errors,
            percentiles: calls.durations.percentiles([0.5, 0.95, 0.99]),
            request_bytes: calls.request_bytes,
            response_bytes: calls.response_bytes,
        }
    }

    /// Errors a row.
    pub fn error_rate(&self) -> f64 {
        self.errors as f64 / self.count.max(1) as f64
    }
}

impl EndpointOrder {
    /// Whether `a` is less than `b`.
    pub fn compare(self, a: &Endpoint, b: &Endpoint) -> std::cmp::Ordering {
        let [p50, p95, p99] = [0, 1, 2].map(|at| a.percentiles[at].cmp(&b.percentiles[at]));
        match self {
            Self::Count => a.count.cmp(&b.count),
            Self::Errors => a.errors.cmp(&b.errors),
            // the quotients themselves, without their rounding
            Self::ErrorRate => {
                let of = |errors: u64, count: u64| u128::from(errors) * u128::from(count);
                of(a.errors, b.count).cmp(&of(b.errors, a.count))
            }
            Self::P50 => p50,
            Self::P95 => p95,
            Self::P99 => p99,
            Self::Bytes => {
                let of = |endpoint: &Endpoint| endpoint.request_bytes.saturating_add(endpoint.response_bytes);
                of(a).cmp(&of(b))
            }
        }
    }
}

fn hash(method: Option<&str>, route: Option<&str>) -> u64 {
    let mut hasher = Xxh3::new();
    hasher.update(method.unwrap_or_default().as_bytes());
    hasher.update(&[0xff]);
    hasher.update(route.unwrap_or_default().as_bytes());
    hasher.digest()
}

/// What stands for the route of a path that has none: the path with `{id}` in place of every segment that is an id.
///
/// An id is a number in decimal; a UUID; 16 and more hexadecimal digits; or 20 to 32 digits and letters of one case without
/// `I`, `L`, `O` and `U` (Crockford's base 32, of which ULIDs are), a decimal digit among them.
pub fn template(path: &str) -> Cow<'_, str> {
    if !path.split('/').any(is_id) {
        return Cow::Borrowed(path);
    }
    let mut route = String::with_capacity(path.len());
    for (at, segment) in path.split('/').enumerate() {
        if at > 0 {
            route.push('/');
        }
        route.push_str(if is_id(segment) { "{id}" } else { segment });
    }
    Cow::Owned(route)
}

fn is_id(segment: &str) -> bool {
    let bytes = segment.as_bytes();
    let all = |test: fn(&u8) -> bool| bytes.iter().all(test);
    match bytes.len() {
        0 => false,
        _ if all(u8::is_ascii_digit) => true,
        36 => {
            let fits = |(at, byte): (usize, &u8)| {
                if matches!(at, 8 | 13 | 18 | 23) { *byte == b'-' } else { byte.is_ascii_hexdigit() }
            };
            bytes.iter().enumerate().all(fits)
        }
        16.. if all(u8::is_ascii_hexdigit) => true,
        20..=32 => {
            let base32 = |byte: &u8| {
                byte.is_ascii_alphanumeric() && !matches!(byte.to_ascii_uppercase(), b'I' | b'L' | b'O' | b'U')
            };
            let [upper, lower] = [u8::is_ascii_uppercase, u8::is_ascii_lowercase].map(|of| bytes.iter().any(of));
            bytes.iter().all(base32) && bytes.iter().any(u8::is_ascii_digit) && !(upper && lower)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timestamp::Timestamp;

    #[test]
    fn segments_that_are_ids_are_one_route() {
        let check = |path, expected| assert_eq!(template(path), expected);
        check("/v1/users/12345/orders/7", "/v1/users/{id}/orders/{id}");
        check("/v1/users/f47ac10b-58cc-4372-a567-0e02b2c3d479", "/v1/users/{id}");
        check("/v1/users/F47AC10B-58CC-4372-A567-0E02B2C3D479/", "/v1/users/{id}/");
        check("/objects/65a1b2c3d4e5f60718293a4b", "/objects/{id}");
        check("/blobs/4bf92f3577b34da6", "/blobs/{id}");
        check("/logs/01KVT5M1F80000000001/body", "/logs/{id}/body");
        check("/events/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/events/{id}");
        // words, versions, short hexadecimal words, mixed case
        for path in ["", "/", "/v1/v2", "/face/cafe/deadbeef", "/internationalization", "/a/01arz3ndektsv4rrFFQ69G5FAV"]
        {
            check(path, path);
        }
        check("7", "{id}");
    }

    #[test]
    fn past_the_most_endpoints_the_answer_says_so_and_counts_the_others_whole() {
        let record = |path: &str| {
            let mut record = Record::new(Timestamp::from_nanos(0));
            record.texts.set(Field::Path, path);
            record
        };
        let counted = |from: usize, to: usize| {
            let mut counts = EndpointCounts::default();
            (from..to).for_each(|at| counts.add(&record(&format!("/p{at}"))));
            counts
        };
        let all = counted(0, EndpointCounts::MOST).merge(counted(1, EndpointCounts::MOST));
        let all = all.finish(EndpointOrder::Count, 2);
        assert_eq!((all.total, all.distinct, all.complete), (8191, 4096, true));
        assert_eq!(all.items[0].route.as_deref(), Some("/p1"));
        let cut = counted(0, EndpointCounts::MOST).merge(counted(1, EndpointCounts::MOST + 5));
        let cut = cut.finish(EndpointOrder::Count, 4096);
        assert_eq!((cut.total, cut.distinct, cut.complete), (8196, 4096, false));
        // the second might have seen /p0 after it was full, and did see /p4096 alone
        let whole = |endpoint: &Endpoint| match endpoint.route.as_deref() {
            Some("/p0") | None => false,
            Some(route) => endpoint.count == if route == "/p4096" { 1 } else { 2 },
        };
        assert!(cut.items.iter().all(whole));
    }

    #[test]
    fn endpoints_come_in_the_order_asked_for() {
        let mut counts = EndpointCounts::default();
        let mut add = |method: &str, level, duration: Option<u64>, times: usize| {
            let mut record = Record::new(Timestamp::from_nanos(0));
            record.texts.set(Field::Method, method);
            (record.level, record.duration) = (level, duration);
            (0..times).for_each(|_| counts.add(&record));
        };
        add("A", Level::Info, Some(5), 6);
        add("A", Level::Error, Some(5), 2);
        add("B", Level::Fatal, Some(9), 1);
        add("B", Level::Warn, Some(1), 2);
        add("C", Level::Error, None, 1);
        add("D", Level::Info, Some(7), 1);
        let finish = |order| {
            let all = EndpointCounts::default().merge(EndpointCounts {
                total: counts.total,
                endpoints: counts.endpoints.clone(),
                lacks: false,
            });
            let items = all.finish(order, 9).items;
            items.iter().filter_map(|endpoint| endpoint.method.clone()).collect::<String>()
        };
        assert_eq!(finish(EndpointOrder::Count), "ABCD");
        assert_eq!(finish(EndpointOrder::Errors), "ABCD");
        assert_eq!(finish(EndpointOrder::ErrorRate), "CBAD");
        assert_eq!(finish(EndpointOrder::P50), "DABC");
        assert_eq!(finish(EndpointOrder::P99), "BDAC");
    }
}
