//! Rows that are filtered by their headers, attributes or bodies, read again from their file.
//!
//! Read are the blocks of rows that the rest of the filter leaves, one block after another; parsed those rows of them whose
//! bytes have a [clue](Clues). What was made of them is not kept.

use super::clues::Clues;
use super::driver::{Want, damaged};
use super::sieve::{Sieve, Unit};
use super::store::Store;
use super::{Input, Place, Reread};
use crate::catalog::SourceId;
use crate::filter::Number;
use crate::id::Seq;
use crate::plan::Failure;
use crate::scan::Task;
use crate::segment::{Columns, PartId, ROWS, cold};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

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
pub(super) struct Layout {
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

/// Blocks of rows of a segment.
#[derive(Debug)]
pub(super) struct Filtered {
    input: Input,
    // by block: the place of each wanted row in it, by sequence
    blocks: BTreeMap<u32, Vec<(Seq, usize)>>,
    // first it is seen which of them need to be parsed
    sieve: Option<Sieve>,
    reread: Option<Reread>,
}

impl Filtered {
    /// Those that a task lacks.
    pub(super) fn new(
        store: &Store,
        task: &Task,
        blocks: &BTreeSet<u32>,
        layout: &mut Option<Layout>,
    ) -> Result<Self, Failure> {
        let source = task.source();
        let place = store.place(source).map_err(damaged)?;
        let input = store.input(place).ok_or(Failure::Internal)?.clone();
        let columns = columns(store, task)?;
        let rows = |&block: &u32| {
            let first = block as usize * ROWS;
            let all = first..columns.rows().min(first + ROWS);
            (block, all.map(|row| (columns.seq(row), row - first)).collect())
        };
        let clues = task.sought().and_then(|filter| Clues::of(filter, input.format()));
        let all = Self { input, blocks: blocks.iter().map(rows).collect(), sieve: None, reread: None };
        let Some(clues) = clues else { return Ok(all) };
        let layout = match layout {
            Some(known) if known.source == source => known,
            other => other.insert(Layout::new(source, &columns)),
        };
        Ok(all.sifted(clues, layout, &columns))
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

    /// Adds the bytes to push next; none when all is read.
    pub(super) fn want(&mut self, wanted: &mut Vec<Want>) {
        let place = self.input.place();
        wanted.extend(self.next().map(|range| Want::of(0, place, range)));
    }

    fn next(&mut self) -> Option<Range<u64>> {
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

    pub(super) fn push(&mut self, bytes: &[u8]) {
        match &mut self.sieve {
            Some(sieve) => sieve.push(bytes),
            None => self.reread().push(bytes),
        }
    }

    fn reread(&mut self) -> &mut Reread {
        let (input, blocks) = (&self.input, &self.blocks);
        self.reread.get_or_insert_with(|| {
            let seqs: Vec<Seq> = blocks.values().flatten().map(|(seq, _)| *seq).collect();
            Reread::new(input, &seqs)
        })
    }

    /// Supplies the parts that are made of the rows; of rows that were not wanted they hold nothing.
    pub(super) fn finish(mut self, task: &mut Task) -> Result<(), Failure> {
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
