//! Live streams: one resumable tail each, asked for more only when its client has taken what it was given.

use crate::committer::Writer;
use crate::service::{headers, open as open_request, whole};
use crate::shell::now;
use futures_util::future::select;
use futures_util::stream::unfold;
use reqlog_core::auth::Role;
use reqlog_core::live::{HEARTBEAT, RETRY, Step, Tail};
use reqlog_core::plan::{Failure, Operation, Outcome, Plan, plan};
use reqlog_core::scan::Scan;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;
use worker::{Delay, Request, Response, ResponseBuilder, console_error};

/// A stream's place among those of its key, free again when this is dropped.
struct Place {
    writer: Rc<Writer>,
    key: u64,
}

struct Stream {
    tail: Tail,
    place: Place,
}

/// Opens the stream that a client asks for.
pub async fn open(writer: &Rc<Writer>, request: Request) -> worker::Result<Response> {
    writer.refresh().await?;
    let Some((head, _)) = open_request(&request) else { return Response::error("The URL is none.", 400) };
    let view = writer.view.borrow().clone();
    let planned: Plan = plan(&head, &writer.bindings.shell.context(&view));
    let Operation::Tail { key } = *planned.operation() else {
        return Ok(whole(&head.headers, planned.reply(Outcome::Nothing)));
    };
    let Some(place) = Place::take(writer, key) else {
        let failure = Failure::Limited { retry_after: RETRY };
        return Ok(whole(&head.headers, planned.reply(Outcome::Failed(failure))));
    };
    let (answer, tail) = match planned.tail() {
        Ok(begun) => begun,
        Err(planned) => return Ok(whole(&head.headers, planned.reply(Outcome::Failed(Failure::Internal)))),
    };
    let frames = unfold(Stream { tail, place }, async |mut stream| {
        let frames = stream.next().await?;
        Some((frames, stream))
    });
    let builder = ResponseBuilder::new().with_status(answer.status().as_u16());
    builder.with_headers(headers(answer.headers())).from_stream(frames)
}

impl Stream {
    async fn next(&mut self) -> Option<worker::Result<Vec<u8>>> {
        let writer = self.place.writer.clone();
        loop {
            let changed = writer.changed.next();
            let view = writer.view.borrow().clone();
            let step = self.tail.poll(&writer.ring.borrow(), &view.keyring, now());
            match step {
                Step::Send(bytes) => return Some(Ok(bytes.into())),
                Step::Read(query) => {
                    // what it asks for may be newer than the view
                    let scan = async {
                        let view = writer.bindings.view().await?;
                        writer.bindings.reader(view).scan(|catalog| Scan::page((*query).clone(), catalog)).await
                    };
                    let page = match scan.await {
                        Ok(scan) => scan.finish(),
                        Err(failure) => return Some(Err(worker::Error::RustError(failure.to_string()))),
                    };
                    if let Some(bytes) = self.tail.absorb(&query, &page, now()) {
                        return Some(Ok(bytes.into()));
                    }
                }
                Step::Wait(due) => {
                    let left = Duration::from_millis((due.as_millis() - now().as_millis()).max(1) as u64);
                    select(pin!(Delay::from(left)), changed).await;
                    // keys that were revoked elsewhere
                    let age = |beats: i64| writer.refreshed.get().plus_nanos(beats * HEARTBEAT.as_nanos() as i64);
                    if now() >= age(1)
                        && let Err(error) = writer.refresh().await
                    {
                        console_error!("keys could not be looked at: {error}");
                        // so long such a key may see what comes
                        if now() >= age(4) {
                            return Some(Err(error));
                        }
                    }
                }
                Step::End => return None,
            }
        }
    }
}

impl Place {
    fn take(writer: &Rc<Writer>, key: u64) -> Option<Self> {
        let limited = writer.view.borrow().keyring.get(key).is_some_and(|key| key.role != Role::Admin);
        let mut streams = writer.streams.borrow_mut();
        let taken = streams.entry(key).or_default();
        if limited && *taken >= writer.bindings.shell.settings.limits.streams_per_key {
            return None;
        }
        *taken += 1;
        Some(Self { writer: writer.clone(), key })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(taken) = self.writer.streams.borrow_mut().get_mut(&self.key) {
            *taken -= 1;
        }
    }
}
