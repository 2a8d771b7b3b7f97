//! `FlowMock`: the logs of a session and captured bodies, under `/api/v1` and at the root.
//!
//! Rows are exchanges, and halves that have a method, in arrival order. A row's id is also the cursor: `before` and
//! `since` stand on its sequence, whether or not the row is still there.
//!
//! Each key but admin keys has a limit of its own over all endpoints. Ours: a request is charged when its key may use
//! the endpoint, whatever comes of it (a 422, 404 or 304 too); one without a valid key, of a key whose role does not
//! allow it, on a path or with a method that there is not, and one that is refused for the limit, are not.

use super::endpoint::{
    self, About, Access, Answer, BUSY, Endpoint, FAILED, FORBIDDEN, LIMITED, MISSING, Match, Media, Refusal,
    UNAUTHORIZED,
};
use super::params::{Param, Params, Shape};
use super::schema::{nullable, object, reference};
use super::{Asked, CLOCK_SLACK_MS, Limited, Planned, json, respond, set, visible, whole_millis};
use crate::auth::Role;
use crate::body::Body;
use crate::error::{Error, Thing};
use crate::filter::{Predicate, TextKey, TextMatcher};
use crate::id::EntryId;
use crate::limit::{BucketId, Charge, Rate};
use crate::plan::{Failure, Operation, Outcome, Projects};
use crate::query::{Detail, Direction, Order, Page, Position, Query, Start, Total, Unit};
use crate::record::{Field, Stored};
use crate::timestamp::Timestamp;
use bytes::Bytes;
use http::header::{ETAG, HeaderName};
use http::{Method, Response, StatusCode};
use serde_json::{Value, json};

static PROJECT: Param = Param::optional(
    "project",
    Shape::Text,
    "Project; required for organisation-wide keys, inferred from the key of one project.",
);
static ENVIRONMENT: Param =
    Param::optional("environment", Shape::Text, "Environment; required when the project has more than one.");
static LIMIT: Param =
    Param::defaulted("limit", Shape::Integer { least: 1, most: 100 }, "50", "At most this many logs.");
static BEFORE: Param = Param::optional("before", Shape::Text, "Id of a log: the logs older than it, newest first.");
static SINCE: Param = Param::optional("since", Shape::Text, "Id of a log: the logs newer than it, oldest first.");
static SIDE: Param = Param::required("side", Shape::Choice(&["request", "response"]), "Which body.");

/// What the endpoints do.
#[derive(Clone, Copy, Debug)]
pub enum Action {
    /// The logs of a session.
    List,
    /// One captured body.
    Body,
}

/// Below `/api/v1` and below the root.
pub static ENDPOINTS: &[Endpoint<Action>] = &[
    Endpoint {
        method: Method::GET,
        path: "/sessions/{sessionKey}/logs",
        access: Access::Role(Role::Read),
        params: &[&PROJECT, &ENVIRONMENT, &LIMIT, &BEFORE, &SINCE],
        action: Action::List,
        doc: "The calls of one session, newest first.",
        takes: &[],
        answers: &[Answer { status: 200, doc: "A page of logs.", media: &[LOGS], fields: &[] }],
        refusals: &[UNAUTHORIZED, FORBIDDEN, REFUSED, LIMITED, FAILED, BUSY],
    },
    Endpoint {
        method: Method::GET,
        path: "/logs/{logId}/body",
        access: Access::Role(Role::Read),
        params: &[&SIDE],
        action: Action::Body,
        doc: "One captured body as JSON.",
        takes: &[],
        answers: &[
            Answer { status: 200, doc: "The body.", media: &[BODY], fields: &BODY_FIELDS },
            Answer { status: 304, doc: "It is still as If-None-Match knows it.", media: &[], fields: &["etag"] },
        ],
        refusals: &[UNAUTHORIZED, FORBIDDEN, MISSING, REFUSED, LIMITED, FAILED, BUSY],
    },
];

