//! Counting rows by the values of fields.

use super::values::{Table, Values};
use crate::aggregate::{Facet, FacetKey, Facets, Ranking};
use crate::catalog::Summary;
use crate::filter::TextKey;
use crate::query::Detail;
use crate::record::Record;
use crate::segment::evaluate::{Mask, want_number};
use crate::segment::{BLOCK, Columns, Need, PartId, ROWS};
use crate::timestamp::Timestamp;
use std::sync::Arc;

/// By what the rows of one source are counted.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) keys: Arc<[FacetKey]>,
    /// The source's summary, where every row is counted.
    pub(super) whole: Option<Arc<Summary>>,
}

/// The rows of one source by the values of one key.
#[derive(Debug)]
enum Count {
    // by the number in the column; told by the summary
    Known(Vec<u64>),
    // by the number in the column
    Numbers(Vec<u64>),
    // told by the summary or a part of the segment
    Told(Values),
    // by the column
    Texts(Values),
    // by value
    Types(Table),
}

/// The counts of one source, in the order of the keys.
#[derive(Debug)]
pub(super) struct FacetCounts {
    rows: u64,
    counts: Vec<Count>,
}

// a column of numbers counted here has no greater ones: statuses have 16 bits
const GREATEST: usize = u16::MAX as usize;

impl Plan {
    // what the summary says of all rows
    fn known(&self, key: FacetKey) -> Option<Vec<u64>> {
        let summary = self.whole.as_ref()?;
        match key {
            // levels are stored from 1
            FacetKey::Level => Some([&[0], &summary.levels[..]].concat()),
            FacetKey::Kind => Some(summary.kinds.to_vec()),
            FacetKey::Class => {
                let mut classes = vec![0; 1000];
                (1..).zip(summary.classes).for_each(|(class, count): (usize, u64)| classes[class * 100] = count);
                Some(classes)
            }
            // no row has one
            FacetKey::Status if summary.status.is_none() => Some(Vec::new()),
            _ => None,
        }
    }

    // the summary, of a field that it counts
    fn counted(&self, key: FacetKey) -> Option<&Arc<Summary>> {
        let counts = |field| Summary::COUNTED.contains(&field);
        self.whole.as_ref().filter(|_| matches!(key, FacetKey::Text(field) if counts(field)))
    }

    /// The columns that counting needs before any row is looked at.
    pub(super) fn want(&self, columns: &Columns, need: &mut Need) {
        for &key in self.keys.iter().filter(|key| self.known(**key).is_none()) {
            match (key, self.counted(key)) {
                (FacetKey::Text(field), Some(summary)) => drop(Values::of_all(summary, field, columns, need)),
                (FacetKey::Text(field), None) => columns.want(PartId::Text(field), need),
                (key, _) => key.number().into_iter().for_each(|number| want_number(number, columns, need)),
            }
        }
    }

    /// Whether counting a row needs its details.
    pub(super) fn reads_details(&self) -> bool {
        self.keys.contains(&FacetKey::Type)
    }

    /// The details that counting the rows of a block needs.
    pub(super) fn want_block(&self, columns: &Columns, block: usize, mask: &Mask, need: &mut Need) {
        if self.reads_details() {
            for row in rows(block, mask) {
                columns.want(PartId::Details((row / ROWS) as u32), need);
            }
        }
    }

    /// Nothing counted yet but what is told of all rows.
    pub(super) fn start(&self, columns: &Columns) -> FacetCounts {
        let count = |&key: &FacetKey| match (self.known(key), key, self.counted(key)) {
            (Some(known), ..) => Count::Known(known),
            (None, FacetKey::Text(field), Some(summary)) => {
                Count::Told(Values::of_all(summary, field, columns, &mut Need::new()))
            }
            (None, FacetKey::Text(_), None) => Count::Texts(Values::None),
            (None, FacetKey::Type, _) => Count::Types(Table::default()),
            (None, ..) => Count::Numbers(Vec::new()),
        };
        FacetCounts { rows: 0, counts: self.keys.iter().map(count).collect() }
    }

    /// Counts a whole source by its summary alone; `None` where that lacks a key.
    pub(super) fn of_summary(&self) -> Option<FacetCounts> {
        let summary = self.whole.as_ref()?;
        let count = |&key: &FacetKey| {
            let told = || match key {
                FacetKey::Text(field) => summary.counts(field).map(|_| Count::Told(Values::Summary(summary.clone()))),
                _ => None,
            };
            self.known(key).map(Count::Known).or_else(told)
        };
        let counts = self.keys.iter().map(count).collect::<Option<_>>()?;
        Some(FacetCounts { rows: summary.rows, counts })
    }
}

