//! The smallest frontend: the plan over a list of records, every answer by definition and none by cleverness.

mod aggregates;
mod contents;

use crate::wire::{Came, Frontend, Server, Setting};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, VARY};
use http::{HeaderValue, Request, Response};
use reqlog_core::accept::Rules;
use reqlog_core::auth::{Key, Keyring, NewKey, Role, Scope, Secret};
use reqlog_core::batch;
use reqlog_core::catalog::{Deletion, Expired};
use reqlog_core::codec::Portable;
use reqlog_core::filter::Predicate;
use reqlog_core::format::{Format, Head, Parser, Rejection, Report, Splitter};
use reqlog_core::id::{EntryId, Seq};
use reqlog_core::intake::unknown_format;
use reqlog_core::limit::Buckets;
use reqlog_core::live::{RETRY, Ring, Room, Step, Tail};
use reqlog_core::neighbours::{Neighbours, Side};
use reqlog_core::plan::{
    BodyUse, Context, Failure, IngestMode, IngestRequest, Operation, Outcome, Projects, Settings, plan,
};
use reqlog_core::query::{Direction, Order, Page, Position, Query, Start, Stats, Total, Unit};
use reqlog_core::record::{Field, Stored};
use reqlog_core::shown::shown;
use reqlog_core::timestamp::Timestamp;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

/// The plan over a list of records.
#[derive(Clone, Copy, Debug)]
pub struct InMemory;

impl Frontend for InMemory {
    type Server = Memory;

    fn name(&self) -> &'static str {
        "in memory"
    }

    fn start(&self, setting: &Setting) -> Memory {
        Memory::new(setting)
    }
}

/// A server whose store is a list. Its clock advances by a millisecond a request.
#[derive(Debug)]
pub struct Memory {
    rows: Vec<Stored>,
    head: Option<EntryId>,
    // the latest moment that a request was told
    told: Timestamp,
    // scope and Idempotency-Key of a request, and the place of a record in it
    retried: BTreeSet<(Option<String>, String, u64)>,
    // what was imported before, as it was read: by what imports are compared within, every source from its first unit,
    // and its records: when the last of them is gone, it is forgotten
    imported: BTreeMap<Vec<String>, Vec<Import>>,
    keyring: Keyring,
    projects: Projects,
    settings: Settings,
    buckets: Buckets,
    ring: Ring,
    streams: BTreeMap<String, Streamed>,
    // what retention has removed
    expired: Expired,
    now: Timestamp,
    setting: Setting,
    keys: u8,
}

/// The units of a source, and the records of them.
type Import = (Vec<Vec<u8>>, Vec<EntryId>);

/// A stream, and what it sent that was not read yet.
#[derive(Debug)]
struct Streamed {
    tail: Tail,
    sent: Vec<u8>,
    is_over: bool,
}

impl Default for Memory {
    fn default() -> Self {
        Self::new(&Setting::default())
    }
}

impl Server for Memory {
    fn answer(&mut self, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        Ok(self.answer(request))
    }

    fn wait(&mut self, time: Duration) {
        self.now = self.now.plus_nanos(time.as_nanos() as i64);
        self.flow();
    }

    fn open(&mut self, name: &str, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        Ok(self.ask(request, Some(name)))
    }

    fn read(&mut self, name: &str, _least: usize) -> Result<Came, String> {
        let stream = self.streams.get_mut(name).ok_or("no such stream")?;
        Ok(Came { bytes: std::mem::take(&mut stream.sent).into(), is_over: stream.is_over })
    }

    fn disconnect(&mut self, name: &str) {
        self.streams.remove(name);
    }
}

