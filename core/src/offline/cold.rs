//! Scans over hot segments: what these lack is read from the file again.
//!
//! Where rows are shown, only those are read and parsed; where rows are filtered by their headers, attributes or bodies,
//! the blocks of rows that the rest of the filter leaves, one block after another: those rows of them whose bytes have a
//! [clue](Clues). What was made of them is not kept.

use super::answer::Read;
use super::clues::Clues;
use super::sieve::{Sieve, Unit};
use super::store::Store;
use super::{Input, Place, Reread};
use crate::catalog::SourceId;
use crate::codec::Corrupt;
use crate::filter::Number;
use crate::id::Seq;
use crate::plan::Failure;
use crate::scan::{Next, Scan, Step, Task};
use crate::segment::{Columns, Need, PartId, ROWS, cold};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

/// A scan under way, one task at a time.
#[derive(Debug)]
pub(super) struct Driver {
    scan: Option<Scan>,
    task: Option<Box<Task>>,
    again: Option<Again>,
    layout: Option<Layout>,
    // whether bodies of rows that are shown are not capped
    whole: bool,
    failed: Option<Failure>,
}

impl Driver {
    pub(super) fn new(scan: Scan) -> Self {
        Self { scan: Some(scan), ..Self::idle() }
    }

    pub(super) fn idle() -> Self {
        Self { scan: None, task: None, again: None, layout: None, whole: false, failed: None }
    }

    /// With all that the file has of the bodies of rows that are shown.
    pub(super) fn whole(self) -> Self {
        Self { whole: true, ..self }
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
            if let Some(mut again) = self.again.take() {
                if let Some(range) = again.want() {
                    let place = again.input.place();
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
                Step::Need(parts) => {
                    self.again = supply(store, task, parts, &mut self.layout)?;
                    if let Some(again) = &mut self.again {
                        again.whole = self.whole && task.shown().is_some();
                    }
                }
            }
        }
    }

    pub(super) fn supply(&mut self, bytes: &[u8]) {
        if let Some(again) = &mut self.again {
            again.push(bytes);
        }
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        self.failed = Some(failure);
    }

    pub(super) fn changed(&mut self) {
        self.failed = self.again.as_ref().map(|again| again.input.changed());
    }
}

fn damaged(_: Corrupt) -> Failure {
    Failure::Corrupt
}

/// Gives a task what is at hand; what is not is to be read again.
fn supply(store: &Store, task: &mut Task, parts: Need, layout: &mut Option<Layout>) -> Result<Option<Again>, Failure> {
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
    if blocks.is_empty() {
        return Ok(None);
    }
    let place = store.place(source).map_err(damaged)?;
    let input = store.input(place).ok_or(Failure::Internal)?;
    let columns = columns(store, task)?;
    let again = Again::new(input, task, &columns, &blocks);
    let clues = task.sought().and_then(|filter| Clues::of(filter, input.format()));
    let Some(clues) = clues else { return Ok(Some(again)) };
    let layout = match layout {
        Some(known) if known.source == source => known,
        other => other.insert(Layout::new(source, &columns)),
    };
    Ok(Some(again.sifted(clues, layout, &columns)))
}

/// Where rows of a task are, and which had secrets.
fn columns(store: &Store, task: &Task) -> Result<Columns, Failure> {
    let mut columns = Columns::new(task.rows() as u64);
    for id in [PartId::Number(Number::Seq), PartId::Number(Number::Redacted)] {
        columns.insert(id, store.part(task.source(), id).map_err(damaged)?.ok_or(Failure::Corrupt)?);
    }
    Ok(columns)
}

/// Where the units of a segment begin, in the order of the file.
#[derive(Debug)]
struct Layout {
    source: SourceId,
    starts: Vec<u64>,
}

impl Layout {
    fn new(source: SourceId, columns: &Columns) -> Self {
        let offset = |row| Place::of(columns.seq(row)).map(|(_, offset)| offset);
        let mut starts: Vec<u64> = (0..columns.rows()).filter_map(offset).collect();
        starts.sort_unstable();
        Self { source, starts }
    }

