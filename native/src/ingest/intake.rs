//! Units to committed records: parsing on every thread, one commit under way meanwhile.

use super::Piece;
use crate::server::failure;
use crate::store::{Ingest, Prepared, Store, Ticket};
use rayon::prelude::*;
use reqlog_core::accept::Rules;
use reqlog_core::filter::{Number, Predicate};
use reqlog_core::format::{Chunk, Format, Parser, Rejection, Report};
use reqlog_core::id::{EntryId, Seq};
use reqlog_core::identity::{Import, Imported, Progress, Seed};
use reqlog_core::plan::{Failure, IngestMode, IngestRequest};
use reqlog_core::query::{Detail, Direction, Order, Query, Start, Total, Unit};
use reqlog_core::record::{Field, Record};
use std::collections::BTreeSet;
use std::sync::mpsc::Receiver;

// records that make one commit
const ROWS: usize = 16 << 10;
// records that one thread parses in one go
const GRAIN: usize = 256;

/// Parsed records on their way to the store.
pub(super) struct Intake<'a> {
    store: &'a Store,
    entry: Entry<'a>,
    report: Report,
    route: Route,
}

/// What every record of one request goes through, on any thread.
struct Entry<'a> {
    request: &'a IngestRequest,
    rules: Rules,
    seed: Seed,
}

/// What happens to a record once it is parsed.
enum Route {
    /// Held encoded until all of the request is known to be readable; then committed. The number counts records, each
    /// of which has its place within a request that may be sent again.
    Live { records: Vec<Record>, held: Vec<Prepared>, place: u64 },
    /// Compared with what was imported before, once the format is known.
    Import { import: Option<(u64, Import<Record>)>, under_way: Option<(Ticket, Progress)> },
}

/// A record and what it may be recognised by.
struct Parsed {
    record: Record,
    id: Option<EntryId>,
    unit: u64,
}

impl<'a> Intake<'a> {
    pub(super) fn new(store: &'a Store, rules: Rules, request: &'a IngestRequest) -> Self {
        let route = match request.mode {
            IngestMode::Live => Route::Live { records: Vec::new(), held: Vec::new(), place: 0 },
            IngestMode::Import => Route::Import { import: None, under_way: None },
        };
        Self { store, entry: Entry { request, rules, seed: store.seed() }, report: Report::default(), route }
    }

    pub(super) fn run(mut self, pieces: Receiver<Result<Piece, Failure>>) -> Result<Report, Failure> {
        for piece in pieces {
            match piece? {
                Piece::Chunk(format, parser, chunk) => self.take(format, &parser, &chunk)?,
                Piece::Rejection(rejection) => self.report.reject(rejection),
            }
        }
        self.finish()
    }

    fn take(&mut self, format: Format, parser: &Parser, chunk: &Chunk) -> Result<(), Failure> {
        let entry = &self.entry;
        let groups: Vec<(Vec<Parsed>, Vec<Rejection>)> =
            (0..chunk.len().div_ceil(GRAIN)).into_par_iter().map(|group| entry.parse(parser, chunk, group)).collect();
        let mut parsed = Vec::with_capacity(chunk.len());
        for (records, rejections) in groups {
            parsed.extend(records);
            for rejection in rejections {
                self.report.reject(rejection);
            }
        }
        self.drop_own(&mut parsed)?;
        match &mut self.route {
            Route::Live { records, .. } => records.extend(parsed.into_iter().map(|parsed| parsed.record)),
            Route::Import { import, .. } => {
                let (_, import) = match import {
                    Some(import) => import,
                    None => import.insert(begin(self.store, &self.entry, format)?),
                };
                for Parsed { record, unit, .. } in parsed {
                    import.push(record, unit);
                }
            }
        }
        if self.waiting() >= ROWS { self.flush() } else { Ok(()) }
    }

    /// Leaves out records that this store exported and still has.
    fn drop_own(&mut self, parsed: &mut Vec<Parsed>) -> Result<(), Failure> {
        let asked: BTreeSet<u64> = parsed.iter().filter_map(|parsed| Some(parsed.id?.seq().get())).collect();
        if asked.is_empty() {
            return Ok(());
        }
        let query = Query {
            filter: Predicate::Number(Number::Seq, ranges(&asked)),
            order: Order::Arrival,
            direction: Direction::Ascending,
            start: Start::First,
            bound: Seq::MAX,
            limit: asked.len(),
            detail: Detail::Preview,
            total: Total::Skip,
            unit: Unit::Record,
        };
        let page = self.store.page(&query).map_err(failure)?;
        let mut own: BTreeSet<EntryId> = page.rows.iter().map(|row| row.id).collect();
        // a second record of one id in the input is another record
        parsed.retain(|parsed| parsed.id.is_none_or(|id| !own.remove(&id)));
        self.report.duplicates += page.rows.len() as u64 - own.len() as u64;
        Ok(())
    }

