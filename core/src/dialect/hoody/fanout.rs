//! The fan-out: one stream of the rows of every project, for an organisation's admin key that names no `projectId`.
//!
//! NDJSON, one row a line by ascending id, then one line that says how it ended:
//!
//! - `{"__trailer":true,"cursor":"…","stoppedReason":"limit"}` after `limit` rows, where there are more,
//! - `{"__trailer":true,"cursor":"…","stoppedReason":"deadline"}` when the server's time for one answer is over,
//! - `{"__trailer":true,"cursor":null,"stoppedReason":"end"}` after the last row,
//! - `{"__trailer":true,"error":"snapshot_expired","status":410}` when rows that were to come are gone: retention has
//!   removed them since the sweep began, or the sweep is older than the server keeps cursors.
//!
//! A stream that ends without one of these was broken off by a failure: go on with `afterId` and `snapshot`, or again
//! from the last cursor.
//!
//! Where the documentation is silent (ours):
//!
//! - A sweep sees the rows that were there when it began, also over several answers: the cursor carries the newest
//!   sequence of that moment and its time. What is destroyed on request meanwhile is missing.
//! - Without `limit` a sweep goes on to its end or to the deadline; the default of the list does not apply. A `limit`
//!   that is given is 1 to 1000, as everywhere.
//! - The filters, `includeRequestBody` and `includeResponseBody` work as in a page. A cursor belongs to its filters and
//!   is refused with others; `limit` and whether bodies are included may change.
//! - `afterId` begins after a row, `offset` skips rows, `last` begins so many rows before the end; `snapshot` sees what
//!   was there at that sequence. A cursor says all of this itself and excludes them, and `projectId`.
//! - The time for an answer is looked at after each page of rows, so that every answer gets on, and not before the rows
//!   that `offset` skips are passed.
//! - Rows are read [`MORE`] records at a time, [`WHOLE`] where bodies are asked for; so much is in memory, and what is
//!   written of it on its way, however long the sweep and however slow the reader.

use super::entry::{self, Bodies};
use super::halves::Rows;
use super::list::{self, CURSOR, LIMIT, Window};
use super::selection::{self, PROJECT};
use crate::auth::{Key, Role};
use crate::cursor::{Cursor, Walk};
use crate::dialect::params::{ParamError, Params};
use crate::dialect::{Asked, Planned, Render, Seen, Streamed, respond};
use crate::error::Error;
use crate::id::{EntryId, Seq};
use crate::plan::{FanOut, Operation};
use crate::query::{Detail, Direction, Order, Page, Position, Query, SortKey, Start, Total};
use crate::record::Stored;
use crate::timestamp::Timestamp;
use bytes::Bytes;
use http::{Method, Response, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;

/// Records read at first, so that the first rows come soon.
const PAGE: usize = 256;
/// Records read at a time after them.
const MORE: usize = 1000;
/// Records read at a time with bodies: of the longest ones that are kept by default, 16 MiB.
const WHOLE: usize = 32;

const NDJSON: &str = "application/x-ndjson";

/// A sweep under way.
#[derive(Debug)]
struct Sweep {
    rows: Rows,
    bodies: Bodies,
    walk: Walk,
    secret: [u8; 32],
    bound: Seq,
    began: Timestamp,
    deadline: Timestamp,
    page: usize,
    detail: Detail,
    // the place: after this row, 0 before all
    after: u64,
    // rows to be passed over before the first one
    skip: u64,
    // rows that may still be written
    left: Option<u64>,
    // begins so many rows before the end, which are looked for first
    last: Option<u64>,
    ending: Ending,
}

/// What the last line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Limit,
    Deadline,
    End,
    Expired,
}

/// The fan-out that a request asks for; `None` where it asks for a page.
pub(super) fn asked(asked: &Asked<'_>, key: &Key, params: &Params) -> Result<Option<FanOut>, Error> {
    let cursor = params.text(&CURSOR);
    let (project, named) = (key.scope.project(), params.text(&PROJECT));
    match (asked.context.settings.fan_out, cursor) {
        (_, Some(_)) if key.role != Role::Admin => Err(Error::Role { needed: Role::Admin }),
        (None, Some(_)) => Err(Error::Cursor {
            name: CURSOR.name,
            reason: "fan-out is not enabled on this server; use offset or afterId",
        }),
        (Some(_), Some(_)) if project.is_some() => Err(Error::Organisation),
        (Some(_), Some(_)) if named.is_some() => {
            Err(ParamError::Exclusive { name: CURSOR.name, other: PROJECT.name }.into())
        }
        (fan_out, _) => Ok(fan_out.filter(|_| key.role == Role::Admin && project.is_none() && named.is_none())),
    }
}

