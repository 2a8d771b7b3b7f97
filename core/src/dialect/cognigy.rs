//! Cognigy: Log entries of a project, by cursor or offset.

use super::endpoint::{About, Endpoint, Media};
use super::{Address, Asked, Planned};
use crate::error::Error;
use crate::plan::Outcome;
use bytes::Bytes;
use http::Response;

/// What the endpoints do.
#[derive(Clone, Copy, Debug)]
pub enum Action {}

/// Every endpoint.
pub static ENDPOINTS: &[Endpoint<Action>] = &[];

/// For the documentation.
pub(super) static ABOUT: About = About {
    name: "Cognigy",
    doc: "Log entries of a project, by cursor or offset.",
    mounts: &["/v2.1", "/v2.0", "/new/v2.1", "/new/v2.0"],
    envelope: Media { name: "application/json", schema: || serde_json::json!(true), example: None },
    schemas: Vec::new,
};

/// Whether a path is this dialect's.
pub(super) fn owns(path: &str) -> bool {
    ["/v2.0/", "/v2.1/"].iter().any(|version| path.strip_prefix("/new").unwrap_or(path).starts_with(version))
}

/// The path as the table has it.
pub(super) fn route(path: &str) -> &str {
    path
}

/// Understands a request.
pub(super) fn plan(_asked: &Asked<'_>) -> Result<Planned, Error> {
    Err(Error::Route)
}

/// How an outcome becomes an answer.
#[derive(Debug)]
pub(crate) enum Render {}

impl Render {
    pub(super) fn reply(self, _outcome: Outcome) -> Result<Response<Bytes>, Error> {
        match self {}
    }
}

/// The error envelope.
pub(super) fn refuse(_error: &Error, _address: &Address) -> Response<Bytes> {
    Response::default()
}