    /// The bytes of the unit that begins at `start`, with what lies behind it; `None` of the last, whose end is not known.
    fn unit(&self, start: u64) -> Option<Range<u64>> {
        let next = self.starts.partition_point(|other| *other <= start);
        self.starts.get(next).map(|end| start..*end)
    }
}

/// Rows of a segment, read again.
#[derive(Debug)]
struct Again {
    input: Input,
    // by block: the place of each wanted row in it, by sequence
    blocks: BTreeMap<u32, Vec<(Seq, usize)>>,
    // first it is seen which of them need to be parsed
    sieve: Option<Sieve>,
    whole: bool,
    reread: Option<Reread>,
}

impl Again {
    fn new(input: &Input, task: &Task, columns: &Columns, blocks: &BTreeSet<u32>) -> Self {
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
        Self { input: input.clone(), blocks: wanted, sieve: None, whole: false, reread: None }
    }

    /// Reads only rows whose bytes have a clue.
    fn sifted(mut self, clues: Clues, layout: &Layout, columns: &Columns) -> Self {
        let mut units: Vec<Unit> = Vec::new();
        for (block, wanted) in &self.blocks {
            for (seq, at) in wanted {
                let Some((_, start)) = Place::of(*seq) else { continue };
                let row = *block as usize * ROWS + at;
                let hashed = clues.hashes() && columns.number(Number::Redacted, row) != Some(0);
                units.push(match layout.unit(start) {
                    Some(bytes) => Unit { bytes, passes: hashed },
                    None => Unit { bytes: start..start + 1, passes: true },
                });
            }
        }
        units.sort_unstable_by_key(|unit| unit.bytes.start);
        self.sieve = Some(Sieve::new(Arc::new(clues), units));
        self
    }

    /// The bytes to push next; `None` when all is read.
    fn want(&mut self) -> Option<Range<u64>> {
        if let Some(sieve) = self.sieve.take() {
            if let Some(range) = sieve.want() {
                self.sieve = Some(sieve);
                return Some(range);
            }
            let passed: BTreeSet<u64> =
                sieve.finish().into_iter().filter(|unit| unit.passes).map(|unit| unit.bytes.start).collect();
            let passes = |seq: Seq| Place::of(seq).is_some_and(|(_, start)| passed.contains(&start));
            self.blocks.values_mut().for_each(|wanted| wanted.retain(|(seq, _)| passes(*seq)));
        }
        self.reread().want()
    }

    fn push(&mut self, bytes: &[u8]) {
        match &mut self.sieve {
            Some(sieve) => sieve.push(bytes),
            None => self.reread().push(bytes),
        }
    }

    fn reread(&mut self) -> &mut Reread {
        let (input, blocks, whole) = (&self.input, &self.blocks, self.whole);
        self.reread.get_or_insert_with(|| {
            let seqs: Vec<Seq> = blocks.values().flatten().map(|(seq, _)| *seq).collect();
            let reread = Reread::new(input, &seqs);
            if whole { reread.whole() } else { reread }
        })
    }

    /// Supplies the parts that are made of the rows; of rows that were not wanted they hold nothing.
    fn finish(mut self, task: &mut Task) -> Result<(), Failure> {
        self.reread();
        let rows = self.reread.map(Reread::finish).unwrap_or_default();
        for (block, wanted) in self.blocks {
            let mut records = vec![None; wanted.iter().map(|(_, at)| at + 1).max().unwrap_or(0)];
            for (seq, at) in wanted {
                let found = rows.binary_search_by_key(&seq, |row| row.id.seq());
                // the file is not what it was when it was indexed
                records[at] = Some(&rows[found.map_err(|_| self.input.changed())?].record);
            }
            let (details, bodies) = cold(&records);
            task.supply(PartId::Details(block), Arc::new(details));
            task.supply(PartId::Bodies(block), Arc::new(bodies));
        }
        Ok(())
    }
}
