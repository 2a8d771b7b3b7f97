//! One request against one store, without a socket: plan, run, reply.
//!
//! The listener answers through it, and so does a command on a data directory that nobody serves: both speak the same
//! API to the same code.

use super::metrics::{self, Tails};
use crate::ingest;
use crate::store::{Backup, Fault, Store};
use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use reqlog_core::auth::{Key, Keyring, Role, Scope, Secret};
use reqlog_core::catalog::Erasure;
use reqlog_core::limit::Buckets;
use reqlog_core::plan::{self, BodyUse, Context, Exporter, Failure, IngestRequest, Operation, Outcome, Plan, Settings};
use reqlog_core::query::{Page, Query};
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

/// A store and how it is served.
pub struct Service {
    store: Store,
    settings: Settings,
    redact_key: [u8; 32],
    local: (Key, Secret),
    buckets: Mutex<Buckets>,
    counted: metrics::Counted,
}

/// What is streamed or sent at once.
pub type Reader = Box<dyn Read + Send>;

impl Service {
    /// Serves `store`; a key of the process's own opens everything for as long as it lives. Redacted values are hashed
    /// with `redact_key`, else with the store's own.
    pub fn new(store: Store, settings: Settings, redact_key: Option<[u8; 32]>) -> Result<Self, Fault> {
        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(|error| Fault::Failed(error.to_string()))?;
        let secret = Secret::mint(random);
        let key = Key {
            // numbers in a catalog begin at 1
            id: 0,
            hash: secret.hash(),
            name: "commands on this machine".into(),
            role: Role::Admin,
            scope: Scope::Organisation,
            created: store.now(),
            expires: None,
        };
        let redact_key = redact_key.unwrap_or(*store.redact_key());
        let (buckets, counted) = (Mutex::default(), metrics::Counted::new(store.now()));
        Ok(Self { store, settings, redact_key, local: (key, secret), buckets, counted })
    }

    /// The store behind it.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// How it is served.
    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What is counted of live streams.
    pub(super) fn tails(&self) -> &Arc<Tails> {
        self.counted.tails()
    }

    /// What is counted of requests.
    pub(super) fn counted(&self) -> &metrics::Counted {
        &self.counted
    }

    /// The key of this process.
    pub fn local_key(&self) -> &str {
        self.local.1.expose()
    }

    /// Understands the head of a request, and charges its key where it is limited.
    pub fn plan(&self, head: &Parts) -> Plan {
        let plan = self.with_context(|context| plan::plan(head, context));
        let Some(charge) = plan.charge() else { return plan };
        let verdict = self.buckets.lock().unwrap_or_else(PoisonError::into_inner).take(charge, self.store.now());
        plan.admit(verdict)
    }

    /// Goes on with the collected body.
    pub fn with_body(&self, plan: Plan, body: &Bytes) -> Plan {
        self.with_context(|context| plan.with_body(body, context))
    }

