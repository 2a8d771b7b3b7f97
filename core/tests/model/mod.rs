//! A store in memory: the engine's shell at its smallest, with the plain list of rows beside it as the truth.

pub mod generate;
mod old;

use reqlog_core::batch;
use reqlog_core::catalog::{Catalog, Deletion, Entry, Expiry, SourceId};
use reqlog_core::codec::Portable;
use reqlog_core::compact::{self, Bounds, Survivors, Urgency};
use reqlog_core::filter::{Number, Predicate};
use reqlog_core::id::{EntryId, Seq};
use reqlog_core::query::{Detail, Direction, Order, Page, Position, Query, SortKey, Start, Stats, Total, Unit};
use reqlog_core::record::{Field, Record, Stored};
use reqlog_core::scan::{Next, Question, Scan, Selecting, Step, Task};
use reqlog_core::segment::{self, Directory, Part, PartId};
use reqlog_core::shown::shown;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

enum Source {
    Batch { first: Seq, arrival: u64, blob: Vec<u8> },
    Segment(Vec<u8>),
}

#[derive(Default)]
pub struct Model {
    pub rows: Vec<Stored>,
    pub catalog: Catalog,
    sources: BTreeMap<SourceId, Source>,
    segments: u64,
    deletions: u64,
    // the last deletion that was made physical in each segment
    erased: HashMap<SourceId, u64>,
    arrival: u64,
    old: bool,
    /// The parts that scans asked for.
    pub asked: RefCell<Vec<PartId>>,
    // what scans counted, for later ones
    known: RefCell<HashMap<(SourceId, Question), u64>>,
}

impl Model {
    /// A store whose segments are written as before there were parts with counts.
    pub fn old() -> Self {
        Self { old: true, ..Self::default() }
    }

    pub fn commit(&mut self, records: &[Record]) {
        self.arrival += 7;
        let first = self.catalog.head.map_or(1, |head| head.seq().get() + 1);
        let first = Seq::new(first).unwrap();
        let Some(encoded) = batch::encode(records, &Portable) else { return };
        let summary = encoded.draft.place(first, self.arrival).unwrap();
        self.catalog.head = Some(EntryId::new(self.arrival, summary.seq.1));
        let id = SourceId::Batch(first.get());
        self.catalog.entries.push(Entry { id, summary: Arc::new(summary) });
        self.sources.insert(id, Source::Batch { first, arrival: self.arrival, blob: encoded.blob });
        for (at, record) in records.iter().enumerate() {
            let id = EntryId::new(self.arrival, first.after(at as u64).unwrap());
            self.rows.push(Stored { id, record: record.clone() });
        }
    }

    pub fn delete(&mut self, filter: &Predicate) {
        let Some(head) = self.catalog.head.map(EntryId::seq) else { return };
        self.deletions += 1;
        self.catalog.deletions.push(Arc::new(Deletion { id: self.deletions, filter: filter.clone(), head }));
        self.rows.retain(|row| !filter.matches_stored(row));
    }

    /// Hides what arrived before the horizons, none of which is later than the next commit.
    pub fn expire(&mut self, expiry: &Expiry) {
        let [unnamed, others] = [expiry.unnamed, expiry.others].map(|horizon| horizon.min(self.arrival + 1));
        let projects = expiry.projects.iter().map(|(name, horizon)| (name.clone(), *horizon.min(&(self.arrival + 1))));
        let expiry = self.catalog.expiry.max(&Expiry { projects: projects.collect(), unnamed, others });
        self.rows.retain(|row| !expiry.hides(row));
        self.catalog.expiry = Arc::new(expiry);
    }

    /// Runs merges until none is due.
    pub fn compact(&mut self, urgency: Urgency) {
        while let Some(merge) = compact::plan(&self.catalog.entries, |entry| self.size(entry), urgency, &Bounds::SERVER)
        {
            self.merge(&merge.inputs);
        }
        if self.catalog.entries.iter().all(|entry| matches!(entry.id, SourceId::Segment(_))) {
            let inputs: Vec<SourceId> = self.catalog.entries.iter().map(|entry| entry.id).collect();
            inputs.iter().for_each(|input| self.merge(&[*input]));
            // also those that found no source
            self.merge(&[]);
            assert!(
                self.catalog.deletions.is_empty(),
                "with every row rewritten, no deletion has anything left to hide"
            );
        }
    }

