//! Units to committed records: parsing on every thread, one commit under way meanwhile.

use super::Piece;
use crate::server::failure;
use crate::store::{Ingest, Prepared, Store, Ticket};
use rayon::prelude::*;
use reqlog_core::format::{Chunk, Format, Parser, Rejection, Report};
use reqlog_core::identity::{Import, Imported, Progress};
use reqlog_core::intake::{self, Gate, Parsed};
use reqlog_core::plan::{Failure, IngestMode, IngestRequest};
use reqlog_core::record::Record;
use std::sync::mpsc::Receiver;

// records that make one commit
const ROWS: usize = 16 << 10;
// records that one thread parses in one go
const GRAIN: usize = 256;

/// Parsed records on their way to the store.
pub(super) struct Pipeline<'a> {
    store: &'a Store,
    gate: Gate<'a>,
    report: Report,
    route: Route,
}

/// What happens to a record once it is parsed.
enum Route {
    /// Held encoded until all of the request is known to be readable; then committed. The number counts records, each
    /// of which has its place within a request that may be sent again.
    Live { records: Vec<Record>, held: Vec<Prepared>, place: u64 },
    /// Compared with what was imported before, once the format is known.
    Import { import: Option<(u64, Import<Record>)>, under_way: Option<(Ticket, Progress)> },
}

impl<'a> Pipeline<'a> {
    pub(super) fn new(store: &'a Store, gate: Gate<'a>) -> Self {
        let route = match gate.request().mode {
            IngestMode::Live => Route::Live { records: Vec::new(), held: Vec::new(), place: 0 },
            IngestMode::Import => Route::Import { import: None, under_way: None },
        };
        Self { store, gate, report: Report::default(), route }
    }

    pub(super) fn run(mut self, pieces: Receiver<Result<Piece, Failure>>) -> Result<Report, Failure> {
        for piece in pieces {
            match piece? {
                Piece::Chunk((format, parser, chunk)) => self.take(format, &parser, &chunk)?,
                Piece::Rejection(rejection) => self.report.reject(rejection),
            }
        }
        self.finish()
    }

    fn take(&mut self, format: Format, parser: &Parser, chunk: &Chunk) -> Result<(), Failure> {
        let gate = &self.gate;
        let group = |at: usize| gate.parse(parser, chunk, at * GRAIN..chunk.len().min((at + 1) * GRAIN));
        let groups: Vec<(Vec<Parsed>, Vec<Rejection>)> =
            (0..chunk.len().div_ceil(GRAIN)).into_par_iter().map(group).collect();
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
                    None => import.insert(begin(self.store, self.gate.request(), format)?),
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
        if let Some(query) = intake::own_query(parsed) {
            let page = self.store.page(&query).map_err(failure)?;
            self.report.duplicates += intake::drop_own(parsed, &page);
        }
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
                let identities = intake::retry_identities(self.store.seed(), self.gate.request(), first..*place);
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

/// An import beside the sources that were imported with the same defaults in the same format.
fn begin(store: &Store, request: &IngestRequest, format: Format) -> Result<(u64, Import<Record>), Failure> {
    let scope = intake::import_scope(store.seed(), request, format);
    let candidates = store.imports(scope).map_err(failure)?;
    Ok((scope, Import::new(store.seed(), candidates)))
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
