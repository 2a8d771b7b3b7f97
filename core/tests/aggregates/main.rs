//! Aggregates are what a loop over all rows adds up, wherever the numbers come from: summaries, parts of segments, columns.

// other tests use the rest of it
#[allow(dead_code)]
#[path = "../model/mod.rs"]
mod model;
mod naive;

use model::Model;
use model::generate::{predicate, record};
use proptest::prelude::*;
use reqlog_core::aggregate::{EndpointOrder, EndpointsQuery, FacetKey, FacetsQuery, HistogramQuery, Width};
use reqlog_core::compact::Urgency;
use reqlog_core::filter::{Number, Predicate, TextKey, TextMatcher};
use reqlog_core::id::Seq;
use reqlog_core::level::Level;
use reqlog_core::neighbours::Side;
use reqlog_core::query::{Direction, Order};
use reqlog_core::record::{Field, Kind, Record};
use reqlog_core::scan::Scan;
use reqlog_core::segment::PartId;
use reqlog_core::timestamp::Timestamp;

const ORDERS: [EndpointOrder; 7] = [
    EndpointOrder::Count,
    EndpointOrder::Errors,
    EndpointOrder::ErrorRate,
    EndpointOrder::P50,
    EndpointOrder::P95,
    EndpointOrder::P99,
    EndpointOrder::Bytes,
];

impl Model {
    fn run(&self, mut scan: Scan) -> Scan {
        self.drive(&mut scan);
        scan
    }

    /// Holds every aggregate against its meaning.
    fn check(&self, filter: &Predicate, bound: Seq, ask: &Ask) -> Result<(), TestCaseError> {
        let filter = || filter.clone();
        let query = HistogramQuery { filter: filter(), bound, width: ask.width };
        let found = self.run(Scan::histogram(&query, &self.catalog)).finish_histogram();
        prop_assert_eq!(found, naive::histogram(&self.rows, &query), "{:?}", query);

        let query = FacetsQuery { filter: filter(), bound, keys: ask.keys.clone(), top: ask.top };
        let found = self.run(Scan::facets(&query, &self.catalog)).finish_facets(&query);
        prop_assert_eq!(found, naive::facets(&self.rows, &query), "{:?}", query);

        let query = EndpointsQuery { filter: filter(), bound, order: ask.order, limit: usize::MAX };
        let found = self.run(Scan::endpoints(&query, &self.catalog)).finish_endpoints(&query);
        let truth = naive::endpoints(&self.rows, &query);
        prop_assert!(found.complete && naive::is_sorted(&found.items, ask.order), "{:?}", found);
        prop_assert_eq!(found.distinct, truth.len() as u64);
        prop_assert_eq!(found.total, truth.iter().map(|endpoint| endpoint.count).sum::<u64>());
        for exact in &truth {
            let of = |found: &&reqlog_core::aggregate::Endpoint| {
                (&found.method, &found.route) == (&exact.method, &exact.route)
            };
            let found = found.items.iter().find(of);
            prop_assert!(found.is_some_and(|found| naive::is_alike(found, exact)), "{:?} for {:?}", found, exact);
        }
        let cut = EndpointsQuery { limit: ask.top, ..query };
        let few = self.run(Scan::endpoints(&cut, &self.catalog)).finish_endpoints(&cut);
        prop_assert_eq!(&few.items[..], &found.items[..ask.top.min(found.items.len())]);
        Ok(())
    }
}

#[derive(Clone, Debug)]
struct Ask {
    width: Width,
    keys: Vec<FacetKey>,
    top: usize,
    order: EndpointOrder,
}

fn ask() -> impl Strategy<Value = Ask> {
    let width = prop_oneof![
        (1usize..100).prop_map(Width::Buckets),
        Just(Width::Interval(1)),
        Just(Width::Interval(3)),
        (1i64..2_000).prop_map(Width::Interval),
        Just(Width::Interval(i64::MAX)),
    ];
    let all: Vec<FacetKey> = FacetKey::ALL.iter().map(|(_, key)| *key).collect();
    let keys = prop::sample::subsequence(all, 1..9).prop_shuffle();
    (width, keys, 1usize..8, prop::sample::select(ORDERS.to_vec())).prop_map(|(width, keys, top, order)| Ask {
        width,
        keys,
        top,
        order,
    })
}

/// What a histogram is usually asked with.
fn windowed() -> impl Strategy<Value = Predicate> {
    let low = || prop_oneof![Just(i64::MIN), -3i64..5];
    let high = || prop_oneof![Just(i64::MAX), 0i64..9];
    let window = (low(), high()).prop_map(|(low, high)| Predicate::between(Number::Time, low, high));
    prop_oneof![
        2 => predicate(),
        1 => window.clone(),
        2 => (window.clone(), predicate()).prop_map(|(window, filter)| Predicate::all_of([window, filter])),
        1 => (window.clone(), window, predicate())
            .prop_map(|(a, b, filter)| Predicate::all_of([Predicate::any_of([a, b]), filter])),
    ]
}

