//! Cognigy: log entries of a project, under `/v2.1` and `/v2.0`, and both again under `/new`.
//!
//! Every kind of record is an entry. **Ours:** in v2.0 the envelope has its cursors under both names, `nextCursor` and
//! `previousCursor`, which the vendor's client reads, then `next` and `previous`, as they were called first. There a key is
//! also taken from `?api_key=`, where no header field has a good one; no link and no refusal repeats it.

mod accept;
mod csv;
mod cursor;
mod documented;
mod entry;
mod error;
mod hal;
mod item;
mod list;
mod page;
mod parameters;
mod project;
mod xml;

#[cfg(test)]
mod tests;

pub(super) use documented::{ABOUT, ENDPOINTS};
pub(super) use error::refuse;

use super::endpoint::{self, Access, Endpoint, Match};
use super::params::{Param, ParamError, Params};
use super::{Address, Asked, Dialect, Planned};
use crate::auth::Key;
use crate::error::Error;
use crate::plan::{Failure, Outcome};
use accept::Representation;
use bytes::Bytes;
use http::Response;
use parameters::API_KEY;

/// What the endpoints do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Entries in an order.
    List,
    /// The latest entries.
    Tail,
    /// One entry.
    Entry,
}

/// Which of the two versions a path is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    V20,
    V21,
}

/// Whether a path is this dialect's.
pub(super) fn owns(path: &str) -> bool {
    local(path).is_some()
}

/// The path as the table has it.
pub(super) fn route(path: &str) -> &str {
    local(path).map_or(path, |(_, rest)| rest)
}

fn local(path: &str) -> Option<(Version, &str)> {
    let path = path.strip_prefix("/new").unwrap_or(path);
    let rest = |mount| path.strip_prefix(mount).filter(|rest| rest.starts_with('/'));
    rest("/v2.1").map(|rest| (Version::V21, rest)).or_else(|| Some((Version::V20, rest("/v2.0")?)))
}

/// Understands a request.
pub(super) fn plan(asked: &Asked<'_>) -> Result<Planned, Error> {
    let (version, path) = local(asked.path).ok_or(Error::Route)?;
    let (endpoint, captures) = match endpoint::find(ENDPOINTS, path, asked.method) {
        Match::Nothing => return Err(Error::Route),
        Match::Method(allow) => return Err(Error::Method { allow }),
        Match::Found(endpoint, captures) => (endpoint, captures),
    };
    let key = admit(asked, endpoint, version)?;
    let project = project::named(&captures.text(0)?, key, asked.context.projects)?;
    let params = read(asked.query, endpoint.params)?;
    let Some(representation) = Representation::negotiate(asked.headers) else {
        let path = format!("{}{}", asked.context.settings.base_path, asked.path);
        let address = Address { dialect: Dialect::Cognigy, path, at: asked.context.now };
        return Ok(Planned::Ready(error::not_acceptable(&address)));
    };
    match endpoint.action {
        Action::List | Action::Tail => list::plan(asked, (endpoint.action, version), &project, &params, representation),
        Action::Entry => entry::plan(asked, &project, &captures.text(1)?, representation),
    }
}

/// The key that may use the endpoint.
fn admit<'a>(asked: &Asked<'a>, endpoint: &'static Endpoint<Action>, version: Version) -> Result<&'a Key, Error> {
    match asked.admit(endpoint) {
        Err(Error::Unauthorized) if version == Version::V20 => {
            let params = read(asked.query, &[&API_KEY])?;
            let secret = params.text(&API_KEY).ok_or(Error::Unauthorized)?;
            let key = asked.context.keyring.authenticate(secret, asked.context.now).ok_or(Error::Unauthorized)?;
            match endpoint.access {
                Access::Role(needed) if !key.role.allows(needed) => Err(Error::Role { needed }),
                Access::Role(_) | Access::Public => Ok(key),
            }
        }
        admitted => admitted?.ok_or(Error::Unauthorized),
    }
}

/// The parameters. A refusal does not repeat a value that cannot be decoded: it may be a key.
fn read(query: &str, table: &[&'static Param]) -> Result<Params, ParamError> {
    Params::read(query, table).map_err(|error| match error {
        ParamError::Encoding { sent } => {
            let name = sent.split('=').next().unwrap_or_default();
            ParamError::Encoding { sent: format!("{name}=…") }
        }
        error => error,
    })
}

/// How an outcome becomes an answer.
#[derive(Debug)]
pub(crate) enum Render {
    /// A page.
    List(Box<page::Listing>),
    /// One entry.
    Entry(entry::Single),
}

impl Render {
    pub(super) fn reply(self, outcome: Outcome) -> Result<Response<Bytes>, Error> {
        match (self, outcome) {
            (Self::List(listing), Outcome::Page(page)) => listing.reply(&page),
            (Self::Entry(single), Outcome::Record(found)) => single.reply(found.as_deref()),
            _ => Err(Failure::Internal.into()),
        }
    }
}
