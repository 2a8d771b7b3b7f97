//! What deletions and limits hide is gone at once for readers, and in the end for good.

#[allow(dead_code)] // the laws use the rest of it
mod model;

use model::Model;
use model::generate::{predicate, record};
use proptest::prelude::*;
use reqlog_core::catalog::{Entry, Expiry, SourceId};
use reqlog_core::compact::{self, Bounds, Urgency};
use reqlog_core::filter::Predicate;
use reqlog_core::id::{EntryId, Seq};
use reqlog_core::query::{Detail, Direction, Order, Query, Start, Total, Unit};
use reqlog_core::record::{Field, Record, Stored};
use reqlog_core::retention::{self, Limits, Look, Retention};
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

/// Steps of so few rows that much takes several.
const SMALL: Bounds = Bounds {
    fresh_rows: 20,
    fresh_bytes: 40_000,
    fresh_batches: 4,
    most_batches: 8,
    full_rows: 16,
    full_bytes: 30_000,
    step_rows: 32,
    step_bytes: 60_000,
};

#[derive(Clone, Debug)]
enum Event {
    Commit(Vec<Record>),
    Delete(Predicate),
    Expire(Expiry),
    Cut,
    Step(Urgency),
}

fn event() -> impl Strategy<Value = Event> {
    let project = prop::sample::select(vec![None, Some("alpha"), Some("beta")]);
    let named = (record(), project).prop_map(|(mut record, project)| {
        project.into_iter().for_each(|name| record.texts.set(Field::Project, name));
        record
    });
    // commits of the model arrive 7 ms apart
    let expiry = (prop::option::of(0u64..90), 0u64..90, 0u64..90).prop_map(|(alpha, unnamed, others)| Expiry {
        projects: alpha.map(|horizon| ("alpha".to_owned(), horizon)).into_iter().collect(),
        unnamed,
        others,
    });
    prop_oneof![
        6 => proptest::collection::vec(named, 1..9).prop_map(Event::Commit),
        2 => predicate().prop_map(Event::Delete),
        1 => expiry.prop_map(Event::Expire),
        1 => Just(Event::Cut),
        3 => Just(Event::Step(Urgency::Relaxed)),
        1 => Just(Event::Step(Urgency::Settle)),
    ]
}

/// A compactor over the model.
struct Store {
    model: Model,
    limits: Retention,
}

impl Store {
    // one step; whether there was anything to do
    fn step(&mut self, urgency: Urgency) -> bool {
        let (model, catalog) = (&self.model, &self.model.catalog);
        let size = |entry: &Entry| model.size(entry);
        let gone = compact::gone(catalog);
        if !gone.is_empty() {
            self.model.exchange(&gone, Vec::new());
            return true;
        }
        let half = |entry: &Entry| Ok::<_, Infallible>(retention::half(arrivals(model, entry)).unwrap());
        let due = || retention::due(&self.limits, catalog, catalog.entries.iter(), size, half).unwrap();
        let merge = compact::plan(&catalog.entries, size, urgency, &SMALL)
            .or_else(|| compact::erase(catalog, &catalog.entries, |id| model.erased(id), size, &SMALL))
            .or_else(|| compact::rewrite(due()?, &catalog.entries, size, &SMALL));
        let inputs = merge.map(|merge| merge.inputs).unwrap_or_default();
        let done = inputs.is_empty() && compact::settled(catalog, |id| model.erased(id), &[]).is_empty();
        self.model.merge(&inputs);
        !done
    }

    // hides what exceeds the limits of bytes
    fn cut(&mut self) -> bool {
        let model = &self.model;
        let look = |entry: &Entry| {
            let mut arrivals = arrivals(model, entry);
            arrivals.sort_unstable();
            Some(arrivals)
        };
        let cuts = retention::cuts(&self.limits, &model.catalog, |entry| model.size(entry), look);
        self.expire(&cuts)
    }

