//! `GET /logs`: pages of records by cursor.
//!
//! **Ours:** `offset` begins a walk after so many records, for tables that jump; `next` and `prev` go on from there. It is
//! not together with `cursor`, which says where a page begins, nor with `wait`, which follows the end of the log.

use super::parameters::{CURSOR, DIR, LIMIT, OFFSET, SORT, TOTAL, WAIT};
use super::selection::Selection;
use super::{Render, records};
use crate::auth::Key;
use crate::cursor::{Cursor, Walk};
use crate::dialect::link::{self, PageUrl};
use crate::dialect::params::{ParamError, Params};
use crate::dialect::{Asked, Planned, respond};
use crate::error::Error;
use crate::export::json::Shape;
use crate::id::{EntryId, Seq};
use crate::plan::Operation;
use crate::query::{Direction, Order, Page, Position, Query, Start, Total, Unit};
use crate::timestamp::Timestamp;
use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::json;

/// What is needed to render a page and the way on from it.
#[derive(Debug)]
pub(crate) struct Listing {
    walk: Walk,
    now: Timestamp,
    secret: [u8; 32],
    end: End,
    head: Option<Seq>,
    shape: Shape,
    hints: Vec<String>,
    url: PageUrl,
}

/// What the end of a walk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The head when the walk began: pages are a snapshot.
    Bound,
    /// Wherever the log ends: a client follows what arrives, and arrival order lets nothing slip in behind it.
    Open,
}

pub(super) fn plan(asked: &Asked<'_>, key: &Key, params: &Params) -> Result<Planned, Error> {
    let selection = Selection::read(key, params)?;
    let walk = Walk {
        project: selection.project.clone(),
        filter: selection.text(),
        order: order(params.word(&SORT)),
        direction: if params.word(&DIR) == Some("asc") { Direction::Ascending } else { Direction::Descending },
    };
    let context = asked.context;
    // what is given once with a cursor would be left out again on every page
    let given = |name: &str| params.given().any(|(given, _)| given == name);
    for other in [CURSOR.name, WAIT.name] {
        if given(OFFSET.name) && given(other) {
            return Err(ParamError::Exclusive { name: OFFSET.name, other }.into());
        }
    }
    let start = match params.integer(&OFFSET) {
        None | Some(0) => Start::First,
        Some(offset) => Start::Offset(offset),
    };
    let cursor = match params.text(&CURSOR) {
        Some(text) => Cursor::read(text, &walk, context.secret)
            .filter(|cursor| context.head.is_none_or(|head| cursor.bound <= head.seq()))
            .ok_or(Error::Cursor {
                name: CURSOR.name,
                reason: "it was not made here for this q, project, sort and dir; begin again without it",
            })?,
        None => Cursor { start, bound: asked.bound(), now: context.now },
    };
    let wait = params.wait(&WAIT);
    let follows = wait.is_some() && (walk.order, walk.direction) == (Order::Arrival, Direction::Ascending);
    let end = if follows { End::Open } else { End::Bound };
    let shape = records::shape(params);
    let query = Query {
        filter: selection.predicate(cursor.now)?,
        order: walk.order,
        direction: walk.direction,
        start: cursor.start,
        bound: if end == End::Open { asked.bound() } else { cursor.bound },
        limit: params.integer(&LIMIT).map_or(50, |limit| limit as usize),
        detail: shape.fields.detail(),
        total: if params.word(&TOTAL) == Some("exact") { Total::Exact } else { Total::Skip },
        unit: Unit::Record,
    };
    // a walk with a fixed end cannot get rows that are not there yet
    let wait = wait.filter(|_| end == End::Open || params.text(&CURSOR).is_none());
    let listing = Listing {
        walk,
        now: cursor.now,
        secret: *context.secret,
        end,
        head: context.head.map(EntryId::seq),
        shape,
        hints: selection.hints,
        url: PageUrl::new(asked, params, &[CURSOR.name, OFFSET.name]),
    };
    Ok(Planned::run(Operation::Page { query, wait }, Render::List(Box::new(listing))))
}

pub(super) fn order(word: Option<&str>) -> Order {
    match word {
        Some("duration") => Order::Duration,
        Some("status") => Order::Status,
        Some("size") => Order::Size,
        Some("arrival") => Order::Arrival,
        _ => Order::Time,
    }
}

impl Listing {
    /// Tells of records that arrived while the request waited.
    pub(super) fn advance(&mut self, head: Option<Seq>) {
        self.head = head;
    }

    /// `{"items":[…],"next":…,"prev":…,"total":…,"hints":[…],"scanned":{…}}`, total and hints where there are any.
    pub(super) fn reply(&self, query: &Query, page: &Page) -> Response<Bytes> {
        let sign = |start| Cursor { start, bound: query.bound, now: self.now }.sign(&self.walk, &self.secret);
        let place = |row| Position::of(row, self.walk.order);
        let next = match page.rows.last().filter(|_| page.more_after).and_then(place) {
            Some(last) => Some(sign(Start::After(last))),
            // every row up to the head has been seen, those that do not match included
            _ if self.end == End::Open => Some(sign(match self.head {
                Some(_) => Start::After(Position::arrival(query.bound)),
                None => Start::First,
            })),
            _ => None,
        };
        let prev =
            page.rows.first().filter(|_| page.more_before).and_then(place).map(|first| sign(Start::Before(first)));
        let mut body = b"{\"items\":".to_vec();
        records::array(&page.rows, self.shape, &mut body);
        let scanned = page.scanned;
        let mut rest = json!({"next": next, "prev": prev});
        if let Some(total) = page.total {
            rest["total"] = json!(total);
        }
        if !self.hints.is_empty() {
            rest["hints"] = json!(self.hints);
        }
        rest["scanned"] = json!({"sources": scanned.sources, "opened": scanned.opened, "rows": scanned.rows});
        body.push(b',');
        body.extend_from_slice(&rest.to_string().as_bytes()[1..]);
        let mut response = respond(StatusCode::OK, "application/json", body);
        let page = |cursor: Option<String>| Some(self.url.with(&[(CURSOR.name, &cursor?)]));
        link::set(response.headers_mut(), [(page(next), "next"), (page(prev), "prev")]);
        response
    }
}
