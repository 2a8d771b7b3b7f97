//! Scans over hot segments: what these lack is read from the file again.
//!
//! Where rows are shown, only those are read and parsed; where rows are filtered by their headers, attributes or bodies,
//! the blocks of rows that the rest of the filter leaves, one block after another. What was made of them is not kept.

use super::answer::Read;
use super::store::Store;
use super::{Place, Reread};
use crate::catalog::SourceId;
use crate::codec::Corrupt;
use crate::filter::Number;
use crate::id::Seq;
use crate::plan::Failure;
use crate::scan::{Next, Scan, Step, Task};
use crate::segment::{Columns, Need, PartId, ROWS, cold};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A scan under way, one task at a time.
#[derive(Debug)]
pub(super) struct Driver {
    scan: Option<Scan>,
    task: Option<Box<Task>>,
    again: Option<Again>,
    failed: Option<Failure>,
}

impl Driver {
    pub(super) fn new(scan: Scan) -> Self {
        Self { scan: Some(scan), ..Self::idle() }
    }

    pub(super) fn idle() -> Self {
        Self { scan: None, task: None, again: None, failed: None }
    }

    /// The scan, after its end.
    pub(super) fn take(&mut self) -> Option<Scan> {
        self.scan.take()
    }

    /// Goes on until bytes are needed; `None` at the end.
    pub(super) fn step(&mut self, store: &Store) -> Result<Option<Read>, Failure> {
        if let Some(failure) = self.failed.take() {
            return Err(failure);
        }
        let Some(scan) = &mut self.scan else { return Ok(None) };
        loop {
            let task = match &mut self.task {
                Some(task) => task,
                None => match scan.next() {
                    Next::Run(task) => self.task.insert(task),
                    Next::Done => return Ok(None),
                    // there is no other task for which to wait
                    Next::Wait => return Err(Failure::Internal),
                },
            };
            if let Some(again) = self.again.take() {
                if let Some(range) = again.reread.want() {
                    let place = again.place;
                    self.again = Some(again);
                    return Ok(Some(Read { place, range }));
                }
                again.finish(task)?;
            }
            match task.step().map_err(damaged)? {
                Step::Done(partial) => {
                    scan.absorb(partial);
                    self.task = None;
                }
                Step::Need(parts) => self.again = supply(store, task, parts)?,
            }
        }
    }

    pub(super) fn supply(&mut self, bytes: &[u8]) {
        if let Some(again) = &mut self.again {
            again.reread.push(bytes);
        }
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        self.failed = Some(failure);
    }
}

fn damaged(_: Corrupt) -> Failure {
    Failure::Corrupt
}

/// Gives a task what is at hand; what is not is to be read again.
fn supply(store: &Store, task: &mut Task, parts: Need) -> Result<Option<Again>, Failure> {
    let source = task.source();
    let mut blocks = BTreeSet::new();
    for id in parts {
        match (store.part(source, id).map_err(damaged)?, id) {
            (Some(part), _) => task.supply(id, part),
            // the one is read with the other
            (None, PartId::Details(block) | PartId::Bodies(block)) => drop(blocks.insert(block)),
            (None, _) => return Err(Failure::Internal),
        }
    }
    if blocks.is_empty() { Ok(None) } else { Again::new(store, source, task, &blocks).map(Some) }
}

/// Rows of a segment, read again.
#[derive(Debug)]
struct Again {
    place: Place,
    reread: Reread,
    // by block: the place of each wanted row in it, by sequence
    blocks: BTreeMap<u32, Vec<(Seq, usize)>>,
}

impl Again {
    fn new(store: &Store, source: SourceId, task: &Task, blocks: &BTreeSet<u32>) -> Result<Self, Failure> {
        let place = store.place(source).map_err(damaged)?;
        let input = store.input(place).ok_or(Failure::Internal)?;
        let id = PartId::Number(Number::Seq);
        let mut columns = Columns::new(task.rows() as u64);
        columns.insert(id, store.part(source, id).map_err(damaged)?.ok_or(Failure::Corrupt)?);
        let mut wanted = BTreeMap::new();
        for &block in blocks {
            let first = block as usize * ROWS;
            let all = first..columns.rows().min(first + ROWS);
            let rows: Vec<usize> = match task.shown() {
                Some(shown) => shown.filter(|row| all.contains(row)).collect(),
                None => all.collect(),
            };
            wanted.insert(block, rows.into_iter().map(|row| (columns.seq(row), row - first)).collect::<Vec<_>>());
        }
        let seqs: Vec<Seq> = wanted.values().flatten().map(|(seq, _)| *seq).collect();
        Ok(Self { place, reread: Reread::new(input, &seqs), blocks: wanted })
    }

    /// Supplies the parts that are made of the rows; of rows that were not wanted they hold nothing.
    fn finish(self, task: &mut Task) -> Result<(), Failure> {
        let rows = self.reread.finish();
        for (block, wanted) in self.blocks {
            let mut records = vec![None; wanted.iter().map(|(_, at)| at + 1).max().unwrap_or(0)];
            for (seq, at) in wanted {
                let found = rows.binary_search_by_key(&seq, |row| row.id.seq());
                // the file is not what it was when it was indexed
                records[at] = Some(&rows[found.map_err(|_| Failure::Changed)?].record);
            }
            let (details, bodies) = cold(&records);
            task.supply(PartId::Details(block), Arc::new(details));
            task.supply(PartId::Bodies(block), Arc::new(bodies));
        }
        Ok(())
    }
}