    fn with_context<T>(&self, work: impl FnOnce(&Context<'_>) -> T) -> T {
        let (keyring, projects) = (self.keyring(), self.store.projects());
        work(&Context {
            keyring: &keyring,
            projects: &projects,
            head: self.store.catalog().head,
            now: self.store.now(),
            secret: self.store.secret(),
            settings: &self.settings,
        })
    }

    fn keyring(&self) -> Arc<Keyring> {
        let mut keyring = self.store.keyring();
        Arc::make_mut(&mut keyring).insert(self.local.0.clone());
        keyring
    }

    /// Runs what needs no body and is no stream. A panic is a failure of this request only.
    pub fn run(&self, operation: &Operation) -> Outcome {
        guarded(|| self.outcome(operation)).unwrap_or_else(Outcome::Failed)
    }

    fn outcome(&self, operation: &Operation) -> Result<Outcome, Failure> {
        let store = &self.store;
        Ok(match operation {
            // streams: see `Export`, `ingest` and `backup`
            Operation::Nothing | Operation::Export(_) | Operation::Ingest(_) | Operation::Backup => Outcome::Nothing,
            // Only a listener serves it. Without one, nobody else can commit, and the stream would have no end.
            Operation::Tail { .. } => return Err(Failure::Closing),
            Operation::Page { query, .. } => Outcome::Page(self.page(query)?),
            Operation::Get { seq, arrival, filter, detail } => {
                Outcome::Record(store.get(*seq, *arrival, filter, *detail).map_err(failure)?.map(Box::new))
            }
            Operation::Stats { filter, bound, unit } => {
                Outcome::Stats(store.stats(filter, *bound, *unit).map_err(failure)?)
            }
            Operation::Histogram(query) => Outcome::Histogram(store.histogram(query).map_err(failure)?),
            Operation::Facets(query) => Outcome::Facets(store.facets(query).map_err(failure)?),
            Operation::Endpoints(query) => Outcome::Endpoints(store.endpoints(query).map_err(failure)?),
            Operation::Neighbours { seq, arrival, filter, count } => {
                Outcome::Neighbours(store.neighbours(*seq, *arrival, filter, *count).map_err(failure)?.map(Box::new))
            }
            Operation::Delete { filter, now, project } => {
                let erasure = Erasure::new(filter, *now, project.as_deref()).map_err(Failure::Body)?;
                Outcome::Deleted(store.delete(erasure).map_err(failure)?)
            }
            Operation::CreateProject { name, environments } => {
                store.create_project(name, environments).map_err(failure)?;
                Outcome::Done
            }
            Operation::DeleteProject { name } => {
                store.delete_project(name).map_err(failure)?;
                Outcome::Done
            }
            Operation::CreateKey(new) => {
                let (key, secret) = store.create_key(new.clone()).map_err(failure)?;
                Outcome::Key { key, secret }
            }
            Operation::RevokeKey { id } => {
                store.revoke_key(*id).map_err(failure)?;
                Outcome::Done
            }
            Operation::Ready => Outcome::Ready(store.ready().map_err(|fault| fault.to_string())),
            Operation::Metrics => Outcome::Metrics(self.counted.text(store)),
        })
    }

    /// One page.
    pub fn page(&self, query: &Query) -> Result<Page, Failure> {
        self.store.page(query).map_err(failure)
    }

    /// Takes in the records of `input`; `name` is its file's, where there is one.
    pub fn ingest(&self, request: &IngestRequest, name: Option<&str>, input: Reader) -> Outcome {
        let taken = guarded(|| ingest::run(&self.store, &self.redact_key, &self.settings, request, name, input));
        match taken {
            Ok(report) => {
                self.counted.ingested(&report);
                Outcome::Ingested(report)
            }
            Err(failure) => Outcome::Failed(failure),
        }
    }

    /// Begins a backup of the store.
    pub fn backup(&self) -> Result<Backup, Failure> {
        guarded(|| self.store.backup().map_err(failure))
    }

    /// Answers a whole request on the calling thread. A live tail is refused as [`Failure::Closing`]: it has no end,
    /// and nothing would ever come while the caller waits for it.
    pub fn answer(self: &Arc<Self>, request: Request<Reader>) -> Response<Reader> {
        let (head, mut body) = request.into_parts();
        let mut plan = self.plan(&head);
        if let BodyUse::Collect { limit } = plan.body() {
            let mut bytes = Vec::new();
            let read = body.by_ref().take(limit as u64 + 1).read_to_end(&mut bytes);
            plan = match read {
                Ok(read) if read <= limit => self.with_body(plan, &bytes.into()),
                Ok(_) => return whole(plan.reply(Outcome::Failed(Failure::TooLarge { limit: limit as u64 }))),
                Err(error) => return whole(plan.reply(Outcome::Failed(Failure::Body(error.to_string())))),
            };
        }
        match plan.operation() {
            Operation::Export(_) => match Export::new(self.clone(), plan) {
                Ok((head, export)) => head.map(|()| Box::new(Chunks::new(export)) as Reader),
                Err(response) => whole(*response),
            },
            Operation::Backup => match (plan.backup(), self.backup()) {
                (Some(head), Ok(backup)) => head.map(|()| Box::new(Chunks::new(backup)) as Reader),
                (_, Err(failure)) => whole(plan.reply(Outcome::Failed(failure))),
                (None, Ok(_)) => whole(plan.reply(Outcome::Failed(Failure::Internal))),
            },
            Operation::Ingest(request) => {
                let outcome = self.ingest(request, None, body);
                whole(plan.reply(outcome))
            }
            operation => {
                let outcome = self.run(operation);
                whole(plan.reply(outcome))
            }
        }
    }
}

fn whole(response: Response<Bytes>) -> Response<Reader> {
    response.map(|bytes| Box::new(io::Cursor::new(bytes)) as Reader)
}

pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    // what a request holds is dropped with it; the store's locks are taken over when poisoned
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        tracing::error!("a request failed inside; the panic is logged above");
        Err(Failure::Internal)
    })
}

/// What a client is told of a fault; the log has the rest.
pub(crate) fn failure(fault: Fault) -> Failure {
    if matches!(fault, Fault::Corrupt(_) | Fault::Exists | Fault::Failed(_)) {
        tracing::error!("{fault}");
    }
    fault.into()
}

/// An export under way: chunks of bytes, one page of rows in memory at a time.
pub struct Export {
    service: Arc<Service>,
    exporter: Option<Exporter>,
}

impl Export {
    /// Status and header fields, and the chunks that follow; a plan that is no export after all gives its whole
    /// response.
    pub fn new(service: Arc<Service>, plan: Plan) -> Result<(Response<()>, Self), Box<Response<Bytes>>> {
        match plan.export() {
            Ok(exporter) => Ok((exporter.head(), Self { service, exporter: Some(exporter) })),
            Err(plan) => Err(Box::new(plan.reply(Outcome::Failed(Failure::Internal)))),
        }
    }
}

/// A failure cuts the stream off, so that nobody takes it for whole.
impl Iterator for Export {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<io::Result<Bytes>> {
        let exporter = self.exporter.as_mut()?;
        loop {
            if let Some(chunk) = exporter.chunk() {
                return Some(Ok(chunk));
            }
            let Some(query) = exporter.next() else {
                return self.exporter.take().map(|exporter| Ok(exporter.end()));
            };
            match guarded(|| self.service.store.sweep(query).map_err(failure)) {
                Ok(page) => {
                    let store = &self.service.store;
                    exporter.supply(page, store.now(), &store.catalog().expired);
                }
                Err(failure) => {
                    self.exporter = None;
                    return Some(Err(io::Error::other(failure.to_string())));
                }
            }
        }
    }
}

/// Chunks as a reader.
struct Chunks<I> {
    chunks: I,
    rest: Bytes,
}

impl<I> Chunks<I> {
    fn new(chunks: I) -> Self {
        Self { chunks, rest: Bytes::new() }
    }
}

impl<I: Iterator<Item = io::Result<Bytes>>> Read for Chunks<I> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match self.chunks.next().transpose()? {
                Some(bytes) => self.rest = bytes,
                None => return Ok(0),
            }
        }
        let taken = self.rest.split_to(buffer.len().min(self.rest.len()));
        buffer[..taken.len()].copy_from_slice(&taken);
        Ok(taken.len())
    }
}
