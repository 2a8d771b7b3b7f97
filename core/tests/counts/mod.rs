//! Statistics are what a loop counts, wherever the counts come from: summaries, parts of segments, or columns.

use super::model::Model;
use super::model::generate::predicate;
use super::{batches, stored};
use proptest::prelude::*;
use reqlog_core::compact::Urgency;
use reqlog_core::filter::{Number, Predicate, TextKey, TextMatcher};
use reqlog_core::id::Seq;
use reqlog_core::level::Level;
use reqlog_core::query::Unit;
use reqlog_core::record::{Field, Kind, Record};
use reqlog_core::segment::PartId;
use reqlog_core::timestamp::Timestamp;
use std::collections::BTreeSet;

const UNITS: [Unit; 2] = [Unit::Record, Unit::Half];

/// How many values a field has, and their length in bytes.
type Names = (usize, usize);

/// Records of which summaries can count much or little.
#[derive(Clone, Debug)]
struct Crowd {
    rows: usize,
    projects: usize,
    services: Names,
    containers: Names,
    methods: usize,
    levels: usize,
    kinds: usize,
    statuses: Vec<Option<u16>>,
    salt: usize,
}

impl Crowd {
    fn records(&self) -> Vec<Record> {
        (0..self.rows).map(|at| self.record(at)).collect()
    }

    fn record(&self, at: usize) -> Record {
        // every field by other digits of one number that looks random
        let number = (at + self.salt).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let pick = |digit: u32, of: usize| (number >> (digit * 9) & 0xffff) % of;
        let mut record = Record::new(Timestamp::from_nanos(at as i64));
        record.level = Level::ALL[pick(0, self.levels)];
        record.kind = Kind::ALL[pick(1, self.kinds)];
        record.status = self.statuses[pick(2, self.statuses.len())];
        let mut set = |field, prefix: &str, digit, (values, len): Names| {
            // one more than the values: some rows have none
            let value = pick(digit, values + usize::from(values > 1));
            if value < values {
                record.texts.set(field, &format!("{prefix}{value:0len$}"));
            }
        };
        set(Field::Service, "s", 3, self.services);
        set(Field::Container, "pod-", 4, self.containers);
        set(Field::Method, "M", 5, (self.methods, 1));
        record.texts.set(Field::Project, &format!("p{}", pick(6, self.projects)));
        record
    }
}

fn names() -> impl Strategy<Value = Names> {
    // few, more than a summary counts, and few that are too long for it
    (prop::sample::select(vec![1usize, 3, 30, 256, 257, 400]), prop::sample::select(vec![1usize, 8, 80]))
}

fn crowd() -> impl Strategy<Value = Crowd> {
    let statuses = prop_oneof![
        Just(vec![None]),
        Just(vec![Some(204)]),
        Just(vec![None, Some(200), Some(404), Some(503)]),
        Just(vec![Some(7), Some(999), Some(1000)]),
    ];
    let sizes = (prop::sample::select(vec![40usize, 900, 4_500, 6_000]), 1usize..3, 1usize..9, 1usize..7, 1usize..5);
    (sizes, names(), names(), statuses, 0usize..1000).prop_map(
        |((rows, projects, methods, levels, kinds), services, containers, statuses, salt)| Crowd {
            rows,
            projects,
            services,
            containers,
            methods,
            levels,
            kinds,
            statuses,
            salt,
        },
    )
}

fn text(field: Field, value: &str) -> Predicate {
    Predicate::Text(TextKey::Field(field), TextMatcher::equal(value))
}

