//! The one writer: gives out sequences, commits, keeps recent records and serves live tails.
//!
//! Everything it holds but the buckets of rate limits can be read from the catalog again: the platform may restart it at
//! any time. Requests of other parts of the Worker are `POST`s by path; a `GET` is a client's, whose stream it serves.

use crate::database::Fault;
use crate::follow;
use crate::ingest::{Answer, Piece, refusal};
use crate::limits::{BACKLOG, BATCH, IDENTITIES, PATIENCE};
use crate::shell::{Bindings, now, random};
use crate::signal::Signal;
use crate::view::{View, failed};
use futures_channel::oneshot;
use futures_util::future::{Either, select};
use reqlog_core::codec::Portable;
use reqlog_core::compact::Bounds;
use reqlog_core::id::{EntryId, Seq};
use reqlog_core::limit::{Admission, BucketId, Charge, TokenBucket, Verdict};
use reqlog_core::live::{Ring, Room};
use reqlog_core::plan::Failure;
use reqlog_core::sequencer::{Commit, Committed, DEADLINE, Room as Backlog, Sequencer, Step, Submission, Ticket};
use reqlog_core::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use worker::wasm_bindgen_futures::spawn_local;
use worker::{Delay, DurableObject, Env, Method, Request, RequestInit, Response, State, durable_object};

/// The Durable Object.
#[durable_object(fetch)]
pub struct Committer {
    state: State,
    env: Env,
    writer: RefCell<Option<Rc<Writer>>>,
}

/// What it holds while it runs.
pub struct Writer {
    pub bindings: Bindings,
    pub view: RefCell<Rc<View>>,
    pub ring: RefCell<Ring>,
    /// Tells streams, and who waits for records.
    pub changed: Signal,
    /// When the view was loaded.
    pub refreshed: Cell<Timestamp>,
    /// Open streams by key.
    pub streams: RefCell<HashMap<u64, usize>>,
    sequencer: RefCell<Sequencer>,
    answers: RefCell<HashMap<Ticket, oneshot::Sender<Result<Committed, String>>>>,
    // tells the pump
    submitted: Signal,
    pumping: Cell<bool>,
    // rows and bytes committed since the view was loaded
    fresh: Cell<(u64, u64)>,
    sealing: Cell<bool>,
    buckets: RefCell<HashMap<BucketId, TokenBucket>>,
}

impl DurableObject for Committer {
    fn new(state: State, env: Env) -> Self {
        Self { state, env, writer: RefCell::new(None) }
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        let writer = self.writer().await?;
        if request.method() == Method::Get {
            return follow::open(&writer, request).await;
        }
        let path = request.inner().url();
        let body = request.bytes().await?;
        match path.rsplit('/').next() {
            Some("commit") => writer.commit(&body).await,
            Some("look") => writer.look().await,
            Some("wait") => writer.wait(&body).await,
            Some("charge") => self.charge(&writer, &body).await,
            _ => Response::error("no such request", 404),
        }
    }
}

impl Committer {
    async fn writer(&self) -> worker::Result<Rc<Writer>> {
        if let Some(writer) = &*self.writer.borrow() {
            return Ok(writer.clone());
        }
        let bindings = Bindings::of(self.env.clone())?;
        let view = bindings.shell.view(&bindings.database).await.map_err(told)?;
        let seed = u64::from_le_bytes(random()?[..8].try_into().unwrap_or_default());
        let room = Backlog { row: BATCH, identities: IDENTITIES, ..Backlog::default() };
        let writer = Rc::new(Writer {
            ring: RefCell::new(Ring::new(Room::default(), view.head().map(EntryId::seq))),
            sequencer: RefCell::new(Sequencer::new(bindings.shell.window, room, Arc::new(Portable), seed)),
            view: RefCell::new(view),
            bindings,
            changed: Signal::default(),
            refreshed: Cell::new(now()),
            streams: RefCell::default(),
            answers: RefCell::default(),
            submitted: Signal::default(),
            pumping: Cell::new(false),
            fresh: Cell::new((0, 0)),
            sealing: Cell::new(false),
            buckets: RefCell::default(),
        });
        // another request may have been quicker while this one waited
        Ok(self.writer.borrow_mut().get_or_insert(writer).clone())
    }

