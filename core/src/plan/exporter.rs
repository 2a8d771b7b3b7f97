//! A streamed answer: more rows than a response in memory should hold.

use super::Failure;
use super::edge::Edge;
use crate::catalog::Expired;
use crate::dialect::{Address, Seen, Streamed};
use crate::query::{Page, Query};
use crate::record::Stored;
use crate::timestamp::Timestamp;
use bytes::Bytes;
use http::Response;
use std::vec::IntoIter;

/// A streamed answer under way: send [`Self::head`], then again and again all chunks that there are and supply the page
/// that is asked for, until none is, then [`Self::end`]. When a page fails, break the connection off: the client sees
/// that the answer is not whole and resumes.
///
/// It holds one page of rows and one chunk.
#[derive(Debug)]
pub struct Exporter {
    head: Response<()>,
    next: Option<Query>,
    rows: IntoIter<Stored>,
    streamed: Box<dyn Streamed>,
    progress: Progress,
    address: Address,
    edge: Edge,
}

#[derive(Debug, PartialEq, Eq)]
enum Progress {
    Fresh,
    Started,
}

impl Exporter {
    /// A chunk that has so many bytes is handed out; it is longer by less than a row.
    pub const CHUNK: usize = 256 << 10;

    pub(super) fn new(streamed: Box<dyn Streamed>, query: Query, address: Address, edge: Edge) -> Self {
        let mut head = streamed.head();
        edge.dress(head.headers_mut());
        let (next, rows, progress) = (Some(query), Vec::new().into_iter(), Progress::Fresh);
        Self { head, next, rows, streamed, progress, address, edge }
    }

    /// Whether a client that has lost the end of the answer can ask for the rest of it. An answer of which this is not so
    /// is worth nothing unless it is whole.
    pub fn is_resumable(&self) -> bool {
        self.streamed.is_resumable()
    }

    /// The response in place of an answer of which nothing was sent yet.
    pub fn refuse(self, failure: Failure) -> Response<Bytes> {
        self.edge.finish(self.address.refuse(&failure.into()))
    }

    /// Status and header fields, to be sent once the first page has been read.
    pub fn head(&self) -> Response<()> {
        self.head.clone()
    }

    /// The next page to run and to [`Self::supply`], once there is no chunk; `None` when there is no more.
    pub fn next(&self) -> Option<&Query> {
        self.next.as_ref()
    }

    /// Takes the page that [`Self::next`] asked for, with the time after it was read and what retention has removed
    /// until then, of a catalog not older than the one that was read.
    pub fn supply(&mut self, mut page: Page, now: Timestamp, expired: &Expired) {
        let Some(query) = self.next.take() else { return };
        self.next = self.streamed.page(&query, &mut page, &Seen { now, expired });
        self.rows = page.rows.into_iter();
    }

    /// The next bytes of the page at hand; `None` when there are no more.
    pub fn chunk(&mut self) -> Option<Bytes> {
        if self.rows.len() == 0 {
            return None;
        }
        let mut out = self.begin();
        while out.len() < Self::CHUNK
            && let Some(row) = self.rows.next()
        {
            self.streamed.row(&row, &mut out);
        }
        Some(out.into())
    }

    /// The last bytes.
    pub fn end(mut self) -> Bytes {
        let mut out = self.begin();
        self.streamed.end(&mut out);
        out.into()
    }

    fn begin(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.progress == Progress::Fresh {
            self.progress = Progress::Started;
            self.streamed.begin(&mut out);
        }
        out
    }
}
