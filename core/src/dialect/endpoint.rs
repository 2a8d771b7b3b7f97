//! Endpoints as a table: matching a request, answering 405 and documenting the API all come from it.

use super::params::{Param, decode};
use crate::auth::Role;
use crate::error::Error;
use http::Method;
use serde_json::Value;

/// One method on one path.
#[derive(Debug)]
pub struct Endpoint<A: 'static> {
    /// The method; `HEAD` is answered wherever `GET` is.
    pub method: Method,
    /// Path with `{name}` for a captured segment.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    /// The query parameters it knows.
    pub params: &'static [&'static Param],
    /// What it does, for the dialect.
    pub action: A,
    /// One sentence for the documentation.
    pub doc: &'static str,
    /// The request's body, where it reads one.
    pub takes: &'static [Media],
    /// What it answers when it succeeds.
    pub answers: &'static [Answer],
    /// The statuses by which it refuses, in the dialect's envelope.
    pub refusals: &'static [Refusal],
}

/// One successful answer.
#[derive(Debug)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// When.
    pub doc: &'static str,
    /// What its body is, one of these; none for an answer without body.
    pub media: &'static [Media],
    /// Header fields it has, lower case, beside those that every response has and those of the dialect.
    pub fields: &'static [&'static str],
}

/// A representation of a body.
#[derive(Clone, Copy, Debug)]
pub struct Media {
    /// Media type.
    pub name: &'static str,
    /// JSON Schema of its content; `true` where it is not JSON.
    pub schema: fn() -> Value,
    /// One that a client could meet.
    pub example: Option<fn() -> Value>,
}

/// One status by which an endpoint refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal(
    /// Status code.
    pub u16,
    /// When.
    pub &'static str,
);

pub(crate) const UNAUTHORIZED: Refusal = Refusal(401, "No key, or one that is unknown, revoked or expired.");
pub(crate) const FORBIDDEN: Refusal = Refusal(403, "The key's role or scope does not allow it.");
pub(crate) const MISSING: Refusal = Refusal(404, "Not there, or not for this key.");
pub(crate) const LIMITED: Refusal = Refusal(429, "Too many requests; Retry-After says when to try again.");
pub(crate) const FAILED: Refusal = Refusal(500, "The server failed.");
pub(crate) const READ_ONLY: Refusal = Refusal(501, "This deployment is opened files, which are only read.");
pub(crate) const NOT_LIVE: Refusal = Refusal(501, "This deployment is opened files, to which nothing is added.");
pub(crate) const BUSY: Refusal =
    Refusal(503, "Too much to do at once, or shutting down; Retry-After says when to try again.");

/// What the documentation says of a dialect as a whole.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// Its name, which begins every operation's id.
    pub name: &'static str,
    /// One or two sentences.
    pub doc: &'static str,
    /// What paths of its table are found below; the empty one is the root.
    pub mounts: &'static [&'static str],
    /// Header fields that every answer has, refusals too, lower case.
    pub fields: &'static [&'static str],
    /// Its error envelope.
    pub envelope: Media,
    /// Schemas that others refer to as `#/components/schemas/<name>`.
    pub schemas: fn() -> Vec<(&'static str, Value)>,
}

/// Who may call an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everyone.
    Public,
    /// Keys of a role that allows this one.
    Role(Role),
}

/// What a path and a method meet in a table.
#[derive(Debug)]
pub(crate) enum Match<'p, A: 'static> {
    /// No endpoint has this path.
    Nothing,
    /// Endpoints have the path, none the method; the methods they have, as `Allow` spells them.
    Method(String),
    /// The endpoint and the captured segments as sent.
    Found(&'static Endpoint<A>, Captures<'p>),
}

/// Captured path segments, still percent-encoded, in order.
#[derive(Debug)]
pub(crate) struct Captures<'p>(Vec<&'p str>);

impl Captures<'_> {
    /// The segment captured `at` this place, decoded.
    pub(crate) fn text(&self, at: usize) -> Result<String, Error> {
        self.0.get(at).and_then(|segment| decode(segment)).ok_or(Error::Path)
    }
}

/// Finds the endpoint for a path and a method.
pub(crate) fn find<'p, A>(table: &'static [Endpoint<A>], path: &'p str, method: &Method) -> Match<'p, A> {
    let wanted = if *method == Method::HEAD { &Method::GET } else { method };
    let mut allow = Vec::new();
    for endpoint in table {
        let Some(captures) = capture(endpoint.path, path) else { continue };
        if endpoint.method == *wanted {
            return Match::Found(endpoint, captures);
        }
        let head = (endpoint.method == Method::GET).then_some("HEAD");
        for method in [endpoint.method.as_str()].into_iter().chain(head) {
            // several templates may have one path: `/logs/tail` and `/logs/{id}`
            if !allow.contains(&method) {
                allow.push(method);
            }
        }
    }
    if allow.is_empty() {
        return Match::Nothing;
    }
    allow.push("OPTIONS");
    Match::Method(allow.join(", "))
}

fn capture<'p>(template: &str, path: &'p str) -> Option<Captures<'p>> {
    let mut captured = Vec::new();
    let mut segments = path.split('/');
    for expected in template.split('/') {
        let segment = segments.next()?;
        if expected.starts_with('{') {
            captured.push(Some(segment).filter(|segment| !segment.is_empty())?);
        } else if expected != segment {
            return None;
        }
    }
    segments.next().is_none().then_some(Captures(captured))
}
