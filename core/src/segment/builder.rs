//! Records to columns, and columns to the bytes of a segment.

use super::counts::ValueCounts;
use super::format::{Directory, Slot};
use super::grams::Grams;
use super::ints::Ints;
use super::part::{NUMBERS, Part, PartId};
use super::rows::{Bodies, Details, ROWS};
use super::text::TextBuilder;
use crate::catalog::Summary;
use crate::codec::{Codec, Effort, seal};
use crate::filter::Number;
use crate::record::{Field, Kind, Record, Stored};
use crate::sort;
use crate::timestamp::Timestamp;
use std::sync::Arc;

/// Fields whose values bare text searches: these get gram filters.
pub(super) const SEARCHED: [Field; 5] = [Field::Message, Field::Path, Field::Query, Field::Route, Field::ErrorCode];

/// A finished segment.
#[derive(Clone, Debug)]
pub struct Built {
    /// The whole file.
    pub bytes: Vec<u8>,
    /// What the catalog keeps; also in the file's footer.
    pub summary: Summary,
}

/// Writes rows, sorted by (time, sequence), as one segment; `None` without rows.
///
/// # Panics
/// In debug builds when the rows are not sorted.
pub fn build(rows: &[Stored], codec: &dyn Codec) -> Option<Built> {
    let builder = Builder::new(rows)?;
    let pieces: Vec<Piece> = (0..builder.pieces()).map(|at| builder.piece(at, codec)).collect();
    Some(builder.finish(&pieces))
}

/// Writes a segment in pieces that do not depend on each other, for callers with several threads.
///
/// Make every piece, in any order, then [`finish`](Self::finish); the bytes are those of [`build`].
#[derive(Clone, Debug)]
pub struct Builder<'a> {
    rows: &'a [Stored],
    summary: Summary,
    // of the exchanges alone, where there are other records too
    exchanges: Option<Arc<Summary>>,
}

/// Parts that are encoded and compressed.
#[derive(Clone, Debug)]
pub struct Piece(Vec<(PartId, Vec<u8>)>);

impl<'a> Builder<'a> {
    /// A builder of rows sorted by (time, sequence); `None` without rows.
    ///
    /// # Panics
    /// In debug builds when the rows are not sorted.
    pub fn new(rows: &'a [Stored]) -> Option<Self> {
        debug_assert!(is_sorted(rows), "rows of a segment are sorted");
        let summary = Summary::of(rows.iter())?;
        let exchanges = if summary.is_mixed() { Summary::of_exchanges(rows) } else { None };
        Some(Self { rows, summary, exchanges: exchanges.map(Arc::new) })
    }

    /// How many pieces there are.
    pub fn pieces(&self) -> usize {
        // and what is kept of the exchanges
        sources(self.rows) + 1
    }

    /// Makes the piece `at`, which is less than [`pieces`](Self::pieces).
    pub fn piece(&self, at: usize, codec: &dyn Codec) -> Piece {
        let seal = |part: &Part| seal(&part.encode(), codec, Effort::Dense);
        let mut sealed = Vec::new();
        if at == sources(self.rows) {
            let part = self.exchanges.clone().map(Part::Exchanges);
            return Piece(part.iter().map(|part| (PartId::Exchanges, seal(part))).collect());
        }
        for (id, part) in parts(self.rows, at) {
            sealed.push((id, seal(&part)));
            let (PartId::Text(field), Part::Text(text)) = (id, &part) else { continue };
            if SEARCHED.contains(&field)
                && let Some(grams) = Grams::of(&text.values)
            {
                sealed.push((PartId::Grams(field), seal(&Part::Grams(grams))));
            }
            if Summary::COUNTED.contains(&field)
                && self.lacks(field)
                && let Some(counts) = ValueCounts::of(
                    text,
                    self.exchanges.is_some().then_some(|at: usize| self.rows[at].record.kind == Kind::Exchange),
                )
            {
                sealed.push((PartId::Counts(field), seal(&Part::Counts(counts))));
            }
        }
        Piece(sealed)
    }

    // whether a summary has no room for the counts of a field
    fn lacks(&self, field: Field) -> bool {
        let exchanges = self.exchanges.as_deref();
        [Some(&self.summary), exchanges].into_iter().flatten().any(|summary| summary.counts(field).is_none())
    }

