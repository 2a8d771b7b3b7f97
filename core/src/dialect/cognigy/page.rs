//! The answer of a list: a page in the wanted representation, and the ways on from it.

use super::accept::Representation;
use super::cursor::{Began, Cursor, Walk, Way};
use super::parameters::{NEXT, PREVIOUS, SKIP, SNAPSHOT};
use super::{Version, csv, hal, item, xml};
use crate::dialect::link::{self, PageUrl};
use crate::dialect::{respond, set};
use crate::error::Error;
use crate::json::string;
use crate::query::{Page, Start};
use crate::record::Stored;
use bytes::Bytes;
use http::header::{HeaderName, VARY};
use http::{Response, StatusCode};

/// What is needed to render a page and the ways on from it.
#[derive(Debug)]
pub(crate) struct Listing {
    /// What its cursors belong to.
    pub(super) walk: Walk,
    /// When the walk began.
    pub(super) began: Began,
    /// Signs them.
    pub(super) secret: [u8; 32],
    /// Where this page begins.
    pub(super) start: Start,
    /// Entries of a page.
    pub(super) limit: u64,
    /// How the client pages.
    pub(super) by: By,
    /// The parameter that had the cursor.
    pub(super) given: Option<&'static str>,
    /// The URL of this page.
    pub(super) this: String,
    /// The URL of the others.
    pub(super) others: PageUrl,
    /// How it is written.
    pub(super) representation: Representation,
    /// Which envelope.
    pub(super) version: Version,
}

/// How the client pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// By cursor, or not yet.
    Cursor,
    /// By offset.
    Skip,
}

impl Listing {
    /// The page in the representation that the client wants.
    pub(super) fn reply(&self, page: &Page) -> Result<Response<Bytes>, Error> {
        if page.lost {
            let reason = "the entry that it stands on is gone; begin again without it";
            return Err(Error::Cursor { name: self.given.unwrap_or(NEXT.name), reason });
        }
        let sign =
            |row: &Stored, way| Cursor { seq: row.id.seq(), began: self.began, way }.sign(&self.walk, &self.secret);
        let next = page.rows.last().filter(|_| page.more_after).map(|row| sign(row, Way::Next));
        let previous = page.rows.first().filter(|_| page.more_before).map(|row| sign(row, Way::Previous));
        let (after, before) = match self.by {
            By::Cursor => {
                let url = |name, cursor: &Option<String>| Some(self.others.with(&[(name, cursor.as_deref()?)]));
                (url(NEXT.name, &next), url(PREVIOUS.name, &previous))
            }
            By::Skip => self.by_skip(page),
        };
        let (next, previous) = (next.as_deref(), previous.as_deref());
        let cursors = [("nextCursor", next), ("previousCursor", previous), ("next", next), ("previous", previous)];
        let cursors = if self.version == Version::V20 { &cursors[..] } else { &cursors[..2] };
        let body = match self.representation {
            Representation::Json => envelope(page, cursors),
            Representation::Hal => hal::page(page, &self.this, after.as_deref(), before.as_deref()),
            Representation::Xml | Representation::TextXml => xml::page(page, cursors),
            Representation::Csv => csv::rows(&page.rows),
        };
        let mut response = respond(StatusCode::OK, self.representation.content_type(), body);
        let headers = response.headers_mut();
        set(headers, VARY, "accept");
        if self.representation == Representation::Csv {
            let total = page.total.unwrap_or_default().to_string();
            set(headers, HeaderName::from_static("x-total-count"), &total);
        }
        link::set(headers, [(after, "next"), (before, "prev")]);
        Ok(response)
    }

    fn by_skip(&self, page: &Page) -> (Option<String>, Option<String>) {
        let skipped = if let Start::Offset(skip) = self.start { skip } else { 0 };
        let snapshot = self.began.as_millis().to_string();
        let url = |skip: u64| self.others.with(&[(SKIP.name, &skip.to_string()), (SNAPSHOT.name, &snapshot)]);
        let next = (page.more_after && !page.rows.is_empty()).then(|| url(skipped + page.rows.len() as u64));
        // from past the end, the last page
        let end = skipped.min(page.total.unwrap_or(skipped));
        (next, (end > 0).then(|| url(end.saturating_sub(self.limit))))
    }
}

/// `{"items":[…],"total":1,"nextCursor":…,"previousCursor":…}`
fn envelope(page: &Page, cursors: &[(&str, Option<&str>)]) -> Vec<u8> {
    let mut out = b"{\"items\":".to_vec();
    item::array(&page.rows, &mut out);
    out.extend_from_slice(format!(",\"total\":{}", page.total.unwrap_or_default()).as_bytes());
    for (name, cursor) in cursors {
        out.extend_from_slice(format!(",\"{name}\":").as_bytes());
        match cursor {
            Some(cursor) => string(cursor, &mut out),
            None => out.extend_from_slice(b"null"),
        }
    }
    out.push(b'}');
    out
}