/// Filters that summaries decide for all sources, for some, or for none.
fn filter() -> impl Strategy<Value = Predicate> {
    let leaf = prop_oneof![
        2 => Just(Predicate::ALL),
        1 => (0i64..7, 0i64..7).prop_map(|(low, span)| Predicate::between(Number::Level, low, low + span)),
        1 => (0i64..4, 0i64..4).prop_map(|(low, span)| Predicate::between(Number::Kind, low, low + span)),
        2 => (0i64..5_000, 0i64..5_000).prop_map(|(low, span)| Predicate::between(Number::Time, low, low + span)),
        1 => prop::sample::select(vec!["p0", "p1"]).prop_map(Predicate::project),
        1 => prop::sample::select(vec!["s0", "s1", "s00000002"]).prop_map(|name| text(Field::Service, name)),
        1 => Just(text(Field::Container, "pod-2")),
        1 => Just(Predicate::Text(TextKey::Field(Field::Container), TextMatcher::present())),
        1 => predicate(),
    ];
    let leaf = leaf.boxed();
    prop_oneof![
        3 => leaf.clone(),
        1 => (leaf.clone(), leaf.clone()).prop_map(|(a, b)| Predicate::And(vec![a, b])),
        1 => (leaf.clone(), leaf.clone()).prop_map(|(a, b)| Predicate::Or(vec![a, b])),
        1 => leaf.prop_map(|inner| Predicate::Not(Box::new(inner))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn counts_are_what_a_loop_counts(batches in batches(), compacted in 0usize..8, filter in predicate(), bound in 1u64..60) {
        let model = stored(&batches, compacted);
        for bound in [Seq::MAX, Seq::new(bound).unwrap()] {
            for unit in UNITS {
                prop_assert_eq!(model.stats(&filter, bound, unit), model.count(&filter, bound, unit));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn counts_of_many_rows_are_what_a_loop_counts(
        crowd in crowd(), filters in proptest::collection::vec(filter(), 4), commits in 1usize..4, compacted in 0usize..5,
        old in any::<bool>(), deleted in prop::option::of(filter())
    ) {
        let mut model = if old { Model::old() } else { Model::default() };
        for (at, records) in crowd.records().chunks(crowd.rows.div_ceil(commits)).enumerate() {
            // all in batches, all in segments, or some in either
            if at == compacted {
                model.compact(Urgency::Settle);
            }
            model.commit(records);
        }
        if compacted == 4 {
            model.compact(Urgency::Settle);
        }
        let check = |model: &Model| {
            for filter in filters.iter().chain([&Predicate::ALL]) {
                for unit in UNITS {
                    let counted = model.stats(filter, Seq::MAX, unit);
                    prop_assert_eq!(counted, model.count(filter, Seq::MAX, unit), "{:?} {:?}", unit, filter);
                }
            }
            Ok(())
        };
        check(&model)?;
        if let Some(deleted) = &deleted {
            model.delete(deleted);
            check(&model)?;
            model.compact(Urgency::Settle);
            check(&model)?;
        }
    }
}

// two projects, each a segment of exchanges; 300 containers, so that no summary counts them
fn two_segments(old: bool) -> Model {
    two_segments_of(1, old)
}

fn two_segments_of(kinds: usize, old: bool) -> Model {
    let mut model = if old { Model::old() } else { Model::default() };
    let crowd = Crowd {
        rows: 6_000,
        projects: 2,
        services: (3, 1),
        containers: (300, 4),
        methods: 4,
        levels: 6,
        kinds,
        statuses: vec![Some(200), Some(500)],
        salt: 1,
    };
    model.commit(&crowd.records());
    model.compact(Urgency::Settle);
    assert_eq!(model.catalog.entries.len(), 2);
    assert!(model.catalog.entries.iter().all(|entry| entry.summary.containers.is_none()));
    model
}

// what is read for statistics, each part as often as it is
fn read(model: &Model, filter: &Predicate) -> Vec<PartId> {
    read_in(Unit::Record, model, filter)
}

fn read_in(unit: Unit, model: &Model, filter: &Predicate) -> Vec<PartId> {
    model.asked.borrow_mut().clear();
    assert_eq!(model.stats(filter, Seq::MAX, unit), model.count(filter, Seq::MAX, unit));
    model.asked.borrow().clone()
}

#[test]
fn where_all_rows_match_only_the_counts_that_a_summary_lacks_are_read() {
    let counts = PartId::Counts(Field::Container);
    let model = two_segments(false);
    assert_eq!(read(&model, &Predicate::ALL), [counts, counts]);
    assert_eq!(read(&model, &Predicate::project("p1")), [counts]);
    assert_eq!(read(&model, &Predicate::between(Number::Kind, 0, 0)), [counts, counts]);
    assert_eq!(read(&model, &Predicate::between(Number::Time, -5, 6_000)), [counts, counts]);
    assert_eq!(read(&model, &text(Field::Service, "s9")), []);
}

#[test]
fn halves_of_all_rows_are_counted_without_a_column() {
    let (counts, exchanges) = (PartId::Counts(Field::Container), PartId::Exchanges);
    // all are exchanges
    assert_eq!(read_in(Unit::Half, &two_segments(false), &Predicate::ALL), [counts, counts]);
    // of all kinds; the tasks of both segments are under way together
    let mixed = two_segments_of(4, false);
    assert_eq!(read_in(Unit::Half, &mixed, &Predicate::ALL), [counts, exchanges, counts, exchanges]);
    assert_eq!(read_in(Unit::Half, &mixed, &Predicate::project("p0")), [counts, exchanges]);
    let kind = |kind: Kind| Predicate::between(Number::Kind, kind as i64, kind as i64);
    let read = read_in(Unit::Half, &mixed, &kind(Kind::Event));
    assert!(read.contains(&PartId::Number(Number::Kind)) && !read.contains(&exchanges), "{read:?}");
}

#[test]
fn a_segment_that_keeps_nothing_of_its_exchanges_is_counted_by_its_columns() {
    let read = read_in(Unit::Half, &two_segments_of(4, true), &Predicate::project("p0"));
    assert_eq!(read.iter().filter(|part| matches!(part, PartId::Number(Number::Kind))).count(), 1, "{read:?}");
}

#[test]
fn a_segment_without_counts_is_counted_by_the_columns_that_its_summary_lacks() {
    let read = read(&two_segments(true), &Predicate::ALL);
    let expected = [PartId::Counts(Field::Container), PartId::Text(Field::Container)];
    assert_eq!(read.len(), 4, "{read:?}");
    assert!(read.iter().all(|part| expected.contains(part)), "{read:?}");
}

#[test]
fn where_some_rows_match_only_columns_in_which_rows_differ_are_read() {
    let model = two_segments(false);
    let differing = [
        PartId::Number(Number::Level),
        PartId::Number(Number::Status),
        PartId::Text(Field::Service),
        PartId::Text(Field::Container),
        PartId::Text(Field::Method),
    ];
    let mut expected = differing.to_vec();
    expected.push(PartId::Number(Number::Time));
    let filter = Predicate::all_of([Predicate::project("p0"), Predicate::between(Number::Time, 7, 3_000)]);
    let set = |parts: &[PartId]| parts.iter().map(|part| format!("{part:?}")).collect::<BTreeSet<_>>();
    let parts = read(&model, &filter);
    assert_eq!((parts.len(), set(&parts)), (expected.len(), set(&expected)));
}

#[test]
fn a_source_that_a_deletion_may_touch_is_scanned_and_no_other() {
    let mut model = two_segments(false);
    let gone = Predicate::all_of([Predicate::project("p0"), Predicate::between(Number::Level, 5, 6)]);
    model.delete(&gone);
    let parts = read(&model, &Predicate::ALL);
    let counts = parts.iter().filter(|part| matches!(part, PartId::Counts(_))).count();
    assert_eq!((counts, parts.len()), (1, 6), "{parts:?}");
    assert!(
        parts.contains(&PartId::Number(Number::Level)) && !parts.contains(&PartId::Text(Field::Project)),
        "{parts:?}"
    );
}
