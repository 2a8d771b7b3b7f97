//! `GET …/_logs`: pages of rows.
//!
//! Where the documentation is silent (ours):
//!
//! - `limit` is 1 to 1000. `last=N` takes the place of its default, so that `last=500` alone is 500 rows; with both the
//!   lesser counts, and the rows are still the newest.
//! - `offset`, `afterId`, `last` and `cursor` exclude each other, `offset=0` included; `cursor` excludes `snapshot` too.
//! - `total` counts every row that the filters let through, wherever the page begins. `limit` is what held for the
//!   page, `offset` 0 beside `afterId` and `last`.
//! - `afterId` may be an id of no row, of a row out of sight, or one that is still to come.
//! - `snapshot` is a sequence, the store's head when a walk by `offset` began: rows that came later are neither listed
//!   nor counted. Links of a walk carry it; it goes with `afterId` and `last` too. Rows that are destroyed during a walk
//!   by `offset` still move those behind them; a walk by `afterId` does not notice.
//! - `Link` leads to the pages before and after one by `offset`, and to the page after one by `afterId` while there is
//!   one. A previous page that would overlap is shorter; before an offset beyond the end is the last page.
//! - A project that does not exist, a container, service or method that no row has: an empty list.

use super::Render;
use super::entry::{self, Bodies, Shown};
use super::fanout;
use super::halves::{Row, Rows};
use super::selection::{self, CONTAINER, KIND, LEVEL, METHOD, PROJECT, SERVICE, SOURCE};
use crate::auth::Key;
use crate::dialect::link::{self, PageUrl};
use crate::dialect::params::{Param, ParamError, Params, Shape};
use crate::dialect::{Asked, Planned, respond, visible};
use crate::error::Error;
use crate::export::json::decimal;
use crate::filter::Predicate;
use crate::id::{EntryId, Half, Seq};
use crate::plan::Operation;
use crate::query::{Detail, Direction, Order, Page, Position, Query, Start, Total};
use bytes::Bytes;
use http::{Response, StatusCode};

/// The row id after which there can be none.
const LAST_ROW: u64 = Seq::MAX.get() * 2;
const PAGE: Shape = Shape::Integer { least: 1, most: 1000 };

pub(super) static LIMIT: Param = Param::defaulted("limit", PAGE, "200", "At most this many rows.");
static OFFSET: Param = Param::defaulted(
    "offset",
    Shape::Integer { least: 0, most: LAST_ROW },
    "0",
    "Rows to skip; its cost grows with the number. Follow Link instead of counting.",
);
static REQUEST_BODY: Param =
    Param::defaulted("includeRequestBody", Shape::Flag, "false", "Whether request rows have their requestBody.");
static RESPONSE_BODY: Param =
    Param::defaulted("includeResponseBody", Shape::Flag, "false", "Whether response rows have their responseBody.");
static LAST: Param = Param::optional(
    "last",
    PAGE,
    "Only the last this many rows, ascending; it excludes offset, afterId and cursor, and stands for limit.",
);
static AFTER: Param = Param::optional(
    "afterId",
    Shape::Integer { least: 0, most: LAST_ROW },
    "Only rows of a greater id; it excludes offset, last and cursor.",
);
pub(super) static CURSOR: Param = Param::optional(
    "cursor",
    Shape::Text,
    "Goes on with a fan-out, for admin keys, where the server has fan-out enabled; it excludes offset, afterId and last.",
);
pub(super) static SNAPSHOT: Param = Param::optional(
    "snapshot",
    Shape::Integer { least: 1, most: Seq::MAX.get() },
    "The sequence up to which records are seen, as Link carries it: a walk by offset then sees each row once.",
);

pub(super) static PARAMS: &[&Param] = &[
    &LIMIT,
    &OFFSET,
    &PROJECT,
    &CONTAINER,
    &SERVICE,
    &LEVEL,
    &REQUEST_BODY,
    &RESPONSE_BODY,
    &LAST,
    &AFTER,
    &CURSOR,
    &KIND,
    &METHOD,
    &SOURCE,
    &SNAPSHOT,
];