const REFUSED: Refusal = Refusal(422, "A parameter or cursor is not accepted.");

/// For the documentation.
pub(super) static ABOUT: About = About {
    name: "FlowMock",
    doc: "The calls that an app made during a test run, by session, and their captured bodies.",
    mounts: &[BASE, ""],
    fields: &[],
    envelope: Media {
        name: "application/json",
        schema: envelope,
        example: Some(|| json!({"error": "There is no such log.", "code": "not_found"})),
    },
    schemas: || vec![("FlowMockLog", schema_of_a_log())],
};
const LOGS: Media = Media {
    name: "application/json",
    schema: || {
        object(&[
            ("logs", json!({"type": "array", "items": reference("FlowMockLog")})),
            ("nextCursor", nullable("string")),
        ])
    },
    example: Some(|| {
        json!({
            "logs": [{
                "id": "log_01HZZZ0000000000012J", "method": "POST", "path": "/api/pay", "status": 200, "durationMs": 142,
                "overrideApplied": false, "createdAt": "2026-06-23T12:00:00.000Z", "requestPreview": "{\"amount\":5}",
                "responsePreview": null,
            }],
            "nextCursor": null,
        })
    }),
};
const BODY: Media = Media { name: "application/json", schema: || json!(true), example: None };
pub(super) const BODY_FIELDS: [&str; 5] =
    ["etag", "x-body-size", "x-body-truncated", "x-body-encoding", "x-body-content-type"];

fn envelope() -> Value {
    object(&[("error", json!({"type": "string"})), ("code", json!({"type": "string", "pattern": "^[a-z_]+$"}))])
}

fn schema_of_a_log() -> Value {
    object(&[
        ("id", json!({"type": "string", "pattern": "^log_[0-9A-HJKMNP-TV-Z]{20}$"})),
        ("method", nullable("string")),
        ("path", nullable("string")),
        ("status", nullable("integer")),
        ("durationMs", nullable("integer")),
        ("overrideApplied", json!({"type": "boolean"})),
        ("createdAt", json!({"type": "string", "format": "date-time"})),
        ("requestPreview", nullable("string")),
        ("responsePreview", nullable("string")),
    ])
}

const BASE: &str = "/api/v1";
const BODY_LIMIT: usize = 262_144;

/// Whether a path is `FlowMock`'s: a session's, a body's at the root, or a body's whose id is spelt `log_…`.
pub(super) fn owns(path: &str) -> bool {
    let local = route(path);
    let body =
        || local.strip_prefix("/logs/").is_some_and(|rest| rest.ends_with("/body") && rest.matches('/').count() == 1);
    local.starts_with("/sessions/") || body() && (local.len() == path.len() || local.starts_with("/logs/log_"))
}

/// The path as the table has it.
pub(super) fn route(path: &str) -> &str {
    path.strip_prefix(BASE).filter(|rest| rest.starts_with('/')).unwrap_or(path)
}

/// Understands a request to a path of `FlowMock`.
pub(super) fn plan(asked: &Asked<'_>) -> Result<Planned, Error> {
    let (endpoint, captures) = match endpoint::find(ENDPOINTS, route(asked.path), asked.method) {
        Match::Nothing => return Err(Error::Route),
        Match::Method(allow) => return Err(Error::Method { allow }),
        Match::Found(endpoint, captures) => (endpoint, captures),
    };
    let Some(key) = asked.admit(endpoint)? else { return Err(Error::Unauthorized) };
    let params = Params::read(asked.query, endpoint.params)?;
    match endpoint.action {
        Action::List => {
            let project = Asked::project(key, params.text(&PROJECT))?.ok_or(Error::ProjectRequired)?;
            list(asked, &captures.text(0)?, &project, &params)
        }
        Action::Body => {
            let side = params.word(&SIDE).unwrap_or_default();
            let id = EntryId::from_flowmock(&captures.text(0)?).ok_or(Error::Missing(Thing::Entry))?;
            let operation = Operation::Get {
                seq: id.seq(),
                arrival: Some(id.arrival_ms()),
                filter: visible(key.scope.project()),
                detail: Detail::Whole,
            };
            Ok(Planned::run(operation, Render::Body { side }))
        }
    }
}

