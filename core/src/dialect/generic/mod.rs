//! Generic: `GET /logs`, log entries newest first by offset.
//!
//! Every kind of record is an entry. Ours, beyond the contract:
//! - Equal times are ordered by arrival, newest first.
//! - The `Link` header names the next and the previous page. Its URLs carry `snapshot=<n>`, the highest sequence when
//!   the walk began: entries that arrive later are not in it, so that its pages neither repeat nor skip. The page before
//!   one that begins within its own limit is as short as it has to be. `snapshot` is refused when the store has not come
//!   so far yet.
//! - `service` is compared byte for byte and not empty; an empty `search` finds everything. An entry without a service
//!   has `null` there, one without a message the empty string.
//! - `details` holds `method`, `path`, `status`, `duration_ms`, `trace_id` and `request_id`, those that the entry has,
//!   whatever its kind and whether or not it has a message of its own; then the record's attributes, of which one that
//!   bears one of these names is left out where the entry has the member itself. An entry with none has no `details`.
//! - 404 and 405 have the same envelope; `startDate` beyond `endDate` is a 400 that says so.

mod documented;
mod entry;

pub(super) use documented::ABOUT;

use super::endpoint::{self, Access, BUSY, Endpoint, FAILED, Match, Refusal};
use super::link::{self, PageUrl};
use super::params::{Param, ParamError, Params, Shape};
use super::{Asked, Planned, json, respond, visible};
use crate::auth::{Key, Role};
use crate::error::Error;
use crate::filter::{Number, Predicate, TextKey, TextMatcher};
use crate::id::Seq;
use crate::level::Level;
use crate::plan::{Failure, Operation, Outcome};
use crate::query::{Detail, Direction, Order, Page, Query, Start, Total, Unit};
use crate::record::Field;
use bytes::Bytes;
use http::{Method, Response, StatusCode};
use serde_json::json;

static LIMIT: Param =
    Param::defaulted("limit", Shape::Integer { least: 1, most: 1000 }, "50", "At most this many entries.");
static OFFSET: Param = Param::defaulted(
    "offset",
    Shape::Integer { least: 0, most: Seq::MAX.get() },
    "0",
    "Skip this many entries; follow `Link` to page without gaps while entries arrive.",
);
static START_DATE: Param = Param::optional("startDate", Shape::Time, "Entries on or after this time.");
static END_DATE: Param =
    Param::optional("endDate", Shape::Time, "Entries on or before this time, which covers its last written unit.");
static LEVEL: Param = Param::optional("level", Shape::AnyCase(&LEVELS), "Severity; DEBUG is also what was traced.");
static SERVICE: Param = Param::optional("service", Shape::Name, "The originating service.");
static SEARCH: Param =
    Param::optional("search", Shape::Text, "Keyword or phrase within the message, in upper or lower case.");