    /// The last deletion that was made physical in a source.
    pub fn erased(&self, id: SourceId) -> u64 {
        self.erased.get(&id).copied().unwrap_or(0)
    }

    /// Bytes of a source.
    pub fn size(&self, entry: &Entry) -> u64 {
        match &self.sources[&entry.id] {
            Source::Batch { blob: bytes, .. } | Source::Segment(bytes) => bytes.len() as u64,
        }
    }

    pub fn merge(&mut self, inputs: &[SourceId]) {
        let entries = self.catalog.entries.iter().filter(|entry| inputs.contains(&entry.id));
        let mut rows: Vec<Stored> = Vec::new();
        for entry in entries {
            let survivors = Survivors::of(&self.catalog, entry);
            rows.extend(self.read(entry.id).into_iter().filter(|row| survivors.keep(row)));
        }
        self.exchange(inputs, rows);
    }

    /// Replaces sources by segments of these rows.
    pub fn exchange(&mut self, inputs: &[SourceId], rows: Vec<Stored>) {
        let settled = compact::settled(&self.catalog, |id| self.erased(id), inputs);
        self.catalog.entries.retain(|entry| !inputs.contains(&entry.id));
        for mut rows in compact::by_project(rows) {
            compact::sort(&mut rows);
            let built = segment::build(&rows, &Portable).unwrap();
            self.segments += 1;
            let id = SourceId::Segment(self.segments);
            self.catalog.entries.push(Entry { id, summary: Arc::new(built.summary) });
            self.erased.insert(id, self.catalog.last_deletion());
            let bytes = if self.old { old::without_counts(&built.bytes) } else { built.bytes };
            self.sources.insert(id, Source::Segment(bytes));
        }
        self.catalog.deletions.retain(|deletion| !settled.contains(&deletion.id));
    }

    /// What is stored of a source, whether or not anybody sees it.
    pub fn read(&self, id: SourceId) -> Vec<Stored> {
        match &self.sources[&id] {
            Source::Batch { first, arrival, blob } => batch::decode(blob, *first, *arrival, &Portable).unwrap(),
            Source::Segment(_) => {
                let entry = self.catalog.entries.iter().find(|entry| entry.id == id).unwrap().clone();
                let catalog = Catalog { head: self.catalog.head, entries: vec![entry], ..Catalog::default() };
                let query = Query {
                    filter: Predicate::ALL,
                    order: Order::Time,
                    direction: Direction::Ascending,
                    start: Start::First,
                    bound: Seq::MAX,
                    limit: usize::MAX - 1,
                    detail: Detail::Whole,
                    total: Total::Skip,
                    unit: Unit::Record,
                };
                self.answer(query, &catalog).rows
            }
        }
    }

    pub fn page(&self, query: Query) -> Page {
        self.answer(query, &self.catalog)
    }

    /// The same page, found in another way.
    pub fn page_selecting(&self, query: Query, selecting: Selecting) -> Page {
        self.page_of(Scan::page_selecting(query, &self.catalog, selecting))
    }

    fn answer(&self, query: Query, catalog: &Catalog) -> Page {
        self.page_of(Scan::page(query, catalog))
    }

    fn page_of(&self, mut scan: Scan) -> Page {
        scan.recall(|source, question| self.known.borrow().get(&(source, question)).copied());
        self.drive(&mut scan);
        self.known.borrow_mut().extend(scan.learned().map(|(source, question, count)| ((source, question), count)));
        scan.finish()
    }

    pub fn stats(&self, filter: &Predicate, bound: Seq, unit: Unit) -> Stats {
        let mut scan = Scan::stats(filter, bound, unit, &self.catalog);
        self.drive(&mut scan);
        scan.finish_stats()
    }