    /// The segment of all pieces in order.
    pub fn finish(self, pieces: &[Piece]) -> Built {
        // first what filters and sorts, then what lists show, then what is seldom asked for
        let rank = |id: PartId| match id {
            PartId::Details(_) => 1,
            PartId::Bodies(_) => 2,
            _ => 0,
        };
        let mut parts: Vec<&(PartId, Vec<u8>)> = pieces.iter().flat_map(|piece| &piece.0).collect();
        sort::by_key(&mut parts, |(id, _)| rank(*id));
        assemble(self.summary, parts.into_iter().map(|(id, block)| (*id, block)))
    }
}

/// The segment of sealed parts in this order.
pub(super) fn assemble<B: AsRef<[u8]>>(summary: Summary, parts: impl IntoIterator<Item = (PartId, B)>) -> Built {
    let mut bytes = Directory::MAGIC.to_vec();
    let mut slots = Vec::new();
    for (id, block) in parts {
        let block = block.as_ref();
        slots.push(Slot { id, offset: bytes.len() as u64, len: block.len() as u64 });
        bytes.extend_from_slice(block);
    }
    Directory::finish(&summary, &slots, &mut bytes);
    Built { bytes, summary }
}

/// The decoded parts of rows sorted by (time, sequence): what a scan runs over, of a segment or of a batch in memory.
///
/// # Panics
/// In debug builds when the rows are not sorted; a scan would miss some of them.
pub fn columns(rows: &[Stored]) -> Vec<(PartId, Part)> {
    debug_assert!(is_sorted(rows), "rows of a source are sorted");
    (0..sources(rows)).flat_map(|at| parts(rows, at)).collect()
}

/// The details and bodies of one block, as those of a stored segment; of a record that is not there they hold nothing.
pub(crate) fn cold(records: &[Option<&Record>]) -> (Part, Part) {
    let nothing = Record::new(Timestamp::from_nanos(0));
    let (mut details, mut bodies) = (Details::default(), Bodies::default());
    records.iter().for_each(|record| details.push(record.unwrap_or(&nothing), &mut bodies));
    (Part::Details(details), Part::Bodies(bodies))
}

fn is_sorted(rows: &[Stored]) -> bool {
    rows.is_sorted_by_key(|row| (row.record.time, row.id.seq()))
}

// how many things parts are made of: numbers, the arrival, text fields, blocks of rows
fn sources(rows: &[Stored]) -> usize {
    NUMBERS.len() + 1 + Field::COUNT + rows.len().div_ceil(ROWS)
}

// the parts of one of them: none of a column that every row lacks
fn parts(rows: &[Stored], at: usize) -> Vec<(PartId, Part)> {
    let of_text = NUMBERS.len() + 1;
    if let Some(&number) = NUMBERS.get(at) {
        let values: Vec<Option<i64>> = rows.iter().map(|row| number.of_stored(row)).collect();
        let column = values.iter().any(Option::is_some).then(|| Part::Ints(Ints::new(&values)));
        column.map(|column| (PartId::Number(number), column)).into_iter().collect()
    } else if at < of_text {
        let arrivals: Vec<Option<i64>> = rows.iter().map(|row| Number::Arrival.of_stored(row)).collect();
        vec![(PartId::Arrival, Part::Ints(Ints::new(&arrivals)))]
    } else if let Some(&field) = Field::ALL.get(at - of_text) {
        let mut builder = TextBuilder::default();
        for (at, row) in rows.iter().enumerate() {
            if let Some(value) = row.record.text(field) {
                builder.push_at(at, value);
            }
        }
        builder.finish(rows.len()).map(|text| (PartId::Text(field), Part::Text(text))).into_iter().collect()
    } else {
        let block = at - of_text - Field::COUNT;
        let (mut details, mut bodies) = (Details::default(), Bodies::default());
        let rows = rows.chunks(ROWS).nth(block).unwrap_or_default();
        rows.iter().for_each(|row| details.push(&row.record, &mut bodies));
        let block = block as u32;
        let mut parts = vec![(PartId::Details(block), Part::Details(details))];
        if !bodies.is_empty() {
            parts.push((PartId::Bodies(block), Part::Bodies(bodies)));
        }
        parts
    }
}
