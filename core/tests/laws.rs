//! The laws of design.md, against the naive evaluator: filter, sort, cut.

mod counts;
mod model;

use model::generate::{NUMERIC, TEXTUAL, predicate, record};
use model::{Model, position};
use proptest::prelude::*;
use reqlog_core::body::Body;
use reqlog_core::catalog::Expiry;
use reqlog_core::compact::Urgency;
use reqlog_core::filter::{Number, Predicate, TextKey, TextMatcher};
use reqlog_core::headers::Headers;
use reqlog_core::id::Seq;
use reqlog_core::query::{Detail, Direction, Order, Position, Query, Start, Total, Unit};
use reqlog_core::record::{Field, Kind, Record, Stored, Texts};
use reqlog_core::scan::Selecting;
use reqlog_core::segment::PartId;
use std::collections::BTreeSet;

fn query(filter: &Predicate, order: Order, direction: Direction) -> Query {
    Query {
        filter: filter.clone(),
        order,
        direction,
        start: Start::First,
        bound: Seq::MAX,
        limit: 10,
        detail: Detail::Whole,
        total: Total::Skip,
        unit: Unit::Record,
    }
}

fn directions() -> impl Strategy<Value = Direction> {
    prop::sample::select(vec![Direction::Ascending, Direction::Descending])
}

fn orders() -> impl Strategy<Value = Order> {
    prop::sample::select([&NUMERIC[..], &TEXTUAL].concat())
}

fn numeric_orders() -> impl Strategy<Value = Order> {
    prop::sample::select(NUMERIC.to_vec())
}

fn units() -> impl Strategy<Value = Unit> {
    prop::sample::select(vec![Unit::Record, Unit::Half])
}

fn batches() -> impl Strategy<Value = Vec<Vec<Record>>> {
    proptest::collection::vec(proptest::collection::vec(record(), 1..12), 1..6)
}

/// A store whose rows lie in batches, or segments, or both.
fn stored(batches: &[Vec<Record>], compacted: usize) -> Model {
    let mut model = Model::default();
    for (at, records) in batches.iter().enumerate() {
        if at == compacted {
            model.compact(Urgency::Settle);
        }
        model.commit(records);
    }
    model
}

// commits of the model arrive 7 ms apart
fn expiry() -> impl Strategy<Value = Expiry> {
    let projects = proptest::collection::btree_map("alpha|beta|gamma", 0u64..60, 0..3);
    (projects, 0u64..60, 0u64..60).prop_map(|(projects, unnamed, others)| Expiry { projects, unnamed, others })
}

#[derive(Clone, Debug)]
enum Disturbance {
    Nothing,
    Commit(Vec<Record>),
    Compact,
    Delete(Predicate),
    Expire(Expiry),
}

fn disturbance() -> impl Strategy<Value = Disturbance> {
    prop_oneof![
        2 => Just(Disturbance::Nothing),
        3 => proptest::collection::vec(record(), 1..4).prop_map(Disturbance::Commit),
        2 => Just(Disturbance::Compact),
        1 => predicate().prop_map(Disturbance::Delete),
        1 => expiry().prop_map(Disturbance::Expire),
    ]
}

impl Model {
    fn disturb(&mut self, disturbance: &Disturbance) {
        match disturbance {
            Disturbance::Nothing => {}
            Disturbance::Commit(records) => self.commit(records),
            Disturbance::Compact => self.compact(Urgency::Settle),
            Disturbance::Delete(filter) => self.delete(filter),
            Disturbance::Expire(expiry) => self.expire(expiry),
        }
    }

