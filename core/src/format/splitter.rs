//! Bytes in slices of any size to whole units, in memory that the longest allowed unit bounds.

use std::collections::VecDeque;

use memchr::memchr_iter;

use super::Format;
use super::boundary::{Boundary, End, Mark};
use super::parser::Head;
use super::rejection::{EXCERPT, Rejection};

/// Longest unit by default: 16 MiB.
pub const UNIT_LIMIT: usize = 16 << 20;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// One line, CSV row, HAR entry or array element, borrowed from the buffer it arrived in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit<'a> {
    /// Line of the input on which it begins, from 1.
    pub line: u64,
    /// Where in the input it begins, in bytes from 0; a byte order mark counts.
    pub offset: u64,
    /// Its bytes without line end; of a unit over the limit only the first [`EXCERPT`].
    pub bytes: &'a [u8],
    pub(super) fault: Option<Fault>,
}

impl<'a> Unit<'a> {
    /// A unit that did not come from a splitter, such as the body of a request that is one record.
    pub fn new(line: u64, bytes: &'a [u8]) -> Self {
        Self { line, offset: 0, bytes, fault: None }
    }

    /// A line without its line feed as a [`Splitter`] gives it, but for the number of the line; none where it is blank.
    pub(crate) fn of_line(offset: u64, line: &'a [u8]) -> Option<Self> {
        let unit = Self { line: 0, offset, bytes: line, fault: None };
        if line.len() > UNIT_LIMIT {
            return Some(Self { bytes: &line[..EXCERPT], fault: Some(Fault::TooLong(UNIT_LIMIT)), ..unit });
        }
        if line.trim_ascii_start().is_empty() {
            return None;
        }
        Some(Self { bytes: line.strip_suffix(b"\r").unwrap_or(line), ..unit })
    }
}

/// Why a unit cannot be read whatever it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Longer than this many bytes.
    TooLong(usize),
}

#[derive(Clone, Copy, Debug)]
struct Span {
    start: usize,
    end: usize,
    line: u64,
    offset: u64,
    fault: Option<Fault>,
}

impl Span {
    fn of<'a>(&self, bytes: &'a [u8]) -> Unit<'a> {
        Unit { line: self.line, offset: self.offset, bytes: &bytes[self.start..self.end], fault: self.fault }
    }
}

/// What stands before the units of an input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Preamble {
    /// What the parser must know of it.
    pub(crate) head: Head,
    /// Bytes of it: of a byte order mark and of the header with its line end.
    pub(crate) len: usize,
}

impl Preamble {
    /// That of an input that begins with `first`, `None` where the header of a CSV file goes on behind it.
    ///
    /// `ended` where these are all bytes of the input.
    pub(crate) fn of(format: Format, first: &[u8], ended: bool) -> Option<Self> {
        let mark = if first.starts_with(BOM) { BOM.len() } else { 0 };
        if format != Format::Csv {
            return Some(Self { head: Head::default(), len: mark });
        }
        let (mut boundary, mut at, mut start) = (Boundary::of(format), mark, mark);
        while let Some(found) = boundary.next(first, &mut at) {
            match found {
                Mark::Open(open) => start = open,
                Mark::Close(end) if first[start..end].trim_ascii().is_empty() => {}
                Mark::Close(end) => return Some(Self { head: header(&first[start..end]), len: at }),
            }
        }
        ended.then(|| Self { head: header(&first[start..]), len: first.len() })
    }
}

fn header(row: &[u8]) -> Head {
    Head::of_header(row.strip_suffix(b"\r").unwrap_or(row))
}

/// Many whole units with the buffer they stand in; sent to another thread and parsed there.
#[derive(Debug, Default)]
pub struct Chunk {
    bytes: Vec<u8>,
    spans: VecDeque<Span>,
}