    /// Runs a scan to its end. Tasks are absorbed last first, to show that their order does not count.
    pub fn drive(&self, scan: &mut Scan) {
        let mut running: Vec<Box<Task>> = Vec::new();
        loop {
            match scan.next() {
                Next::Run(task) => running.push(task),
                Next::Wait => {
                    let mut task = running.pop().unwrap();
                    scan.absorb(loop {
                        match task.step().unwrap() {
                            Step::Need(need) => need.into_iter().for_each(|id| {
                                self.asked.borrow_mut().push(id);
                                let part = self.part(task.source(), id);
                                task.supply(id, part);
                            }),
                            Step::Done(partial) => break partial,
                        }
                    });
                }
                Next::Done => return,
            }
        }
    }

    fn part(&self, source: SourceId, id: PartId) -> Arc<Part> {
        Arc::new(match &self.sources[&source] {
            Source::Batch { .. } => {
                let mut rows = self.read(source);
                rows.sort_by_key(|row| (row.record.time, row.id.seq()));
                let mut parts = segment::columns(&rows).into_iter();
                parts.find(|(known, _)| *known == id).map_or(Part::Absent, |(_, part)| part)
            }
            Source::Segment(bytes) => {
                let size = bytes.len() as u64;
                let trailer = &bytes[bytes.len() - Directory::TRAILER_LEN as usize..];
                let slice = |range: std::ops::Range<u64>| &bytes[range.start as usize..range.end as usize];
                let directory = Directory::read(slice(Directory::footer(trailer, size).unwrap())).unwrap();
                match directory.locate(id) {
                    Some(range) => directory.decode(id, slice(range), &Portable).unwrap(),
                    None => Part::Absent,
                }
            }
        })
    }

    /// What [`Self::stats`] must answer.
    pub fn count(&self, filter: &Predicate, bound: Seq, unit: Unit) -> Stats {
        let mut stats = Stats::default();
        for row in self.rows.iter().filter(|row| row.id.seq() <= bound && filter.matches_stored(row)) {
            let record = &row.record;
            let class = record.status.map(|status| status / 100).filter(|class| (1..=9).contains(class));
            let units = unit.of(record.kind);
            stats.total += units;
            for (counts, value) in [
                (&mut stats.levels, Some(record.level.name())),
                (&mut stats.kinds, Some(record.kind.name())),
                (&mut stats.classes, class.map(|class| format!("{class}xx")).as_deref()),
                (&mut stats.methods, record.text(Field::Method)),
                (&mut stats.projects, record.text(Field::Project)),
                (&mut stats.containers, record.text(Field::Container)),
                (&mut stats.services, record.text(Field::Service)),
            ] {
                value.into_iter().for_each(|value| *counts.entry(value.to_owned()).or_default() += units);
            }
        }
        stats
    }

    /// What [`Self::page`] must answer from the first row on: filter, sort, nothing clever.
    pub fn naive(&self, filter: &Predicate, order: Order, direction: Direction) -> Vec<Stored> {
        let mut rows: Vec<Stored> = self.rows.iter().filter(|row| filter.matches_stored(row)).cloned().collect();
        rows.sort_by_key(|row| place(row, order));
        if direction == Direction::Descending {
            rows.reverse();
        }
        rows
    }
}

/// What a row is sorted by: its number or its text, then its sequence.
fn place(row: &Stored, order: Order) -> (Option<i64>, Option<String>, Seq) {
    let record = &row.record;
    let number = match order {
        Order::Time => Number::Time.of(record),
        Order::Arrival => Some(row.id.seq().get() as i64),
        Order::Duration => Number::Duration.of(record),
        Order::Status => Number::Status.of(record),
        Order::Size => Number::Size.of(record),
        Order::Level => Some(record.level as i64),
        Order::Trace | Order::Shown => None,
    };
    let text = match order {
        Order::Trace => record.text(Field::TraceId).map(str::to_owned),
        Order::Shown => shown(record).map(std::borrow::Cow::into_owned),
        _ => None,
    };
    (number, text, row.id.seq())
}

/// Where a row stands in an order by number.
pub fn position(row: &Stored, order: Order) -> Position {
    let (number, _, seq) = place(row, order);
    Position { key: SortKey::of(number), seq }
}
