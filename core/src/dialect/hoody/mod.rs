//! Hoody: central proxy logs under `/api/proxy-logs/_logs` and `/_logs`.
//!
//! Its rows are halves: [`halves`] says how an exchange of the store is two of them, [`list`] pages through them,
//! [`fanout`] streams them, [`stats`] counts them, [`entry`] writes one.

mod documented;
mod entry;
mod fanout;
mod halves;
mod level;
mod list;
mod selection;
mod stats;
mod stream;

pub(super) use documented::ABOUT;
pub(crate) use stream::Frames;

use super::endpoint::{self, Access, Endpoint, Match};
use super::params::Params;
use super::{Asked, Planned, json};
use crate::auth::Role;
use crate::error::Error;
use crate::plan::{Failure, Outcome};
use bytes::Bytes;
use http::{Method, Response, StatusCode};
use list::Listing;
use serde_json::json;

/// What the endpoints do.
#[derive(Clone, Copy, Debug)]
pub enum Action {
    /// Rows.
    List,
    /// Rows as they come.
    Stream,
    /// How many there are.
    Stats,
}

/// Below either mount.
pub static ENDPOINTS: &[Endpoint<Action>] = &[
    Endpoint {
        method: Method::GET,
        path: "",
        access: Access::Role(Role::Read),
        params: list::PARAMS,
        action: Action::List,
        doc: "Rows of the proxy log by ascending id. An exchange is two rows, its request and its response, of the ids \
          2n − 1 and 2n; an event or a request alone is one of an odd id, a response alone one of an even id. \
              Where the server has fan-out enabled, an admin key of the organisation that names no projectId gets a \
              stream of all rows, without limit to its end, instead of a page.",
        takes: &[],
        answers: documented::LIST,
        refusals: documented::REFUSALS,
    },
    Endpoint {
        method: Method::GET,
        path: "/stats",
        access: Access::Role(Role::Read),
        params: stats::PARAMS,
        action: Action::Stats,
        doc: "How many rows there are, by level, project, container and service.",
        takes: &[],
        answers: documented::STATS,
        refusals: documented::REFUSALS,
    },
    Endpoint {
        method: Method::GET,
        path: "/stream",
        access: Access::Role(Role::Read),
        params: stream::PARAMS,
        action: Action::Stream,
        doc: "Rows as they are committed, as Server-Sent Events whose ids are row ids. With Last-Event-ID it goes on after \
          that row: from memory, else from the store.",
        takes: &[],
        answers: documented::STREAM,
        refusals: documented::STREAM_REFUSALS,
    },
];

const MOUNTS: [&str; 2] = ["/api/proxy-logs/_logs", "/_logs"];

/// Whether a path is this dialect's.
pub(super) fn owns(path: &str) -> bool {
    below(path).is_some()
}

/// The path as the table has it.
pub(super) fn route(path: &str) -> &str {
    below(path).unwrap_or(path)
}

