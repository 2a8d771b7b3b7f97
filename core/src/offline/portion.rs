//! Part of an input on its way to hot segments.

use super::input::{Input, Splits};
use crate::codec::{Corrupt, Portable};
use crate::format::{Rejection, Report, Splitter};
use crate::segment::{HotBuilder, MAX_ROWS};
use crate::stored::{Reader, put_bytes, put_varint};
use memchr::{memchr, memchr_iter};
use std::ops::Range;

/// What the borders of a portion are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Borders {
    /// Any offsets: a line belongs to the portion in which it begins. An input that does not split
    /// [anywhere](Splits::Anywhere) has no such borders, its are always exact.
    Nominal,
    /// A unit begins at the one and the last ends before the other, as a [`Cutter`](super::Cutter) cuts.
    Exact,
}

/// Part of an input being read; give it what it [wants](Self::want) until it wants nothing, then [`finish`](Self::finish).
///
/// Portions that lie next to each other have together exactly the rows and rejections of the whole.
pub struct Portion {
    input: Input,
    bytes: Range<u64>,
    borders: Borders,
    // the next byte that is wanted
    at: u64,
    stage: Stage,
    splitter: Splitter,
    // line feeds before what the splitter got, from the beginning of the portion
    skipped: u64,
    last: u8,
    step: u64,
    rows: HotBuilder,
    indexed: Indexed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Looking for the first line that begins in the portion.
    Seeking,
    /// Reading units.
    Reading,
    /// All is read.
    Done,
}

/// Bytes that are read on at first for the end of the last line.
const STEP: u64 = 4 << 10;
/// Bytes that are read on at a time, at most.
const MAX_STEP: u64 = 1 << 20;

impl Portion {
    /// The portion `bytes` of the plain input; its end may lie behind the end of the input.
    pub fn new(input: &Input, bytes: Range<u64>, borders: Borders) -> Self {
        let (lines, borders) = match input.splits() {
            Splits::Anywhere => (true, borders),
            Splits::FromTheBeginning => (false, Borders::Exact),
        };
        let seeks = borders == Borders::Nominal && bytes.start > 0;
        let splitter = if lines && bytes.start == 0 {
            Splitter::new(input.format())
        } else {
            Splitter::resumed(input.format(), input.head(), bytes.start)
        };
        let stage = match (bytes.is_empty(), seeks) {
            (true, _) => Stage::Done,
            (false, true) => Stage::Seeking,
            (false, false) => Stage::Reading,
        };
        Self {
            // whether a line begins at a border is told by the byte before it
            at: bytes.start - u64::from(seeks),
            last: 0,
            input: input.clone(),
            bytes,
            borders,
            stage,
            splitter,
            skipped: 0,
            step: STEP,
            rows: HotBuilder::default(),
            indexed: Indexed::default(),
        }
    }

    /// The bytes of the plain input to push next, from the first on; `None` when all is read.
    pub fn want(&self) -> Option<Range<u64>> {
        match self.stage {
            Stage::Done => None,
            _ if self.at < self.bytes.end => Some(self.at..self.bytes.end),
            _ => Some(self.at..self.at + self.step),
        }
    }

