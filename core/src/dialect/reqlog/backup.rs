//! `GET /backup`: everything that a store holds, for `reqlog restore`.
//!
//! **Ours**: a stream of `application/x-tar` with `catalog.db`, `segments/{number}.seg` and, as its last file,
//! `backup.json`, which lists the others with their sizes and SHA-256: a stream without it was cut off. The key of
//! redacted values is not in it. Only an admin key of the organisation gets one, because the keys of all are in it as
//! hashes.

use super::{Render, admin};
use crate::auth::Key;
use crate::dialect::{Asked, Planned, respond, set};
use crate::error::Error;
use crate::plan::{Offer, Operation};
use bytes::Bytes;
use http::header::CONTENT_DISPOSITION;
use http::{Method, Response, StatusCode};

pub(super) fn plan(asked: &Asked<'_>, key: &Key) -> Result<Planned, Error> {
    admin::organisation(key)?;
    if asked.method == Method::HEAD {
        asked.is_offered(Offer::Backup)?;
        return Ok(Planned::Ready(head().map(|()| Bytes::new())));
    }
    Ok(Planned::run(Operation::Backup, Render::Backup))
}

/// Status and header fields; the stream is the shell's.
pub(crate) fn head() -> Response<()> {
    let mut response = respond(StatusCode::OK, "application/x-tar", Bytes::new()).map(|_| ());
    set(response.headers_mut(), CONTENT_DISPOSITION, "attachment; filename=\"reqlog-backup.tar\"");
    response
}