    // hides rows; whether any was hidden that was not before
    fn expire(&mut self, expiry: &Expiry) -> bool {
        let old = self.model.catalog.clone();
        let stored = self.stored();
        self.model.expire(expiry);
        let new = self.model.catalog.expiry.clone();
        let last = stored.iter().filter(|row| new.hides(row)).map(|row| row.id.seq()).max();
        let is_new = stored.iter().any(|row| new.hides(row) && !old.expiry.hides(row));
        let columns = |row: &Stored| (row.id.arrival_ms(), row.id.seq().get());
        let look = |entry: &Entry| {
            let rows = self.model.read(entry.id);
            match entry.id {
                SourceId::Batch(_) => Look::Rows(rows),
                SourceId::Segment(_) => Look::Columns(rows.iter().map(columns).collect()),
            }
        };
        let hidden = retention::hidden(&old, &new, look);
        assert!(if is_new { hidden == last } else { hidden.is_none() || hidden == last }, "{hidden:?} is not {last:?}");
        let bound = retention::hidden(&old, &new, |_| Look::Spared);
        assert!(bound >= hidden && bound <= old.head.map(EntryId::seq), "{bound:?} is no bound of {hidden:?}");
        is_new
    }

    fn stored(&self) -> Vec<Stored> {
        self.model.catalog.entries.iter().flat_map(|entry| self.model.read(entry.id)).collect()
    }

    // readers see what is left, nothing else
    fn check(&self) {
        let all = Query {
            filter: Predicate::ALL,
            order: Order::Arrival,
            direction: Direction::Ascending,
            start: Start::First,
            bound: Seq::MAX,
            limit: 10_000,
            detail: Detail::Whole,
            total: Total::Exact,
            unit: Unit::Record,
        };
        let truth = self.model.naive(&Predicate::ALL, Order::Arrival, Direction::Ascending);
        let page = self.model.page(all);
        assert_eq!((page.total, &page.rows), (Some(truth.len() as u64), &truth));
    }
}

fn arrivals(model: &Model, entry: &Entry) -> Vec<u64> {
    model.read(entry.id).iter().map(|row| row.id.arrival_ms()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn in_the_end_nothing_is_stored_that_nobody_sees(
        events in proptest::collection::vec(event(), 1..24), default in prop::option::of(2_000u64..30_000),
        alpha in prop::option::of(2_000u64..30_000)
    ) {
        let limit = |bytes| Limits { age: None, bytes };
        let limits = Retention { default: limit(default), projects: BTreeMap::from([("alpha".to_owned(), limit(alpha))]) };
        let mut store = Store { model: Model::default(), limits };
        for event in events {
            match event {
                Event::Commit(records) => store.model.commit(&records),
                Event::Delete(filter) => store.model.delete(&filter),
                Event::Expire(expiry) => drop(store.expire(&expiry)),
                Event::Cut => drop(store.cut()),
                Event::Step(urgency) => drop(store.step(urgency)),
            }
            store.check();
        }
        // until there is nothing to hide and nothing to rewrite
        let mut steps = 0;
        while store.cut() | store.step(Urgency::Settle) {
            store.check();
            steps += 1;
            prop_assert!(steps < 500, "no end");
        }
        let catalog = &store.model.catalog;
        prop_assert!(catalog.deletions.is_empty() && compact::gone(catalog).is_empty());
        let live: BTreeSet<Seq> = store.model.rows.iter().map(|row| row.id.seq()).collect();
        let dead = |row: &&Stored| !live.contains(&row.id.seq());
        prop_assert!(store.stored().iter().filter(dead).all(|row| catalog.expiry.hides(row)), "a deleted row is stored");
        let over = retention::exceeding(&store.limits, catalog, |entry| store.model.size(entry));
        prop_assert!(over.is_empty(), "{:?} exceed their bytes", over);
        for entry in &catalog.entries {
            prop_assert!(matches!(entry.id, SourceId::Segment(_)));
            let rows = store.model.read(entry.id);
            prop_assert!(2 * rows.iter().filter(dead).count() < rows.len(), "half of a segment has expired");
        }
    }
}
