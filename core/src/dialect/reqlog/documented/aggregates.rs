//! What the documentation says of histograms, facets and endpoints.

use super::{count, text};
use crate::aggregate::FacetKey;
use crate::dialect::schema::{nullable, object};
use serde_json::{Value, json};

/// Buckets are contiguous, begin at whole intervals since 1970, and are there when they are empty. `class` has the classes
/// that occur, `none` for records without a status among them. `interval` is `null` where there are no buckets because
/// nothing matches.
pub(super) fn histogram() -> Value {
    let bucket = object(&[
        ("time", json!({"type": "string", "format": "date-time"})),
        ("total", count()),
        ("class", json!({"type": "object", "additionalProperties": count()})),
    ]);
    object(&[
        ("interval", nullable("string")),
        ("total", count()),
        ("buckets", json!({"type": "array", "items": bucket, "maxItems": 1000})),
    ])
}

pub(super) fn a_histogram() -> Value {
    json!({"interval": "5m", "total": 3, "buckets": [
        {"time": "2026-06-23T12:00:00Z", "total": 2, "class": {"2xx": 1, "none": 1}},
        {"time": "2026-06-23T12:05:00Z", "total": 0, "class": {}},
        {"time": "2026-06-23T12:10:00Z", "total": 1, "class": {"5xx": 1}},
    ]})
}

/// Values by how many records have them, most first. `missing` are the records without the field. Where `complete` is
/// false there were more values than memory is spent on; `distinct` then says how many were counted, the count of each is
/// exact, and one that was not counted may be more frequent.
pub(super) fn facets() -> Value {
    let value = object(&[("value", text()), ("count", count())]);
    let facet = object(&[
        ("field", json!({"enum": FacetKey::NAMES})),
        ("values", json!({"type": "array", "items": value, "maxItems": 1000})),
        ("distinct", count()),
        ("missing", count()),
        ("complete", json!({"type": "boolean"})),
    ]);
    object(&[("total", count()), ("facets", json!({"type": "array", "items": facet}))])
}

pub(super) fn some_facets() -> Value {
    json!({"total": 3, "facets": [{
        "field": "method", "values": [{"value": "GET", "count": 2}], "distinct": 1, "missing": 1, "complete": true,
    }]})
}

/// Calls are exchanges, and requests and responses that have a method. A call without a route counts for its path, with
/// `{id}` in place of segments that are ids. `errors` are what `is:error` finds, `client_errors` those of status 4xx. Of the
/// durations of n calls in ascending order, `p95_ms` is the one at place ⌊0.95 · (n − 1)⌋, counted from 0: exact up to 512
/// durations, within 1 % beyond. `complete` and `distinct` are as in facets; 4096 endpoints are counted at most.
pub(super) fn endpoints() -> Value {
    let ms = || json!({"type": ["number", "null"], "minimum": 0});
    let item = object(&[
        ("method", nullable("string")),
        ("route", nullable("string")),
        ("count", count()),
        ("errors", count()),
        ("client_errors", count()),
        ("error_rate", json!({"type": "number", "minimum": 0, "maximum": 1})),
        ("p50_ms", ms()),
        ("p95_ms", ms()),
        ("p99_ms", ms()),
        ("request_bytes", count()),
        ("response_bytes", count()),
    ]);
    object(&[
        ("total", count()),
        ("items", json!({"type": "array", "items": item, "maxItems": 1000})),
        ("distinct", count()),
        ("complete", json!({"type": "boolean"})),
    ])
}

pub(super) fn some_endpoints() -> Value {
    json!({"total": 4, "items": [{
        "method": "GET", "route": "/v1/users/{id}", "count": 4, "errors": 1, "client_errors": 0, "error_rate": 0.25,
        "p50_ms": 12.5, "p95_ms": 40, "p99_ms": 40, "request_bytes": 0, "response_bytes": 2_048,
    }], "distinct": 1, "complete": true})
}