/// Which of the rows that match a page has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Window {
    /// After this many.
    Offset(u64),
    /// Of ids greater than this one.
    After(u64),
    /// The newest.
    Last,
    /// After those of the sweep so far.
    Cursor,
}

/// What is needed to render a page and the ways on from it.
#[derive(Debug)]
pub(crate) struct Listing {
    rows: Rows,
    window: Window,
    limit: u64,
    bodies: Bodies,
    snapshot: Option<Seq>,
    url: PageUrl,
}

pub(super) fn plan(asked: &Asked<'_>, key: &Key, params: &Params) -> Result<Planned, Error> {
    if let Some(fan_out) = fanout::asked(asked, key, params)? {
        return fanout::plan(asked, params, fan_out);
    }
    let project = Asked::project(key, params.text(&PROJECT))?;
    let window = window(params)?;
    let limit = limit(params, window);
    let rows = selection::rows(params);
    let snapshot = snapshot(asked, params)?;
    let bodies = bodies(params);
    let (start, direction) = match window {
        Window::Offset(0) => (Start::First, Direction::Ascending),
        Window::Offset(offset) => (Start::Offset(offset), Direction::Ascending),
        Window::After(row) => (after(row), Direction::Ascending),
        Window::Last => (Start::First, Direction::Descending),
        // without fan-out there is none
        Window::Cursor => (Start::First, Direction::Ascending),
    };
    // every record has a row, but the first one after an id may have all of its rows before it
    let records = if let Window::After(_) = window { limit + 1 } else { limit };
    let query = Query {
        filter: Predicate::all_of([visible(project.as_deref()), selection::records(params)]),
        order: Order::Arrival,
        direction,
        start,
        bound: snapshot.unwrap_or_else(|| asked.bound()),
        limit: records as usize,
        detail: if bodies == Bodies::default() { Detail::Preview } else { Detail::Whole },
        total: Total::Exact,
        unit: rows.unit(),
    };
    let varying: &[_] = match window {
        Window::Offset(_) => &[LIMIT.name, OFFSET.name, SNAPSHOT.name],
        Window::After(_) | Window::Last | Window::Cursor => &[AFTER.name],
    };
    let url = PageUrl::new(asked, params, varying);
    let listing = Listing { rows, window, limit, bodies, snapshot, url };
    Ok(Planned::run(Operation::Page { query, wait: None }, Render::List(Box::new(listing))))
}

/// The page that is asked for, by one parameter alone.
pub(super) fn window(params: &Params) -> Result<Window, Error> {
    let places = [OFFSET.name, AFTER.name, LAST.name, CURSOR.name];
    let mut given = params.given().map(|(name, _)| name).filter(|name| places.contains(name));
    if let (Some(other), Some(name)) = (given.next(), given.next()) {
        return Err(ParamError::Exclusive { name, other }.into());
    }
    if params.text(&CURSOR).is_some() {
        // it knows its own
        let snapshot =
            params.integer(&SNAPSHOT).map(|_| ParamError::Exclusive { name: SNAPSHOT.name, other: CURSOR.name });
        return snapshot.map_or(Ok(Window::Cursor), |error| Err(error.into()));
    }
    Ok(match (params.integer(&AFTER), params.integer(&LAST)) {
        (Some(row), _) => Window::After(row),
        (None, Some(_)) => Window::Last,
        (None, None) => Window::Offset(params.integer(&OFFSET).unwrap_or(0)),
    })
}

/// How many rows there are at most.
pub(super) fn limit(params: &Params, window: Window) -> u64 {
    let limit = params.integer(&LIMIT).unwrap_or(200);
    let explicit = params.given().any(|(name, _)| name == LIMIT.name);
    match (window, params.integer(&LAST)) {
        (Window::Last, Some(last)) if explicit => last.min(limit),
        (Window::Last, Some(last)) => last,
        _ => limit,
    }
}

