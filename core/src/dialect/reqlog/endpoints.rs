//! `GET /endpoints`: calls by method and route.

use super::Render;
use super::parameters::{ENDPOINT_LIMIT, ENDPOINT_SORT};
use super::selection::Selection;
use crate::aggregate::{Endpoint, EndpointOrder, Endpoints, EndpointsQuery};
use crate::auth::Key;
use crate::dialect::params::Params;
use crate::dialect::{Asked, Planned, respond};
use crate::error::Error;
use crate::export::json::millis;
use crate::filter::Predicate;
use crate::plan::Operation;
use bytes::Bytes;
use http::{Response, StatusCode};
use serde::Serialize;
use serde_json::value::RawValue;

/// Of records that match, those that are calls: exchanges, and halves that have a method.
pub(super) fn plan(asked: &Asked<'_>, key: &Key, params: &Params) -> Result<Planned, Error> {
    let filter = Selection::read(key, params)?.predicate(asked.context.now)?;
    let order = match params.word(&ENDPOINT_SORT) {
        Some("errors") => EndpointOrder::Errors,
        Some("error_rate") => EndpointOrder::ErrorRate,
        Some("p50") => EndpointOrder::P50,
        Some("p95") => EndpointOrder::P95,
        Some("p99") => EndpointOrder::P99,
        Some("bytes") => EndpointOrder::Bytes,
        _ => EndpointOrder::Count,
    };
    let query = EndpointsQuery {
        filter: Predicate::all_of([filter, Predicate::calls()]),
        bound: asked.bound(),
        order,
        limit: params.integer(&ENDPOINT_LIMIT).map_or(50, |limit| limit as usize),
    };
    Ok(Planned::run(Operation::Endpoints(query), Render::Endpoints))
}

#[derive(Serialize)]
struct Body<'a> {
    total: u64,
    items: Vec<Item<'a>>,
    distinct: u64,
    complete: bool,
}

#[derive(Serialize)]
struct Item<'a> {
    method: Option<&'a str>,
    route: Option<&'a str>,
    count: u64,
    errors: u64,
    client_errors: u64,
    error_rate: f64,
    p50_ms: Option<Box<RawValue>>,
    p95_ms: Option<Box<RawValue>>,
    p99_ms: Option<Box<RawValue>>,
    request_bytes: u64,
    response_bytes: u64,
}

impl<'a> Item<'a> {
    fn of(endpoint: &'a Endpoint) -> Self {
        let [p50_ms, p95_ms, p99_ms] = endpoint.percentiles.map(|nanos| nanos.and_then(decimal));
        Self {
            method: endpoint.method.as_deref(),
            route: endpoint.route.as_deref(),
            count: endpoint.count,
            errors: endpoint.errors,
            client_errors: endpoint.client_errors,
            // six digits tell one error of a million
            error_rate: (endpoint.error_rate() * 1e6).round() / 1e6,
            p50_ms,
            p95_ms,
            p99_ms,
            request_bytes: endpoint.request_bytes,
            response_bytes: endpoint.response_bytes,
        }
    }
}

// as records write their durations
fn decimal(nanos: u64) -> Option<Box<RawValue>> {
    let mut text = Vec::new();
    millis(nanos, &mut text);
    RawValue::from_string(String::from_utf8(text).ok()?).ok()
}

pub(super) fn reply(endpoints: &Endpoints) -> Response<Bytes> {
    let body = Body {
        total: endpoints.total,
        items: endpoints.items.iter().map(Item::of).collect(),
        distinct: endpoints.distinct,
        complete: endpoints.complete,
    };
    let body = serde_json::to_vec(&body).expect("numbers and text are JSON, and memory takes every byte");
    respond(StatusCode::OK, "application/json", body)
}
