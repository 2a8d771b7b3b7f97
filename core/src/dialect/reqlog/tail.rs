//! `GET /tail`: records as they are committed.
//!
//! A message's id is the record's sequence, its data the record as `GET /logs` lists it. After 15 s without one comes
//! `event: heartbeat`, whose id is the place up to which everything was looked at, and whose data counts records:
//! `{"delivered":…,"filtered":…}`, those sent since the stream began and those in the key's scope that came by and did
//! not match (what a resumed stream reads from the store counts as delivered only: the store is asked for matches).
//!
//! Without `Last-Event-ID` a stream begins with what is committed after it, and says at once by which id it would go on
//! (an `id` without `data`, which is no event to a reader); `0` is before the first record. An id above the head of the
//! store, or one that is not spelt as they are, was never issued here: `event: reset`, with an empty id so that a
//! browser forgets its own, and the stream closes. When the project that it is confined to is destroyed, it says
//! `event: scope-destroyed` and closes. It ends with its key. Relative times in `q` are relative to its beginning.

use super::selection::Selection;
use crate::auth::Key;
use crate::dialect::params::Params;
use crate::dialect::{Asked, Framing, Planned, visible};
use crate::error::Error;
use crate::export::json::{Shape, write};
use crate::live::{Counted, Frame, Restriction, Since, Tail};
use crate::record::Stored;

pub(super) fn plan(asked: &Asked<'_>, key: &Key, params: &Params) -> Result<Planned, Error> {
    let selection = Selection::read(key, params)?;
    let filter = selection.predicate(asked.context.now)?;
    let head = asked.head();
    let since = match asked.last_event_id() {
        None => Since::Head(head),
        Some(text) => Asked::issued(text, head).map_or(Since::Unknown, Since::Position),
    };
    let scope = visible(selection.project.as_deref());
    let restriction = Restriction { project: selection.project, container: None };
    let tail = Tail::new(key.id, scope, filter, restriction, Framing::Reqlog, since);
    Planned::tail(asked, tail)
}

/// One record.
pub(in crate::dialect) fn row(row: &Stored, out: &mut Vec<u8>) {
    let mut data = Vec::new();
    write(row, Shape::LIST, &mut data);
    // JSON is UTF-8
    Frame { id: Some(row.id.seq().get()), event: None, data: &String::from_utf8_lossy(&data) }.write(out);
}

/// Up to where everything was looked at.
pub(in crate::dialect) fn heartbeat(position: u64, counted: Counted, out: &mut Vec<u8>) {
    let Counted { delivered, filtered } = counted;
    let data = format!("{{\"delivered\":{delivered},\"filtered\":{filtered}}}");
    Frame { id: Some(position), event: Some("heartbeat"), data: &data }.write(out);
}