pub(super) fn plan(asked: &Asked<'_>, params: &Params, fan_out: FanOut) -> Result<Planned, Error> {
    let window = list::window(params)?;
    let context = asked.context;
    let walk = Walk {
        project: None,
        // no query begins so, and no cursor of another endpoint passes
        filter: format!("\0hoody fan-out{}", selection::spelling(params)),
        order: Order::Arrival,
        direction: Direction::Ascending,
    };
    let explicit = params.given().any(|(name, _)| name == LIMIT.name);
    let limit = params.integer(&LIMIT).filter(|_| explicit);
    let (mut after, mut skip, mut last) = (0, 0, None);
    let (mut bound, mut began) = (list::snapshot(asked, params)?.unwrap_or_else(|| asked.bound()), context.now);
    let mut start = Start::First;
    match window {
        // not by the engine, which would hold a place of each
        Window::Offset(rows) => skip = rows,
        Window::After(row) => (after, start) = (row, list::after(row)),
        Window::Last => last = Some(list::limit(params, window)),
        Window::Cursor => {
            let cursor = params.text(&CURSOR).and_then(|text| resume(text, &walk, asked)).ok_or(Error::Cursor {
                name: CURSOR.name,
                reason: "it is not the cursor of a trailer, or the filters are others",
            })?;
            (after, bound, began) = cursor;
            start = list::after(after);
            if age(began, context.now) > fan_out.cursor_age {
                let line = format!("{}\n", expired());
                return Ok(Planned::Ready(respond(StatusCode::OK, NDJSON, line)));
            }
        }
    }
    let bodies = list::bodies(params);
    let (page, detail) = if bodies == Bodies::default() { (PAGE, Detail::Preview) } else { (WHOLE, Detail::Whole) };
    let deadline = context.now.plus_nanos(i64::try_from(fan_out.deadline.as_nanos()).unwrap_or(i64::MAX));
    let rows = selection::rows(params);
    let sweep = Sweep {
        rows,
        bodies,
        walk,
        secret: *context.secret,
        bound,
        began,
        deadline,
        page,
        detail,
        after,
        skip,
        left: limit.filter(|_| last.is_none()),
        last,
        ending: Ending::End,
    };
    if asked.method == Method::HEAD {
        return Ok(Planned::Ready(sweep.head().map(|()| Bytes::new())));
    }
    let whole = Query {
        filter: selection::records(params),
        order: Order::Arrival,
        direction: Direction::Ascending,
        start,
        bound,
        limit: sweep.limit(0),
        detail,
        total: Total::Skip,
        unit: rows.unit(),
    };
    // the newest rows are found from the other end; what is in them is not read yet
    let query = match last {
        Some(rows) => {
            Query { direction: Direction::Descending, limit: rows as usize, detail: Detail::Preview, ..whole }
        }
        None => whole,
    };
    Ok(Planned::Run(Box::new(Operation::Export(query)), Render::Streamed(Box::new(sweep))))
}

/// The place in a sweep, its newest sequence and when it began.
fn resume(text: &str, walk: &Walk, asked: &Asked<'_>) -> Option<(u64, Seq, Timestamp)> {
    let cursor = Cursor::read(text, walk, asked.context.secret)?;
    // of a store that was younger when it was restored
    let known = asked.context.head.is_some_and(|head| cursor.bound <= head.seq());
    match cursor.start {
        Start::After(Position { key: SortKey(row), seq }) if known => {
            let (own, _) = EntryId::from_row(row)?;
            (own == seq && seq <= cursor.bound).then_some((row, cursor.bound, cursor.now))
        }
        _ => None,
    }
}

// a clock that was set back makes nothing older
fn age(began: Timestamp, now: Timestamp) -> Duration {
    Duration::from_nanos(u64::try_from(now.as_nanos().saturating_sub(began.as_nanos())).unwrap_or(0))
}

