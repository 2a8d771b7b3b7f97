//! The rows of a source, as far as they can be read, and what they say of themselves.

use super::super::cache::Parts;
use super::super::data_dir::SegmentFile;
use super::super::source::{Reader, read_directory};
use super::super::{Fault, Snapshot};
use reqlog_core::body::{Body, Cut};
use reqlog_core::catalog::{Catalog, Deletion, Entry, SourceId};
use reqlog_core::codec::Codec;
use reqlog_core::filter::Predicate;
use reqlog_core::id::Seq;
use reqlog_core::query::{Counts, Detail, Direction, Order, Query, Start, Total, Unit};
use reqlog_core::record::{Field, Stored};
use reqlog_core::scan::Scan;
use reqlog_core::segment::{Directory, ROWS};
use std::sync::Arc;

/// What one file still has.
#[derive(Default)]
pub(super) struct Rescued {
    pub(super) rows: Vec<Stored>,
    /// How many of the rows lost a body.
    pub(super) bodiless: u64,
}

// columns are read again for each block otherwise
const CACHE: u64 = 256 << 20;

/// Every row of a damaged segment that can be read, blocks of rows one by one; where only bodies cannot, the row stays
/// with their previews. Nothing without the footer, which says where everything is.
pub(super) fn rescue(file: &Arc<SegmentFile>, codec: &dyn Codec) -> Rescued {
    let mut rescued = Rescued::default();
    let Ok(directory) = read_directory(file) else { return rescued };
    let entry = Entry { id: SourceId::Segment(file.id()), summary: Arc::new(directory.summary().clone()) };
    let catalog = Catalog { entries: vec![entry], ..Catalog::default() };
    let snapshot = Snapshot::new(catalog, Vec::new(), vec![file.clone()]);
    let cache = Parts::new(CACHE);
    let reader = Reader { snapshot: &snapshot, codec, cache: Some(&cache), aside: None };
    let block = |first: u64, detail| {
        let mut scan = Scan::page(block(first, detail), snapshot.catalog());
        reader.drive(&mut scan).ok().map(|()| scan.finish().rows)
    };
    for first in (0..directory.summary().rows).step_by(ROWS) {
        if let Some(rows) = block(first, Detail::Whole) {
            rescued.rows.extend(rows);
        } else if let Some(rows) = block(first, Detail::Preview) {
            rescued.bodiless += rows.iter().filter(|row| bodies(row).any(|body| body.withheld > 0)).count() as u64;
            rescued.rows.extend(rows.into_iter().map(shortened));
        }
    }
    rescued
}

fn block(first: u64, detail: Detail) -> Query {
    Query {
        filter: Predicate::ALL,
        order: Order::Time,
        direction: Direction::Ascending,
        start: Start::Offset(first),
        bound: Seq::MAX,
        limit: ROWS,
        detail,
        total: Total::Skip,
        unit: Unit::Record,
    }
}

fn bodies(row: &Stored) -> impl Iterator<Item = &Body> {
    [&row.record.request, &row.record.response].into_iter().filter_map(|message| message.body.as_ref())
}

fn shortened(mut row: Stored) -> Stored {
    for message in [&mut row.record.request, &mut row.record.response] {
        if let Some(body) = message.body.as_mut().filter(|body| body.withheld > 0) {
            body.withheld = 0;
            body.cut = Some(Cut::NotCaptured);
        }
    }
    row
}

/// Verifies the checksum of every part.
pub(super) fn verify_parts(file: &SegmentFile, directory: &Directory) -> Result<(), Fault> {
    for range in directory.parts().filter_map(|part| directory.locate(part)) {
        Directory::verify(&file.read(range)?)
            .map_err(|corrupt| Fault::Corrupt(format!("segment {} ({})", file.id(), corrupt.what)))?;
    }
    Ok(())
}

/// The values that any row has, with how many.
pub(super) fn spelt<'a>(counts: impl Iterator<Item = (&'a str, u64)>) -> Counts {
    counts.filter(|(_, count)| *count > 0).map(|(value, count)| (value.to_owned(), count)).collect()
}

/// How many rows have each value of a field.
pub(super) fn count<'a>(rows: impl Iterator<Item = &'a Stored>, field: Field) -> Counts {
    let mut counts = Counts::new();
    for value in rows.filter_map(|row| row.record.text(field)) {
        *counts.entry(value.to_owned()).or_default() += 1;
    }
    counts
}

/// The projects of rows that no deletion hides.
pub(super) fn projects<'a>(rows: &'a [Stored], deletions: &'a [Arc<Deletion>]) -> impl Iterator<Item = &'a str> {
    let is_there = |row: &&Stored| !deletions.iter().any(|deletion| deletion.hides(row));
    rows.iter().filter(is_there).filter_map(|row| row.record.text(Field::Project))
}