impl Chunk {
    /// How many units there are.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is no unit.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The unit at `index`, in input order.
    pub fn unit(&self, index: usize) -> Option<Unit<'_>> {
        Some(self.spans.get(index)?.of(&self.bytes))
    }

    /// Every unit in input order.
    pub fn units(&self) -> impl ExactSizeIterator<Item = Unit<'_>> {
        self.spans.iter().map(|span| span.of(&self.bytes))
    }
}

/// Cuts pushed bytes into units; how they were sliced makes no difference.
///
/// Push, then drain with [`next`](Self::next) one by one or with [`take_chunk`](Self::take_chunk) all at once;
/// after the last slice call [`finish`](Self::finish) and drain again. A byte order mark and blank lines are skipped.
#[derive(Debug)]
pub struct Splitter {
    boundary: Boundary,
    limit: usize,
    buffer: Vec<u8>,
    // how many bytes have come, those before the place where a resumed input begins among them
    seen: u64,
    // bytes the boundary has seen, and up to where line feeds are counted
    scanned: usize,
    counted: usize,
    line: u64,
    open: Option<Open>,
    ready: VecDeque<Span>,
    // a byte order mark, as far as it has come; none once the input has begun
    mark: Option<usize>,
    head: Option<Head>,
    header_due: bool,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    start: usize,
    line: u64,
    offset: u64,
    // the unit is over the limit and only its beginning is kept
    cut: bool,
}

impl Splitter {
    /// A splitter for one input of `format` with units up to [`UNIT_LIMIT`].
    pub fn new(format: Format) -> Self {
        Self::with_limit(format, UNIT_LIMIT)
    }

    /// A splitter that refuses units of more than `limit` bytes, at least [`EXCERPT`].
    pub fn with_limit(format: Format, limit: usize) -> Self {
        Self {
            boundary: Boundary::of(format),
            limit: limit.max(EXCERPT),
            buffer: Vec::new(),
            seen: 0,
            scanned: 0,
            counted: 0,
            line: 1,
            open: None,
            ready: VecDeque::new(),
            mark: Some(0),
            head: None,
            header_due: format == Format::Csv,
        }
    }

    /// A splitter of the units from `offset` of an input on, where a line, a row or an element of the array begins.
    ///
    /// `head` is that of the input. Lines are counted from there; the end is where no more is pushed, after a whole
    /// unit, and what ends the array or the document may stand before it.
    pub fn resumed(format: Format, head: &Head, offset: u64) -> Self {
        Self {
            boundary: Boundary::resumed(format, head),
            seen: offset,
            mark: None,
            head: Some(head.clone()),
            header_due: false,
            ..Self::new(format)
        }
    }

    /// Takes the next slice of the input.
    pub fn push(&mut self, mut slice: &[u8]) {
        self.drop_drained();
        self.seen += slice.len() as u64;
        while let (Some(seen), Some(&byte)) = (self.mark, slice.first()) {
            if byte == BOM[seen] {
                slice = &slice[1..];
                self.mark = Some(seen + 1).filter(|seen| *seen < BOM.len());
            } else {
                self.buffer.extend_from_slice(&BOM[..seen]);
                self.mark = None;
            }
        }
        self.buffer.extend_from_slice(slice);
        self.scan();
    }

