//! Records to columns, and columns to the bytes of a segment.

use super::format::{Directory, Slot};
use super::grams::Grams;
use super::ints::Ints;
use super::part::{NUMBERS, Part, PartId};
use super::rows::{Bodies, Details, ROWS};
use super::text::TextBuilder;
use crate::catalog::Summary;
use crate::codec::{Codec, Effort, seal};
use crate::filter::Number;
use crate::record::{Field, Stored};

/// Fields whose values bare text searches: these get gram filters.
const SEARCHED: [Field; 5] = [Field::Message, Field::Path, Field::Query, Field::Route, Field::ErrorCode];

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
    debug_assert!(rows.is_sorted_by_key(|row| (row.record.time, row.id.seq())), "rows of a segment are sorted");
    let summary = Summary::of(rows)?;
    let mut bytes = Directory::MAGIC.to_vec();
    let mut slots = Vec::new();
    let mut add = |id: PartId, part: &Part| {
        let block = seal(&part.encode(), codec, Effort::Dense);
        slots.push(Slot { id, offset: bytes.len() as u64, len: block.len() as u64 });
        bytes.extend_from_slice(&block);
    };
    for (id, part) in columns(rows) {
        add(id, &part);
        if let (PartId::Text(field), Part::Text(text)) = (id, &part)
            && SEARCHED.contains(&field)
            && let Some(grams) = Grams::of(&text.values)
        {
            add(PartId::Grams(field), &Part::Grams(grams));
        }
    }
    let directory = Directory { summary, slots };
    directory.finish(&mut bytes);
    Some(Built { bytes, summary: directory.summary })
}

/// The decoded parts of rows sorted by (time, sequence): what a scan runs over, of a segment or of a batch in memory.
///
/// # Panics
/// In debug builds when the rows are not sorted; a scan would miss some of them.
pub fn columns(rows: &[Stored]) -> Vec<(PartId, Part)> {
    debug_assert!(rows.is_sorted_by_key(|row| (row.record.time, row.id.seq())), "rows of a source are sorted");
    let mut parts = Vec::new();
    for number in NUMBERS {
        let values: Vec<Option<i64>> = rows.iter().map(|row| number.of_stored(row)).collect();
        if values.iter().any(Option::is_some) {
            parts.push((PartId::Number(number), Part::Ints(Ints::new(&values))));
        }
    }
    let arrivals: Vec<Option<i64>> = rows.iter().map(|row| Number::Arrival.of_stored(row)).collect();
    parts.push((PartId::Arrival, Part::Ints(Ints::new(&arrivals))));
    for &field in Field::ALL {
        let mut builder = TextBuilder::default();
        rows.iter().for_each(|row| builder.push(row.record.text(field)));
        parts.extend(builder.finish().map(|text| (PartId::Text(field), Part::Text(text))));
    }
    for (block, rows) in (0u32..).zip(rows.chunks(ROWS)) {
        let (mut details, mut bodies) = (Details::default(), Bodies::default());
        rows.iter().for_each(|row| details.push(&row.record, &mut bodies));
        parts.push((PartId::Details(block), Part::Details(details)));
        if !bodies.is_empty() {
            parts.push((PartId::Bodies(block), Part::Bodies(bodies)));
        }
    }
    parts
}
