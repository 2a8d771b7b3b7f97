//! Live tails on their way to clients.
//!
//! ```text
//! commit ─► feeder ─ store.feed ─► ring ─ fed ─► task of a stream ─ poll (few threads) ─► Step ─► body ─► socket
//! ```
//! Each stream is a task. It asks its tail what to do only when the socket has taken what it was given before, so that a
//! slow reader costs one piece of memory and nobody's time, and one that is a little late gets more at once. The asking
//! itself evaluates filters, and is done by as many threads as there are processors, never by those of the sockets.
//!
//! **Ours.** A key that is no admin key has as many streams as [`Limits`](reqlog_core::limit::Limits) says; a place is
//! free again when the stream's last byte was taken or its client is gone. At a shutdown streams end at once: clients
//! come again with their last id.

use super::metrics::OpenTail;
use super::service::{Service, guarded};
use super::stream::{self, Paced};
use axum::body::Body;
use http::Response;
use reqlog_core::auth::Role;
use reqlog_core::live::{HEARTBEAT, RETRY, Step, Tail};
use reqlog_core::plan::{Failure, Outcome, Plan};
use reqlog_core::query::Query;
use reqlog_core::timestamp::Timestamp;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

/// The streams of a server.
pub(super) struct Tails {
    service: Arc<Service>,
    closed: watch::Receiver<bool>,
    // of every request that reads the store
    reads: Arc<Semaphore>,
    // those that read the store at a time: they leave room for others
    behind: Semaphore,
    polls: Arc<Polls>,
    taken: Arc<Mutex<HashMap<u64, usize>>>,
}

const BEHIND: usize = 8;
// commits closer together than this are one for streams: each wakes all of them
const PAUSE: Duration = Duration::from_millis(4);
// for what is on its way to a client at a shutdown
const LINGER: Duration = Duration::from_millis(500);

impl Tails {
    pub(super) fn new(service: Arc<Service>, reads: Arc<Semaphore>, closed: watch::Receiver<bool>) -> Arc<Self> {
        let polls = Arc::new(Polls::new(service.clone()));
        Arc::new(Self { service, closed, reads, behind: Semaphore::new(BEHIND), polls, taken: Arc::default() })
    }

    /// Begins a stream of the key with this number, or refuses it.
    pub(super) fn open(self: &Arc<Self>, plan: Plan, key: u64) -> Response<Body> {
        let Some(place) = self.place(key) else {
            return plan.reply(Outcome::Failed(Failure::Limited { retry_after: RETRY })).map(Body::from);
        };
        let (head, tail) = match plan.tail() {
            Ok(begun) => begun,
            Err(plan) => return plan.reply(Outcome::Failed(Failure::Internal)).map(Body::from),
        };
        let (paced, body) = stream::paced();
        let tails = self.clone();
        tokio::spawn(async move {
            let _place = place;
            let open = tails.service.tails().open();
            tails.serve(tail, &paced, &open).await;
        });
        head.map(|()| body)
    }

    fn place(&self, key: u64) -> Option<Place> {
        // the process's own key is not in the keyring; one that was revoked meanwhile has its stream end at once
        let limited = self.service.store().keyring().get(key).is_some_and(|key| key.role != Role::Admin);
        let mut taken = lock(&self.taken);
        let count = taken.entry(key).or_default();
        if limited && *count >= self.service.settings().limits.streams_per_key {
            return None;
        }
        *count += 1;
        Some(Place { key, taken: self.taken.clone() })
    }

    async fn serve(&self, tail: Tail, paced: &Paced, open: &OpenTail) {
        let mut closed = self.closed.clone();
        tokio::select! {
            () = paced.gone() => return,
            () = over(&mut closed) => {}
            _ = self.follow(Box::new(tail), paced, open) => {}
        }
        let last = async {
            over(&mut closed).await;
            sleep(LINGER).await;
        };
        tokio::select! {
            () = paced.drained() => {}
            // one that does not read holds up nobody
            () = last => paced.cut_off(),
        }
    }

