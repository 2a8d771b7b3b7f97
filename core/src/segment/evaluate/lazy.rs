//! A substring in a column of many values, looked for where rows are looked at.
//!
//! To search all values of a column first is the least work for a whole pass over its rows, and far too much for a page
//! that ends with the first block. So the values of candidate rows are tested one by one, until they have cost a
//! sixteenth of what searching all values costs; then that is done, once.

use super::{Found, Node, filter_rows};
use crate::record::Field;
use crate::segment::evaluate::Mask;
use crate::segment::{BLOCK, Columns};
use memchr::memmem::Finder;
use std::cell::{Cell, OnceCell};

/// Rows of a text column whose value contains a needle.
#[derive(Debug)]
pub(super) struct Lazy {
    field: Field,
    // in ASCII lower case
    needle: Vec<u8>,
    // where values may contain it
    ranges: Vec<(usize, usize)>,
    // rows that may still be tested one by one
    left: Cell<usize>,
    searched: OnceCell<Box<Node>>,
}

impl Lazy {
    /// Below as many values, all of them are searched before the first row.
    const VALUES: usize = 16 << 10;
    // testing a value by itself costs some eight times what it costs in a row of them
    const SHARE: usize = 16 * 8;

    /// `None` where searching all values costs next to nothing, and where the gram filter has ruled a good part of `all`
    /// of them out: what is so rare is not found in the first blocks, and testing these only adds to the search.
    pub(super) fn of(field: Field, needle: &[u8], ranges: &[(usize, usize)], all: usize) -> Option<Self> {
        let values: usize = ranges.iter().map(|(from, to)| to - from).sum();
        let ranges = ranges.to_vec();
        (values >= Self::VALUES && values * 8 >= all * 7).then(|| Self {
            field,
            needle: needle.to_vec(),
            ranges,
            // one block at least
            left: Cell::new((values / Self::SHARE).max(1)),
            searched: OnceCell::new(),
        })
    }

    pub(super) fn mask(
        &self,
        columns: &Columns,
        block: usize,
        candidates: &Mask,
        mark: impl Fn(&Node) -> Mask,
    ) -> Mask {
        let Some(text) = columns.text(self.field) else { return [0; BLOCK / 64] };
        if self.left.get() > 0 && self.searched.get().is_none() {
            let rows: usize = candidates.iter().map(|word| word.count_ones() as usize).sum();
            self.left.set(self.left.get().saturating_sub(rows));
            let finder = Finder::new(&self.needle);
            return filter_rows(block, candidates, |row| match text.codes.get(row) {
                0 => false,
                code => finder.find(text.values.folded(code as usize - 1, code as usize)).is_some(),
            });
        }
        mark(self.searched.get_or_init(|| {
            let mut found = Found::new(text.values.len());
            for &(from, to) in &self.ranges {
                text.values.search(&self.needle, from, to, |at| found.add(at));
            }
            Box::new(found.node(self.field))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::{Predicate, TextKey, TextMatcher};
    use crate::id::{EntryId, Seq};
    use crate::record::{Record, Stored};
    use crate::segment::evaluate::{Evaluator, all_rows, want};
    use crate::segment::{Need, columns};
    use crate::timestamp::Timestamp;
    use std::sync::Arc;

    #[test]
    fn every_block_has_the_rows_that_a_loop_finds_in_any_order_of_blocks() {
        const ROWS: usize = 5 * BLOCK + 100;
        let value = |row: usize| match row % 7 {
            0 => None,
            1 => Some(format!("Shared Timeout {}", row % 50)),
            _ => Some(format!(
                "request {row} took {} ms{}",
                row * 37 % 900,
                if row.is_multiple_of(11) { ", TIMEOUT" } else { "" }
            )),
        };
        let rows: Vec<Stored> = (0..ROWS)
            .map(|row| {
                let mut record = Record::new(Timestamp::from_nanos(row as i64));
                if let Some(text) = value(row) {
                    record.texts.set(Field::Message, &text);
                }
                Stored { id: EntryId::new(1, Seq::new(row as u64 + 1).unwrap()), record }
            })
            .collect();
        let mut source = Columns::new(ROWS as u64);
        let parts = columns(&rows);
        for (id, part) in parts {
            source.insert(id, Arc::new(part));
        }
        for needle in ["timeout", "took 37", "absent", "t"] {
            let predicate = Predicate::Text(TextKey::Field(Field::Message), TextMatcher::contains(needle));
            let mut need = Need::new();
            want(&predicate, &source, &mut need);
            for blocks in [vec![0, 1, 2, 3, 4, 5], vec![5, 4, 3, 2, 1, 0], vec![2, 2, 0, 5, 2]] {
                let evaluator = Evaluator::new(&predicate, &source);
                for block in blocks {
                    let mask = evaluator.mask(&source, block, &all_rows(&source, block), &mut Need::new());
                    for row in block * BLOCK..ROWS.min((block + 1) * BLOCK) {
                        let at = row - block * BLOCK;
                        let expected = value(row).is_some_and(|text| text.to_lowercase().contains(needle));
                        assert_eq!(mask[at / 64] >> (at % 64) & 1 != 0, expected, "{needle}, row {row}");
                    }
                }
            }
        }
    }
}
