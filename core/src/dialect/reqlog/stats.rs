//! `GET /stats`: how many records match, by their usual dimensions.

use super::Render;
use super::selection::Selection;
use crate::auth::Key;
use crate::dialect::params::Params;
use crate::dialect::{Asked, Planned, json};
use crate::error::Error;
use crate::plan::Operation;
use crate::query::{Stats, Unit};
use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::json;

pub(super) fn plan(asked: &Asked<'_>, key: &Key, params: &Params) -> Result<Planned, Error> {
    let filter = Selection::read(key, params)?.predicate(asked.context.now)?;
    let operation = Operation::Stats { filter, bound: asked.bound(), unit: Unit::Record };
    Ok(Planned::run(operation, Render::Stats))
}

pub(super) fn reply(stats: &Stats) -> Response<Bytes> {
    json(
        StatusCode::OK,
        &json!({
            "total": stats.total,
            "level": stats.levels,
            "kind": stats.kinds,
            "class": stats.classes,
            "method": stats.methods,
            "project": stats.projects,
            "container": stats.containers,
            "service": stats.services,
        }),
    )
}
