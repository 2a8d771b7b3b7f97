//! Scrip: API request logs, page by page by an opaque cursor.
//!
//! Rows are exchanges, and halves that have a method. Ours, beyond the contract:
//! - `request_id` is always a string that begins with `req_`, as documented. What the source spelt without the prefix
//!   gets it; a call without a request id is shown under `req_` and its id in reqlog's own spelling. The parameter
//!   finds what is shown, with or without the prefix.
//! - `created_at` is when the call happened, `duration_ms` whole milliseconds, halves up; sorting by it is exact.
//! - A body is JSON where it is valid, closed where it was cut; other text is a string, and so are bytes, in base64.
//!   One that was seen but not kept is `null`, like one that there was not.
//! - `method` has to be a token (RFC 9110); `status_min` and `status_max` are at most 999. A call without a status,
//!   duration, method or path has `null` there, and is outside of every range of status codes.
//! - Any other parameter that is empty is refused, and so are `status_min` above `status_max` and `from` beyond `to`.
//! - A cursor belongs to the filter parameters as they were sent, in any order, and to the sort: spelling one
//!   differently (`get` for `GET`) is another walk.
//! - Ids of records that are no calls are 404 here: they were never given out.
//! - The limit and what its header fields say: see [`limited`].

mod documented;
mod limited;
mod row;

pub(super) use documented::ABOUT;
pub(super) use limited::{limited, tell};

use super::endpoint::{self, Access, BUSY, Endpoint, FAILED, FORBIDDEN, LIMITED, MISSING, Match, UNAUTHORIZED};
use super::link::escape;
use super::params::{Param, ParamError, Params, Shape};
use super::{Asked, Planned, json, respond, set, visible};
use crate::auth::{Key, Role};
use crate::cursor::{Cursor, Walk};
use crate::error::{Error, Thing};
use crate::filter::{Number, Predicate, TextKey, TextMatcher};
use crate::id::{EntryId, Seq};
use crate::plan::{Failure, Operation, Outcome};
use crate::query::{Detail, Direction, Order, Page, Position, Query, Start, Total, Unit};
use crate::record::Field;
use crate::timestamp::Timestamp;
use bytes::Bytes;
use documented::{LOG, LOGS, REFUSED, TOO_MUCH};
use http::header::ETAG;
use http::{Method, Response, StatusCode};
use serde_json::json;

static LIMIT: Param =
    Param::defaulted("limit", Shape::Integer { least: 1, most: 100 }, "50", "At most this many logs.");
static CURSOR: Param = Param::optional(
    "cursor",
    Shape::Name,
    "`next_cursor` of the previous page; filters and sort must be the same, `limit` may change.",
);
static METHOD: Param = Param::optional("method", Shape::Name, "HTTP method, in upper or lower case.");
static ROUTE_PATTERN: Param =
    Param::optional("route_pattern", Shape::Name, "The parameterised template, `/v1/participants/{id}`, not the path.");
static REQUEST_ID: Param = Param::optional("request_id", Shape::Name, "Request id, with or without `req_`.");
static AUTH_TYPE: Param =
    Param::optional("auth_type", Shape::Name, "How the caller authenticated: `api_key`, `jwt`, ….");
static STATUS_MIN: Param = Param::optional("status_min", STATUS, "The lowest status code, inclusive.");
static STATUS_MAX: Param = Param::optional("status_max", STATUS, "The highest status code, inclusive.");
static FROM: Param = Param::optional("from", Shape::Time, "The earliest time, inclusive.");
static TO: Param = Param::optional("to", Shape::Time, "The latest time, inclusive; it covers its last written unit.");
static SORT_BY: Param = Param::defaulted(
    "sort_by",
    Shape::Choice(&["created_at", "duration_ms", "status_code"]),
    "created_at",
    "What logs are sorted by; equal ones by arrival, unknown values below all others.",
);
static SORT_DIR: Param =
    Param::defaulted("sort_dir", Shape::Choice(&["desc", "asc"]), "desc", "Which end comes first.");
const STATUS: Shape = Shape::Integer { least: 0, most: 999 };
static FILTERS: [&Param; 8] = [&METHOD, &ROUTE_PATTERN, &REQUEST_ID, &AUTH_TYPE, &STATUS_MIN, &STATUS_MAX, &FROM, &TO];

/// What the endpoints do.
#[derive(Clone, Copy, Debug)]
pub enum Action {
    /// A page of logs.
    List,
    /// One log with its bodies.
    Get,
}

