//! `GET …/logs/{logEntryId}`: one entry, in any representation.

use super::accept::Representation;
use super::item::Item;
use super::{Render, csv, hal, xml};
use crate::dialect::{Asked, Planned, respond, set};
use crate::error::{Error, Thing};
use crate::filter::Predicate;
use crate::id::EntryId;
use crate::plan::Operation;
use crate::query::Detail;
use crate::record::Stored;
use bytes::Bytes;
use http::header::{ETAG, VARY};
use http::{Response, StatusCode};

/// What is needed to render an entry.
#[derive(Debug)]
pub(crate) struct Single {
    this: String,
    representation: Representation,
}

pub(super) fn plan(
    asked: &Asked<'_>,
    project: &str,
    id: &str,
    representation: Representation,
) -> Result<Planned, Error> {
    let id = EntryId::from_cognigy(id).ok_or(Error::Missing(Thing::Entry))?;
    let operation = Operation::Get {
        seq: id.seq(),
        arrival: Some(id.arrival_ms()),
        filter: Predicate::project(project),
        detail: Detail::Preview,
    };
    let this = format!("{}{}", asked.context.settings.base_path, asked.path);
    Ok(Planned::run(operation, Render::Entry(Single { this, representation })))
}

impl Single {
    /// The entry, unless it is gone or of another project.
    pub(super) fn reply(&self, found: Option<&Stored>) -> Result<Response<Bytes>, Error> {
        let row = found.ok_or(Error::Missing(Thing::Entry))?;
        let item = Item::of(row);
        let body = match self.representation {
            Representation::Json => {
                let mut out = Vec::new();
                item.open_json(&mut out);
                out.push(b'}');
                out
            }
            Representation::Hal => hal::entry(&item, &self.this),
            Representation::Xml | Representation::TextXml => xml::entry(&item),
            Representation::Csv => csv::rows(std::slice::from_ref(row)),
        };
        let mut response = respond(StatusCode::OK, self.representation.content_type(), body);
        set(response.headers_mut(), ETAG, &format!("\"{}{}\"", item.id, self.representation.tag()));
        set(response.headers_mut(), VARY, "accept");
        Ok(response)
    }
}
