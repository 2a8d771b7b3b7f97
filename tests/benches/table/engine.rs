//! reqlog through its native library.

use super::questions::Question;
use super::report::Rate;
use super::{PAGE, Result};
use reqlog::ingest;
use reqlog::store::{Options, Store};
use reqlog_core::auth::Scope;
use reqlog_core::filter::{Filter, Predicate};
use reqlog_core::id::Seq;
use reqlog_core::plan::{IngestMode, IngestRequest, Settings};
use reqlog_core::query::{Counts, Detail, Direction, Order, Position, Query, SortKey, Start, Total, Unit};
use reqlog_core::record::Stored;
use reqlog_core::timestamp::Timestamp;
use std::fs::{self, File};
use std::path::Path;
use std::time::Instant;

/// The value of the sort key and the sequence of a row.
pub type Place = Option<(i64, i64)>;

/// A store with the corpus in it.
pub struct Engine {
    pub(super) store: Store,
    /// Durable.
    pub acknowledged: Rate,
    /// Everything in segments.
    pub settled: Rate,
    /// Bytes on disk a record, when settled.
    pub disk: f64,
}

impl Engine {
    /// Imports `file` into a new data directory.
    pub fn build(dir: &Path, file: &Path, rows: u64) -> Result<Self> {
        if dir.exists() {
            fs::remove_dir_all(dir)?;
        }
        let store = Store::open(dir, Options::default()).map_err(|error| error.to_string())?;
        store.create_project("shop", &[]).map_err(|fault| fault.to_string())?;
        let (start, input) = (Instant::now(), Box::new(File::open(file)?));
        let report = ingest::run(&store, store.redact_key(), &Settings::default(), &request(), None, input)
            .map_err(|failure| format!("{failure:?}"))?;
        let acknowledged = Rate { rows, time: start.elapsed() };
        assert_eq!((report.accepted, report.rejected), (rows, 0), "the whole corpus is accepted");
        store.compact_now().map_err(|fault| fault.to_string())?;
        let settled = Rate { rows, time: start.elapsed() };
        let disk = bytes_in(dir)? as f64 / rows as f64;
        let sources = store.catalog().entries.len();
        eprintln!("reqlog: {sources} segments, {disk:.1} bytes a record");
        Ok(Self { store, acknowledged, settled, disk })
    }

    fn query(question: &Question, start: Start, limit: usize, total: Total) -> Result<Query> {
        Ok(Query {
            filter: predicate(question)?,
            order: question.order,
            direction: Direction::Descending,
            start,
            bound: Seq::MAX,
            limit,
            detail: Detail::Preview,
            total,
            unit: Unit::Record,
        })
    }

    /// The place of the row before a page at `depth`; `None` when there is no such page.
    pub fn place(&self, question: &Question, depth: usize) -> Result<Option<Place>> {
        if depth == 0 {
            return Ok(Some(None));
        }
        let page = self.store.page(&Self::query(question, Start::First, depth, Total::Skip)?);
        let page = page.map_err(|fault| fault.to_string())?;
        let last = page.rows.last().filter(|_| page.more_after && page.rows.len() == depth);
        Ok(last.map(|row| Some((key(row, question.order), row.id.seq().get() as i64))))
    }

    /// Sequences of a page: the rows are built, with previews of their bodies.
    pub fn page(&self, question: &Question, after: Place) -> Result<Vec<i64>> {
        let start = after.and_then(|(key, seq)| {
            Some(Start::After(Position { key: SortKey::of(Some(key)), seq: Seq::new(seq as u64)? }))
        });
        let query = Self::query(question, start.unwrap_or(Start::First), PAGE, Total::Skip)?;
        let page = self.store.page(&query).map_err(|fault| fault.to_string())?;
        Ok(page.rows.iter().map(|row| row.id.seq().get() as i64).collect())
    }

    /// A page with its exact total, as a list shows it.
    pub fn total(&self, question: &Question) -> Result<u64> {
        let query = Self::query(question, Start::First, PAGE, Total::Exact)?;
        let page = self.store.page(&query).map_err(|fault| fault.to_string())?;
        page.total.ok_or_else(|| "no total".into())
    }

    /// Counts by level and by service.
    pub fn counts(&self, question: &Question) -> Result<(Counts, Counts)> {
        let stats =
            self.store.stats(&predicate(question)?, Seq::MAX, Unit::Record).map_err(|fault| fault.to_string())?;
        Ok((stats.levels, stats.services))
    }
}

pub(super) fn predicate(question: &Question) -> Result<Predicate> {
    let parsed = Filter::parse(&question.filter).map_err(|error| error.render(&question.filter))?;
    parsed.filter.resolve(Timestamp::from_nanos(0)).map_err(|fault| fault.to_string().into())
}

fn key(row: &Stored, order: Order) -> i64 {
    match order {
        Order::Duration => row.record.duration.unwrap_or(0) as i64,
        _ => row.record.time.as_nanos(),
    }
}

fn request() -> IngestRequest {
    IngestRequest {
        scope: Scope::Organisation,
        project: Some("shop".into()),
        environment: None,
        session: None,
        service: None,
        format: None,
        encodings: Vec::new(),
        mode: IngestMode::Import,
        idempotency_key: None,
        limit: u64::MAX,
    }
}

fn bytes_in(dir: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let about = entry.metadata()?;
        bytes += if about.is_dir() { bytes_in(&entry.path())? } else { about.len() };
    }
    Ok(bytes)
}