impl Memory {
    /// A server that begins as `setting` says.
    pub fn new(setting: &Setting) -> Self {
        let mut memory = Self {
            rows: Vec::new(),
            head: None,
            told: setting.now,
            retried: BTreeSet::new(),
            imported: BTreeMap::new(),
            keyring: Keyring::default(),
            projects: setting.projects.clone(),
            settings: setting.settings.clone(),
            buckets: Buckets::default(),
            ring: Ring::new(Room::default(), None),
            streams: BTreeMap::new(),
            expired: Expired::default(),
            now: setting.now,
            setting: setting.clone(),
            keys: 0,
        };
        for (summary, blob) in &setting.batches {
            let rows = batch::decode(blob, summary.seq.0, summary.arrival.0, &Portable);
            memory.rows.extend(rows.expect("the harness encoded it"));
            memory.head = Some(EntryId::new(summary.arrival.1, summary.seq.1));
        }
        let new = NewKey { name: "admin".to_owned(), role: Role::Admin, scope: Scope::Organisation, expires: None };
        memory.add_key(&new, &setting.admin);
        memory
    }

    /// The admin key.
    pub fn admin(&self) -> &str {
        self.setting.admin.expose()
    }

    /// The last record's sequence and the latest arrival that was given out.
    pub fn head(&self) -> Option<EntryId> {
        self.head
    }

    /// Sets the clock; the next request is answered a millisecond later.
    pub fn set_now(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// Retention removes rows; walks under way learn of them by what is known to have expired from now on. Streams may
    /// still show them.
    pub fn expire(&mut self, expires: impl Fn(&Stored) -> bool, expired: Expired) {
        self.rows.retain(|row| !expires(row));
        self.expired = expired;
    }

    /// Answers one request.
    pub fn answer(&mut self, request: Request<Bytes>) -> Response<Bytes> {
        self.ask(request, None)
    }

    /// Answers; a stream is left open under the name.
    fn ask(&mut self, request: Request<Bytes>, stream: Option<&str>) -> Response<Bytes> {
        self.tick();
        let (head, body) = request.into_parts();
        let mut planned = plan(&head, &self.context());
        if let Some(charge) = planned.charge() {
            planned = planned.admit(self.buckets.take(charge, self.now));
        }
        if let BodyUse::Collect { limit } = planned.body() {
            if body.len() > limit {
                return planned.reply(Outcome::Failed(Failure::TooLarge { limit: limit as u64 }));
            }
            planned = planned.with_body(&body, &self.context());
        }
        if let Operation::Tail { key } = planned.operation() {
            if self.is_full(*key) {
                return planned.reply(Outcome::Failed(Failure::Limited { retry_after: RETRY }));
            }
            if let Some(name) = stream {
                let (head, tail) = planned.tail().expect("it is one");
                self.follow(name, tail);
                return head.map(|()| Bytes::new());
            }
        }
        let outcome = self.run(planned.operation(), &body);
        self.flow();
        let answer = match planned.export() {
            Err(planned) => planned.reply(outcome),
            Ok(mut exporter) => {
                let mut bytes = Vec::new();
                while let Some(query) = exporter.next() {
                    let page = self.page(query);
                    exporter.supply(page, self.now, &self.expired);
                    while let Some(chunk) = exporter.chunk() {
                        bytes.extend_from_slice(&chunk);
                    }
                }
                let head = exporter.head();
                bytes.extend_from_slice(&exporter.end());
                head.map(|()| bytes.into())
            }
        };
        let codings = head.headers.get(ACCEPT_ENCODING).and_then(|codings| codings.to_str().ok());
        if codings == Some("gzip") && !answer.body().is_empty() { compressed(answer) } else { answer }
    }

    // as many streams as it may have
    fn is_full(&self, key: u64) -> bool {
        let limited = self.keyring.get(key).is_some_and(|key| key.role != Role::Admin);
        let open = self.streams.values().filter(|stream| stream.tail.key() == key && !stream.is_over).count();
        limited && open >= self.settings.limits.streams_per_key
    }

    fn follow(&mut self, name: &str, tail: Tail) {
        if self.streams.is_empty() {
            self.ring = Ring::new(Room::default(), self.head.map(EntryId::seq));
        }
        self.streams.insert(name.to_owned(), Streamed { tail, sent: Vec::new(), is_over: false });
        self.flow();
    }

    /// Every stream says what it has to say.
    fn flow(&mut self) {
        let head = self.ring.head();
        if let Some(newest) = self.head {
            self.ring.push(self.rows.iter().filter(|row| row.id.seq().get() > head).cloned(), newest.seq());
        }
        let mut streams = std::mem::take(&mut self.streams);
        for Streamed { tail, sent, is_over } in streams.values_mut() {
            loop {
                match tail.poll(&self.ring, &self.keyring, self.now) {
                    Step::Send(bytes) => sent.extend_from_slice(&bytes),
                    Step::Read(query) => {
                        let bytes = tail.absorb(&query, &self.page(&query), self.now);
                        sent.extend_from_slice(&bytes.unwrap_or_default());
                    }
                    Step::Wait(_) => break,
                    Step::End => {
                        *is_over = true;
                        break;
                    }
                }
            }
        }
        self.streams = streams;
    }

    fn context(&self) -> Context<'_> {
        Context {
            keyring: &self.keyring,
            projects: &self.projects,
            head: self.head,
            now: self.now,
            secret: &self.setting.cursor_secret,
            settings: &self.settings,
        }
    }

