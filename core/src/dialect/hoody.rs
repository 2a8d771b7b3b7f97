//! Hoody: Proxy logs: an exchange is two rows, its request and its response.

use super::endpoint::{About, Endpoint, Media};
use super::{Asked, Planned};
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
    name: "Hoody",
    doc: "Proxy logs: an exchange is two rows, its request and its response.",
    mounts: &["/api/proxy-logs/_logs", "/_logs"],
    envelope: Media { name: "application/json", schema: || serde_json::json!(true), example: None },
    schemas: Vec::new,
};

/// Whether a path is this dialect's.
pub(super) fn owns(path: &str) -> bool {
    ["/_logs", "/api/proxy-logs/_logs"]
        .iter()
        .any(|base| path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
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
pub(super) fn refuse(_error: &Error) -> Response<Bytes> {
    Response::default()
}