    // until the tail ends, or cannot go on
    async fn follow(&self, mut tail: Box<Tail>, paced: &Paced, open: &OpenTail) -> Option<()> {
        let store = self.service.store();
        let _follow = store.follow();
        let mut fed = store.fed();
        let (mut is_behind, mut frames) = (false, 0);
        loop {
            let room = paced.room().await?;
            let bytes = loop {
                fed.borrow_and_update();
                let (polled, step) = self.polls.run(tail).await?;
                tail = polled;
                match step {
                    Step::Send(bytes) => break bytes,
                    Step::Read(query) => {
                        if !std::mem::replace(&mut is_behind, true) {
                            open.resumed();
                        }
                        let read = self.read(tail, query).await?;
                        tail = read.0;
                        if let Some(bytes) = read.1 {
                            break bytes;
                        }
                    }
                    Step::Wait(until) => {
                        is_behind = false;
                        // a store that closes changes nothing any more
                        if let Ok(Err(_)) = timeout(span(store.now(), until), fed.changed()).await {
                            return None;
                        }
                    }
                    Step::End => return Some(()),
                }
            };
            open.sent(tail.frames() - std::mem::replace(&mut frames, tail.frames()));
            paced.send(room, bytes);
        }
    }

    async fn read(&self, mut tail: Box<Tail>, query: Box<Query>) -> Option<(Box<Tail>, Option<bytes::Bytes>)> {
        let _turn = self.behind.acquire().await.ok()?;
        let permit = self.reads.clone().acquire_owned().await.ok()?;
        let service = self.service.clone();
        let read = spawn_blocking(move || {
            let _permit = permit;
            let bytes = guarded(|| {
                let page = service.page(&query)?;
                Ok(tail.absorb(&query, &page, service.store().now()))
            });
            bytes.ok().map(|bytes| (tail, bytes))
        });
        read.await.ok()?
    }
}

/// Takes what is committed into the ring, until the server closes.
pub(super) async fn feed(service: Arc<Service>, mut closed: watch::Receiver<bool>) {
    let mut heads = service.store().watch();
    loop {
        tokio::select! {
            changed = heads.changed() => if changed.is_err() { return },
            () = over(&mut closed) => return,
        }
        if service.store().followers() == 0 {
            continue;
        }
        let feeding = service.clone();
        let fed = spawn_blocking(move || guarded(|| feeding.store().feed().map_err(super::failure)));
        if !matches!(fed.await, Ok(Ok(()))) {
            tracing::warn!("recent records could not be taken into memory; streams read them from the store");
        }
        sleep(PAUSE).await;
    }
}

// also when the server is gone without a word
async fn over(closed: &mut watch::Receiver<bool>) {
    let _ = closed.wait_for(|closed| *closed).await;
}

// by the store's clock; one that was set back wakes a stream no later than it would say something anyway
fn span(now: Timestamp, until: Timestamp) -> Duration {
    let nanos = until.as_nanos().saturating_sub(now.as_nanos()).max(0);
    Duration::from_nanos(nanos as u64).min(HEARTBEAT)
}

/// A stream's place among those of its key.
struct Place {
    key: u64,
    taken: Arc<Mutex<HashMap<u64, usize>>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        if let Some(count) = taken.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.key);
            }
        }
    }
}

/// Polls tails on a few threads of the blocking pool, first come, first served.
struct Polls {
    service: Arc<Service>,
    queue: Mutex<Queue>,
    most: usize,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    threads: usize,
}

type Polled = (Box<Tail>, Step);
type Waiting = (Box<Tail>, oneshot::Sender<Polled>);

impl Polls {
    fn new(service: Arc<Service>) -> Self {
        let most = std::thread::available_parallelism().map_or(1, usize::from);
        Self { service, queue: Mutex::default(), most }
    }

    // `None` is a panic in there, which is logged
    async fn run(self: &Arc<Self>, tail: Box<Tail>) -> Option<Polled> {
        let (sender, polled) = oneshot::channel();
        if self.push((tail, sender)) {
            let polls = self.clone();
            spawn_blocking(move || polls.drain());
        }
        polled.await.ok()
    }

    // whether another thread is needed
    fn push(&self, waiting: Waiting) -> bool {
        let mut queue = lock(&self.queue);
        queue.waiting.push_back(waiting);
        let needed = queue.threads < self.most;
        queue.threads += usize::from(needed);
        needed
    }

    fn drain(&self) {
        while let Some((mut tail, sender)) = self.next() {
            let Ok(step) = guarded(|| Ok(self.service.store().poll(&mut tail))) else { continue };
            // nobody waits for one whose client is gone
            let _ = sender.send((tail, step));
        }
    }

    fn next(&self) -> Option<Waiting> {
        let mut queue = lock(&self.queue);
        let next = queue.waiting.pop_front();
        if next.is_none() {
            queue.threads -= 1;
        }
        next
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