    fn run(&mut self, operation: &Operation, body: &[u8]) -> Outcome {
        match operation {
            // the exporter asks for its pages itself; a stream is for who opens one
            Operation::Nothing | Operation::Export(_) | Operation::Tail { .. } => Outcome::Nothing,
            Operation::Page { query, .. } => Outcome::Page(self.page(query)),
            Operation::Get { seq, arrival, filter, .. } => {
                Outcome::Record(self.get(*seq, *arrival, filter).cloned().map(Box::new))
            }
            Operation::Neighbours { seq, arrival, filter, count } => {
                let around = self.get(*seq, *arrival, filter).map(|row| {
                    let rows = |side: Side| self.page(&side.query(row, filter, *count)).rows;
                    let (before, after) = (rows(Side::Before), rows(Side::After));
                    Box::new(Neighbours { row: row.clone(), before, after })
                });
                Outcome::Neighbours(around)
            }
            Operation::Stats { filter, bound, unit } => Outcome::Stats(self.stats(filter, *bound, *unit)),
            Operation::Histogram(query) => Outcome::Histogram(aggregates::histogram(&self.rows, query)),
            Operation::Facets(query) => Outcome::Facets(aggregates::facets(&self.rows, query)),
            Operation::Endpoints(query) => Outcome::Endpoints(aggregates::endpoints(&self.rows, query)),
            Operation::Ingest(request) => self.ingest(request, body).map_or_else(Outcome::Failed, Outcome::Ingested),
            Operation::Delete { filter, now, project } => {
                let scope = project.as_deref().map_or(Predicate::ALL, Predicate::project);
                let Ok(filter) = filter.resolve(*now) else { return Outcome::Failed(Failure::Internal) };
                Outcome::Deleted(self.delete(&Predicate::all_of([scope, filter])))
            }
            Operation::CreateProject { name, environments } => {
                self.projects.declare(name, None);
                for environment in environments {
                    self.projects.declare(name, Some(environment));
                }
                Outcome::Done
            }
            Operation::DeleteProject { name } => {
                self.projects.remove(name);
                self.delete(&Predicate::project(name));
                let scoped: Vec<u64> = self
                    .keyring
                    .keys()
                    .iter()
                    .filter(|key| key.scope.project() == Some(name))
                    .map(|key| key.id)
                    .collect();
                for id in scoped {
                    self.keyring.revoke(id);
                }
                Outcome::Done
            }
            Operation::CreateKey(new) => {
                let (key, secret) = self.make_key(new);
                Outcome::Key { key, secret }
            }
            Operation::RevokeKey { id } if self.keyring.revoke(*id) => Outcome::Done,
            Operation::RevokeKey { .. } => Outcome::Failed(Failure::Missing),
            Operation::Ready => Outcome::Ready(Ok(())),
            Operation::Metrics => Outcome::Metrics(format!("reqlog_rows {}\n", self.rows.len())),
            // there are no files to stream: vectors ask it for refusals only
            Operation::Backup => Outcome::Failed(Failure::Internal),
        }
    }