/// Every endpoint.
pub static ENDPOINTS: &[Endpoint<Action>] = &[
    Endpoint {
        method: Method::GET,
        path: "/v1/logs",
        access: Access::Role(Role::Read),
        params: &[
            &LIMIT,
            &CURSOR,
            &METHOD,
            &ROUTE_PATTERN,
            &REQUEST_ID,
            &AUTH_TYPE,
            &STATUS_MIN,
            &STATUS_MAX,
            &FROM,
            &TO,
            &SORT_BY,
            &SORT_DIR,
        ],
        action: Action::List,
        doc: "API calls, newest first unless sorted otherwise.",
        takes: &[],
        answers: LOGS,
        refusals: &[REFUSED, UNAUTHORIZED, FORBIDDEN, TOO_MUCH, LIMITED, FAILED, BUSY],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/logs/{id}",
        access: Access::Role(Role::Read),
        params: &[],
        action: Action::Get,
        doc: "One API call with its bodies.",
        takes: &[],
        answers: LOG,
        refusals: &[REFUSED, UNAUTHORIZED, FORBIDDEN, MISSING, LIMITED, FAILED, BUSY],
    },
];

/// Whether a path is this dialect's.
pub(super) fn owns(path: &str) -> bool {
    path == "/v1/logs" || path.starts_with("/v1/logs/")
}

/// Understands a request to a path of Scrip.
pub(super) fn plan(asked: &Asked<'_>) -> Result<Planned, Error> {
    let (endpoint, captures) = match endpoint::find(ENDPOINTS, asked.path, asked.method) {
        Match::Nothing => return Err(Error::Route),
        Match::Method(allow) => return Err(Error::Method { allow }),
        Match::Found(endpoint, captures) => (endpoint, captures),
    };
    let Some(key) = asked.admit(endpoint)? else { return Err(Error::Unauthorized) };
    let params = Params::read(asked.query, endpoint.params)?;
    match endpoint.action {
        Action::List => list(asked, key, &params),
        Action::Get => {
            let id = EntryId::from_uuid(&captures.text(0)?).ok_or(Error::Missing(Thing::Entry))?;
            let operation = Operation::Get {
                seq: id.seq(),
                arrival: Some(id.arrival_ms()),
                filter: Predicate::all_of([visible(key.scope.project()), Predicate::calls()]),
                detail: Detail::Whole,
            };
            Ok(Planned::run(operation, Render::Log))
        }
    }
}

fn list(asked: &Asked<'_>, key: &Key, params: &Params) -> Result<Planned, Error> {
    let context = asked.context;
    let walk = Walk {
        project: key.scope.project().map(str::to_owned),
        filter: spelling(params),
        order: match params.word(&SORT_BY) {
            Some("duration_ms") => Order::Duration,
            Some("status_code") => Order::Status,
            _ => Order::Time,
        },
        direction: if params.word(&SORT_DIR) == Some("asc") { Direction::Ascending } else { Direction::Descending },
    };
    let filter = Predicate::all_of([visible(key.scope.project()), Predicate::calls(), filter(params)?]);
    let cursor = match params.text(&CURSOR) {
        Some(text) => Cursor::read(text, &walk, context.secret)
            .filter(|cursor| context.head.is_some_and(|head| cursor.bound <= head.seq()))
            .ok_or(Error::Cursor {
                name: CURSOR.name,
                reason: "it was not made here for these filters and this sort; begin again without it",
            })?,
        None => Cursor { start: Start::First, bound: asked.bound(), now: context.now },
    };
    let query = Query {
        filter,
        order: walk.order,
        direction: walk.direction,
        start: cursor.start,
        bound: cursor.bound,
        limit: params.integer(&LIMIT).map_or(50, |limit| limit as usize),
        detail: Detail::Preview,
        total: Total::Skip,
        unit: Unit::Record,
    };
    let listing = Listing { walk, now: cursor.now, bound: cursor.bound, secret: *context.secret };
    Ok(Planned::run(Operation::Page { query, wait: None }, Render::Logs(Box::new(listing))))
}

/// The filter parameters as sent, in the table's order. A cursor of another dialect never has this spelling.
fn spelling(params: &Params) -> String {
    let mut text = "scrip".to_owned();
    for param in FILTERS {
        let sent = params.given().find(|(name, _)| *name == param.name);
        text.extend(sent.map(|(name, value)| format!("&{name}={}", escape(value))));
    }
    text
}