fn expired() -> Value {
    json!({"__trailer": true, "error": "snapshot_expired", "status": 410})
}

impl Sweep {
    // how many records to read where so many rows are to be written before: the first may have no row to be written
    fn limit(&self, before: u64) -> usize {
        let left = self.left.filter(|_| self.skip == 0).map(|left| (left - before).saturating_add(1));
        left.and_then(|left| usize::try_from(left).ok()).unwrap_or(usize::MAX).min(self.page)
    }

    // of those of a page, the ids that are not passed
    fn ids(&self, page: &Page) -> impl Iterator<Item = u64> {
        let ids = page.rows.iter().flat_map(|record| self.rows.of(record)).map(|row| row.id);
        ids.filter(|id| *id > self.after)
    }

    // passes over rows of a page, as many as there are and are to be skipped
    fn skip(&mut self, page: &Page) {
        let skipped = self.ids(page).take(usize::try_from(self.skip).unwrap_or(usize::MAX));
        let (count, last) = skipped.fold((0, None), |(count, _), id| (count + 1, Some(id)));
        self.after = last.unwrap_or(self.after);
        self.skip -= count;
    }

    // the first of the newest rows, and with it the first page
    fn begin_with_last(&mut self, wanted: u64, query: &Query, page: &mut Page) -> Query {
        let newest = page.rows.iter().flat_map(|record| {
            let ids: Vec<u64> = self.rows.of(record).map(|row| row.id).collect();
            ids.into_iter().rev()
        });
        let first = newest.take(wanted as usize).last();
        self.after = first.map_or(0, |first| first - 1);
        page.rows.clear();
        Query {
            direction: Direction::Ascending,
            start: list::after(self.after),
            limit: self.limit(0),
            detail: self.detail,
            ..query.clone()
        }
    }

    fn cursor(&self) -> Option<String> {
        // this dialect sorts by row id, which is the key of the position
        let (seq, _) = EntryId::from_row(self.after)?;
        let start = Start::After(Position { key: SortKey(self.after), seq });
        Some(Cursor { start, bound: self.bound, now: self.began }.sign(&self.walk, &self.secret))
    }
}

impl Streamed for Sweep {
    fn is_resumable(&self) -> bool {
        true
    }

    fn head(&self) -> Response<()> {
        respond(StatusCode::OK, NDJSON, Bytes::new()).map(|_| ())
    }

    fn page(&mut self, query: &Query, page: &mut Page, seen: &Seen<'_>) -> Option<Query> {
        let position = if let Start::After(position) = query.start { Some(position.seq) } else { None };
        if seen.expired.lost_since(self.began, position) {
            page.rows.clear();
            self.ending = Ending::Expired;
            return None;
        }
        if let Some(wanted) = self.last.take() {
            return Some(self.begin_with_last(wanted, query, page));
        }
        self.skip(page);
        let rows = self.ids(page).count() as u64;
        let full = self.left.is_some_and(|left| rows > left || rows == left && page.more_after);
        let last = page.rows.last().filter(|_| page.more_after);
        self.ending = match last {
            _ if full => Ending::Limit,
            None => Ending::End,
            // a cursor says nothing of rows to be skipped
            Some(_) if seen.now >= self.deadline && self.skip == 0 => Ending::Deadline,
            Some(last) => {
                if self.detail == Detail::Preview {
                    self.page = MORE;
                }
                let start = Start::After(Position::arrival(last.id.seq()));
                return Some(Query { start, limit: self.limit(rows), ..query.clone() });
            }
        };
        None
    }

    fn row(&mut self, record: &Stored, out: &mut Vec<u8>) {
        for row in self.rows.of(record) {
            if row.id > self.after && self.left != Some(0) {
                entry::write(&row, self.bodies, out);
                out.push(b'\n');
                self.after = row.id;
                self.left = self.left.map(|left| left - 1);
            }
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        let stopped = |cursor, reason| json!({"__trailer": true, "cursor": cursor, "stoppedReason": reason});
        let trailer = match self.ending {
            Ending::Limit => stopped(self.cursor(), "limit"),
            Ending::Deadline => stopped(self.cursor(), "deadline"),
            Ending::End => stopped(None, "end"),
            Ending::Expired => expired(),
        };
        out.extend_from_slice(trailer.to_string().as_bytes());
        out.push(b'\n');
    }
}
