//! The handler over opened files: every path, every method.

use super::handler::{LINGER, READS, SHORT, broken, permit, plain, unread};
use super::stream;
use crate::opened::{Answering, Opened};
use axum::body::Body;
use axum::extract;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH};
use http::request::Parts;
use http::{Method, Request, Version};
use http_body_util::{BodyExt, Limited};
use reqlog_core::offline::Step;
use reqlog_core::plan::refuse_foreign_host;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout, timeout_at};

/// By which names the server may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hosts {
    /// Any: a key is needed.
    Any,
    /// Those of the loopback: no key is needed, and a page of another site is not to get in.
    Loopback,
}

/// What every request shares.
#[derive(Clone)]
pub struct State {
    opened: Arc<Opened>,
    hosts: Hosts,
    closed: watch::Receiver<bool>,
    reads: Arc<Semaphore>,
}

impl State {
    pub(super) fn new(opened: Arc<Opened>, hosts: Hosts, closed: watch::Receiver<bool>) -> Self {
        Self { opened, hosts, closed, reads: Arc::new(Semaphore::new(READS)) }
    }
}

pub(super) async fn answer(extract::State(state): extract::State<State>, request: extract::Request) -> Response {
    let (head, body) = request.into_parts();
    // no request that is long is answered with more than a refusal
    let body = timeout(LINGER, Limited::new(body, SHORT).collect()).await;
    let body = body.ok().and_then(Result::ok).map(http_body_util::Collected::to_bytes);
    let refused = (state.hosts == Hosts::Loopback).then(|| refuse_foreign_host(&head)).flatten();
    let is_read = body.is_some();
    let mut response = match refused {
        Some(refused) => plain(refused),
        None => asked(&state, &head, body.unwrap_or_default()).await,
    };
    if !is_read {
        response.headers_mut().extend(unread(http::Response::default()).into_parts().0.headers);
    }
    if head.method == Method::HEAD && !response.headers().contains_key(CONTENT_LENGTH) {
        // of what is streamed to GET: an empty body of a known length would be announced as one
        *response.body_mut() = stream::nothing();
    }
    if head.version > Version::HTTP_11 {
        response.headers_mut().remove(CONNECTION);
    }
    tracing::debug!("{} {} {}", head.method, head.uri.path(), response.status().as_u16());
    response
}

/// Asks, and asks again while more is indexed, as long as the client waits for a row.
async fn asked(state: &State, head: &Parts, body: Bytes) -> Response {
    let (mut rows, mut closed) = (state.opened.watch(), state.closed.clone());
    let began = Instant::now();
    loop {
        rows.borrow_and_update();
        let (answer, waits) = run(state, Request::from_parts(head.clone(), body.clone())).await;
        let deadline =
            waits.map(|wait| began + wait).filter(|deadline| Instant::now() < *deadline && !*closed.borrow());
        let Some(deadline) = deadline else { return answer };
        tokio::select! {
            _ = timeout_at(deadline, rows.changed()) => {}
            _ = closed.changed() => {}
        }
    }
}

/// One answer, and how long its client waits for another.
async fn run(state: &State, request: Request<Bytes>) -> (Response, Option<Duration>) {
    let permit = match permit(&state.reads).await {
        Ok(permit) => permit,
        Err(failure) => {
            let mut busy = Response::new(Body::empty());
            *busy.status_mut() = failure.status();
            return (busy, None);
        }
    };
    let opened = state.opened.clone();
    let (sender, begun) = oneshot::channel();
    spawn_blocking(move || {
        let _permit = permit;
        drive(opened.answer(request), sender);
    });
    // a panic drops the sender
    begun.await.unwrap_or_else(|_| (broken(), None))
}

/// Sends the answer, and of a streamed one its pieces as long as somebody takes them.
fn drive(mut answering: Answering<'_>, begun: oneshot::Sender<(Response, Option<Duration>)>) {
    let head = match answering.step() {
        Step::Whole(response) => {
            let _ = begun.send((plain(response), answering.waits()));
            return;
        }
        Step::Head(head) => head,
        Step::Read(_) | Step::Chunk(_) | Step::End | Step::Broken(_) => return,
    };
    let (sender, body) = stream::body();
    let _ = begun.send((head.map(|()| body), None));
    loop {
        let piece = match answering.step() {
            Step::Chunk(bytes) => Ok(bytes),
            Step::Broken(failure) => Err(io::Error::other(failure.to_string())),
            Step::Read(_) | Step::Whole(_) | Step::Head(_) | Step::End => return,
        };
        let is_over = piece.is_err();
        if sender.blocking_send(piece).is_err() || is_over {
            return;
        }
    }
}