/// What a request costs its key.
pub(super) fn limited(asked: &Asked<'_>, rate: Rate) -> Limited {
    let met = endpoint::find(ENDPOINTS, route(asked.path), asked.method);
    let key = asked.limited_key().filter(|_| asked.is_admitted(&met));
    Limited { rate, charge: key.map(|key| Charge { bucket: BucketId::FlowMock { key: key.id }, rate, cost: 1 }) }
}

fn list(asked: &Asked<'_>, session: &str, project: &str, params: &Params) -> Result<Planned, Error> {
    let environment = environment(asked.context.projects, project, params.text(&ENVIRONMENT))?;
    let (start, direction) = match (params.text(&BEFORE), params.text(&SINCE)) {
        (Some(_), Some(_)) => {
            return Err(Error::Cursor { name: SINCE.name, reason: "before and since exclude each other" });
        }
        (Some(before), None) => (Start::After(position(asked, &BEFORE, before)?), Direction::Descending),
        (None, Some(since)) => (Start::After(position(asked, &SINCE, since)?), Direction::Ascending),
        (None, None) => (Start::First, Direction::Descending),
    };
    let exactly = |field, value: &str| Predicate::Text(TextKey::Field(field), TextMatcher::verbatim(value));
    let filter = Predicate::all_of([
        Predicate::project(project),
        exactly(Field::Session, session),
        environment.map_or(Predicate::ALL, |name| exactly(Field::Environment, name)),
        Predicate::calls(),
    ]);
    let query = Query {
        filter,
        order: Order::Arrival,
        direction,
        start,
        bound: asked.bound(),
        limit: params.integer(&LIMIT).map_or(50, |limit| limit as usize),
        detail: Detail::Preview,
        total: Total::Skip,
        unit: Unit::Record,
    };
    let paging = if params.text(&SINCE).is_some() { Paging::Newer } else { Paging::Older };
    Ok(Planned::run(Operation::Page { query, wait: None }, Render::List { paging }))
}

/// The environment to look at. The only one of a project is every record's, also of those that name none.
fn environment<'a>(projects: &Projects, project: &str, named: Option<&'a str>) -> Result<Option<&'a str>, Error> {
    match projects.environments(project) {
        Some(known) if known.len() > 1 && named.is_none() => {
            Err(Error::EnvironmentRequired { known: known.iter().cloned().collect() })
        }
        _ => Ok(named),
    }
}

/// The place of an id that this store has given out.
fn position(asked: &Asked<'_>, param: &'static Param, text: &str) -> Result<Position, Error> {
    let latest = asked.context.now.as_millis().saturating_add(CLOCK_SLACK_MS);
    EntryId::from_flowmock(text)
        .filter(|id| asked.context.head.is_some_and(|head| id.seq() <= head.seq()))
        .filter(|id| i64::try_from(id.arrival_ms()).is_ok_and(|arrival| arrival <= latest))
        .map(|id| Position::arrival(id.seq()))
        .ok_or(Error::Cursor { name: param.name, reason: "this is not the id of a log of this store" })
}

/// How an outcome becomes an answer.
#[derive(Debug)]
pub(crate) enum Render {
    /// Rows of a session.
    List {
        /// Which way the client pages.
        paging: Paging,
    },
    /// A body.
    Body {
        /// Which one.
        side: &'static str,
    },
}

/// Which way a client pages.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Paging {
    /// Back in time.
    Older,
    /// By polling.
    Newer,
}