    fn make_key(&mut self, new: &NewKey) -> (Key, Secret) {
        let secret = Secret::mint([self.keys + 1; 32]);
        (self.add_key(new, &secret), secret)
    }

    fn add_key(&mut self, new: &NewKey, secret: &Secret) -> Key {
        self.keys += 1;
        let NewKey { name, role, scope, expires } = new.clone();
        let key = Key { id: self.keys.into(), hash: secret.hash(), name, role, scope, created: self.now, expires };
        self.keyring.insert(key.clone());
        key
    }

    fn delete(&mut self, filter: &Predicate) -> u64 {
        let before = self.rows.len();
        self.rows.retain(|row| !filter.matches_stored(row));
        if let Some(head) = self.head {
            self.ring.erase(Arc::new(Deletion { id: 0, filter: filter.clone(), head: head.seq() }));
        }
        (before - self.rows.len()) as u64
    }

    fn get(&self, seq: Seq, arrival: Option<u64>, filter: &Predicate) -> Option<&Stored> {
        self.rows.iter().find(|row| {
            row.id.seq() == seq
                && arrival.is_none_or(|arrival| row.id.arrival_ms() == arrival)
                && filter.matches_stored(row)
        })
    }

    /// Filter, sort, cut.
    fn page(&self, query: &Query) -> Page {
        let sees = |row: &&Stored| row.id.seq() <= query.bound && query.filter.matches_stored(row);
        let mut rows: Vec<Stored> = self.rows.iter().filter(sees).cloned().collect();
        rows.sort_by_cached_key(|row| {
            let text = match query.order {
                Order::Trace => row.record.text(Field::TraceId).map(str::to_owned),
                Order::Shown => shown(&row.record).map(Cow::into_owned),
                _ => None,
            };
            (Position::of(row, query.order), text, row.id.seq())
        });
        if query.direction == Direction::Descending {
            rows.reverse();
        }
        // how many rows stand before a position, and how many at or before it; an order by text has none
        let preceding = |at: Position, or_at: bool| {
            let before = |position: Position| match query.direction {
                Direction::Ascending => position < at,
                Direction::Descending => position > at,
            };
            query.order.number()?;
            let stands = |row: &&Stored| {
                Position::of(row, query.order).is_some_and(|position| before(position) || or_at && position == at)
            };
            Some(rows.iter().take_while(stands).count())
        };
        let units: Vec<u64> = rows.iter().map(|row| query.unit.of(row.record.kind)).collect();
        let total = (query.total == Total::Exact).then(|| units.iter().sum());
        // the row that holds the unit after so many, and how many of the row's own lie before it
        let holding = |offset: u64| {
            let mut before = 0;
            for (at, units) in units.iter().enumerate() {
                if offset < before + units {
                    return (at, offset - before);
                }
                before += units;
            }
            (rows.len(), 0)
        };
        let mut inset = 0;
        let at = |seq: Seq| rows.iter().position(|row| row.id.seq() == seq);
        let forward = |from: usize| Some((from, rows.len().min(from + query.limit)));
        let backward = |to: usize| Some((to.saturating_sub(query.limit), to));
        let cut = match query.start {
            Start::First => forward(0),
            Start::Offset(offset) => {
                let first;
                (first, inset) = holding(offset);
                forward(first)
            }
            Start::After(at) => preceding(at, true).and_then(forward),
            Start::Before(at) => preceding(at, false).and_then(backward),
            Start::AfterRow(seq) => at(seq).and_then(|at| forward(at + 1)),
            Start::BeforeRow(seq) => at(seq).and_then(backward),
        };
        let Some((from, to)) = cut else { return Page { lost: true, total, ..Page::default() } };
        let (more_before, more_after) = match query.start {
            Start::First => (false, to < rows.len()),
            Start::Offset(offset) => (offset > 0, to < rows.len()),
            Start::After(_) | Start::AfterRow(_) => (true, to < rows.len()),
            Start::Before(_) | Start::BeforeRow(_) => (from > 0, true),
        };
        Page { rows: rows[from..to].to_vec(), more_before, more_after, inset, total, ..Page::default() }
    }

