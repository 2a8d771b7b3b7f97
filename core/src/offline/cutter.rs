//! An input read once from its beginning, to find where it may be cut.

use super::input::Input;
use super::units::feeds;
use crate::format::{Boundary, EXCERPT, End, Mark, Rejection};
use std::collections::VecDeque;
use std::ops::Range;

/// Bytes of an input that make an [exact](super::Borders::Exact) portion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Where they are in the plain input; cuts follow each other without a gap.
    pub bytes: Range<u64>,
    /// Line of the input on which they begin, from 1.
    pub line: u64,
}

/// Cuts an input into portions of whole units, in memory that does not depend on it: units are not kept, nor parsed.
///
/// Push all of the input and take what is [`next`](Self::next), [`finish`](Self::finish), take the rest. Works for every
/// format; one that splits [anywhere](super::Splits::Anywhere) needs it only where it cannot be read from any offset,
/// as while it is decompressed.
#[derive(Debug)]
pub struct Cutter {
    boundary: Boundary,
    target: u64,
    // bytes before the first unit that are still to come
    preamble: u64,
    // offset and line of the next byte
    at: u64,
    line: u64,
    // where the portion in the making begins
    start: Option<(u64, u64)>,
    open: Option<Open>,
    ready: VecDeque<Cut>,
}

#[derive(Debug)]
struct Open {
    offset: u64,
    line: u64,
    excerpt: Vec<u8>,
}

impl Cutter {
    /// A cutter into portions of about `target` bytes: less at the end, more where a unit is longer.
    pub fn new(input: &Input, target: u64) -> Self {
        let (preamble, lines) = input.preamble();
        Self {
            boundary: Boundary::after_preamble(input.format(), input.head()),
            target: target.max(1),
            preamble,
            at: 0,
            line: 1 + lines,
            start: None,
            open: None,
            ready: VecDeque::new(),
        }
    }

    /// Takes the next slice of the plain input, from its first byte on.
    pub fn push(&mut self, slice: &[u8]) {
        let before = slice.len().min(usize::try_from(self.preamble).unwrap_or(usize::MAX));
        self.preamble -= before as u64;
        self.at += before as u64;
        let slice = &slice[before..];
        let (mut scanned, mut counted, mut opened) = (0, 0, 0);
        while let Some(mark) = self.boundary.next(slice, &mut scanned) {
            match mark {
                Mark::Open(at) => {
                    self.line += feeds(&slice[counted..at]);
                    counted = at;
                    self.open(self.at + at as u64);
                    opened = at;
                }
                Mark::Close(_) => self.open = None,
            }
        }
        if let Some(open) = &mut self.open {
            let room = EXCERPT - open.excerpt.len();
            open.excerpt.extend(slice[opened..].iter().take(room));
        }
        self.line += feeds(&slice[counted..]);
        self.at += slice.len() as u64;
    }

    fn open(&mut self, offset: u64) {
        self.open = Some(Open { offset, line: self.line, excerpt: Vec::new() });
        match self.start {
            Some((start, line)) if offset - start >= self.target => {
                self.ready.push_back(Cut { bytes: start..offset, line });
                self.start = Some((offset, self.line));
            }
            Some(_) => {}
            None => self.start = Some((offset, self.line)),
        }
    }

    /// The next portion that is known.
    #[expect(clippy::should_implement_trait, reason = "there may be more after there was none")]
    pub fn next(&mut self) -> Option<Cut> {
        self.ready.pop_front()
    }

    /// Ends the input: the last portion is known, and what is cut off behind its last whole unit is one rejection, whose
    /// line is that of the input.
    pub fn finish(&mut self) -> Option<Rejection> {
        let open = self.open.take();
        let (end, rejection) = match self.boundary.end() {
            End::Whole => (self.at, None),
            End::Broken(reason) => {
                let (offset, line, excerpt) =
                    open.map_or((self.at, self.line, Vec::new()), |open| (open.offset, open.line, open.excerpt));
                (offset, Some(Rejection::new(line, reason, &excerpt)))
            }
        };
        if let Some((start, line)) = self.start.take().filter(|(start, _)| *start < end) {
            self.ready.push_back(Cut { bytes: start..end, line });
        }
        rejection
    }
}
