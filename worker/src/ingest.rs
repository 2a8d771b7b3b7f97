//! Records on their way in: read here, committed by the committer.

use crate::committer;
use crate::limits::PIECE;
use crate::rows::{hashes, unhash};
use crate::shell::{Bindings, now};
use crate::view::{View, failed};
use futures_util::StreamExt;
use reqlog_core::accept::Rules;
use reqlog_core::batch;
use reqlog_core::codec::Portable;
use reqlog_core::id::Seq;
use reqlog_core::identity::{BLOCK, Import, Imported, Progress, Seed};
use reqlog_core::intake::{self, Gate, Parsed, Source, Taken};
use reqlog_core::plan::{Failure, IngestMode, IngestRequest, Report};
use reqlog_core::record::Record;
use reqlog_core::scan::Scan;
use reqlog_core::sequencer::{self, Committed, Submission};
use serde::{Deserialize, Serialize};
use std::rc::Rc;
use std::time::Duration;
use worker::Body;

/// Takes in the records of a request. A live one is refused whole when it breaks off; an import keeps what came before.
pub async fn run(
    bindings: &Bindings,
    view: &Rc<View>,
    request: &IngestRequest,
    mut body: Body,
) -> Result<Report, Failure> {
    let shell = &bindings.shell;
    let limit = (request.mode == IngestMode::Live).then_some(request.limit);
    let seed = Seed::new(&view.secret);
    let rules = Rules::new(&shell.redact_key(view), &shell.settings, request);
    let gate = Gate::new(request, rules, seed);
    let mut intake =
        Intake { bindings, gate, seed, report: Report::default(), held: Vec::new(), place: 0, import: None, weight: 0 };
    let mut source = Source::new(request, now(), limit);
    while let Some(slice) = body.next().await {
        source.push(&slice.map_err(|_| intake::broken_off())?)?;
        intake.take(&mut source).await?;
    }
    let cut_off = source.finish()?;
    intake.take(&mut source).await?;
    cut_off.into_iter().for_each(|rejection| intake.report.reject(rejection));
    intake.finish().await
}

struct Intake<'a> {
    bindings: &'a Bindings,
    gate: Gate<'a>,
    seed: Seed,
    report: Report,
    // of a live request, until all of it is known to be readable
    held: Vec<Record>,
    // of the first record that was not committed yet, in a request that may be sent again
    place: u64,
    // what it is compared within, once its format is known
    import: Option<(u64, Import<Record>)>,
    // of records since an import was committed last, in bytes
    weight: usize,
}

impl Intake<'_> {
    async fn take(&mut self, source: &mut Source) -> Result<(), Failure> {
        while let Some((format, parser, chunk)) = source.take() as Option<Taken> {
            let (mut parsed, rejections) = self.gate.parse(&parser, &chunk, 0..chunk.len());
            rejections.into_iter().for_each(|rejection| self.report.reject(rejection));
            if let Some(query) = intake::own_query(&parsed) {
                let reader = self.bindings.reader(self.bindings.view().await?);
                let page = reader.scan(|catalog| Scan::page(query.clone(), catalog)).await?.finish();
                self.report.duplicates += intake::drop_own(&mut parsed, &page);
            }
            if self.gate.request().mode == IngestMode::Live {
                self.held.extend(parsed.into_iter().map(|parsed| parsed.record));
                continue;
            }
            if self.import.is_none() {
                let scope = intake::import_scope(self.seed, self.gate.request(), format);
                let candidates = self.bindings.database.imports(Some(scope)).await.map_err(failed)?;
                let candidates = candidates.iter().map(crate::rows::ImportRow::chain).collect();
                self.import = Some((scope, Import::new(self.seed, candidates)));
            }
            for Parsed { record, unit, .. } in parsed {
                self.weight += record.weight();
                let Some((_, import)) = &mut self.import else { break };
                import.push(record, unit);
                // each part is one commit, which says how far it came; a block may be decided at once
                if import.ready() + BLOCK > PIECE.0 || self.weight >= PIECE.1 / 2 && import.ready() > 0 {
                    self.advance().await?;
                }
            }
        }
        Ok(())
    }

    // commits what has come together of an import
    async fn advance(&mut self) -> Result<(), Failure> {
        let Some((scope, import)) = &mut self.import else { return Ok(()) };
        let (records, progress) = import.take();
        self.weight = 0;
        // only the last part says how far it came: one that breaks off before is compared anew
        let mut parts = pieces(records);
        let last = parts.pop().unwrap_or_default();
        for records in parts {
            let piece = Piece { records, identities: Vec::new(), import: None };
            let committed = committer::submit(self.bindings, &piece).await?;
            self.report.accepted += committed.rows;
        }
        let imported = Imported { scope: *scope, progress: progress.clone() };
        let piece = Piece { records: last, identities: Vec::new(), import: Some(imported) };
        let committed = committer::submit(self.bindings, &piece).await?;
        self.report.accepted += committed.rows;
        if let Some(source) = committed.source {
            import.stored(source, &progress);
        }
        Ok(())
    }

    async fn finish(mut self) -> Result<Report, Failure> {
        if let Some((_, import)) = &mut self.import {
            import.finish();
            self.advance().await?;
            self.report.duplicates += self.import.map_or(0, |(_, import)| import.skipped());
            return Ok(self.report);
        }
        for records in pieces(std::mem::take(&mut self.held)) {
            let places = self.place..self.place + records.len() as u64;
            self.place = places.end;
            let identities = intake::retry_identities(self.seed, self.gate.request(), places);
            let committed = committer::submit(self.bindings, &Piece { records, identities, import: None }).await?;
            self.report.accepted += committed.rows;
            self.report.duplicates += committed.duplicates;
        }
        Ok(self.report)
    }
}