    fn stats(&self, filter: &Predicate, bound: Seq, unit: Unit) -> Stats {
        let mut stats = Stats::default();
        for Stored { record, .. } in self.rows.iter().filter(|row| row.id.seq() <= bound && filter.matches_stored(row))
        {
            let units = unit.of(record.kind);
            stats.total += units;
            let class = record.status.map(|status| format!("{}xx", status / 100));
            for (counts, value) in [
                (&mut stats.levels, Some(record.level.name())),
                (&mut stats.kinds, Some(record.kind.name())),
                (&mut stats.classes, class.as_deref()),
                (&mut stats.methods, record.text(Field::Method)),
                (&mut stats.projects, record.text(Field::Project)),
                (&mut stats.containers, record.text(Field::Container)),
                (&mut stats.services, record.text(Field::Service)),
            ] {
                if let Some(value) = value {
                    *counts.entry(value.to_owned()).or_default() += units;
                }
            }
        }
        stats
    }

    fn ingest(&mut self, request: &IngestRequest, body: &[u8]) -> Result<Report, Failure> {
        let named = request.format.as_deref().and_then(Format::parse_name);
        if body.is_empty() {
            return Ok(Report::default());
        }
        let format = named.or_else(|| Format::detect(body, None));
        let format = format.ok_or_else(|| Failure::Body(unknown_format()))?;
        let mut splitter = Splitter::new(format);
        splitter.push(body);
        let end = splitter.finish();
        let parser = Parser::new(format, &splitter.head().cloned().unwrap_or_else(Head::default), self.now);
        let rules = Rules::new(&self.setting.redact_key, &self.settings, request);
        let arrival = (self.told.as_millis() as u64).max(self.head.map_or(0, |head| head.arrival_ms() + 1));
        let (mut report, mut own) = (Report::default(), BTreeSet::new());
        let (mut taken, mut units) = (Vec::new(), 0);
        while let Some(unit) = splitter.next() {
            units += 1;
            let reject = |reason: String| Rejection::new(unit.line, reason, unit.bytes);
            let accepted = parser.parse_identified(&unit).and_then(|parsed| {
                let record = rules.accept(parsed.record).map_err(reject)?;
                let admits = request.scope.admits(record.text(Field::Project));
                let refusal = || reject("the key does not belong to this project".into());
                if admits { Ok((record, parsed.id)) } else { Err(refusal()) }
            });
            match accepted {
                // what was exported from here and is still here; a second record of one id is another record
                Ok((_, Some(id))) if self.rows.iter().any(|row| row.id == id) && own.insert(id) => {
                    report.duplicates += 1;
                }
                Ok((record, _)) => taken.push((record, unit.bytes.to_vec())),
                Err(rejection) => report.reject(rejection),
            }
        }
        let commits = !taken.is_empty() || request.mode == IngestMode::Import && units > 0;
        let first = self.rows.len();
        let known = match request.mode {
            IngestMode::Live => 0,
            IngestMode::Import => self.imported_before(request, format, taken.iter().map(|(_, unit)| unit).cloned()),
        };
        report.duplicates += taken.drain(..known).len() as u64;
        for (place, (record, _)) in (1..).zip(taken) {
            if let Some(key) = &request.idempotency_key {
                let scope = request.scope.project().map(str::to_owned);
                if !self.retried.insert((scope, key.clone(), place)) {
                    report.duplicates += 1;
                    continue;
                }
            }
            if let Some(project) = record.text(Field::Project) {
                self.projects.declare(project, record.text(Field::Environment));
            }
            let seq = self.head.map_or(Seq::new(1), |head| head.seq().after(1)).ok_or(Failure::Internal)?;
            let id = EntryId::new(arrival, seq);
            self.head = Some(id);
            self.rows.push(Stored { id, record });
            report.accepted += 1;
        }
        if request.mode == IngestMode::Import {
            let new: Vec<EntryId> = self.rows[first..].iter().map(|row| row.id).collect();
            let source = self.imported.get_mut(&within(request, format)).and_then(|sources| sources.last_mut());
            source.into_iter().for_each(|(_, ids)| ids.extend(&new));
        }
        // a commit of nothing but duplicates is one too
        if commits {
            self.head = self.head.map(|head| EntryId::new(arrival, head.seq()));
        }
        if let Err(rejection) = end {
            report.reject(rejection);
        }
        Ok(report)
    }