/// The last sequence that is seen; `None` in an empty store.
pub(super) fn snapshot(asked: &Asked<'_>, params: &Params) -> Result<Option<Seq>, Error> {
    let head = asked.context.head.map(EntryId::seq);
    let Some(number) = params.integer(&SNAPSHOT) else { return Ok(head) };
    let known = Seq::new(number).filter(|seq| head.is_some_and(|head| *seq <= head));
    let beyond = || ParamError::value(&SNAPSHOT, &number.to_string(), "what the Link of a page carried");
    Ok(Some(known.ok_or_else(beyond)?))
}

/// The bodies that are asked for.
pub(super) fn bodies(params: &Params) -> Bodies {
    let shown = |param: &Param| if params.flag(param) { Shown::Yes } else { Shown::No };
    Bodies { request: shown(&REQUEST_BODY), response: shown(&RESPONSE_BODY) }
}

/// With the first record that has a row after this one: its own record, where it is only a request.
pub(super) fn after(row: u64) -> Start {
    let before = match EntryId::from_row(row) {
        Some((seq, Half::Second)) => Some(seq),
        Some((seq, Half::First)) => Seq::new(seq.get() - 1),
        None => None,
    };
    before.map_or(Start::First, |seq| Start::After(Position::arrival(seq)))
}

impl Listing {
    /// `{"entries":[…],"total":…,"limit":…,"offset":…}`.
    pub(super) fn reply(&self, mut page: Page) -> Response<Bytes> {
        if self.window == Window::Last {
            page.rows.reverse();
        }
        let mut rows: Vec<Row<'_>> = page.rows.iter().flat_map(|record| self.rows.of(record)).collect();
        match self.window {
            Window::Offset(_) => drop(rows.drain(..(page.inset as usize).min(rows.len()))),
            Window::After(id) => rows.retain(|row| row.id > id),
            Window::Last | Window::Cursor => drop(rows.drain(..rows.len().saturating_sub(self.limit as usize))),
        }
        let more = page.more_after || rows.len() as u64 > self.limit;
        rows.truncate(self.limit as usize);
        let total = page.total.unwrap_or(0);
        let mut body = b"{\"entries\":[".to_vec();
        for (at, row) in rows.iter().enumerate() {
            if at > 0 {
                body.push(b',');
            }
            entry::write(row, self.bodies, &mut body);
        }
        let offset = if let Window::Offset(offset) = self.window { offset } else { 0 };
        for (name, number) in [("],\"total\":", total), (",\"limit\":", self.limit), (",\"offset\":", offset)] {
            body.extend_from_slice(name.as_bytes());
            decimal(number, &mut body);
        }
        body.push(b'}');
        let next = rows.last().filter(|_| more).map(|last| (last.id, offset + rows.len() as u64));
        let mut response = respond(StatusCode::OK, "application/json", body);
        link::set(response.headers_mut(), self.links(next, total));
        response
    }

    /// The pages beside this one of `total` rows; `next` is the id of this page's last row and the offset of the next
    /// page's first.
    fn links(&self, next: Option<(u64, u64)>, total: u64) -> [(Option<String>, &'static str); 2] {
        let (next, prev) = match self.window {
            Window::Offset(offset) => {
                let page = |limit: u64, offset: u64| self.at(limit, offset);
                let next = next.and_then(|(_, offset)| page(self.limit, offset));
                // beyond the end there is nothing to go back through
                let end = offset.min(total);
                let before = self.limit.min(end);
                (next, Some(before).filter(|rows| *rows > 0).and_then(|rows| page(rows, end - rows)))
            }
            Window::After(_) => (next.map(|(id, _)| self.url.with(&[(AFTER.name, &id.to_string())])), None),
            Window::Last | Window::Cursor => (None, None),
        };
        [(next, "next"), (prev, "prev")]
    }

    fn at(&self, limit: u64, offset: u64) -> Option<String> {
        let [limit, offset, snapshot] = [limit, offset, self.snapshot?.get()].map(|number| number.to_string());
        Some(self.url.with(&[(LIMIT.name, &limit), (OFFSET.name, &offset), (SNAPSHOT.name, &snapshot)]))
    }
}
