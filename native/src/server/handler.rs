//! The one handler: every path, every method.

use super::service::{Export, Service};
use super::stream;
use super::tails::Tails;
use axum::body::Body;
use axum::extract;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH};
use http::{HeaderValue, Method, Version};
use http_body_util::{BodyExt, Limited};
use reqlog_core::metrics::Work;
use reqlog_core::plan::{BodyUse, Failure, Operation, Outcome, Plan};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout, timeout_at};

/// What every request shares.
#[derive(Clone)]
pub struct State {
    service: Arc<Service>,
    closed: watch::Receiver<bool>,
    // scans are parallel inside; more of them at once only take turns
    reads: Arc<Semaphore>,
    // an ingestion waits for its client most of the time, and holds a chunk of records
    ingests: Arc<Semaphore>,
    tails: Arc<Tails>,
    // each keeps files that compaction replaced, and a copy of the catalog
    backups: Arc<Semaphore>,
}

pub(super) const READS: usize = 64;
const INGESTS: usize = 64;
const BACKUPS: usize = 2;
// a client that takes nothing of a backup for so long does not keep the files any longer
const STALL: Duration = Duration::from_mins(1);
// in the queue before either
const PATIENCE: Duration = Duration::from_secs(10);
// a body whose next piece takes longer breaks off
const BODY_IDLE: Duration = Duration::from_mins(1);

// of a refused request's body, before the connection is given up
pub(super) const SHORT: usize = 256 << 10;
pub(super) const LINGER: Duration = Duration::from_secs(1);

impl State {
    pub(super) fn new(service: Arc<Service>, closed: watch::Receiver<bool>) -> Self {
        let [reads, ingests, backups] = [READS, INGESTS, BACKUPS].map(|permits| Arc::new(Semaphore::new(permits)));
        let tails = Tails::new(service.clone(), reads.clone(), closed.clone());
        Self { service, closed, reads, ingests, tails, backups }
    }
}

pub(super) async fn answer(extract::State(state): extract::State<State>, request: extract::Request) -> Response {
    let (head, body) = request.into_parts();
    let asking = state.service.counted().request();
    let plan = state.service.plan(&head);
    let (dialect, work) = (plan.dialect(), Work::of(&plan));
    let mut response = planned(&state, plan, body).await;
    asking.answered(dialect, work, response.status());
    if head.method == Method::HEAD && !response.headers().contains_key(CONTENT_LENGTH) {
        // of what is streamed to GET: an empty body of a known length would be announced as one
        *response.body_mut() = stream::nothing();
    }
    if head.version > Version::HTTP_11 {
        response.headers_mut().remove(CONNECTION);
    }
    response
}

async fn planned(state: &State, mut plan: Plan, body: Body) -> Response {
    if let BodyUse::Collect { limit } = plan.body() {
        plan = match collect(body, limit).await {
            Ok(bytes) => state.service.with_body(plan, &bytes),
            Err(failure) => return unread(plan.reply(Outcome::Failed(failure))),
        };
        return run(state, plan).await;
    }
    match plan.operation() {
        Operation::Nothing => {
            let answer = plan.reply(Outcome::Nothing);
            if is_short(body).await { plain(answer) } else { unread(answer) }
        }
        Operation::Page { wait: Some(wait), .. } => {
            let wait = *wait;
            poll(state, plan, wait).await
        }
        Operation::Export(_) => export(state, plan).await,
        Operation::Tail { key } => {
            let key = *key;
            state.tails.open(plan, key)
        }
        Operation::Ingest(_) => ingest(state, plan, body).await,
        Operation::Backup => backup(state, plan).await,
        _ => run(state, plan).await,
    }
}

pub(super) fn plain(response: http::Response<Bytes>) -> Response {
    response.map(Body::from)
}

/// Reads a body that nobody needs, if it is short: closing the connection on a client that still sends may cost it the
/// answer.
async fn is_short(body: Body) -> bool {
    matches!(timeout(LINGER, Limited::new(body, SHORT).collect()).await, Ok(Ok(_)))
}

/// An answer that is given before the request's body is read: the connection cannot be used again, and a client that
/// is not told so would find out at its next request.
pub(super) fn unread(mut response: http::Response<Bytes>) -> Response {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    plain(response)
}

async fn collect(body: Body, limit: usize) -> Result<Bytes, Failure> {
    match timeout(BODY_IDLE, Limited::new(body, limit).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            Err(Failure::TooLarge { limit: limit as u64 })
        }
        Ok(Err(_)) | Err(_) => Err(Failure::Body("The request's body broke off.".into())),
    }
}