    async fn charge(&self, writer: &Writer, body: &[u8]) -> worker::Result<Response> {
        let asked: Asked = serde_json::from_slice(body)?;
        let limits = writer.bindings.shell.settings.limits;
        let Some((bucket, rate)) = BucketId::parse(&asked.bucket).and_then(|id| Some((id, limits.rate(id)?))) else {
            return Response::error("no such bucket", 400);
        };
        let kept = writer.buckets.borrow().get(&bucket).copied();
        let mut kept = if let Some(kept) = kept {
            kept
        } else {
            let stored: Option<(String, String)> = self.state.storage().get(&asked.bucket).await?;
            let stored = stored.and_then(|(missing, at)| {
                Some(TokenBucket { missing: missing.parse().ok()?, at: Timestamp::from_nanos(at.parse().ok()?) })
            });
            // another request may have read it meanwhile
            *writer.buckets.borrow_mut().entry(bucket).or_insert(stored.unwrap_or(TokenBucket::full(now())))
        };
        let verdict = kept.take(rate, asked.cost, now());
        writer.buckets.borrow_mut().insert(bucket, kept);
        let stored = (kept.missing.to_string(), kept.at.as_nanos().to_string());
        self.state.storage().put(&asked.bucket, stored).await?;
        Response::from_json(&Charged::of(verdict))
    }
}

impl Writer {
    async fn commit(self: &Rc<Self>, body: &[u8]) -> worker::Result<Response> {
        let answer = match Piece::read(body) {
            Some(submission) => self.submit(submission).await,
            None => Err("what was submitted is not understood".into()),
        };
        Response::from_json(&Answer::of(answer))
    }

    async fn submit(self: &Rc<Self>, submission: Submission) -> Result<Committed, String> {
        let deadline = now().plus_nanos(DEADLINE.as_nanos() as i64);
        loop {
            let changed = self.changed.next();
            let left = deadline.as_millis() - now().as_millis();
            if self.backlog().1 <= BACKLOG {
                break;
            } else if left <= 0 {
                return Err("compaction is far behind".into());
            }
            self.seal();
            select(Delay::from(Duration::from_millis(left as u64)), changed).await;
        }
        let (sender, answer) = oneshot::channel();
        let ticket = self.sequencer.borrow_mut().submit(submission, now()).map_err(refusal)?;
        self.answers.borrow_mut().insert(ticket, sender);
        self.submitted.tell();
        if !self.pumping.replace(true) {
            spawn_local(self.clone().pump());
        }
        answer.await.unwrap_or_else(|_| Err("the committer ended".into()))
    }

    // rows and bytes that are in no segment
    fn backlog(&self) -> (u64, u64) {
        let ((rows, bytes), (new_rows, new_bytes)) = (self.view.borrow().backlog(), self.fresh.get());
        (rows + new_rows, bytes + new_bytes)
    }

    // one step after another, until nothing waits
    async fn pump(self: Rc<Self>) {
        loop {
            let submitted = self.submitted.next();
            let step = self.sequencer.borrow_mut().next(now());
            // duplicates, and what has waited for too long, are answered without a step
            self.settle();
            match step {
                Step::Load { attempt, identities_after } => {
                    let loaded = in_time(self.bindings.database.head(attempt.as_deref(), identities_after)).await;
                    let mut sequencer = self.sequencer.borrow_mut();
                    match loaded {
                        Ok(loaded) => sequencer.loaded(loaded, now()),
                        Err(fault) => {
                            failed(fault);
                            sequencer.unknown(now());
                        }
                    }
                }
                Step::Commit(commit) => self.write(&commit).await,
                Step::Wait(Some(due)) => {
                    let left = Duration::from_millis((due.as_millis() - now().as_millis()).max(1) as u64);
                    select(pin!(Delay::from(left)), submitted).await;
                }
                Step::Wait(None) => break,
            }
        }
        self.pumping.set(false);
    }

