//! Rows of an input read again, as whole records.

use super::input::{Input, Place};
use crate::format::{Splitter, UNIT_LIMIT};
use crate::id::Seq;
use crate::query::Detail;
use crate::record::Stored;
use crate::segment::leave;
use std::ops::Range;

/// Reads records again by their sequences; give it what it [wants](Self::want), then [`finish`](Self::finish).
///
/// They are what they were when they were indexed, with headers, attributes and bodies: parsed, accepted and redacted by
/// the same rules, but that bodies may be [whole](Self::whole). Units that lie close to each other are read together.
#[derive(Debug)]
pub struct Reread {
    input: Input,
    // offsets of units, the next one last
    left: Vec<u64>,
    // the next byte that is wanted
    at: u64,
    splitter: Option<Splitter>,
    step: u64,
    // whether bodies are not capped
    whole: bool,
    // how much of the bodies is kept
    detail: Detail,
    rows: Vec<Stored>,
}

/// Bytes read for one unit at first.
const STEP: u64 = 16 << 10;
/// Bytes that are read at a time, at most, unless units lie in them.
const MAX_STEP: u64 = 1 << 20;
/// Bytes between two units that are rather read than left out.
const GAP: u64 = 64 << 10;

impl Reread {
    /// Of the records of `input` with these sequences, in any order; sequences of other inputs are ignored.
    pub fn new(input: &Input, seqs: &[Seq]) -> Self {
        let offsets = seqs.iter().filter_map(|seq| Place::of(*seq)).filter(|(place, _)| *place == input.place());
        let mut left: Vec<u64> = offsets.map(|(_, offset)| offset).collect();
        left.sort_unstable_by_key(|offset| std::cmp::Reverse(*offset));
        left.dedup();
        Self {
            input: input.clone(),
            left,
            at: 0,
            splitter: None,
            step: STEP,
            whole: false,
            detail: Detail::Whole,
            rows: Vec::new(),
        }
    }

    /// The same with all that the file has of their bodies, for few records.
    #[must_use]
    pub fn whole(self) -> Self {
        Self { whole: true, ..self }
    }

    /// The same with so much of their bodies.
    pub(super) fn leaving(self, detail: Detail) -> Self {
        Self { detail, ..self }
    }

    /// One for each run of units that lie close to each other, in their order: these can be read side by side.
    pub(super) fn apart(mut self) -> Vec<Self> {
        let mut runs = Vec::new();
        while let Some(&first) = self.left.last() {
            let mut last = first;
            let close = self.left.iter().rev().take_while(|offset| {
                let is_close = **offset - last <= GAP;
                last = **offset;
                is_close
            });
            let left = self.left.split_off(self.left.len() - close.count());
            runs.push(Self { input: self.input.clone(), left, splitter: None, rows: Vec::new(), ..self });
        }
        runs
    }

    /// The bytes of the plain input to push next, from the first on; `None` when every row is read.
    pub fn want(&self) -> Option<Range<u64>> {
        let first = *self.left.last()?;
        let start = if self.splitter.is_some() { self.at } else { first };
        // units that follow closely come with it
        let mut last = first;
        for offset in self.left.iter().rev().copied().take_while(|offset| *offset < start + MAX_STEP) {
            if offset.saturating_sub(last.max(start)) > GAP {
                break;
            }
            last = offset;
        }
        Some(start..last.max(start) + self.step)
    }

    /// Takes the next bytes of what is wanted, in slices of any size; an empty one says that the input has ended.
    pub fn push(&mut self, bytes: &[u8]) {
        let (Some(wanted), Some(&first)) = (self.want(), self.left.last()) else { return };
        let input = &self.input;
        let splitter = self.splitter.get_or_insert_with(|| Splitter::resumed(input.format(), input.head(), first));
        if bytes.is_empty() {
            // a line may end with the input
            let _cut_off = splitter.finish();
            self.drain();
            self.left.clear();
            return;
        }
        let room = usize::try_from(wanted.end - wanted.start).unwrap_or(usize::MAX);
        let bytes = &bytes[..bytes.len().min(room)];
        self.at = wanted.start + bytes.len() as u64;
        splitter.push(bytes);
        let before = self.left.len();
        self.drain();
        if self.left.last() == Some(&first) && self.at - first > UNIT_LIMIT as u64 {
            // no row was read from so long a unit
            self.left.pop();
            self.splitter = None;
        }
        if self.left.len() == before {
            self.step = (self.step * 2).min(MAX_STEP);
        } else {
            self.step = STEP;
        }
        if self.left.last().is_none_or(|next| *next >= self.at) {
            self.splitter = None;
        }
    }

    fn drain(&mut self) {
        let Some(splitter) = &mut self.splitter else { return };
        while let Some(unit) = splitter.next() {
            // where no unit begins any more, the input is another than it was
            while self.left.last().is_some_and(|offset| *offset < unit.offset) {
                self.left.pop();
            }
            if self.left.last() == Some(&unit.offset) {
                self.left.pop();
                let record = if self.whole { self.input.whole_record(&unit) } else { self.input.record(&unit) };
                self.rows.extend(record.ok().map(|mut row| {
                    leave(self.detail, &mut row.record);
                    row
                }));
            }
        }
    }

    /// The rows that were found, by sequence; of an input that has changed since, some may be missing.
    pub fn finish(self) -> Vec<Stored> {
        self.rows
    }
}
