//! `GET /logs/{id}` and `GET /logs/{id}/export`: one record.

use super::Render;
use super::parameters::AS;
use super::replay;
use crate::auth::Key;
use crate::dialect::params::Params;
use crate::dialect::{Planned, respond, set, visible};
use crate::error::{Error, Thing};
use crate::export;
use crate::id::EntryId;
use crate::plan::Operation;
use crate::query::Detail;
use crate::record::Stored;
use bytes::Bytes;
use http::header::ETAG;
use http::{Response, StatusCode};

/// Asks for the row that an id names, if the key may see it.
pub(super) fn get(id: &str, key: &Key, detail: Detail, render: Render) -> Result<Planned, Error> {
    let id = EntryId::from_text(id).ok_or(Error::Missing(Thing::Entry))?;
    let filter = visible(key.scope.project());
    let operation = Operation::Get { seq: id.seq(), arrival: Some(id.arrival_ms()), filter, detail };
    Ok(Planned::run(operation, render))
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
