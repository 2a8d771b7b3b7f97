//! Rows that are shown, read again from their file: whole records, so that no column of them is decoded.

use super::driver::{Want, damaged};
use super::store::Store;
use super::{Input, Reread};
use crate::filter::Number;
use crate::id::Seq;
use crate::plan::Failure;
use crate::query::Detail;
use crate::record::Stored;
use crate::scan::{Partial, Task};
use crate::segment::{Part, PartId};

/// How many runs of rows are read side by side, of one segment.
const TOGETHER: usize = 8;

/// Rows of a segment that a task shows.
#[derive(Debug)]
pub(super) struct Shown {
    input: Input,
    seqs: Vec<Seq>,
    runs: Vec<Reread>,
}

impl Shown {
    /// Those `rows` of the segment of a task, with `whole` bodies or such as are kept, and of these what the detail has.
    pub(super) fn new(
        store: &Store,
        task: &Task,
        rows: impl Iterator<Item = usize>,
        detail: Detail,
        whole: bool,
    ) -> Result<Self, Failure> {
        let place = store.place(task.source()).map_err(damaged)?;
        let input = store.input(place).ok_or(Failure::Internal)?.clone();
        let part = store.part(task.source(), PartId::Number(Number::Seq)).map_err(damaged)?;
        let Some(Part::Ints(column)) = part.as_deref() else { return Err(Failure::Corrupt) };
        let seqs = rows.map(|row| Seq::new(column.get(row)? as u64)).collect::<Option<Vec<Seq>>>();
        let seqs = seqs.ok_or(Failure::Corrupt)?;
        let reread = Reread::new(&input, &seqs).leaving(detail);
        let reread = if whole { reread.whole() } else { reread };
        // rows with their bodies are many where there are any, and lie side by side
        let runs = if detail == Detail::Whole { vec![reread] } else { reread.apart() };
        Ok(Self { input, seqs, runs })
    }

    /// Adds the bytes to push next; none when all are read.
    pub(super) fn want(&self, wanted: &mut Vec<Want>) {
        let most = wanted.len() + TOGETHER;
        for (number, run) in self.runs.iter().enumerate() {
            if wanted.len() < most
                && let Some(range) = run.want()
            {
                wanted.push(Want::of(number, self.input.place(), range));
            }
        }
    }

    pub(super) fn push(&mut self, run: usize, bytes: &[u8]) {
        if let Some(run) = self.runs.get_mut(run) {
            run.push(bytes);
        }
    }

    /// What the task comes to.
    pub(super) fn finish(self, task: &Task) -> Result<Partial, Failure> {
        let Self { input, seqs, runs } = self;
        let mut found: Vec<Option<Stored>> = Vec::with_capacity(seqs.len());
        runs.into_iter().for_each(|run| found.extend(run.finish().into_iter().map(Some)));
        let order: Vec<Seq> = found.iter().flatten().map(|row| row.id.seq()).collect();
        let mut rows = Vec::with_capacity(seqs.len());
        for seq in seqs {
            let at = order.binary_search(&seq).ok();
            // the file is not what it was when it was indexed
            rows.push(at.and_then(|at| found[at].take()).ok_or_else(|| input.changed())?);
        }
        Ok(task.shown(rows))
    }
}
