//! `GET …/_logs/stats`: how many rows there are, by level, project, container and service.
//!
//! Where the documentation is silent (ours):
//!
//! - Rows are counted, so that an exchange is two; with `kind` those of that kind.
//! - The filters of the list work here too. Without one, or with `projectId` alone, the counts come from what segments
//!   keep of themselves, and no row is looked at.
//! - `byLevel` has all four levels, also those of no row. Rows without a project, container or service are in `total`
//!   and in none of that map.

use super::Render;
use super::level;
use super::selection::{self, CONTAINER, KIND, LEVEL, METHOD, PROJECT, SERVICE, SOURCE};
use crate::auth::Key;
use crate::dialect::params::{Param, Params};
use crate::dialect::{Asked, Planned, json, visible};
use crate::error::Error;
use crate::filter::Predicate;
use crate::level::Level;
use crate::plan::Operation;
use crate::query::Stats;
use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Map, Value, json};

pub(super) static PARAMS: &[&Param] = &[&PROJECT, &CONTAINER, &SERVICE, &LEVEL, &KIND, &METHOD, &SOURCE];

/// The levels in the documented order.
pub(super) const ORDER: [&str; 4] = ["info", "warn", "error", "debug"];

pub(super) fn plan(asked: &Asked<'_>, key: &Key, params: &Params) -> Result<Planned, Error> {
    let project = Asked::project(key, params.text(&PROJECT))?;
    let filter = Predicate::all_of([visible(project.as_deref()), selection::records(params)]);
    let unit = selection::rows(params).unit();
    Ok(Planned::run(Operation::Stats { filter, bound: asked.bound(), unit }, Render::Stats))
}

pub(super) fn reply(stats: &Stats) -> Response<Bytes> {
    let of_level = |name: &str| {
        let counts = Level::ALL.into_iter().filter(|level| level::name(*level) == name);
        counts.map(|level| stats.levels.get(level.name()).copied().unwrap_or(0)).sum::<u64>()
    };
    let levels: Map<String, Value> = ORDER.iter().map(|name| ((*name).to_owned(), json!(of_level(name)))).collect();
    json(
        StatusCode::OK,
        &json!({
            "total": stats.total,
            "byLevel": levels,
            "byProject": stats.projects,
            "byContainer": stats.containers,
            "byService": stats.services,
        }),
    )
}
