//! `GET …/_logs/stream`: rows as they are committed.
//!
//! Where the documentation is silent (ours):
//!
//! - Without `Last-Event-ID` a stream begins with what is committed after it, and says at once by which id it would go
//!   on (an `id` without `data`, which is no event to a reader). An id is a row's, also of one that the stream's filters
//!   leave out, that was deleted, or that comes between (`0` is before the first). One that is above every row of the
//!   store, or is not spelt as they are, was never issued: `event: reset`, with an empty id so that a browser
//!   forgets its own, and the stream closes.
//! - `scope-destroyed` goes to streams that name a container or a project (a key of one project names it), when what was
//!   destroyed is all that there was of it: its project, its container, or everything. A deletion by more than that takes
//!   its rows out of the stream and leaves it open.
//! - The stream begins with a comment line, so that its head is sent at once.
//! - It ends when its key is revoked or expires. Whoever comes again resumes.
//! - Every filter of the list holds: `serviceName`, `method` and `source` beside those that are documented.

use super::entry::{self, Bodies};
use super::halves::Rows;
use super::selection::{self, CONTAINER, KIND, LEVEL, METHOD, PROJECT, SERVICE, SOURCE};
use crate::auth::Key;
use crate::dialect::params::{Param, Params};
use crate::dialect::{Asked, Framing, Planned, json, visible};
use crate::error::Error;
use crate::id::{EntryId, Half};
use crate::live::{Frame, Restriction, Since, Tail};
use crate::record::Stored;
use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::json;

pub(super) static PARAMS: &[&Param] = &[&PROJECT, &CONTAINER, &SERVICE, &LEVEL, &KIND, &METHOD, &SOURCE];

/// How rows become frames.
#[derive(Debug)]
pub(crate) struct Frames {
    rows: Rows,
    // the client has the rows up to this one
    last: u64,
}

pub(super) fn plan(asked: &Asked<'_>, key: &Key, params: &Params) -> Result<Planned, Error> {
    let project = Asked::project(key, params.text(&PROJECT))?;
    let (rows, filter) = (selection::rows(params), selection::records(params));
    let (since, last) = since(asked);
    let scope = visible(project.as_deref());
    let container = params.text(&CONTAINER).map(str::to_owned);
    let framing = Framing::Hoody(Frames::new(rows, last));
    let tail = Tail::new(key.id, scope, filter, Restriction { project, container }, framing, since);
    Planned::tail(asked, tail)
}

/// Where the stream begins, and the last row that the client has.
fn since(asked: &Asked<'_>) -> (Since, u64) {
    let head = asked.head();
    let Some(text) = asked.last_event_id() else { return (Since::Head(head), 0) };
    let row = Asked::issued(text, Frames::place(head));
    match (row, row.and_then(EntryId::from_row)) {
        (None, _) => (Since::Unknown, 0),
        (Some(row), None) => (Since::Position(0), row),
        // the record's other row may be still to come
        (Some(row), Some((seq, Half::First))) => (Since::Position(seq.get() - 1), row),
        (Some(row), Some((seq, Half::Second))) => (Since::Position(seq.get()), row),
    }
}

/// A missing or bad key, as documented.
pub(super) fn denied() -> Response<Bytes> {
    let message = "Logs token missing or invalid / SNI gate denied";
    json(StatusCode::FORBIDDEN, &json!({"statusCode": 403, "error": "Forbidden", "message": message}))
}

impl Frames {
    /// For a client that has the rows up to `last`.
    pub(super) const fn new(rows: Rows, last: u64) -> Self {
        Self { rows, last }
    }

    /// The second row of a record, which it may not have: everything up to the record.
    pub(crate) const fn place(seq: u64) -> u64 {
        seq * 2
    }

    pub(crate) fn row(&self, record: &Stored, out: &mut Vec<u8>) -> u64 {
        let mut frames = 0;
        for row in self.rows.of(record).filter(|row| row.id > self.last) {
            let mut data = Vec::new();
            entry::write(&row, Bodies::default(), &mut data);
            // JSON is UTF-8
            Frame { id: Some(row.id), event: None, data: &String::from_utf8_lossy(&data) }.write(out);
            frames += 1;
        }
        frames
    }
}
