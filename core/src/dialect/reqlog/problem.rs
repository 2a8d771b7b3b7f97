//! The error envelope of reqlog's own API: RFC 9457.

use crate::error::{Error, Thing};
use crate::plan::{Failure, Report};
use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Value, json};

/// What the problem types begin with; a stable name follows.
const TYPE: &str = "urn:reqlog:problem:";

/// A refusal as a problem document.
pub(in crate::dialect) fn refuse(error: &Error) -> Response<Bytes> {
    let bad = StatusCode::BAD_REQUEST;
    let (status, slug, title) = match error {
        Error::Path => (bad, "invalid-path", "Path not readable"),
        Error::Route => (StatusCode::NOT_FOUND, "no-such-path", "No such path"),
        Error::Method { .. } => (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed"),
        Error::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized", "Key missing or not valid"),
        Error::Role { .. } => (StatusCode::FORBIDDEN, "role", "The key's role does not allow it"),
        Error::Organisation | Error::OtherProject { .. } => {
            (StatusCode::FORBIDDEN, "scope", "Outside of the key's scope")
        }
        Error::ProjectRequired => (bad, "project-required", "A project is required"),
        Error::EnvironmentRequired { .. } => (bad, "environment-required", "An environment is required"),
        Error::Param(_) => (bad, "invalid-parameter", "Parameter refused"),
        Error::Cursor { .. } => (bad, "invalid-cursor", "Cursor refused"),
        Error::Query { .. } => (bad, "invalid-query", "Query not understood"),
        Error::Body(_) => (bad, "invalid-body", "Body not understood"),
        Error::Missing(Thing::Request) => (StatusCode::UNPROCESSABLE_ENTITY, "no-request", "The record has no request"),
        Error::Missing(_) => (StatusCode::NOT_FOUND, "not-found", "Not found"),
        Error::Range { .. } => (StatusCode::RANGE_NOT_SATISFIABLE, "invalid-range", "Range not satisfiable"),
        Error::Failed(failure @ Failure::Limited { .. }) => {
            return problem(failure.status(), &slug(failure), "Too many requests", error, &[]);
        }
        Error::Failed(failure) => return problem(failure.status(), &slug(failure), "Not done", error, &[]),
    };
    match error {
        Error::Query { position, hint, .. } => {
            problem(status, slug, title, error, &[("position", json!(position)), ("hint", json!(hint))])
        }
        Error::Param(refused) => problem(status, slug, title, error, &[("parameter", json!(refused.name()))]),
        Error::Cursor { name, .. } => problem(status, slug, title, error, &[("parameter", json!(name))]),
        _ => problem(status, slug, title, error, &[]),
    }
}

/// None of the records sent could be stored: the report as members of a problem.
pub(super) fn all_rejected(report: &Report) -> Response<Bytes> {
    let error = Error::Body("None of the records could be read; errors names the first 100.".to_owned());
    let members = super::ingest::members(report);
    problem(StatusCode::UNPROCESSABLE_ENTITY, "all-rejected", "Nothing was stored", &error, &members)
}

fn slug(failure: &Failure) -> String {
    failure.code().replace('_', "-")
}

fn problem(status: StatusCode, slug: &str, title: &str, detail: &Error, more: &[(&str, Value)]) -> Response<Bytes> {
    let mut body = json!({
        "type": format!("{TYPE}{slug}"),
        "title": title,
        "status": status.as_u16(),
        "detail": detail.to_string(),
    });
    for (name, value) in more.iter().filter(|(_, value)| !value.is_null()) {
        body[*name] = value.clone();
    }
    super::super::respond(status, "application/problem+json", body.to_string())
}
