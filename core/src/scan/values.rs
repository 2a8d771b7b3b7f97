//! Counts by the values of a text field.

use crate::catalog::Summary;
use crate::record::Field;
use crate::segment::evaluate::Mask;
use crate::segment::{BLOCK, Columns, Need, Part, PartId};
use hashbrown::HashTable;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

/// Rows of one source by the values of one field. Values are spelt out only when sources are added up.
#[derive(Clone, Debug, Default)]
pub(super) enum Values {
    #[default]
    None,
    // all rows, in the summary's map
    Summary(Arc<Summary>),
    // so many rows, all of the only value in the summary's map
    Only(Arc<Summary>, u64),
    // all rows, in a part of the segment
    Part(Arc<Part>),
    // all exchanges, in a part of the segment
    Exchanges(Arc<Part>),
    // by code of this text column
    Codes(Arc<Part>, Vec<u64>),
}

impl Values {
    /// Counts all rows of a source by a field that summaries count: by its summary, else by a part of the segment, and
    /// only where there is none by the column. Adds to `need` what has to be at hand first.
    pub(super) fn of_all(summary: &Arc<Summary>, field: Field, columns: &Columns, need: &mut Need) -> Self {
        if summary.counts(field).is_some() {
            return Self::Summary(summary.clone());
        }
        let (counts, column) = (PartId::Counts(field), PartId::Text(field));
        match (columns.shared(counts), columns.shared(column)) {
            (None, _) => columns.want(counts, need),
            (Some(part), _) if matches!(**part, Part::Counts(_)) => return Self::Part(part.clone()),
            (Some(_), None) => columns.want(column, need),
            (Some(_), Some(part)) => {
                if let Part::Text(text) = &**part {
                    return Self::Codes(part.clone(), text.counts());
                }
            }
        }
        Self::None
    }

    /// Counts the rows of a block whose bits are set, by the column.
    pub(super) fn add(&mut self, field: Field, columns: &Columns, block: usize, mask: &Mask) {
        let Some(part) = columns.shared(PartId::Text(field)) else { return };
        let Part::Text(text) = &**part else { return };
        if let Self::None = self {
            *self = Self::Codes(part.clone(), vec![0; text.values.len() + 1]);
        }
        if let Self::Codes(_, counts) = self {
            text.codes.each(block * BLOCK, mask, |code| counts[code as usize] += 1);
        }
    }

    /// Every value that was counted, with how often.
    pub(super) fn each(&self, field: Field, mut visit: impl FnMut(&str, u64)) {
        match self {
            Self::None => {}
            Self::Summary(summary) => {
                summary.counts(field).into_iter().flatten().for_each(|(value, count)| visit(value, *count));
            }
            Self::Only(summary, rows) => {
                summary.counts(field).into_iter().flatten().for_each(|(value, _)| visit(value, *rows));
            }
            Self::Part(part) => {
                if let Part::Counts(counts) = &**part {
                    counts.iter().for_each(|(value, count)| visit(value, count));
                }
            }
            Self::Exchanges(part) => {
                if let Part::Counts(counts) = &**part {
                    counts.exchanges().into_iter().flatten().for_each(|(value, count)| visit(value, count));
                }
            }
            Self::Codes(part, counts) => {
                if let Part::Text(text) = &**part {
                    let present = counts[1..].iter().enumerate().filter(|(_, count)| **count > 0);
                    present.for_each(|(at, count)| visit(text.values.get(at), *count));
                }
            }
        }
    }
}

/// Counts by value, of all sources.
#[derive(Debug, Default)]
pub(super) struct Table(HashTable<(Box<str>, u64)>);

impl Table {
    pub(super) fn add(&mut self, value: &str, count: u64) {
        self.try_add(value, count, || true);
    }

    /// Adds to the count of a value; to one that is new only if it is admitted. Returns whether it was counted.
    pub(super) fn try_add(&mut self, value: &str, count: u64, admit: impl FnOnce() -> bool) -> bool {
        if count == 0 {
            return true;
        }
        let hash = xxh3_64(value.as_bytes());
        if let Some((_, total)) = self.0.find_mut(hash, |(known, _)| **known == *value) {
            *total += count;
            return true;
        }
        let admitted = admit();
        if admitted {
            self.0.insert_unique(hash, (value.into(), count), |(known, _)| xxh3_64(known.as_bytes()));
        }
        admitted
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(value, count)| (&**value, *count))
    }

    pub(super) fn into_iter(self) -> impl Iterator<Item = (String, u64)> {
        self.0.into_iter().map(|(value, count)| (value.into_string(), count))
    }
}