static SNAPSHOT: Param = Param::optional(
    "snapshot",
    Shape::Integer { least: 1, most: Seq::MAX.get() },
    "Only entries up to this sequence: what `Link` carries, so that pages stay as they are.",
);
const LEVELS: [&str; 5] = ["DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

/// What the endpoints do.
#[derive(Clone, Copy, Debug)]
pub enum Action {
    /// A page of entries.
    List,
}

/// Every endpoint.
pub static ENDPOINTS: &[Endpoint<Action>] = &[Endpoint {
    method: Method::GET,
    path: "/logs",
    access: Access::Role(Role::Read),
    params: &[&LIMIT, &OFFSET, &START_DATE, &END_DATE, &LEVEL, &SERVICE, &SEARCH, &SNAPSHOT],
    action: Action::List,
    doc: "Log entries, newest first.",
    takes: &[],
    answers: documented::PAGE,
    refusals: &[
        Refusal(400, "A parameter is not accepted."),
        endpoint::UNAUTHORIZED,
        endpoint::FORBIDDEN,
        Refusal(422, "It needs more work than is allowed."),
        FAILED,
        BUSY,
    ],
}];

/// Whether a path is this dialect's.
pub(super) fn owns(path: &str) -> bool {
    path == "/logs"
}

/// Understands a request to the path of this dialect.
pub(super) fn plan(asked: &Asked<'_>) -> Result<Planned, Error> {
    let endpoint = match endpoint::find(ENDPOINTS, asked.path, asked.method) {
        Match::Nothing => return Err(Error::Route),
        Match::Method(allow) => return Err(Error::Method { allow }),
        Match::Found(endpoint, _) => endpoint,
    };
    let Some(key) = asked.admit(endpoint)? else { return Err(Error::Unauthorized) };
    let params = Params::read(asked.query, endpoint.params)?;
    match endpoint.action {
        Action::List => list(asked, key, &params),
    }
}

fn list(asked: &Asked<'_>, key: &Key, params: &Params) -> Result<Planned, Error> {
    let window = Window {
        limit: params.integer(&LIMIT).unwrap_or(50),
        offset: params.integer(&OFFSET).unwrap_or(0),
        bound: snapshot(asked, params)?,
    };
    let query = Query {
        filter: Predicate::all_of([visible(key.scope.project()), filter(params)?]),
        order: Order::Time,
        direction: Direction::Descending,
        start: if window.offset == 0 { Start::First } else { Start::Offset(window.offset) },
        bound: window.bound,
        limit: window.limit as usize,
        detail: Detail::Preview,
        total: Total::Exact,
        unit: Unit::Record,
    };
    let url = PageUrl::new(asked, params, &[LIMIT.name, OFFSET.name, SNAPSHOT.name]);
    Ok(Planned::run(Operation::Page { query, wait: None }, Render { window, url }))
}

/// The highest sequence of the walk.
fn snapshot(asked: &Asked<'_>, params: &Params) -> Result<Seq, ParamError> {
    let Some(given) = params.integer(&SNAPSHOT) else { return Ok(asked.bound()) };
    let head = asked.context.head;
    Seq::new(given).filter(|seq| head.is_some_and(|head| *seq <= head.seq())).ok_or_else(|| {
        ParamError::value(
            &SNAPSHOT,
            &given.to_string(),
            match head {
                Some(head) => format!("a whole number from 1 to {}", head.seq()),
                None => "nothing while there are no entries".to_owned(),
            },
        )
    })
}

fn filter(params: &Params) -> Result<Predicate, ParamError> {
    let level = params.word(&LEVEL).map_or(Predicate::ALL, |wanted| {
        Predicate::any_of(
            Level::ALL
                .into_iter()
                .filter(|level| entry::name(*level) == wanted)
                .map(|level| Predicate::between(Number::Level, level as i64, level as i64)),
        )
    });
    let text = |key, matcher| Predicate::Text(key, matcher);
    let service = params.text(&SERVICE).map(|name| text(TextKey::Field(Field::Service), TextMatcher::verbatim(name)));
    let search = params.text(&SEARCH).filter(|phrase| !phrase.is_empty());
    let search = search.map(|phrase| text(TextKey::Shown, TextMatcher::contains(phrase)));
    let window = params.window(&START_DATE, &END_DATE)?;
    Ok(Predicate::all_of([window, level].into_iter().chain(service).chain(search)))
}

/// Which entries of a walk are asked for.
#[derive(Clone, Copy, Debug)]
struct Window {
    limit: u64,
    offset: u64,
    bound: Seq,
}

/// How an outcome becomes an answer.
#[derive(Debug)]
pub(crate) struct Render {
    window: Window,
    url: PageUrl,
}

impl Render {
    pub(super) fn reply(self, outcome: Outcome) -> Result<Response<Bytes>, Error> {
        let Outcome::Page(Page { rows, more_after, total: Some(total), .. }) = outcome else {
            return Err(Failure::Internal.into());
        };
        let Window { limit, offset, .. } = self.window;
        let next = more_after.then(|| offset + rows.len() as u64);
        let mut body = b"{\"status\":\"success\",\"data\":{\"logs\":[".to_vec();
        for (at, row) in rows.iter().enumerate() {
            if at > 0 {
                body.push(b',');
            }
            entry::write(&row.record, &mut body);
        }
        let pagination = json!({"total": total, "limit": limit, "offset": offset, "nextOffset": next});
        body.extend_from_slice(format!("],\"pagination\":{pagination}}}}}").as_bytes());
        let mut response = respond(StatusCode::OK, "application/json", body);
        // the page before one past the end is the last one
        let before = offset.min(total);
        let prev = (before > 0).then(|| (before.saturating_sub(limit), limit.min(before)));
        let links = [
            (next.map(|offset| self.page(offset, limit)), "next"),
            (prev.map(|(offset, limit)| self.page(offset, limit)), "prev"),
        ];
        link::set(response.headers_mut(), links);
        Ok(response)
    }

    fn page(&self, offset: u64, limit: u64) -> String {
        let [limit, offset, snapshot] = [limit, offset, self.window.bound.get()].map(|number| number.to_string());
        self.url.with(&[(LIMIT.name, &limit), (OFFSET.name, &offset), (SNAPSHOT.name, &snapshot)])
    }
}

/// `{"status":"error","message"}`.
pub(super) fn refuse(error: &Error) -> Response<Bytes> {
    let status = match error {
        Error::Route | Error::Missing(_) => StatusCode::NOT_FOUND,
        Error::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
        Error::Unauthorized => StatusCode::UNAUTHORIZED,
        Error::Role { .. } | Error::Organisation | Error::OtherProject { .. } => StatusCode::FORBIDDEN,
        Error::ProjectRequired
        | Error::EnvironmentRequired { .. }
        | Error::Cursor { .. }
        | Error::Param(_)
        | Error::Path
        | Error::Query { .. }
        | Error::Body(_) => StatusCode::BAD_REQUEST,
        Error::Range { .. } => StatusCode::RANGE_NOT_SATISFIABLE,
        Error::Failed(failure) => failure.status(),
    };
    let message = match error {
        Error::Unauthorized => "Authentication required. Please provide a valid API key or token.".to_owned(),
        Error::Role { .. } | Error::Organisation | Error::OtherProject { .. } => {
            "You do not have permission to access API logs.".to_owned()
        }
        Error::Param(ParamError::Value { name, .. }) if [START_DATE.name, END_DATE.name].contains(name) => {
            format!("Invalid date format for '{name}'. Please use ISO 8601 format (YYYY-MM-DDTHH:MM:SSZ).")
        }
        error => error.to_string(),
    };
    json(status, &json!({"status": "error", "message": message}))
}

#[cfg(test)]
mod tests;