pub(super) async fn permit(semaphore: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Failure> {
    let busy = Failure::Busy { retry_after: Duration::from_secs(1) };
    match timeout(PATIENCE, semaphore.clone().acquire_owned()).await {
        Ok(Ok(permit)) => Ok(permit),
        Ok(Err(_)) | Err(_) => Err(busy),
    }
}

/// Runs a plan on the blocking pool, where reading and waiting for a disk is fine.
async fn run(state: &State, plan: Plan) -> Response {
    let permit = match permit(&state.reads).await {
        Ok(permit) => permit,
        Err(failure) => return plain(plan.reply(Outcome::Failed(failure))),
    };
    let service = state.service.clone();
    blocking(move || {
        let _permit = permit;
        let outcome = service.run(plan.operation());
        plain(plan.reply(outcome))
    })
    .await
}

async fn blocking(work: impl FnOnce() -> Response + Send + 'static) -> Response {
    spawn_blocking(work).await.unwrap_or_else(|_| broken())
}

/// For a panic outside of what the service guards: in the reply itself.
pub(super) fn broken() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = Failure::Internal.status();
    response
}

/// Runs a page again whenever something was committed, until it has a row, the time is over or the server closes.
async fn poll(state: &State, mut plan: Plan, wait: Duration) -> Response {
    let deadline = Instant::now() + wait;
    let mut heads = state.service.store().watch();
    let mut closed = state.closed.clone();
    loop {
        let head = *heads.borrow_and_update();
        plan.advance(head);
        let permit = match permit(&state.reads).await {
            Ok(permit) => permit,
            Err(failure) => return plain(plan.reply(Outcome::Failed(failure))),
        };
        let service = state.service.clone();
        let ran = spawn_blocking(move || {
            let _permit = permit;
            let outcome = service.run(plan.operation());
            (plan, outcome)
        });
        let Ok((back, outcome)) = ran.await else { return broken() };
        plan = back;
        let empty = matches!(&outcome, Outcome::Page(page) if page.rows.is_empty());
        if !empty || Instant::now() >= deadline || *closed.borrow() {
            return plain(plan.reply(outcome));
        }
        tokio::select! {
            // a store that closes ends the wait as the time does
            _ = timeout_at(deadline, heads.changed()) => {}
            _ = closed.changed() => {}
        }
    }
}

async fn export(state: &State, plan: Plan) -> Response {
    let permit = match permit(&state.reads).await {
        Ok(permit) => permit,
        Err(failure) => return plain(plan.reply(Outcome::Failed(failure))),
    };
    let (head, export) = match Export::new(state.service.clone(), plan) {
        Ok(export) => export,
        Err(response) => return plain(*response),
    };
    let (sender, body) = stream::body();
    spawn_blocking(move || {
        let _permit = permit;
        for chunk in export {
            // a client that is gone needs no more pages
            if sender.blocking_send(chunk).is_err() {
                return;
            }
        }
    });
    head.map(|()| body)
}

async fn backup(state: &State, plan: Plan) -> Response {
    let permit = match permit(&state.backups).await {
        Ok(permit) => permit,
        Err(failure) => return plain(plan.reply(Outcome::Failed(failure))),
    };
    let service = state.service.clone();
    let begun = spawn_blocking(move || service.backup()).await.unwrap_or(Err(Failure::Internal));
    let (head, chunks) = match (plan.backup(), begun) {
        (Some(head), Ok(chunks)) => (head, chunks),
        (_, begun) => return plain(plan.reply(Outcome::Failed(begun.err().unwrap_or(Failure::Internal)))),
    };
    let (sender, body) = stream::body();
    let runtime = Handle::current();
    spawn_blocking(move || {
        let _permit = permit;
        for chunk in chunks {
            if let Err(error) = &chunk {
                tracing::error!("a backup broke off: {error}");
            }
            // a client that is gone, or has been quiet for too long, gets no end and knows that
            match runtime.block_on(timeout(STALL, sender.send(chunk))) {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return,
                Err(_) => {
                    tracing::warn!("a backup was given up: its client took nothing for {} s", STALL.as_secs());
                    return;
                }
            }
        }
    });
    head.map(|()| body)
}

async fn ingest(state: &State, plan: Plan, body: Body) -> Response {
    let permit = match permit(&state.ingests).await {
        Ok(permit) => permit,
        Err(failure) => return unread(plan.reply(Outcome::Failed(failure))),
    };
    let (feed, reader) = stream::reader(body, BODY_IDLE);
    let service = state.service.clone();
    let answer = blocking(move || {
        let _permit = permit;
        let Operation::Ingest(request) = plan.operation() else {
            return plain(plan.reply(Outcome::Nothing));
        };
        let outcome = service.ingest(request, None, Box::new(reader));
        let whole = matches!(outcome, Outcome::Ingested(_));
        let answer = plan.reply(outcome);
        if whole { plain(answer) } else { unread(answer) }
    });
    // the feed ends when the reader is dropped, read to its end or not
    let (response, ()) = tokio::join!(answer, feed);
    response
}
