//! `GET /logs/{id}` and `GET /logs/{id}/export`: one record, alone or among those around it.

use super::parameters::AS;
use super::{Render, records, replay};
use crate::auth::Key;
use crate::dialect::params::Params;
use crate::dialect::{Planned, respond, set, visible};
use crate::error::{Error, Thing};
use crate::export;
use crate::export::json::Shape;
use crate::id::EntryId;
use crate::neighbours::Neighbours;
use crate::plan::Operation;
use crate::query::Detail;
use crate::record::Stored;
use bytes::Bytes;
use http::header::ETAG;
use http::{Response, StatusCode};

/// Asks for the row that an id names, if the key may see it.
pub(super) fn get(id: &str, key: &Key, detail: Detail, render: Render) -> Result<Planned, Error> {
    let id = named(id)?;
    let filter = visible(key.scope.project());
    let operation = Operation::Get { seq: id.seq(), arrival: Some(id.arrival_ms()), filter, detail };
    Ok(Planned::run(operation, render))
}

/// Asks for the same and for at most `count` rows on each side of it.
pub(super) fn neighbours(id: &str, key: &Key, count: usize) -> Result<Planned, Error> {
    let id = named(id)?;
    let filter = visible(key.scope.project());
    let operation = Operation::Neighbours { seq: id.seq(), arrival: Some(id.arrival_ms()), filter, count };
    Ok(Planned::run(operation, Render::Neighbours))
}

fn named(id: &str) -> Result<EntryId, Error> {
    EntryId::from_text(id).ok_or(Error::Missing(Thing::Entry))
}

/// The record with one more member, `"context":{"before":[…],"after":[…]}`: rows of a list, oldest first. What is around
/// a record changes, so that this has no entity tag.
pub(super) fn reply_with_context(around: &Neighbours) -> Response<Bytes> {
    let mut body = Vec::new();
    export::json::record(&around.row, &mut body);
    body.pop();
    body.extend_from_slice(b",\"context\":{\"before\":");
    records::array(&around.before, Shape::LIST, &mut body);
    body.extend_from_slice(b",\"after\":");
    records::array(&around.after, Shape::LIST, &mut body);
    body.extend_from_slice(b"}}");
    respond(StatusCode::OK, "application/json", body)
}

/// The record itself. It never changes, so that its id is its entity tag.
pub(super) fn reply(row: &Stored) -> Response<Bytes> {
    let mut body = Vec::new();
    export::json::record(row, &mut body);
    let mut response = respond(StatusCode::OK, "application/json", body);
    tag(&mut response, row.id, "");
    response
}

/// A form in which one exchange is replayed or shared.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    /// A shell command.
    Curl,
    /// A HAR file of one entry.
    Har,
    /// A request as HTTP text, the response as comments.
    Http,
}

impl Form {
    pub(super) fn read(params: &Params) -> Self {
        match params.word(&AS) {
            Some("curl") => Self::Curl,
            Some("har") => Self::Har,
            _ => Self::Http,
        }
    }

    pub(super) fn reply(self, row: &Stored) -> Result<Response<Bytes>, Error> {
        let (content_type, body, suffix) = match self {
            Self::Curl => ("text/plain; charset=utf-8", replay::curl(&row.record)?.into_bytes(), "-curl"),
            Self::Http => ("text/plain; charset=utf-8", replay::http(&row.record)?, "-http"),
            Self::Har => ("application/json", super::export::one(row), "-har"),
        };
        let mut response = respond(StatusCode::OK, content_type, body);
        tag(&mut response, row.id, suffix);
        Ok(response)
    }
}

/// Sets the entity tag of a representation of a row.
pub(super) fn tag(response: &mut Response<Bytes>, id: EntryId, suffix: &str) {
    set(response.headers_mut(), ETAG, &format!("\"{}{suffix}\"", id.to_text()));
}
