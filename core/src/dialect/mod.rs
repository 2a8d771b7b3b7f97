//! The wire APIs: each understands requests and renders outcomes in its own words.

mod endpoint;
mod flowmock;
mod params;
mod reqlog;

pub use endpoint::{Access, Endpoint};
pub use params::{Param, ParamError, Params, Shape};
pub(crate) use reqlog::{Change, Exporting, after};

use crate::auth::Key;
use crate::error::Error;
use crate::filter::Predicate;
use crate::id::{EntryId, Seq};
use crate::plan::{Context, Failure, Operation, Outcome};
use bytes::Bytes;
use endpoint::Match;
use http::header::{ALLOW, CONTENT_TYPE, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

/// One wire API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Session logs and captured bodies.
    FlowMock,
    /// reqlog's own API, and every path that belongs to no other.
    Reqlog,
}

/// A request as the dialects see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// The method.
    pub method: &'a Method,
    /// The path as sent, without the base path.
    pub path: &'a str,
    /// The query as sent, without `?`.
    pub query: &'a str,
    /// Header fields.
    pub headers: &'a HeaderMap,
    /// What it is planned against.
    pub context: &'a Context<'a>,
}

/// What a dialect made of a request.
#[derive(Debug)]
pub(crate) enum Planned {
    /// The answer is known.
    Ready(Response<Bytes>),
    /// The body is needed first.
    Collect(Change),
    /// An operation and how its outcome is rendered.
    Run(Box<Operation>, Render),
}

impl Planned {
    fn flowmock(operation: Operation, render: flowmock::Render) -> Self {
        Self::Run(Box::new(operation), Render::FlowMock(render))
    }

    fn reqlog(operation: Operation, render: reqlog::Render) -> Self {
        Self::Run(Box::new(operation), Render::Reqlog(render))
    }
}

/// How an outcome is rendered.
#[derive(Debug)]
pub(crate) enum Render {
    /// As `FlowMock` would.
    FlowMock(flowmock::Render),
    /// By reqlog's own API.
    Reqlog(reqlog::Render),
    /// Streamed by reqlog's own API; only a failure to begin is rendered here.
    Export(Exporting),
}

impl Dialect {
    /// Whose path it is. On `/api/v1/logs/{id}/body` the spelling of the id decides.
    pub(crate) fn of(path: &str) -> Self {
        if flowmock::owns(path) { Self::FlowMock } else { Self::Reqlog }
    }

    /// Understands a request; the refusal is for [`Self::refuse`].
    pub(crate) fn plan(self, asked: &Asked<'_>) -> Result<Planned, Error> {
        match self {
            Self::FlowMock => flowmock::plan(asked),
            Self::Reqlog => reqlog::plan(asked),
        }
    }

    /// The methods of a path, as `Allow` spells them; `None` where there is nothing.
    pub(crate) fn allow(self, path: &str) -> Option<String> {
        // no endpoint has OPTIONS, so that the answer is Nothing or the methods
        match self {
            Self::FlowMock => methods(&endpoint::find(flowmock::ENDPOINTS, flowmock::route(path), &Method::OPTIONS)),
            Self::Reqlog => methods(&endpoint::find(reqlog::ENDPOINTS, path, &Method::OPTIONS)),
        }
    }

    /// The envelope of a refusal.
    pub(crate) fn refuse(self, error: &Error) -> Response<Bytes> {
        let mut response = match self {
            Self::FlowMock => flowmock::refuse(error),
            Self::Reqlog => reqlog::refuse(error),
        };
        let (name, value): (HeaderName, String) = match error {
            Error::Method { allow } => (ALLOW, allow.clone()),
            Error::Unauthorized => (WWW_AUTHENTICATE, "Bearer realm=\"reqlog\"".to_owned()),
            Error::Failed(Failure::Busy { retry_after }) => (RETRY_AFTER, retry_after.as_secs().max(1).to_string()),
            Error::Failed(Failure::Closing) => (RETRY_AFTER, "1".to_owned()),
            Error::Range { size } => (http::header::CONTENT_RANGE, format!("bytes */{size}")),
            _ => return response,
        };
        set(response.headers_mut(), name, &value);
        response
    }
}

fn methods<A>(found: &Match<'_, A>) -> Option<String> {
    match found {
        Match::Method(allow) => Some(allow.clone()),
        Match::Nothing | Match::Found(..) => None,
    }
}

impl Render {
    /// The answer to what came of the operation. An outcome of another operation is the server's fault.
    pub(crate) fn reply(self, operation: &Operation, outcome: Outcome) -> Response<Bytes> {
        let (dialect, reply) = match self {
            Self::FlowMock(render) => (Dialect::FlowMock, render.reply(outcome)),
            Self::Reqlog(render) => (Dialect::Reqlog, render.reply(operation, outcome)),
            Self::Export(_) => (
                Dialect::Reqlog,
                Err(match outcome {
                    Outcome::Failed(failure) => failure.into(),
                    _ => Failure::Internal.into(),
                }),
            ),
        };
        reply.unwrap_or_else(|error| dialect.refuse(&error))
    }

    /// Tells the renderer of a new head, before the operation is run again.
    pub(crate) fn advance(&mut self, head: Option<Seq>) {
        if let Self::Reqlog(render) = self {
            render.advance(head);
        }
    }
}

impl<'a> Asked<'a> {
    /// The key that may use the endpoint; `None` when everyone may.
    fn admit<A>(&self, endpoint: &Endpoint<A>) -> Result<Option<&'a Key>, Error> {
        let Access::Role(needed) = endpoint.access else { return Ok(None) };
        let key = self.context.keyring.identify(self.headers, self.context.now).ok_or(Error::Unauthorized)?;
        if key.role.allows(needed) { Ok(Some(key)) } else { Err(Error::Role { needed }) }
    }

    /// The one project that the request is about: the key's, or the one it names.
    fn project(key: &Key, named: Option<&str>) -> Result<Option<String>, Error> {
        match (key.scope.project(), named) {
            (Some(own), Some(named)) if own != named => Err(Error::OtherProject { project: named.to_owned() }),
            (own, named) => Ok(own.or(named).map(str::to_owned)),
        }
    }

    /// The head, or the first sequence of an empty store.
    fn bound(&self) -> Seq {
        self.context.head.map_or(FIRST, EntryId::seq)
    }
}

const FIRST: Seq = Seq::new(1).expect("1 is a sequence");

/// The rows that a scope allows to be seen.
fn visible(project: Option<&str>) -> Predicate {
    project.map_or(Predicate::ALL, Predicate::project)
}

/// A response of one content type.
fn respond(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// A JSON response.
fn json(status: StatusCode, body: &serde_json::Value) -> Response<Bytes> {
    respond(status, "application/json", body.to_string())
}

/// Sets a header field, unless the text cannot be one: what a record says may be anything.
fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