impl Render {
    pub(super) fn reply(self, outcome: Outcome) -> Result<Response<Bytes>, Error> {
        match (self, outcome) {
            (Self::List { paging }, Outcome::Page(page)) => Ok(json(StatusCode::OK, &logs(&page, paging))),
            (Self::Body { side }, Outcome::Record(found)) => {
                let row = found.ok_or(Error::Missing(Thing::Entry))?;
                let message = if side == "request" { &row.record.request } else { &row.record.response };
                message.body.as_ref().map(|body| captured(row.id, side, body)).ok_or(Error::Missing(Thing::Body))
            }
            _ => Err(Failure::Internal.into()),
        }
    }
}

fn logs(page: &Page, paging: Paging) -> Value {
    let next = match paging {
        Paging::Older if page.more_after => page.rows.last().map(|row| row.id.to_flowmock()),
        Paging::Older | Paging::Newer => None,
    };
    json!({"logs": page.rows.iter().map(log).collect::<Vec<_>>(), "nextCursor": next})
}

fn log(row: &Stored) -> Value {
    let record = &row.record;
    json!({
        "id": row.id.to_flowmock(),
        "method": record.text(Field::Method),
        "path": record.text(Field::Path),
        "status": record.status,
        "durationMs": record.duration.map(whole_millis),
        "overrideApplied": record.overridden,
        "createdAt": Timestamp::to_rfc3339_millis(record.time),
        "requestPreview": record.request.body.as_ref().and_then(Body::preview),
        "responsePreview": record.response.body.as_ref().and_then(Body::preview),
    })
}

fn captured(id: EntryId, side: &str, body: &Body) -> Response<Bytes> {
    let rendered = body.render_json(BODY_LIMIT);
    let mut response = respond(StatusCode::OK, "application/json", rendered.json);
    let headers = response.headers_mut();
    set(headers, ETAG, &format!("\"{}-{side}\"", id.to_flowmock()));
    describe(headers, body, rendered.encoding.name(), rendered.truncated);
    response
}

/// The `X-Body-*` fields, which reqlog's own API sends too.
pub(super) fn describe(headers: &mut http::HeaderMap, body: &Body, encoding: &str, truncated: bool) {
    let name = HeaderName::from_static;
    set(headers, name("x-body-size"), &body.size.to_string());
    set(headers, name("x-body-truncated"), if truncated || body.cut.is_some() { "true" } else { "false" });
    set(headers, name("x-body-encoding"), encoding);
    if let Some(content_type) = &body.content_type {
        set(headers, name("x-body-content-type"), content_type);
    }
}

/// `{"error","code"}`.
pub(super) fn refuse(error: &Error) -> Response<Bytes> {
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    let (status, code) = match error {
        Error::Route | Error::Missing(_) => (StatusCode::NOT_FOUND, "not_found"),
        Error::Method { .. } => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
        Error::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized"),
        Error::Role { .. } | Error::Organisation => (StatusCode::FORBIDDEN, "forbidden"),
        Error::OtherProject { .. } => (StatusCode::FORBIDDEN, "scope_mismatch"),
        Error::ProjectRequired => (unprocessable, "project_required"),
        Error::EnvironmentRequired { .. } => (unprocessable, "environment_required"),
        Error::Cursor { .. } => (unprocessable, "invalid_cursor"),
        Error::Param(error) => match error.name() {
            Some("limit") => (unprocessable, "invalid_limit"),
            Some("before" | "since") => (unprocessable, "invalid_cursor"),
            Some("side") => (unprocessable, "invalid_side"),
            _ => (unprocessable, "invalid_parameter"),
        },
        Error::Path | Error::Query { .. } | Error::Body(_) => (unprocessable, "invalid_parameter"),
        Error::Range { .. } => (StatusCode::RANGE_NOT_SATISFIABLE, "invalid_range"),
        Error::Failed(failure) => (failure.status(), failure.code()),
    };
    json(status, &json!({"error": error.to_string(), "code": code}))
}