impl FacetCounts {
    /// Counts the rows of a block whose bits are set.
    pub(super) fn add(&mut self, plan: &Plan, columns: &Columns, block: usize, mask: &Mask) {
        self.rows += mask.iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
        for (count, &key) in self.counts.iter_mut().zip(&*plan.keys) {
            match (count, key) {
                (Count::Numbers(counts), key) => {
                    let Some(ints) = key.number().and_then(|number| columns.ints(number)) else { continue };
                    ints.each(block, mask, |number| {
                        let at = usize::try_from(number).unwrap_or(GREATEST).min(GREATEST);
                        if counts.len() <= at {
                            counts.resize(at + 1, 0);
                        }
                        counts[at] += 1;
                    });
                }
                (Count::Texts(values), FacetKey::Text(field)) => values.add(field, columns, block, mask),
                (Count::Types(types), _) => {
                    let mut record = Record::new(Timestamp::from_nanos(0));
                    for row in rows(block, mask) {
                        (record.request, record.response) = Default::default();
                        if columns.fill(row, Detail::Preview, &mut record).is_ok() {
                            TextKey::Type.each(&record, &mut |value| {
                                types.add(value, 1);
                                true
                            });
                        }
                    }
                }
                (Count::Known(_) | Count::Told(_) | Count::Texts(_), _) => {}
            }
        }
    }
}

fn rows(block: usize, mask: &Mask) -> impl Iterator<Item = usize> + '_ {
    let set = move |(word, bits): (usize, &u64)| {
        let mut left = *bits;
        std::iter::from_fn(move || {
            let bit = (left != 0).then(|| left.trailing_zeros() as usize)?;
            left &= left - 1;
            Some(block * BLOCK + word * 64 + bit)
        })
    };
    mask.iter().enumerate().flat_map(set)
}

/// The counts of all sources.
#[derive(Debug)]
pub(super) struct Totals {
    keys: Arc<[FacetKey]>,
    rows: u64,
    values: Vec<Ranked>,
    // of each key
    most_bytes: usize,
}

#[derive(Debug, Default)]
struct Ranked {
    table: Table,
    bytes: usize,
    // rows with a value, those included whose value found no place
    rows: u64,
    lacks: bool,
}

impl Ranked {
    fn add(&mut self, value: &str, count: u64, most_bytes: usize) {
        self.rows += count;
        let bytes = self.bytes + value.len() + Ranking::OVERHEAD;
        // a value has its place from the first source on or not at all: what is counted is counted whole
        let mut admitted = false;
        let counted = self.table.try_add(value, count, || {
            admitted = bytes <= most_bytes;
            admitted
        });
        if admitted {
            self.bytes = bytes;
        }
        self.lacks |= !counted;
    }
}

impl Totals {
    pub(super) fn new(keys: &Arc<[FacetKey]>, most_bytes: usize) -> Self {
        let values = keys.iter().map(|_| Ranked::default()).collect();
        Self { keys: keys.clone(), rows: 0, values, most_bytes: most_bytes / keys.len().max(1) }
    }

    pub(super) fn add(&mut self, counts: &FacetCounts) {
        self.rows += counts.rows;
        for ((ranked, count), &key) in self.values.iter_mut().zip(&counts.counts).zip(&*self.keys) {
            let mut add = |value: &str, count: u64| ranked.add(value, count, self.most_bytes);
            match (count, key) {
                (Count::Known(numbers) | Count::Numbers(numbers), key) => {
                    let present = (0..).zip(numbers).filter(|(_, count)| **count > 0);
                    present.for_each(|(number, count)| {
                        key.spell(number).into_iter().for_each(|value| add(&value, *count));
                    });
                }
                (Count::Told(values) | Count::Texts(values), FacetKey::Text(field)) => values.each(field, add),
                (Count::Types(types), _) => types.iter().for_each(|(value, count)| add(value, count)),
                (Count::Told(_) | Count::Texts(_), _) => {}
            }
        }
    }

    pub(super) fn finish(self, top: usize) -> Facets {
        let rows = self.rows;
        let facet = |ranked: Ranked| {
            let distinct = ranked.table.len() as u64;
            let values = Ranking::cut(ranked.table.into_iter().collect(), top);
            Facet { values, distinct, missing: rows - ranked.rows, complete: !ranked.lacks }
        };
        let facets = self.keys.iter().copied().zip(self.values.into_iter().map(facet)).collect();
        Facets { total: rows, facets }
    }
}