    fn lives(&self, row: &Stored) -> bool {
        self.rows.iter().any(|live| live.id == row.id)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_page_is_what_the_naive_evaluator_answers(
        batches in batches(), compacted in 0usize..8, filter in predicate(), order in orders(), direction in directions(),
        limit in 1usize..40, offset in 0u64..20, unit in units()
    ) {
        let mut model = stored(&batches, compacted);
        if compacted == 7 {
            model.compact(Urgency::Settle);
        }
        let truth = model.naive(&filter, order, direction);
        let page = model.page(Query { limit, total: Total::Exact, unit, ..query(&filter, order, direction) });
        prop_assert_eq!(&page.rows[..], &truth[..limit.min(truth.len())]);
        prop_assert_eq!(page.more_after, truth.len() > limit);
        let halves = |row: &Stored| if unit == Unit::Half && row.record.kind == Kind::Exchange { 2 } else { 1 };
        prop_assert_eq!((page.total, page.inset), (Some(truth.iter().map(halves).sum()), 0));
        let deep = Query { limit, start: Start::Offset(offset), unit, ..query(&filter, order, direction) };
        let selecting = Selecting { few: 0, ..Selecting::default() };
        prop_assert_eq!(&model.page_selecting(deep.clone(), selecting).rows, &model.page(deep.clone()).rows);
        let skipped = model.page(deep);
        // every row as often as it counts: the page begins with the row of the unit at the offset
        let all = || truth.iter().flat_map(|row| (0..halves(row)).map(move |part| (row, part)));
        let (first, inset) = all().nth(offset as usize).map_or((None, 0), |(row, part)| (Some(row), part));
        let rest = truth.iter().skip_while(|row| Some(*row) != first);
        prop_assert_eq!(skipped.rows, rest.clone().take(limit).cloned().collect::<Vec<_>>());
        prop_assert_eq!((skipped.inset, skipped.more_before), (inset, offset > 0));
        prop_assert_eq!(skipped.more_after, rest.count() > limit);
        prop_assert_eq!(model.stats(&filter, Seq::MAX, Unit::Record).total, truth.len() as u64);
    }

    #[test]
    fn rows_of_columns_have_the_texts_that_were_asked_for_and_no_other_part_is_read(
        batches in batches(), compacted in 0usize..6, order in numeric_orders(), direction in directions(),
        texts in prop::sample::subsequence(Field::ALL, 0..Field::COUNT)
    ) {
        let model = stored(&batches, compacted);
        // compaction read rows too
        model.asked.borrow_mut().clear();
        let detail = Detail::Columns(texts.iter().copied().collect());
        let page = model.page(Query { limit: 1000, detail, ..query(&Predicate::ALL, order, direction) });
        let columns = |row: Stored| {
            let mut record = row.record.clone();
            record.texts = Texts::default();
            texts.iter().for_each(|field| {
                if let Some(text) = row.record.text(*field) {
                    record.texts.set(*field, text);
                }
            });
            record.attributes = None;
            for message in [&mut record.request, &mut record.response] {
                message.headers = Headers::default();
                message.body = message.body.take().map(|body| Body { size: body.size, ..Body::default() });
            }
            Stored { id: row.id, record }
        };
        let truth = model.naive(&Predicate::ALL, order, direction);
        prop_assert_eq!(page.rows, truth.into_iter().map(columns).collect::<Vec<_>>());
        let is_other = |id: &PartId| match id {
            PartId::Text(field) => !texts.contains(field),
            id => matches!(id, PartId::Details(_) | PartId::Bodies(_)),
        };
        let asked = model.asked.borrow();
        prop_assert_eq!(asked.iter().find(|id| is_other(id)), None);
    }

    #[test]
    fn a_total_is_exact_however_often_it_was_asked_for_before(
        batches in batches(), filters in prop::collection::vec(predicate(), 1..4), gone in predicate(), unit in units(),
        events in prop::collection::vec(0usize..5, 1..8), expiry in expiry()
    ) {
        let mut model = stored(&batches[..1], 1);
        let mut later = batches[1..].iter().cycle();
        for event in events {
            match (event, later.next()) {
                (0, _) => model.delete(&gone),
                (1, _) => model.compact(Urgency::Settle),
                (2, _) => model.expire(&expiry),
                (_, Some(batch)) => model.commit(batch),
                (_, None) => model.compact(Urgency::Relaxed),
            }
            for filter in &filters {
                let rows = model.naive(filter, Order::Time, Direction::Ascending);
                let total = rows.iter().map(|row| unit.of(row.record.kind)).sum();
                let ask = || model.page(Query { limit: 1, total: Total::Exact, unit, ..query(filter, Order::Time, Direction::Ascending) });
                let (first, again) = (ask(), ask());
                prop_assert_eq!((first.total, again.total), (Some(total), Some(total)));
                prop_assert_eq!(&first.rows, &again.rows);
            }
        }
    }

    #[test]
    fn retention_hides_what_arrived_before_the_horizon_of_its_project(
        mut batches in batches(), named in any::<u64>(), compacted in 0usize..8, filter in predicate(), crowded in any::<bool>(),
        expiries in prop::collection::vec(expiry(), 1..4), merged in any::<bool>()
    ) {
        for (at, record) in batches.iter_mut().flatten().enumerate() {
            match named >> (2 * (at % 32)) & 3 {
                0 => record.texts.clear(Field::Project),
                name => record.texts.set(Field::Project, ["alpha", "beta", "delta"][name as usize - 1]),
            }
        }
        if crowded {
            // more projects than a summary counts
            let like = batches[0][0].clone();
            batches[0].extend((0..300).map(|at| {
                let mut record = like.clone();
                record.texts.set(Field::Project, &format!("crowd{at}"));
                record
            }));
        }
        let mut model = stored(&batches, compacted);
        for expiry in expiries {
            let before = model.catalog.clone();
            model.expire(&expiry);
            for entry in &before.entries {
                let predicate = model.catalog.expiry.of(&entry.summary).unwrap_or(Predicate::Const(false));
                let whole = model.catalog.is_gone(&entry.summary);
                prop_assert!(!whole || predicate == Predicate::ALL);
            }
            let truth = model.naive(&filter, Order::Time, Direction::Ascending);
            let page = model.page(Query { limit: 1000, total: Total::Exact, ..query(&filter, Order::Time, Direction::Ascending) });
            prop_assert_eq!((page.rows, page.total), (truth.clone(), Some(truth.len() as u64)));
            prop_assert_eq!(model.stats(&filter, Seq::MAX, Unit::Record), model.count(&filter, Seq::MAX, Unit::Record));
            if merged {
                model.compact(Urgency::Settle);
            }
        }
    }

    #[test]
    fn a_page_at_a_row_is_the_page_at_its_position_or_lost(
        batches in batches(), compacted in 0usize..8, filter in predicate(), order in orders(), direction in directions(),
        limit in 1usize..9, at in any::<prop::sample::Index>(), beyond in 0u64..3, deleted in prop::option::of(predicate()),
        bounded in any::<bool>()
    ) {
        let mut model = stored(&batches, compacted);
        let count = batches.iter().map(Vec::len).sum::<usize>();
        // any sequence: of a row, of a destroyed one, of none
        let seq = Seq::new(at.index(count) as u64 + 1 + if beyond == 2 { count as u64 } else { 0 }).unwrap();
        if let Some(deleted) = &deleted {
            model.delete(deleted);
        }
        let bound = if bounded { Seq::new(count as u64 / 2 + 1).unwrap() } else { Seq::MAX };
        let mut truth = model.naive(&filter, order, direction);
        truth.retain(|row| row.id.seq() <= bound);
        let query = Query { limit, bound, total: Total::Exact, ..query(&filter, order, direction) };
        let after = model.page(Query { start: Start::AfterRow(seq), ..query.clone() });
        let before = model.page(Query { start: Start::BeforeRow(seq), ..query });
        let place = truth.iter().position(|row| row.id.seq() == seq);
        prop_assert_eq!((after.lost, before.lost), (place.is_none(), place.is_none()));
        prop_assert_eq!((after.total, before.total), (Some(truth.len() as u64), Some(truth.len() as u64)));
        let Some(place) = place else {
            prop_assert!(after.rows.is_empty() && before.rows.is_empty());
            prop_assert_eq!([after.more_before, after.more_after, before.more_before, before.more_after], [false; 4]);
            return Ok(());
        };
        prop_assert_eq!(after.rows, truth.iter().skip(place + 1).take(limit).cloned().collect::<Vec<_>>());
        prop_assert_eq!((after.more_before, after.more_after), (true, truth.len() > place + 1 + limit));
        prop_assert_eq!(&before.rows[..], &truth[place.saturating_sub(limit)..place]);
        prop_assert_eq!((before.more_before, before.more_after), (place > limit, true));
    }

    #[test]
    fn a_walk_from_row_to_row_sees_everything_once_whatever_happens_between_pages(
        batches in batches(), compacted in 0usize..8, filter in predicate(), order in orders(), direction in directions(),
        limits in proptest::collection::vec(1usize..9, 1..5), disturbances in proptest::collection::vec(disturbance(), 1..6)
    ) {
        let mut model = stored(&batches, compacted);
        let bound = model.catalog.head.unwrap().seq();
        let truth = model.naive(&filter, order, direction);
        let query = Query { bound, ..query(&filter, order, direction) };
        let (mut seen, mut start) = (Vec::<Stored>::new(), Start::First);
        for step in 0.. {
            let limit = limits[step % limits.len()];
            let page = model.page(Query { start, limit, ..query.clone() });
            let named = if let Start::AfterRow(_) = start { seen.last() } else { None };
            prop_assert_eq!(page.lost, named.is_some_and(|row| !model.lives(row)));
            if page.lost {
                // a client goes back to the last row that is still there
                prop_assert!(page.rows.is_empty());
                let kept = seen.iter().rev().find(|row| model.lives(row)).map(|row| row.id.seq());
                seen.retain(|row| model.lives(row));
                start = kept.map_or(Start::First, Start::AfterRow);
                continue;
            }
            if let (Some(first), false) = (page.rows.first(), seen.is_empty()) {
                let start = Start::BeforeRow(first.id.seq());
                let previous = model.page(Query { start, limit: seen.len() + 1, ..query.clone() });
                let expected: Vec<_> = seen.iter().filter(|row| model.lives(row)).cloned().collect();
                prop_assert_eq!(previous.rows, expected);
            }
            seen.extend(page.rows.iter().cloned());
            if !page.more_after {
                break;
            }
            start = Start::AfterRow(page.rows.last().unwrap().id.seq());
            model.disturb(&disturbances[step % disturbances.len()]);
        }
        let expected: Vec<_> = truth.iter().filter(|row| seen.contains(row) || model.lives(row)).cloned().collect();
        prop_assert_eq!(seen, expected);
    }

    #[test]
    fn an_order_by_text_has_no_positions(batches in batches(), order in prop::sample::select(TEXTUAL.to_vec()), direction in directions()) {
        let model = stored(&batches, 7);
        prop_assert_eq!(Position::of(&model.rows[0], order), None);
        let position = Position::arrival(model.rows[0].id.seq());
        for start in [Start::After(position), Start::Before(position)] {
            let page = model.page(Query { start, total: Total::Exact, ..query(&Predicate::ALL, order, direction) });
            prop_assert_eq!((page.lost, page.rows.len(), page.total), (true, 0, Some(model.rows.len() as u64)));
        }
    }

    #[test]
    fn a_walk_by_offset_sees_everything_once_while_others_write(
        batches in batches(), compacted in 0usize..8, filter in predicate(), order in orders(), direction in directions(),
        unit in units(), limits in proptest::collection::vec(1usize..9, 1..5),
        disturbances in proptest::collection::vec(disturbance(), 1..6)
    ) {
        let mut model = stored(&batches, compacted);
        let bound = model.catalog.head.unwrap().seq();
        let truth = model.naive(&filter, order, direction);
        let total: u64 = truth.iter().map(|row| unit.of(row.record.kind)).sum();
        let (mut seen, mut offset) = (Vec::<Stored>::new(), 0);
        for step in 0.. {
            let limit = limits[step % limits.len()];
            let start = Start::Offset(offset);
            let page = model.page(Query { start, limit, bound, unit, total: Total::Exact, ..query(&filter, order, direction) });
            prop_assert_eq!((page.inset, page.total), (0, Some(total)));
            offset += page.rows.iter().map(|row| unit.of(row.record.kind)).sum::<u64>();
            seen.extend(page.rows);
            if !page.more_after {
                break;
            }
            // offsets count from the first row, so only deletions and retention move them
            match &disturbances[step % disturbances.len()] {
                Disturbance::Delete(_) | Disturbance::Expire(_) => {}
                other => model.disturb(other),
            }
        }
        prop_assert_eq!((seen, offset), (truth, total));
    }

    #[test]
    fn a_walk_sees_everything_once_whatever_happens_between_pages(
        batches in batches(), compacted in 0usize..8, filter in predicate(), order in numeric_orders(), direction in directions(),
        limits in proptest::collection::vec(1usize..9, 1..5), disturbances in proptest::collection::vec(disturbance(), 1..6)
    ) {
        let mut model = stored(&batches, compacted);
        let bound = model.catalog.head.unwrap().seq();
        let truth = model.naive(&filter, order, direction);
        let (mut seen, mut start) = (Vec::<Stored>::new(), Start::First);
        let mut deleted = BTreeSet::new();
        for step in 0.. {
            let limit = limits[step % limits.len()];
            let page = model.page(Query { start, limit, bound, ..query(&filter, order, direction) });
            prop_assert!(page.rows.len() <= limit);
            // back and forth again: the same page, as long as nothing is destroyed
            if let (Some(first), Start::After(_)) = (page.rows.first(), start) {
                let before = Start::Before(position(first, order));
                let previous = model.page(Query { start: before, limit: seen.len() + 1, bound, ..query(&filter, order, direction) });
                let expected: Vec<_> = seen.iter().filter(|row| model.lives(row)).cloned().collect();
                prop_assert_eq!(previous.rows, expected);
            }
            seen.extend(page.rows.iter().cloned());
            prop_assert_eq!(page.more_after, truth.iter().filter(|row| model.lives(row)).any(|row| {
                let last = page.rows.last().map(|row| position(row, order));
                last.is_some_and(|last| match direction {
                    Direction::Ascending => position(row, order) > last,
                    Direction::Descending => position(row, order) < last,
                })
            }));
            if !page.more_after {
                break;
            }
            start = Start::After(position(page.rows.last().unwrap(), order));
            model.disturb(&disturbances[step % disturbances.len()]);
            deleted.extend(truth.iter().filter(|row| !model.lives(row)).map(|row| row.id));
        }
        // In order, nothing twice, nothing new; and only what was destroyed meanwhile may be missing.
        let expected: Vec<_> = truth.iter().filter(|row| seen.contains(row) || !deleted.contains(&row.id)).cloned().collect();
        prop_assert_eq!(seen, expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    /// Enough different texts for gram filters; each needle with whether paths have to be read for it.
    #[test]
    fn what_is_shown_is_found_through_gram_filters(salt in 0u64..1000, total in prop::sample::select(vec![Total::Skip, Total::Exact])) {
        let mut model = Model::default();
        let rows: Vec<Record> = (0..6_000u64).map(|at| {
            let mut record = Record::new(reqlog_core::timestamp::Timestamp::from_nanos(at as i64));
            record.kind = Kind::ALL[at as usize % 3];
            record.texts.set(Field::Method, if at % 2 == 0 { "GET" } else { "POST" });
            record.texts.set(Field::Path, &format!("/v1/Users/{:016x}", at.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt));
            record.status = (at % 5 > 0).then_some(200 + at as u16 % 7);
            record.duration = (at % 7 > 0).then_some(at * 100_000);
            if at % 4 == 0 {
                record.texts.set(Field::Message, &format!("worker {:016x} did its part", at.wrapping_mul(0x2545_f491_4f6c_dd1d)));
            }
            record
        }).collect();
        model.commit(&rows);
        model.compact(Urgency::Settle);
        let tail = rows[4_001].text(Field::Path).unwrap()[14..].to_owned();
        let cases = [
            (tail.clone(), true), (format!("{tail} 20"), true), (format!("get /v1/users/{tail}"), true), ("/v1/u".into(), true),
            ("S/0".into(), true), ("in 30".into(), true), (" ms".into(), true), ("worker".into(), false), ("OST".into(), false),
            ("/v2/orders".into(), false), ("/v2/orders 404 in 3 ms".into(), false), ("quintessence".into(), false),
        ];
        for (needle, reads_paths) in cases {
            let filter = Predicate::Text(TextKey::Shown, TextMatcher::contains(&needle));
            let truth = model.naive(&filter, Order::Time, Direction::Ascending);
            model.asked.borrow_mut().clear();
            let page = model.page(Query { limit: 0, total: Total::Exact, ..query(&filter, Order::Time, Direction::Ascending) });
            prop_assert_eq!(page.total, Some(truth.len() as u64), "{}", needle);
            prop_assert_eq!(model.asked.borrow().contains(&PartId::Text(Field::Path)), reads_paths, "{}", needle);
            let page = model.page(Query { limit: 7, total, ..query(&filter, Order::Time, Direction::Ascending) });
            prop_assert_eq!(&page.rows[..], &truth[..truth.len().min(7)], "{}", needle);
        }
    }

    /// Several blocks of columns and of row details, times that tie over whole blocks.
    #[test]
    fn large_sources_page_like_small_ones(
        sample in proptest::collection::vec(record(), 40), filter in predicate(), order in orders(), direction in directions(),
        spread in prop::sample::select(vec![1i64, 3, 100_000]), fresh in any::<bool>()
    ) {
        let mut model = Model::default();
        let rows: Vec<Record> = (0..10_000usize).map(|at| {
            let mut record = sample[(at * 7 + at / 13) % sample.len()].clone();
            record.time = reqlog_core::timestamp::Timestamp::from_nanos((at as i64 * 7919) % spread);
            record
        }).collect();
        rows.chunks(if fresh { 10_000 } else { 1_700 }).for_each(|rows| model.commit(rows));
        if !fresh {
            model.compact(Urgency::Settle);
        }
        let truth = model.naive(&filter, order, direction);
        let mut start = Start::First;
        let mut seen = Vec::new();
        loop {
            let page = model.page(Query { start, limit: 3_001, detail: Detail::Whole, ..query(&filter, order, direction) });
            seen.extend(page.rows.iter().map(|row| row.id));
            if !page.more_after { break; }
            let last = page.rows.last().unwrap();
            start = match order.number() {
                Some(_) => Start::After(position(last, order)),
                None => Start::AfterRow(last.id.seq()),
            };
        }
        prop_assert!(seen.into_iter().eq(truth.iter().map(|row| row.id)));
    }
}

#[test]
fn a_question_that_was_counted_before_counts_no_rows_again() {
    let mut model = Model::default();
    let record = |at: i64| {
        let mut record = Record::new(reqlog_core::timestamp::Timestamp::from_nanos(at));
        record.status = Some(if at % 3 == 0 { 500 } else { 200 });
        record
    };
    for segment in 0..5 {
        model.commit(&(0..4_000).map(|at| record(segment * 4_000 + at)).collect::<Vec<_>>());
        model.compact(Urgency::Settle);
    }
    assert_eq!(model.catalog.entries.len(), 5, "each commit is a segment of its own");
    let failed = Predicate::between(Number::Status, 500, 599);
    let ask =
        |limit| model.page(Query { limit, total: Total::Exact, ..query(&failed, Order::Time, Direction::Descending) });
    let (first, again) = (ask(10), ask(20));
    assert_eq!((first.total, again.total), (Some(6_667), Some(6_667)));
    assert_eq!((first.scanned.rows, first.scanned.opened), (20_000, 5));
    assert!(again.scanned.rows < 4_001 && again.scanned.opened == 1, "{:?}", again.scanned);
}
