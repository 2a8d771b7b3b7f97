//! A streamed answer: more rows than a response in memory should hold.

use super::edge::Edge;
use crate::dialect::{Exporting, after};
use crate::export::Writer;
use crate::query::{Page, Query};
use bytes::Bytes;
use http::Response;

/// An export under way: send [`Self::head`], then the [`Self::chunk`] of each page that [`Self::next`] asks for, then
/// [`Self::end`]. When a page fails, break the connection off: the client sees that the file is not whole and resumes.
#[derive(Debug)]
pub struct Exporter {
    head: Response<()>,
    next: Option<Query>,
    writer: Writer,
    progress: Progress,
}

#[derive(Debug, PartialEq, Eq)]
enum Progress {
    Fresh,
    Started,
}

impl Exporter {
    pub(super) fn new(exporting: &Exporting, query: Query, edge: &Edge) -> Self {
        let mut head = exporting.head();
        edge.dress(head.headers_mut());
        Self { head, next: Some(query), writer: exporting.writer(), progress: Progress::Fresh }
    }

    /// Status and header fields, to be sent once the first page has been read.
    pub fn head(&self) -> Response<()> {
        self.head.clone()
    }

    /// The next page to run; `None` when there is no more.
    pub fn next(&self) -> Option<&Query> {
        self.next.as_ref()
    }

    /// The bytes of the page that [`Self::next`] asked for.
    pub fn chunk(&mut self, page: &Page) -> Bytes {
        self.next = self.next.take().and_then(|query| after(&query, page));
        let mut out = self.begin();
        for row in &page.rows {
            self.writer.row(row, &mut out);
        }
        out.into()
    }

    /// The last bytes.
    pub fn end(mut self) -> Bytes {
        let mut out = self.begin();
        self.writer.end(&mut out);
        out.into()
    }

    fn begin(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.progress == Progress::Fresh {
            self.progress = Progress::Started;
            self.writer.start(&mut out);
        }
        out
    }
}
