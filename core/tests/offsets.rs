//! Pages at offsets, however deep: what the naive evaluator has there.

#[allow(dead_code)] // the laws use the rest of it
mod model;

use model::Model;
use model::generate::{NUMERIC, predicate, record};
use proptest::prelude::*;
use reqlog_core::compact::Urgency;
use reqlog_core::filter::Predicate;
use reqlog_core::id::Seq;
use reqlog_core::level::Level;
use reqlog_core::query::{Detail, Direction, Order, Query, Start, Total, Unit};
use reqlog_core::record::{FieldSet, Kind, Record, Stored};
use reqlog_core::scan::Selecting;
use reqlog_core::timestamp::Timestamp;

const DIRECTIONS: [Direction; 2] = [Direction::Ascending, Direction::Descending];
const UNITS: [Unit; 2] = [Unit::Record, Unit::Half];

fn query(filter: &Predicate, order: Order, direction: Direction, offset: u64, unit: Unit) -> Query {
    Query {
        filter: filter.clone(),
        order,
        direction,
        start: Start::Offset(offset),
        bound: Seq::MAX,
        limit: 4,
        detail: Detail::Columns(FieldSet::ALL),
        total: Total::Skip,
        unit,
    }
}

/// The rows of a page at an offset, how much of the first is skipped, and whether rows follow.
fn expected(truth: &[Stored], offset: u64, limit: usize, unit: Unit) -> (Vec<Seq>, u64, bool) {
    let mut units =
        truth.iter().enumerate().flat_map(|(at, row)| (0..unit.of(row.record.kind)).map(move |part| (at, part)));
    let Some((at, inset)) = units.nth(offset as usize) else { return (Vec::new(), 0, false) };
    let rows = truth[at..].iter().take(limit).map(|row| row.id.seq()).collect();
    (rows, inset, truth.len() - at > limit)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn every_way_to_an_offset_leads_to_the_same_page(
        batches in prop::collection::vec(prop::collection::vec(record(), 1..40), 1..7), compacted in 0usize..7,
        filter in predicate(), gone in prop::option::of(predicate()), order in prop::sample::select(NUMERIC.to_vec()),
        direction in prop::sample::select(DIRECTIONS.to_vec()), unit in prop::sample::select(UNITS.to_vec()),
        few in 0u64..4, samples in 1u64..60, pivots in 1usize..24, share in prop::collection::vec(0.0f64..1.1, 1..6),
        total in prop::sample::select(vec![Total::Skip, Total::Exact]), cut in any::<prop::sample::Index>()
    ) {
        let mut model = Model::default();
        for (at, records) in batches.iter().enumerate() {
            if at == compacted {
                model.compact(Urgency::Settle);
            }
            model.commit(records);
        }
        gone.iter().for_each(|filter| model.delete(filter));
        let bound = model.catalog.head.unwrap().seq().get();
        let bound = Seq::new(bound - cut.index(bound as usize / 2 + 1) as u64).unwrap();
        let mut truth = model.naive(&filter, order, direction);
        truth.retain(|row| row.id.seq() <= bound);
        let units: u64 = truth.iter().map(|row| unit.of(row.record.kind)).sum();
        // the second time, counts are known
        for share in share.iter().chain(&share) {
            let offset = (units as f64 * share) as u64;
            let asked = Query { bound, total, ..query(&filter, order, direction, offset, unit) };
            let page = model.page_selecting(asked, Selecting { few, samples, pivots });
            let (rows, inset, more) = expected(&truth, offset, 4, unit);
            prop_assert_eq!(page.rows.iter().map(|row| row.id.seq()).collect::<Vec<_>>(), rows, "at {}", offset);
            prop_assert_eq!((page.inset, page.more_before, page.more_after), (inset, offset > 0, more));
            prop_assert_eq!(page.total, (total == Total::Exact).then_some(units));
        }
    }
}

/// Sources whose rows lie among each other in every order, with values that thousands of rows share.
fn many() -> Model {
    const SOURCES: u64 = 12;
    const ROWS: u64 = 1500;
    let mut model = Model::default();
    for source in 0..SOURCES {
        let records: Vec<Record> = (0..ROWS)
            .map(|row| {
                let hash = (source * ROWS + row).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
                // late ones among them
                let time = (source * ROWS + row) * 1000 - if hash.is_multiple_of(50) { row * 1000 } else { 0 };
                let mut record = Record::new(Timestamp::from_nanos(time as i64));
                record.kind = if hash.is_multiple_of(3) { Kind::Event } else { Kind::Exchange };
                record.status = [None, Some(200), Some(200), Some(200), Some(404), Some(503)][hash as usize % 6];
                // a few are very long
                let long = if hash.is_multiple_of(997) { 1 << 40 } else { 1 };
                record.duration = (!hash.is_multiple_of(5)).then_some(hash % 4000 * long);
                record.level = if hash.is_multiple_of(11) { Level::Error } else { Level::Info };
                record
            })
            .collect();
        model.commit(&records);
        if source % 3 == 1 {
            model.compact(Urgency::Settle);
        }
    }
    model
}

#[test]
fn deep_pages_of_many_rows_with_equal_values_are_those_of_a_sorted_list() {
    let model = many();
    let filters = [Predicate::ALL, Predicate::between(reqlog_core::filter::Number::Status, 200, 299)];
    for filter in &filters {
        for (order, direction) in NUMERIC.iter().flat_map(|order| DIRECTIONS.map(|direction| (*order, direction))) {
            let truth = model.naive(filter, order, direction);
            for unit in UNITS {
                let units: u64 = truth.iter().map(|row| unit.of(row.record.kind)).sum();
                for offset in [1025, 3000, units / 3, units / 2, units / 5 * 4, units - 3, units - 1, units, units * 2]
                {
                    let page = model.page(query(filter, order, direction, offset, unit));
                    let (rows, inset, more) = expected(&truth, offset, 4, unit);
                    let found: Vec<Seq> = page.rows.iter().map(|row| row.id.seq()).collect();
                    assert_eq!(
                        (found, page.inset, page.more_after),
                        (rows, inset, more),
                        "{order:?} at {offset} {unit:?}"
                    );
                }
            }
        }
    }
}