    async fn write(&self, commit: &Commit) {
        let known = self.view.borrow().projects.clone();
        let is_known = |(project, environment): &(String, Option<String>)| {
            let declared = known.environments(project);
            declared.is_some_and(|all| environment.as_ref().is_none_or(|name| all.contains(name)))
        };
        let unknown = commit.places.iter().filter(|place| !is_known(place)).flat_map(|(project, environment)| {
            [Some(""), environment.as_deref()].into_iter().flatten().map(move |name| (project.as_str(), name))
        });
        let unknown: Vec<(&str, &str)> = unknown.collect();
        let written = in_time(self.bindings.database.commit(commit, &unknown)).await;
        if !unknown.is_empty() && written.is_ok() {
            // the next commit need not say it again
            if let Err(error) = self.refresh().await {
                worker::console_error!("the catalog could not be looked at: {error}");
            }
        }
        let mut sequencer = self.sequencer.borrow_mut();
        match written {
            Ok(source) => {
                let (rows, bytes) = self.fresh.get();
                let added: usize = commit.batches.iter().map(|(_, blob)| blob.len()).sum();
                self.fresh.set((rows + commit.next - commit.expected.next, bytes + added as u64));
                sequencer.committed(source);
            }
            Err(Fault::Refused) => sequencer.refused(),
            Err(Fault::Failed(fault)) => {
                worker::console_error!("a commit failed: {fault}");
                sequencer.unknown(now());
            }
        }
    }

    // what is durable reaches streams and those who wait for it
    fn settle(self: &Rc<Self>) {
        loop {
            let settled = self.sequencer.borrow_mut().settled();
            let Some(settled) = settled else { break };
            match settled.head {
                Some(head) if !settled.rows.is_empty() => self.ring.borrow_mut().push(settled.rows, head.seq()),
                head => self.ring.borrow_mut().skip(head.map(EntryId::seq)),
            }
            for (ticket, answer) in settled.answers {
                let sender = self.answers.borrow_mut().remove(&ticket);
                let _ = sender.map(|sender| sender.send(answer.map_err(|failure| failure.to_string())));
            }
            self.changed.tell();
        }
        let (rows, bytes) = self.backlog();
        if rows >= Bounds::EDGE.fresh_rows || bytes >= Bounds::EDGE.fresh_bytes {
            self.seal();
        }
    }

    // has the compactor look, once at a time; nobody waits for it
    fn seal(self: &Rc<Self>) {
        if self.sealing.replace(true) {
            return;
        }
        let writer = self.clone();
        spawn_local(async move {
            let sealed = async {
                post(&writer.bindings.compactor()?, "seal", &[]).await?;
                writer.refresh().await
            };
            if let Err(error) = sealed.await {
                worker::console_error!("nothing was sealed: {error}");
            }
            writer.sealing.set(false);
        });
    }

    /// Loads the catalog anew, and has the ring forget what was deleted.
    pub async fn refresh(&self) -> worker::Result<()> {
        let view = self.bindings.shell.view(&self.bindings.database).await.map_err(told)?;
        self.refreshed.set(now());
        // another look may have been answered later and come first
        if self.view.borrow().is_later_than(&view) {
            return Ok(());
        }
        self.fresh.set((0, 0));
        let known = self.view.replace(view.clone());
        let seen = known.deletions.iter().map(|deletion| deletion.id).max().unwrap_or(0);
        for deletion in view.deletions.iter().filter(|deletion| deletion.id > seen) {
            self.ring.borrow_mut().erase(deletion.clone());
        }
        // another writer has committed: what it did is in the store
        if let Some(head) = view.head().map(EntryId::seq)
            && !self.pumping.get()
        {
            self.ring.borrow_mut().skip(Some(head));
        }
        self.changed.tell();
        Ok(())
    }

    async fn look(&self) -> worker::Result<Response> {
        self.refresh().await?;
        Response::empty()
    }

    async fn wait(&self, body: &[u8]) -> worker::Result<Response> {
        let Waiting { after, ms } = serde_json::from_slice(body)?;
        let deadline = now().as_millis() + ms as i64;
        loop {
            let changed = self.changed.next();
            let left = deadline - now().as_millis();
            if self.ring.borrow().head() > after || left <= 0 {
                return Response::empty();
            }
            select(pin!(Delay::from(Duration::from_millis(left as u64))), changed).await;
        }
    }
}

