//! Part of an input on its way to hot segments.

use super::input::{Input, Splits};
use super::units::{Units, feeds};
use crate::codec::Corrupt;
use crate::format::{Rejection, Report};
use crate::stored::{Reader, put_bytes, put_varint};
use bytes::Bytes;
use memchr::memchr;
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
    // none before the first line that begins in the portion is found
    units: Option<Units>,
    ended: bool,
    // the byte before `at`
    last: u8,
    step: u64,
    indexed: Indexed,
}

/// Bytes that are read on at first for the end of the last line.
const STEP: u64 = 4 << 10;
/// Bytes that are read on at a time, at most.
const MAX_STEP: u64 = 1 << 20;

impl Portion {
    /// The portion `bytes` of the plain input; its end may lie behind the end of the input.
    pub fn new(input: &Input, bytes: Range<u64>, borders: Borders) -> Self {
        let borders = match input.splits() {
            Splits::Anywhere => borders,
            Splits::FromTheBeginning => Borders::Exact,
        };
        // whether a line begins at a border is told by the byte before it
        let seeks = borders == Borders::Nominal && bytes.start > 0;
        Self {
            at: bytes.start - u64::from(seeks),
            units: (!seeks).then(|| Units::new(input, bytes.start, 0)),
            input: input.clone(),
            ended: bytes.is_empty(),
            bytes,
            borders,
            last: 0,
            step: STEP,
            indexed: Indexed::default(),
        }
    }

    /// The bytes of the plain input to push next, from the first on; `None` when all is read.
    pub fn want(&self) -> Option<Range<u64>> {
        if self.at < self.bytes.end {
            return (!self.ended).then_some(self.at..self.bytes.end);
        }
        // the last line goes on behind the portion
        let whole = self.borders == Borders::Exact || self.units.is_none() || self.last == b'\n';
        (!self.ended && !whole).then_some(self.at..self.at + self.step)
    }

    /// Takes the next bytes of what is wanted, in slices of any size; an empty one says that the input has ended.
    ///
    /// Bytes behind what is wanted are ignored.
    pub fn push(&mut self, bytes: &[u8]) {
        let Some(wanted) = self.want() else { return };
        let room = usize::try_from(wanted.end - wanted.start).unwrap_or(usize::MAX);
        let mut bytes = &bytes[..bytes.len().min(room)];
        let Some(last) = bytes.last() else {
            self.ended = true;
            return;
        };
        self.last = *last;
        let (mut at, mut lines) = (self.at, self.indexed.lines);
        self.at += bytes.len() as u64;
        if at < self.bytes.end {
            let inside = &bytes[usize::from(at < self.bytes.start)..];
            self.indexed.bytes += inside.len() as u64;
            self.indexed.lines += feeds(inside);
        } else {
            self.step = (self.step * 2).min(MAX_STEP);
            if let Some(end) = memchr(b'\n', bytes) {
                bytes = &bytes[..=end];
                self.ended = true;
            }
        }
        if self.units.is_none() {
            let Some(end) = memchr(b'\n', bytes) else { return };
            bytes = &bytes[end + 1..];
            at += end as u64 + 1;
            lines += u64::from(at > self.bytes.start);
            self.units = Some(Units::new(&self.input, at, lines));
        }
        if let Some(units) = &mut self.units {
            units.push(bytes, at, lines, &mut self.indexed);
        }
    }

    /// What was read of it. A portion that still wants bytes is taken for the last of an input that ends here.
    pub fn finish(mut self) -> Indexed {
        if let Some(units) = self.units {
            units.finish(&mut self.indexed);
        }
        self.indexed
    }
}

/// What a portion came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Indexed {
    /// Encoded hot segments, each of at most [`MAX_ROWS`](crate::segment::MAX_ROWS) rows sorted by (time, sequence);
    /// written by [`Portable`].
    pub segments: Vec<Bytes>,
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

    /// Reads [`Self::encode`]. Segments are parts of `encoded`: nothing is copied.
    pub fn decode(encoded: &Bytes) -> Result<Self, Corrupt> {
        let mut input = Reader::new(encoded, "indexed portion");
        let (rows, bytes, lines, rejected) = (input.varint()?, input.varint()?, input.varint()?, input.varint()?);
        let mut report = Report { accepted: rows, rejected, ..Report::default() };
        for _ in 0..input.count(Report::ERRORS)? {
            let (line, reason, excerpt) = (input.varint()?, input.str()?.to_owned(), input.str()?.to_owned());
            report.errors.push(Rejection { line, reason, excerpt });
        }
        let mut segments = Vec::new();
        for _ in 0..input.count(input.remaining())? {
            segments.push(encoded.slice_ref(input.bytes()?));
        }
        input.end()?;
        Ok(Self { segments, rows, bytes, lines, report })
    }
}