fn filter(params: &Params) -> Result<Predicate, ParamError> {
    let field = |field, matcher| Predicate::Text(TextKey::Field(field), matcher);
    let exactly =
        |param, of| params.text(param).map_or(Predicate::ALL, |value| field(of, TextMatcher::verbatim(value)));
    let method = match params.text(&METHOD) {
        Some(method) if Method::from_bytes(method.as_bytes()).is_err() => {
            return Err(ParamError::value(&METHOD, method, "a method, as GET"));
        }
        method => method.map_or(Predicate::ALL, |method| field(Field::Method, TextMatcher::equal(method))),
    };
    Ok(Predicate::all_of([
        method,
        exactly(&ROUTE_PATTERN, Field::Route),
        params.text(&REQUEST_ID).map_or(Predicate::ALL, row::of_request),
        exactly(&AUTH_TYPE, Field::AuthType),
        statuses(params)?,
        params.window(&FROM, &TO)?,
    ]))
}

fn statuses(params: &Params) -> Result<Predicate, ParamError> {
    let (low, high) = (params.integer(&STATUS_MIN), params.integer(&STATUS_MAX));
    if low.is_none() && high.is_none() {
        return Ok(Predicate::ALL);
    }
    let bound = |given: Option<u64>, or| given.and_then(|number| i64::try_from(number).ok()).unwrap_or(or);
    let (low, high) = (bound(low, i64::MIN), bound(high, i64::MAX));
    if low > high {
        return Err(ParamError::Inverted { low: STATUS_MIN.name, high: STATUS_MAX.name });
    }
    Ok(Predicate::between(Number::Status, low, high))
}

/// How an outcome becomes an answer.
#[derive(Debug)]
pub(crate) enum Render {
    /// Rows and the way on from them.
    Logs(Box<Listing>),
    /// One row.
    Log,
}

/// What the cursor of the next page is made of.
#[derive(Debug)]
pub(crate) struct Listing {
    walk: Walk,
    now: Timestamp,
    bound: Seq,
    secret: [u8; 32],
}

impl Render {
    pub(super) fn reply(self, outcome: Outcome) -> Result<Response<Bytes>, Error> {
        match (self, outcome) {
            (Self::Logs(listing), Outcome::Page(page)) => Ok(listing.reply(&page)),
            (Self::Log, Outcome::Record(found)) => {
                let row = found.ok_or(Error::Missing(Thing::Entry))?;
                let mut body = Vec::new();
                row::detail(&row, &mut body);
                let mut response = respond(StatusCode::OK, "application/json", body);
                set(response.headers_mut(), ETAG, &format!("\"{}\"", row.id.to_uuid()));
                Ok(response)
            }
            _ => Err(Failure::Internal.into()),
        }
    }
}

impl Listing {
    fn reply(&self, page: &Page) -> Response<Bytes> {
        let mut body = b"{\"data\":[".to_vec();
        for (at, row) in page.rows.iter().enumerate() {
            if at > 0 {
                body.push(b',');
            }
            row::summary(row, &mut body);
        }
        let last = page.rows.last().filter(|_| page.more_after);
        let next = last.and_then(|row| {
            let start = Start::After(Position::of(row, self.walk.order)?);
            Some(Cursor { start, bound: self.bound, now: self.now }.sign(&self.walk, &self.secret))
        });
        let pagination = json!({"has_more": next.is_some(), "next_cursor": next});
        body.extend_from_slice(format!("],\"pagination\":{pagination}}}").as_bytes());
        respond(StatusCode::OK, "application/json", body)
    }
}

/// `{"code","message"}`.
pub(super) fn refuse(error: &Error) -> Response<Bytes> {
    let (status, code) = match error {
        Error::Route | Error::Missing(_) => (StatusCode::NOT_FOUND, "not_found"),
        Error::Method { .. } => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
        Error::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized"),
        Error::Role { .. } | Error::Organisation | Error::OtherProject { .. } => (StatusCode::FORBIDDEN, "forbidden"),
        Error::ProjectRequired
        | Error::EnvironmentRequired { .. }
        | Error::Cursor { .. }
        | Error::Param(_)
        | Error::Path
        | Error::Query { .. }
        | Error::Body(_) => (StatusCode::BAD_REQUEST, "invalid_request"),
        Error::Range { .. } => (StatusCode::RANGE_NOT_SATISFIABLE, "invalid_range"),
        // as documented
        Error::Failed(Failure::Limited { .. }) => (StatusCode::TOO_MANY_REQUESTS, "too_many_requests"),
        Error::Failed(failure) => (failure.status(), failure.code()),
    };
    let message = match error {
        Error::Unauthorized => "invalid or revoked API key".to_owned(),
        error => error.to_string(),
    };
    json(status, &json!({"code": code, "message": message}))
}

#[cfg(test)]
mod tests;