/// Rows in batches, or segments, or both.
fn stored(batches: &[Vec<Record>], compacted: usize) -> Model {
    let mut model = Model::default();
    for (at, records) in batches.iter().enumerate() {
        if at == compacted {
            model.compact(Urgency::Settle);
        }
        model.commit(records);
    }
    if compacted == 7 {
        model.compact(Urgency::Settle);
    }
    model
}

fn batches() -> impl Strategy<Value = Vec<Vec<Record>>> {
    proptest::collection::vec(proptest::collection::vec(record(), 1..12), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn aggregates_are_what_a_loop_adds_up(
        batches in batches(), compacted in 0usize..8, filter in windowed(), bound in 1u64..60,
        gone in prop::option::of(predicate()), ask in ask()
    ) {
        let mut model = stored(&batches, compacted);
        model.check(&filter, Seq::MAX, &ask)?;
        model.check(&Predicate::ALL, Seq::MAX, &ask)?;
        model.check(&filter, Seq::new(bound).unwrap(), &ask)?;
        if let Some(gone) = gone {
            model.delete(&gone);
            model.check(&filter, Seq::MAX, &ask)?;
            model.check(&Predicate::ALL, Seq::MAX, &ask)?;
        }
    }

    #[test]
    fn neighbours_are_those_next_in_time_of_the_same_project(
        batches in batches(), compacted in 0usize..8, pick in any::<prop::sample::Index>(), count in 0usize..6
    ) {
        let model = stored(&batches, compacted);
        let row = pick.get(&model.rows);
        let mut of_project = model.naive(&Predicate::ALL, Order::Time, Direction::Ascending);
        of_project.retain(|other| other.record.text(Field::Project) == row.record.text(Field::Project));
        let at = of_project.iter().position(|other| other.id == row.id).unwrap();
        let preview = |rows: &[reqlog_core::record::Stored]| rows.iter().map(|row| row.id).collect::<Vec<_>>();
        let find = |side: Side| preview(&model.page(side.query(row, &Predicate::ALL, count)).rows);
        prop_assert_eq!(find(Side::Before), preview(&of_project[at.saturating_sub(count)..at]));
        prop_assert_eq!(find(Side::After), preview(&of_project[at + 1..(at + 1 + count).min(of_project.len())]));
    }
}

/// Many rows, a ms apart, of few endpoints; every field by other digits of one number that looks random.
fn traffic(rows: usize, salt: usize) -> Vec<Record> {
    let record = |at: usize| {
        let number = (at + salt).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 3;
        let pick = |digit: u32, of: usize| (number >> (digit * 7) & 0xffff) % of;
        let mut record = Record::new(Timestamp::from_nanos(at as i64 * 1_000_000));
        record.kind = Kind::Exchange;
        record.status = [Some(200), Some(204), Some(404), Some(503), None][pick(0, 5)];
        record.level = if record.status == Some(503) { Level::Error } else { Level::Info };
        record.duration = (pick(1, 9) > 0).then(|| (pick(2, 60_000) * pick(3, 60_000)) as u64);
        record.texts.set(Field::Project, ["p0", "p1"][pick(4, 2)]);
        record.texts.set(Field::Method, ["GET", "POST"][pick(5, 2)]);
        record.texts.set(Field::Path, &format!("/v1/users/{}", pick(1, 5_000)));
        if pick(2, 3) == 0 {
            record.texts.set(Field::Route, ["/v1/users/{id}", "/v1/:user"][pick(3, 2)]);
        }
        record.texts.set(Field::Container, &format!("pod-{}", pick(3, 300)));
        record
    };
    (0..rows).map(record).collect()
}

fn narrowed() -> impl Strategy<Value = Predicate> {
    let ms = |low: i64, span: i64| Predicate::between(Number::Time, low * 1_000_000, (low + span) * 1_000_000);
    prop_oneof![
        1 => Just(Predicate::ALL),
        1 => Just(Predicate::project("p1")),
        2 => (0i64..9_000, 0i64..9_000).prop_map(move |(low, span)| ms(low, span)),
        1 => (0i64..9_000).prop_map(|low| Predicate::between(Number::Time, low * 1_000_000, i64::MAX)),
        1 => Just(Predicate::between(Number::Status, 400, 599)),
        1 => (0usize..20).prop_map(|pod| {
            Predicate::Text(TextKey::Field(Field::Container), TextMatcher::equal(&format!("pod-{pod}")))
        }),
        1 => Just(Predicate::Text(TextKey::Field(Field::Path), TextMatcher::contains("99"))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn aggregates_of_many_rows_are_what_a_loop_adds_up(
        rows in prop::sample::select(vec![900usize, 4_096, 9_000]), salt in 0usize..1_000, commits in 1usize..4,
        compacted in 0usize..5, filters in proptest::collection::vec((narrowed(), ask()), 3), interval in 1i64..500
    ) {
        let mut model = Model::default();
        for (at, records) in traffic(rows, salt).chunks(rows.div_ceil(commits)).enumerate() {
            if at == compacted {
                model.compact(Urgency::Settle);
            }
            model.commit(records);
        }
        if compacted == 4 {
            model.compact(Urgency::Settle);
        }
        for (filter, ask) in &filters {
            model.check(filter, Seq::MAX, ask)?;
            let width = Width::Interval(interval * 1_000_000);
            model.check(filter, Seq::MAX, &Ask { width, ..ask.clone() })?;
        }
    }
}

fn settled(rows: usize) -> Model {
    let mut model = Model::default();
    model.commit(&traffic(rows, 1));
    model.compact(Urgency::Settle);
    model
}

#[test]
fn what_summaries_know_is_answered_from_summaries() {
    let model = settled(6_000);
    let asked = |scan: Scan| {
        model.asked.borrow_mut().clear();
        drop(model.run(scan));
        model.asked.borrow().clone()
    };
    let facets = |filter: Predicate, names: &[&str]| {
        let keys = names.iter().map(|name| FacetKey::named(name).unwrap()).collect();
        asked(Scan::facets(&FacetsQuery { filter, bound: Seq::MAX, keys, top: 10 }, &model.catalog))
    };
    assert_eq!(facets(Predicate::ALL, &["level", "kind", "class", "method", "project", "service"]), []);
    assert_eq!(facets(Predicate::project("p0"), &["level", "method"]), []);
    // 300 containers are too many for the summary; their counts are a part
    let counts = PartId::Counts(Field::Container);
    assert_eq!(facets(Predicate::ALL, &["level", "container"]), [counts, counts]);
    assert_eq!(facets(Predicate::project("p1"), &["host"]), [PartId::Text(Field::Host)]);

    let histogram = |filter: Predicate, width| {
        asked(Scan::histogram(&HistogramQuery { filter, bound: Seq::MAX, width }, &model.catalog))
    };
    assert_eq!(histogram(Predicate::ALL, Width::Buckets(1)), []);
    let both = [PartId::Number(Number::Time), PartId::Number(Number::Status)];
    assert_eq!(histogram(Predicate::project("p0"), Width::Interval(1_000_000_000)), both);
}

#[test]
fn only_sources_that_may_hold_the_first_or_the_last_match_are_looked_into() {
    let mut model = Model::default();
    traffic(5_000, 1).chunks(500).for_each(|records| model.commit(records));
    let filter = Predicate::between(Number::Status, 404, 404);
    let query = HistogramQuery { filter, bound: Seq::MAX, width: Width::Buckets(10) };
    model.asked.borrow_mut().clear();
    // an interval for which there are too many buckets is known before anything is counted
    let refused = HistogramQuery { width: Width::Interval(1_000_000), ..query.clone() };
    let found = model.run(Scan::histogram(&refused, &model.catalog)).finish_histogram();
    assert_eq!(found, naive::histogram(&model.rows, &refused));
    assert!(found.is_err());
    // the first of ten batches, the last, and side by side with it the one before: time and status of each
    assert_eq!(model.asked.borrow().len(), 6, "{:?}", model.asked);
}

#[test]
fn past_the_limit_of_memory_facets_say_so_and_what_they_count_is_exact() {
    let model = settled(6_000);
    let keys = vec![FacetKey::Level, FacetKey::Text(Field::Path)];
    let query = FacetsQuery { filter: Predicate::ALL, bound: Seq::MAX, keys, top: usize::MAX };
    let truth = naive::facets(&model.rows, &query);
    let found = model.run(Scan::facets_within(&query, &model.catalog, 20_000)).finish_facets(&query);
    let (level, path) = (&found.facets[0].1, &found.facets[1].1);
    assert!(!found.complete() && level.complete && !path.complete);
    assert_eq!((level, found.total, path.missing), (&truth.facets[0].1, 6_000, 0));
    assert!(path.distinct > 100 && path.distinct < truth.facets[1].1.distinct, "{}", path.distinct);
    assert!(path.values.iter().all(|counted| truth.facets[1].1.values.contains(counted)));
}
