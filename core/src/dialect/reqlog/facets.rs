//! `GET /facets`: how many records match, by the values of fields.

use super::Render;
use super::parameters::{FACET_FIELDS, TOP};
use super::selection::Selection;
use crate::aggregate::{FacetKey, Facets, FacetsQuery};
use crate::auth::Key;
use crate::dialect::params::Params;
use crate::dialect::{Asked, Planned, json};
use crate::error::Error;
use crate::plan::Operation;
use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Value, json};

/// A field that is named twice is counted once, where it is named first.
pub(super) fn plan(asked: &Asked<'_>, key: &Key, params: &Params) -> Result<Planned, Error> {
    let filter = Selection::read(key, params)?.predicate(asked.context.now)?;
    let mut keys = Vec::new();
    for key in params.words(&FACET_FIELDS).unwrap_or_default().iter().filter_map(|name| FacetKey::named(name)) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let top = params.integer(&TOP).map_or(10, |top| top as usize);
    let query = FacetsQuery { filter, bound: asked.bound(), keys, top };
    Ok(Planned::run(Operation::Facets(query), Render::Facets))
}

pub(super) fn reply(facets: &Facets) -> Response<Bytes> {
    let values = |values: &[(String, u64)]| -> Vec<Value> {
        values.iter().map(|(value, count)| json!({"value": value, "count": count})).collect()
    };
    let all: Vec<Value> = facets
        .facets
        .iter()
        .map(|(key, facet)| {
            json!({
                "field": key.name(),
                "values": values(&facet.values),
                "distinct": facet.distinct,
                "missing": facet.missing,
                "complete": facet.complete,
            })
        })
        .collect();
    json(StatusCode::OK, &json!({"total": facets.total, "facets": all}))
}
