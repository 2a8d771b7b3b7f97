//! Generic: Log entries, newest first, by offset.

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
    name: "Generic",
    doc: "Log entries, newest first, by offset.",
    mounts: &[""],
    envelope: Media { name: "application/json", schema: || serde_json::json!(true), example: None },
    schemas: Vec::new,
};

/// Whether a path is this dialect's.
pub(super) fn owns(path: &str) -> bool {
    path == "/logs"
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