    fn waiting(&self) -> usize {
        match &self.route {
            Route::Live { records, .. } => records.len(),
            Route::Import { import, .. } => import.as_ref().map_or(0, |(_, import)| import.ready()),
        }
    }

    /// Encodes what has come together; of an import, commits it.
    fn flush(&mut self) -> Result<(), Failure> {
        match &mut self.route {
            Route::Live { records, .. } if records.is_empty() => {}
            Route::Live { records, held, place } => {
                let records = std::mem::take(records);
                let first = *place;
                *place += records.len() as u64;
                let identities = match &self.entry.request.idempotency_key {
                    Some(key) => {
                        let scope = self.entry.request.scope.project().unwrap_or_default();
                        (first..*place).map(|place| self.entry.seed.retry(scope, key, place)).collect()
                    }
                    None => Vec::new(),
                };
                held.push(self.store.prepare(Ingest { records, identities, import: None }));
            }
            Route::Import { import: Some((scope, import)), under_way } => {
                // later progress continues the source that the commit before it made
                if let Some(commit) = under_way.take() {
                    settle(commit, import, &mut self.report)?;
                }
                let (records, progress) = import.take();
                let imported = Imported { scope: *scope, progress: progress.clone() };
                let prepared = self.store.prepare(Ingest { records, identities: Vec::new(), import: Some(imported) });
                *under_way = Some((self.store.submit(prepared).map_err(failure)?, progress));
            }
            Route::Import { import: None, .. } => {}
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Report, Failure> {
        if let Route::Import { import: Some((_, import)), .. } = &mut self.route {
            import.finish();
        }
        self.flush()?;
        match self.route {
            Route::Live { held, .. } => {
                let submit = |prepared| self.store.submit(prepared).map_err(failure);
                let tickets = held.into_iter().map(submit).collect::<Result<Vec<_>, _>>()?;
                for ticket in tickets {
                    let committed = ticket.wait().map_err(failure)?;
                    self.report.accepted += committed.rows;
                    self.report.duplicates += committed.duplicates;
                }
            }
            Route::Import { import: Some((_, mut import)), under_way } => {
                if let Some(commit) = under_way {
                    settle(commit, &mut import, &mut self.report)?;
                }
                self.report.duplicates += import.skipped();
                self.store.import_ended();
            }
            Route::Import { import: None, .. } => {}
        }
        Ok(self.report)
    }
}

impl Entry<'_> {
    fn parse(&self, parser: &Parser, chunk: &Chunk, group: usize) -> (Vec<Parsed>, Vec<Rejection>) {
        let (mut records, mut rejections) = (Vec::with_capacity(GRAIN), Vec::new());
        let units = (group * GRAIN..chunk.len().min((group + 1) * GRAIN)).filter_map(|at| chunk.unit(at));
        for unit in units {
            let reject = |reason: String| Rejection::new(unit.line, reason, unit.bytes);
            let accepted = parser.parse_identified(&unit).and_then(|parsed| {
                let record = self.rules.accept(parsed.record).map_err(reject)?;
                if self.request.scope.admits(record.text(Field::Project)) {
                    Ok(Parsed { record, id: parsed.id, unit: self.seed.unit(unit.bytes) })
                } else {
                    Err(reject("the key does not belong to this project".into()))
                }
            });
            match accepted {
                Ok(parsed) => records.push(parsed),
                Err(rejection) => rejections.push(rejection),
            }
        }
        (records, rejections)
    }
}

/// An import beside the sources that were imported with the same defaults in the same format.
fn begin(store: &Store, entry: &Entry<'_>, format: Format) -> Result<(u64, Import<Record>), Failure> {
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    let IngestRequest { project, environment, session, service, .. } = entry.request;
    let parts = [project, environment, session, service].map(part);
    let [project, environment, session, service] = parts.each_ref().map(String::as_str);
    let scope = entry.seed.scope(&[project, environment, session, service, format.name()]);
    let candidates = store.imports(scope).map_err(failure)?;
    Ok((scope, Import::new(entry.seed, candidates)))
}

fn settle(
    (ticket, progress): (Ticket, Progress),
    import: &mut Import<Record>,
    report: &mut Report,
) -> Result<(), Failure> {
    let committed = ticket.wait().map_err(failure)?;
    report.accepted += committed.rows;
    report.duplicates += committed.duplicates;
    if let Some(source) = committed.source {
        import.stored(source, &progress);
    }
    Ok(())
}

/// Ascending numbers as inclusive ranges.
fn ranges(numbers: &BTreeSet<u64>) -> Vec<(i64, i64)> {
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    for number in numbers.iter().filter_map(|number| i64::try_from(*number).ok()) {
        match ranges.last_mut() {
            Some((_, end)) if *end + 1 == number => *end = number,
            _ => ranges.push((number, number)),
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_follow_each_other_are_one_range() {
        assert_eq!(ranges(&BTreeSet::from([1, 2, 3, 7, 9, 10])), [(1, 3), (7, 7), (9, 10)]);
        assert!(ranges(&BTreeSet::new()).is_empty());
    }
}
