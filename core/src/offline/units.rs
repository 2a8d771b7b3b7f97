//! Bytes of a portion to rows of its columns.

use super::input::{Input, Splits};
use super::portion::Indexed;
use crate::codec::Portable;
use crate::format::{Rejection, Splitter, Unit};
use crate::segment::{HotBuilder, MAX_ROWS};
use memchr::{memchr, memchr_iter};

/// The units of a portion as they come, indexed at once.
pub(super) struct Units {
    input: Input,
    splitter: Splitter,
    // line feeds before what the splitter got, from the beginning of the portion
    before: u64,
    // of lines: the splitter holds the beginning of one
    open: bool,
    rows: HotBuilder,
}

impl Units {
    /// Those from `offset` of the input on, where one begins, `before` line feeds behind the beginning of the portion.
    pub(super) fn new(input: &Input, offset: u64, before: u64) -> Self {
        let lines = input.splits() == Splits::Anywhere;
        let splitter = if lines && offset == 0 {
            // a byte order mark may stand before the first line
            Splitter::new(input.format())
        } else {
            Splitter::resumed(input.format(), input.head(), offset)
        };
        Self { input: input.clone(), splitter, before, open: lines && offset == 0, rows: HotBuilder::default() }
    }

    /// Takes the next bytes, which are at `offset` of the input and `before` line feeds behind the portion's beginning.
    pub(super) fn push(&mut self, bytes: &[u8], offset: u64, before: u64, indexed: &mut Indexed) {
        if self.input.splits() == Splits::FromTheBeginning {
            self.splitter.push(bytes);
            return self.drain(indexed);
        }
        let mut at = 0;
        if self.open {
            let Some(end) = memchr(b'\n', bytes) else { return self.splitter.push(bytes) };
            at = end + 1;
            self.splitter.push(&bytes[..at]);
            self.drain(indexed);
            self.open = false;
        }
        // whole lines are read where they are
        let (mut lines, mut counted) = (before, 0);
        while let Some(len) = memchr(b'\n', &bytes[at..]) {
            if let Some(unit) = Unit::of_line(offset + at as u64, &bytes[at..at + len])
                && let Err(rejection) = self.index(&unit, indexed)
            {
                lines += feeds(&bytes[counted..at]);
                counted = at;
                indexed.report.reject(Rejection { line: lines + 1, ..rejection });
            }
            at += len + 1;
        }
        if at < bytes.len() {
            self.before = lines + feeds(&bytes[counted..at]);
            self.splitter = Splitter::resumed(self.input.format(), self.input.head(), offset + at as u64);
            self.splitter.push(&bytes[at..]);
            self.open = true;
        }
    }

    /// Ends the portion.
    pub(super) fn finish(mut self, indexed: &mut Indexed) {
        let end = self.splitter.finish();
        self.drain(indexed);
        if let Err(rejection) = end {
            self.reject(rejection, indexed);
        }
        self.encode(indexed);
    }

    fn drain(&mut self, indexed: &mut Indexed) {
        // units borrow from the splitter
        let mut splitter = std::mem::replace(&mut self.splitter, Splitter::new(self.input.format()));
        while let Some(unit) = splitter.next() {
            if let Err(rejection) = self.index(&unit, indexed) {
                self.reject(rejection, indexed);
            }
        }
        self.splitter = splitter;
    }

    fn index(&mut self, unit: &Unit<'_>, indexed: &mut Indexed) -> Result<(), Rejection> {
        self.input.index(unit, &mut self.rows)?;
        if self.rows.len() == MAX_ROWS {
            self.encode(indexed);
        }
        Ok(())
    }

    fn reject(&self, rejection: Rejection, indexed: &mut Indexed) {
        indexed.report.reject(Rejection { line: rejection.line + self.before, ..rejection });
    }

    fn encode(&mut self, indexed: &mut Indexed) {
        let rows = std::mem::take(&mut self.rows);
        indexed.rows += rows.len() as u64;
        indexed.report.accepted = indexed.rows;
        indexed.segments.extend(rows.finish(self.input.arrival_ms(), &Portable).map(|built| built.bytes.into()));
    }
}

/// How many line feeds there are.
pub(super) fn feeds(bytes: &[u8]) -> u64 {
    memchr_iter(b'\n', bytes).count() as u64
}