// what takes longer may still happen
async fn in_time<T>(work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    let late = Fault::Failed(format!("no answer within {} s", PATIENCE.as_secs()));
    match select(Box::pin(work), Delay::from(PATIENCE)).await {
        Either::Left((done, _)) => done,
        Either::Right(_) => Err(late),
    }
}

#[derive(Deserialize, Serialize)]
struct Waiting {
    after: u64,
    ms: u64,
}

#[derive(Deserialize, Serialize)]
struct Asked {
    bucket: String,
    cost: u32,
}

#[derive(Deserialize, Serialize)]
struct Charged {
    retry_after: Option<Duration>,
    remaining: u32,
    full_in: Duration,
}

impl Charged {
    fn of(verdict: Verdict) -> Self {
        let retry_after = match verdict.admission {
            Admission::Granted => None,
            Admission::Refused { retry_after } => Some(retry_after),
        };
        Self { retry_after, remaining: verdict.remaining, full_in: verdict.full_in }
    }
}

/// Has the committer charge a bucket.
pub async fn charge(bindings: &Bindings, charge: Charge) -> Result<Verdict, Failure> {
    let asked = Asked { bucket: charge.bucket.to_string(), cost: charge.cost };
    let charged: Charged = ask(bindings, "charge", &serde_json::to_vec(&asked).unwrap_or_default()).await?;
    let refused = |retry_after| Admission::Refused { retry_after };
    let admission = charged.retry_after.map_or(Admission::Granted, refused);
    Ok(Verdict { admission, remaining: charged.remaining, full_in: charged.full_in })
}

/// Waits until there are records after a sequence, or so many ms.
pub async fn wait(bindings: &Bindings, after: Option<Seq>, ms: u64) -> Result<(), Failure> {
    let waiting = Waiting { after: after.map_or(0, Seq::get), ms };
    told_of(bindings, "wait", &serde_json::to_vec(&waiting).unwrap_or_default()).await.map(|_| ())
}

/// Has the committer look at what somebody else has changed.
pub async fn look(bindings: &Bindings) -> Result<(), Failure> {
    told_of(bindings, "look", &[]).await.map(|_| ())
}

/// Submits records; they are durable when this returns well.
pub async fn submit(bindings: &Bindings, piece: &Piece) -> Result<Committed, Failure> {
    let answer: Answer = ask(bindings, "commit", &piece.write()).await?;
    answer.read()
}

/// Has the committer serve a stream.
pub async fn follow(bindings: &Bindings, head: &http::request::Parts) -> Result<Response, Failure> {
    let mut init = RequestInit::new();
    init.with_headers(crate::service::headers(&head.headers));
    let request = Request::new_with_init(&head.uri.to_string(), &init).map_err(unreached)?;
    bindings.committer().map_err(unreached)?.fetch_with_request(request).await.map_err(unreached)
}

async fn ask<T: for<'a> Deserialize<'a>>(bindings: &Bindings, path: &str, body: &[u8]) -> Result<T, Failure> {
    let mut response = told_of(bindings, path, body).await?;
    response.json().await.map_err(unreached)
}

async fn told_of(bindings: &Bindings, path: &str, body: &[u8]) -> Result<Response, Failure> {
    let committer = bindings.committer().map_err(unreached)?;
    let response = post(&committer, path, body).await.map_err(unreached)?;
    if response.status_code() < 300 { Ok(response) } else { Err(unreached(path.into())) }
}

/// Asks a Durable Object of this Worker.
pub async fn post(object: &worker::Stub, path: &str, body: &[u8]) -> worker::Result<Response> {
    let mut init = RequestInit::new();
    let body = worker::js_sys::Uint8Array::from(body);
    init.with_method(Method::Post).with_body(Some(body.into()));
    object.fetch_with_request(Request::new_with_init(&format!("https://object/{path}"), &init)?).await
}

fn unreached(error: worker::Error) -> Failure {
    failed(error.into())
}

#[allow(clippy::needless_pass_by_value)] // for `map_err`
fn told(fault: Fault) -> worker::Error {
    worker::Error::RustError(format!("{fault:?}"))
}
