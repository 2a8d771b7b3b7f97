//! Answers of more rows than a response in memory should hold.

use crate::catalog::Expired;
use crate::export::Writer;
use crate::query::{Page, Position, Query, Start};
use crate::record::Stored;
use crate::timestamp::Timestamp;
use http::Response;
use std::fmt::Debug;

/// How a dialect writes an answer that is read page by page: [`Self::begin`], of each page [`Self::page`] and its rows,
/// [`Self::end`].
pub(crate) trait Streamed: Debug + Send {
    /// Status and header fields.
    fn head(&self) -> Response<()>;

    /// Whether it can be gone on with after a row of it, for who has lost the rest.
    fn is_resumable(&self) -> bool;

    /// Appends what comes before the first row.
    fn begin(&mut self, _out: &mut Vec<u8>) {}

    /// Looks at the page that answers `query`, and takes away what is not to be written; the page to read after it.
    fn page(&mut self, query: &Query, page: &mut Page, seen: &Seen<'_>) -> Option<Query>;

    /// Appends one row of the page.
    fn row(&mut self, row: &Stored, out: &mut Vec<u8>);

    /// Appends what comes after the last row.
    fn end(&mut self, out: &mut Vec<u8>);
}

/// What a shell knows once it has read a page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'a> {
    /// The wall clock.
    pub now: Timestamp,
    /// What retention has removed, of a catalog not older than the one that was read.
    pub expired: &'a Expired,
}

/// The page after this one, if there is one.
pub(crate) fn after(query: &Query, page: &Page) -> Option<Query> {
    let last = page.rows.last().filter(|_| page.more_after)?;
    Some(Query { start: Start::After(Position::of(last, query.order)?), ..query.clone() })
}

/// A file of one of the formats of records, to the last row.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) head: Response<()>,
    pub(crate) writer: Writer,
}

impl Streamed for File {
    fn head(&self) -> Response<()> {
        self.head.clone()
    }

    fn is_resumable(&self) -> bool {
        self.writer.is_resumable()
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        self.writer.start(out);
    }

    fn page(&mut self, query: &Query, page: &mut Page, _: &Seen<'_>) -> Option<Query> {
        after(query, page)
    }

    fn row(&mut self, row: &Stored, out: &mut Vec<u8>) {
        self.writer.row(row, out);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.writer.end(out);
    }
}