    /// The next whole unit, if one has arrived.
    #[expect(
        clippy::should_implement_trait,
        reason = "the unit borrows from the splitter, which an iterator cannot say"
    )]
    pub fn next(&mut self) -> Option<Unit<'_>> {
        let span = self.ready.pop_front()?;
        Some(span.of(&self.buffer))
    }

    /// Every whole unit that has arrived, with the buffer; only the unfinished rest is copied.
    pub fn take_chunk(&mut self) -> Option<Chunk> {
        let spans = std::mem::take(&mut self.ready);
        let last = spans.back()?.end;
        self.count_lines(last);
        // the next slices are likely as long as these were
        let mut rest = Vec::with_capacity(self.buffer.len());
        rest.extend_from_slice(&self.buffer[last..]);
        let bytes = std::mem::replace(&mut self.buffer, rest);
        self.moved(last);
        Some(Chunk { bytes, spans })
    }

    /// What the parser must know of the input before its units: the header of a CSV file, once it has arrived.
    pub fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// Ends the input: an unterminated last line becomes a unit, anything else that is cut off one rejection.
    pub fn finish(&mut self) -> Result<(), Rejection> {
        if let Some(seen) = self.mark.take() {
            self.buffer.extend_from_slice(&BOM[..seen]);
            self.scan();
        }
        let end = self.boundary.end();
        let open = self.open.take();
        match (end, open) {
            (End::Whole, Some(open)) => {
                self.close(open, self.buffer.len());
                Ok(())
            }
            (End::Whole, None) => Ok(()),
            (End::Broken(reason), open) => {
                let start = open.map_or(self.buffer.len(), |open| open.start);
                self.count_lines(self.buffer.len());
                let line = open.map_or(self.line, |open| open.line);
                Err(Rejection::new(line, reason, &self.buffer[start..]))
            }
        }
    }

    fn scan(&mut self) {
        while let Some(mark) = self.boundary.next(&self.buffer, &mut self.scanned) {
            match mark {
                Mark::Open(start) => {
                    self.count_lines(start);
                    // nothing has been dropped since the boundary came here
                    let offset = self.seen - (self.buffer.len() - start) as u64;
                    self.open = Some(Open { start, line: self.line, offset, cut: false });
                }
                Mark::Close(end) => {
                    if let Some(open) = self.open.take() {
                        self.close(open, end);
                    }
                }
            }
        }
        self.bound();
    }

    fn close(&mut self, open: Open, end: usize) {
        let mut span = Span { start: open.start, end, line: open.line, offset: open.offset, fault: None };
        if open.cut || end - open.start > self.limit {
            span.end = end.min(open.start + EXCERPT);
            span.fault = Some(Fault::TooLong(self.limit));
        } else {
            let bytes = &self.buffer[open.start..end];
            let trimmed = bytes.trim_ascii_end();
            if trimmed.trim_ascii_start().is_empty() {
                return;
            }
            // a row may end in a delimiter that is white space
            span.end = match bytes {
                [head @ .., b'\r'] => open.start + head.len(),
                _ => end,
            };
        }
        if std::mem::take(&mut self.header_due) {
            let head = Head::of_header(&self.buffer[span.start..span.end]);
            if let Boundary::Rows(rows) = &mut self.boundary {
                rows.delimited_by(head.delimiter());
            }
            self.head = Some(head);
            return;
        }
        self.ready.push_back(span);
    }

    /// Forgets scanned bytes that no unit needs: separators, and the body of a unit over the limit.
    fn bound(&mut self) {
        let keep = match &mut self.open {
            None => self.ready.back().map_or(0, |span| span.end),
            Some(open) if open.cut || self.buffer.len() - open.start > self.limit => {
                open.cut = true;
                (open.start + EXCERPT).min(self.buffer.len())
            }
            Some(_) => return,
        };
        self.count_lines(self.buffer.len());
        self.buffer.truncate(keep);
        self.scanned = self.buffer.len();
        self.counted = self.buffer.len();
    }

    fn drop_drained(&mut self) {
        if self.ready.is_empty() {
            let start = self.open.map_or(self.buffer.len(), |open| open.start);
            self.count_lines(start);
            self.buffer.drain(..start);
            self.moved(start);
        }
    }

    /// Shifts every position after `by` bytes, whose line feeds are counted, left the front of the buffer.
    fn moved(&mut self, by: usize) {
        self.scanned -= by;
        self.counted -= by;
        if let Some(open) = &mut self.open {
            open.start -= by;
        }
    }

    fn count_lines(&mut self, to: usize) {
        if to > self.counted {
            self.line += memchr_iter(b'\n', &self.buffer[self.counted..to]).count() as u64;
            self.counted = to;
        }
    }
}