    /// How long the common beginning with an earlier import is; from then on, this one counts.
    fn imported_before(
        &mut self,
        request: &IngestRequest,
        format: Format,
        units: impl Iterator<Item = Vec<u8>>,
    ) -> usize {
        let sources = self.imported.entry(within(request, format)).or_default();
        sources.retain(|(_, ids)| self.rows.iter().any(|row| ids.contains(&row.id)));
        let units: Vec<Vec<u8>> = units.collect();
        let common = |source: &[Vec<u8>]| source.iter().zip(&units).take_while(|(old, new)| old == new).count();
        let best = sources.iter().max_by_key(|(source, _)| common(source));
        let (known, ids) = best.map_or((0, Vec::new()), |(source, ids)| (common(source), ids.clone()));
        sources.push((units, ids));
        known
    }
}

/// What imports are compared within.
fn within(request: &IngestRequest, format: Format) -> Vec<String> {
    let IngestRequest { project, environment, session, service, .. } = request;
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    let mut within = [project, environment, session, service].map(part).to_vec();
    within.push(format.name().to_owned());
    within
}

/// As servers send it to a client that takes nothing but gzip.
pub(crate) fn compressed(mut answer: Response<Bytes>) -> Response<Bytes> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    let body = gzip.write_all(answer.body()).and_then(|()| gzip.finish()).expect("memory takes every byte");
    *answer.body_mut() = body.into();
    answer.headers_mut().remove(CONTENT_LENGTH);
    answer.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    answer.headers_mut().append(VARY, HeaderValue::from_static("accept-encoding"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrival_grows_from_commit_to_commit_whatever_the_clock_does() {
        let mut memory = Memory::default();
        let start = memory.now;
        let mut ingest = |ahead: i64| {
            // the request itself moves the clock by one
            memory.now = start.plus_nanos((ahead - 1) * 1_000_000);
            let request = Request::post("/api/v1/ingest?project=p&format=ndjson").header("x-api-key", memory.admin());
            let body = Bytes::from_static(b"{\"message\":\"a\"}\n{\"message\":\"b\"}\n");
            assert!(memory.answer(request.body(body).unwrap()).status().is_success());
            let [.., a, b] = &memory.rows[..] else { panic!("two records were sent") };
            assert_eq!((a.id.arrival_ms(), memory.head), (b.id.arrival_ms(), Some(b.id)), "one arrival a commit");
            b.id.arrival_ms() as i64 - start.as_millis()
        };
        assert_eq!([10, 10, 7, 11, 20].map(&mut ingest), [10, 11, 12, 13, 20]);
    }
}