    /// Takes the next bytes of what is wanted, in slices of any size; an empty one says that the input has ended.
    ///
    /// Bytes behind what is wanted are ignored.
    pub fn push(&mut self, bytes: &[u8]) {
        let Some(wanted) = self.want() else { return };
        if bytes.is_empty() {
            self.stage = Stage::Done;
            return;
        }
        let room = usize::try_from(wanted.end - wanted.start).unwrap_or(usize::MAX);
        let mut bytes = &bytes[..bytes.len().min(room)];
        let start = self.at;
        self.at += bytes.len() as u64;
        if start < self.bytes.end {
            let inside = &bytes[usize::from(start < self.bytes.start)..];
            self.indexed.bytes += inside.len() as u64;
            self.indexed.lines += memchr_iter(b'\n', inside).count() as u64;
        } else {
            // the last line goes on behind the portion
            self.step = (self.step * 2).min(MAX_STEP);
            if let Some(end) = memchr(b'\n', bytes) {
                bytes = &bytes[..=end];
            }
        }
        if self.stage == Stage::Seeking {
            match memchr(b'\n', bytes) {
                Some(end) => {
                    let begin = start + end as u64 + 1;
                    self.skipped = u64::from(begin > self.bytes.start);
                    self.splitter = Splitter::resumed(self.input.format(), self.input.head(), begin);
                    self.stage = Stage::Reading;
                    bytes = &bytes[end + 1..];
                    self.last = b'\n';
                }
                None => bytes = &[],
            }
        }
        if let Some(last) = bytes.last() {
            self.last = *last;
            self.splitter.push(bytes);
            self.drain();
        }
        let whole = self.borders == Borders::Exact || self.stage == Stage::Seeking || self.last == b'\n';
        if self.at >= self.bytes.end && whole {
            self.stage = Stage::Done;
        }
    }

    /// What was read of it. A portion that still wants bytes is taken for the last of an input that ends here.
    pub fn finish(mut self) -> Indexed {
        let end = self.splitter.finish();
        self.drain();
        if let Err(rejection) = end {
            self.reject(rejection);
        }
        self.encode();
        self.indexed
    }

    fn drain(&mut self) {
        while let Some(unit) = self.splitter.next() {
            match self.input.index(&unit, &mut self.rows) {
                Ok(()) if self.rows.len() == MAX_ROWS => self.encode(),
                Ok(()) => {}
                Err(rejection) => self.reject(rejection),
            }
        }
    }

    fn reject(&mut self, rejection: Rejection) {
        let line = rejection.line + self.skipped;
        self.indexed.report.reject(Rejection { line, ..rejection });
    }

    fn encode(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        self.indexed.rows += rows.len() as u64;
        self.indexed.report.accepted = self.indexed.rows;
        self.indexed.segments.extend(rows.finish(self.input.arrival_ms(), &Portable).map(|built| built.bytes));
    }
}

/// What a portion came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Indexed {
    /// Encoded hot segments, each of at most [`MAX_ROWS`](crate::segment::MAX_ROWS) rows sorted by (time, sequence);
    /// written by [`Portable`].
    pub segments: Vec<Vec<u8>>,
    /// Rows of all segments.
    pub rows: u64,
    /// Bytes of the input between the portion's borders.
    pub bytes: u64,
    /// Line feeds among them: what the lines of the next portion begin at.
    pub lines: u64,
    /// What was accepted and what not. Lines count from 1 at the portion's beginning: add the line feeds before it.
    pub report: Report,
}

impl Indexed {
    /// As bytes, to be sent from one worker to another.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.segments.iter().map(|segment| segment.len() + 10).sum::<usize>());
        for number in [self.rows, self.bytes, self.lines, self.report.rejected, self.report.errors.len() as u64] {
            put_varint(&mut out, number);
        }
        for Rejection { line, reason, excerpt } in &self.report.errors {
            put_varint(&mut out, *line);
            put_bytes(&mut out, reason.as_bytes());
            put_bytes(&mut out, excerpt.as_bytes());
        }
        put_varint(&mut out, self.segments.len() as u64);
        self.segments.iter().for_each(|segment| put_bytes(&mut out, segment));
        out
    }

    /// Reads [`Self::encode`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Corrupt> {
        let mut input = Reader::new(bytes, "indexed portion");
        let (rows, bytes, lines, rejected) = (input.varint()?, input.varint()?, input.varint()?, input.varint()?);
        let mut report = Report { accepted: rows, rejected, ..Report::default() };
        for _ in 0..input.count(Report::ERRORS)? {
            let (line, reason, excerpt) = (input.varint()?, input.str()?.to_owned(), input.str()?.to_owned());
            report.errors.push(Rejection { line, reason, excerpt });
        }
        let mut segments = Vec::new();
        for _ in 0..input.count(input.remaining())? {
            segments.push(input.bytes()?.to_vec());
        }
        input.end()?;
        Ok(Self { segments, rows, bytes, lines, report })
    }
}