// what fits into one commit each
fn pieces(records: Vec<Record>) -> Vec<Vec<Record>> {
    let (rows, bytes) = PIECE;
    let mut pieces: Vec<Vec<Record>> = Vec::new();
    let mut weight = usize::MAX;
    for record in records {
        let more = record.weight();
        match pieces.last_mut() {
            Some(piece) if piece.len() < rows && weight + more <= bytes => {
                weight += more;
                piece.push(record);
            }
            _ => {
                weight = more;
                pieces.push(vec![record]);
            }
        }
    }
    pieces
}

/// Records as they are sent to the committer: a line of JSON, then a batch.
pub struct Piece {
    pub records: Vec<Record>,
    pub identities: Vec<u64>,
    pub import: Option<Imported>,
}

#[derive(Deserialize, Serialize)]
struct Head {
    identities: String,
    import: Option<Remembered>,
}

// numbers of 64 bits are text: JavaScript may look at it
#[derive(Deserialize, Serialize)]
struct Remembered {
    scope: String,
    source: Option<u64>,
    from: u64,
    blocks: String,
    tail: String,
}

impl Piece {
    pub fn write(&self) -> Vec<u8> {
        let import = self.import.as_ref().map(|Imported { scope, progress }| Remembered {
            scope: scope.to_string(),
            source: progress.source,
            from: progress.from,
            blocks: hashes(&progress.blocks),
            tail: hashes(&progress.tail),
        });
        let head = Head { identities: hashes(&self.identities), import };
        let mut out = serde_json::to_vec(&head).unwrap_or_default();
        out.push(b'\n');
        out.extend(batch::encode(&self.records, &Portable).map(|batch| batch.blob).unwrap_or_default());
        out
    }

    pub fn read(bytes: &[u8]) -> Option<Submission> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let head: Head = serde_json::from_slice(&bytes[..end]).ok()?;
        let blob = &bytes[end + 1..];
        let rows = if blob.is_empty() { Vec::new() } else { batch::decode(blob, Seq::new(1)?, 0, &Portable).ok()? };
        let import = match head.import {
            None => None,
            Some(Remembered { scope, source, from, blocks, tail }) => {
                let progress = Progress { source, from, blocks: unhash(&blocks), tail: unhash(&tail) };
                Some(Imported { scope: scope.parse().ok()?, progress })
            }
        };
        let records = rows.into_iter().map(|row| row.record).collect();
        Some(Submission { records, identities: unhash(&head.identities), import })
    }
}

/// What the committer answers.
#[derive(Deserialize, Serialize)]
pub struct Answer {
    rows: u64,
    duplicates: u64,
    arrival: u64,
    first: Option<u64>,
    source: Option<u64>,
    failed: Option<String>,
}

impl Answer {
    pub fn of(answer: Result<Committed, String>) -> Self {
        match answer {
            Ok(Committed { first, rows, duplicates, arrival_ms, source }) => {
                Self { rows, duplicates, arrival: arrival_ms, first: first.map(Seq::get), source, failed: None }
            }
            Err(why) => Self { rows: 0, duplicates: 0, arrival: 0, first: None, source: None, failed: Some(why) },
        }
    }

    pub fn read(self) -> Result<Committed, Failure> {
        if let Some(why) = self.failed {
            worker::console_error!("records were not committed: {why}");
            return Err(Failure::Busy { retry_after: Duration::from_secs(5) });
        }
        let Self { rows, duplicates, arrival: arrival_ms, first, source, .. } = self;
        Ok(Committed { first: first.and_then(Seq::new), rows, duplicates, arrival_ms, source })
    }
}

/// Why a submission was not taken, in words.
pub fn refusal(refusal: sequencer::Refusal) -> String {
    match refusal {
        sequencer::Refusal::Busy => "too much waits".into(),
        sequencer::Refusal::TooLarge => "more than a commit can hold".into(),
    }
}