fn below(path: &str) -> Option<&str> {
    let rest = MOUNTS.iter().find_map(|mount| path.strip_prefix(mount))?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// Understands a request.
pub(super) fn plan(asked: &Asked<'_>) -> Result<Planned, Error> {
    let endpoint = match endpoint::find(ENDPOINTS, route(asked.path), asked.method) {
        Match::Nothing => return Err(Error::Route),
        Match::Method(allow) => return Err(Error::Method { allow }),
        Match::Found(endpoint, _) => endpoint,
    };
    let key = match (asked.admit(endpoint), endpoint.action) {
        (Ok(Some(key)), _) => key,
        (Ok(None) | Err(Error::Unauthorized), Action::Stream) => return Ok(Planned::Ready(stream::denied())),
        (Ok(None), _) => return Err(Error::Unauthorized),
        (Err(error), _) => return Err(error),
    };
    let params = Params::read(asked.query, endpoint.params)?;
    match endpoint.action {
        Action::List => list::plan(asked, key, &params),
        Action::Stream => stream::plan(asked, key, &params),
        Action::Stats => stats::plan(asked, key, &params),
    }
}

/// How an outcome becomes an answer.
#[derive(Debug)]
pub(crate) enum Render {
    /// A page of rows.
    List(Box<Listing>),
    /// Counts of rows.
    Stats,
}

impl Render {
    pub(super) fn reply(self, outcome: Outcome) -> Result<Response<Bytes>, Error> {
        match (self, outcome) {
            (Self::List(listing), Outcome::Page(page)) => Ok(listing.reply(page)),
            (Self::Stats, Outcome::Stats(stats)) => Ok(stats::reply(&stats)),
            _ => Err(Failure::Internal.into()),
        }
    }
}

/// `{"statusCode","error","message"}`; `error` is the reason phrase of HTTP.
pub(super) fn refuse(error: &Error) -> Response<Bytes> {
    let status = match error {
        Error::Route | Error::Missing(_) => StatusCode::NOT_FOUND,
        Error::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
        Error::Unauthorized => StatusCode::UNAUTHORIZED,
        Error::Role { .. } | Error::Organisation | Error::OtherProject { .. } => StatusCode::FORBIDDEN,
        Error::Path
        | Error::ProjectRequired
        | Error::EnvironmentRequired { .. }
        | Error::Param(_)
        | Error::Cursor { .. }
        | Error::Query { .. }
        | Error::Body(_) => StatusCode::BAD_REQUEST,
        Error::Range { .. } => StatusCode::RANGE_NOT_SATISFIABLE,
        Error::Failed(failure) => failure.status(),
    };
    let message = match error {
        // as documented
        Error::OtherProject { .. } => "Caller is not permitted to read logs for this scope".to_owned(),
        Error::Failed(Failure::Limited { .. }) => "Rate limit exceeded for log stream".to_owned(),
        error => error.to_string(),
    };
    let reason = status.canonical_reason().unwrap_or_default();
    json(status, &json!({"statusCode": status.as_u16(), "error": reason, "message": message}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::ParamError;
    use std::time::Duration;

    #[test]
    fn only_whole_segments_are_a_mount() {
        for (path, below) in [
            ("/_logs", Some("")),
            ("/_logs/", Some("/")),
            ("/_logs/stats", Some("/stats")),
            ("/api/proxy-logs/_logs", Some("")),
            ("/api/proxy-logs/_logs/stream", Some("/stream")),
            ("/_logsx", None),
            ("/api/proxy-logs", None),
            ("/api/proxy-logs/_logs2", None),
            ("/x/_logs", None),
        ] {
            assert_eq!((owns(path), route(path)), (below.is_some(), below.unwrap_or(path)), "{path}");
        }
    }

    #[test]
    fn every_refusal_has_its_status_and_reason_phrase_and_is_documented() {
        let retry_after = Duration::from_secs(1);
        for (error, status, reason) in [
            (Error::Param(ParamError::Repeated { name: "limit" }), 400, "Bad Request"),
            (Error::Unauthorized, 401, "Unauthorized"),
            (Error::Role { needed: Role::Read }, 403, "Forbidden"),
            (Error::OtherProject { project: "p".to_owned() }, 403, "Forbidden"),
            (Error::Failed(Failure::TooMuchWork), 422, "Unprocessable Entity"),
            (Error::Failed(Failure::Corrupt), 500, "Internal Server Error"),
            (Error::Failed(Failure::Internal), 500, "Internal Server Error"),
            (Error::Failed(Failure::Busy { retry_after }), 503, "Service Unavailable"),
            (Error::Failed(Failure::Closing), 503, "Service Unavailable"),
        ] {
            let response = refuse(&error);
            assert_eq!(response.status().as_u16(), status);
            let body = String::from_utf8(response.into_body().to_vec()).unwrap();
            let start = format!("{{\"statusCode\":{status},\"error\":\"{reason}\",\"message\":\"");
            assert!(body.starts_with(&start) && body.len() > start.len() + 2, "{body}");
            assert!(documented::REFUSALS.iter().any(|refusal| refusal.0 == status), "{status}");
        }
    }
}
