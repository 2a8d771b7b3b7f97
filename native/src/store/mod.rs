//! The durable store: a catalog in `SQLite`, segment files beside it, one committer.
//!
//! ```no_run
//! # use reqlog::store::{Ingest, Options, Store};
//! let store = Store::open("reqlog-data".as_ref(), Options::default())?;
//! let committed = store.commit(Ingest::default())?; // durable and visible from here on
//! store.close()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! One thread, the committer, owns the database and the head; it commits what waits as one group, publishes a new
//! [`Snapshot`], then acknowledges. Readers only ever look at snapshots: batches by value, segments by name. Compaction
//! replaces sources by segments through the same thread.
//!
//! A deletion hides rows at once, retention as they expire; compaction removes them, and with the last of them the file.
//!
//! **Invariants.** A row is in exactly one source of every snapshot. A segment's file is durable before a transaction
//! names it, and is unlinked only when no transaction, snapshot or backup names it. No database read outlives a statement.
//! Arrival never goes back, nor before a moment that a reader was told while the store is open, whatever the clock does.
//! Sequences are never given out twice.

mod administration;
mod backup;
mod cache;
mod committer;
mod compaction;
mod counters;
mod data_dir;
mod database;
mod disk;
mod doctor;
mod erasure;
mod fault;
mod forgetting;
mod founding;
mod ingest;
mod live;
mod memory;
mod opening;
mod options;
mod reading;
mod replacement;
mod retention;
mod snapshot;
mod source;
#[cfg(test)]
mod tests;
mod zstd;

pub use backup::{Backup, BackupError, Listed, Manifest, receive, restore};
pub use disk::{Disk, OsDisk};
pub use doctor::{Diagnosis, Finding, Remark, Repair, doctor, repair};
pub use fault::Fault;
pub use founding::{Founding, found};
pub use ingest::{Ingest, Prepared, Ticket};
pub use live::Follow;
pub use options::{Clock, Compaction, OpenError, Options, wall_clock};
pub use snapshot::Snapshot;
pub use zstd::Zstd;

use committer::{Committer, Request};
use data_dir::DataDir;
use reqlog_core::auth::Keyring;
use reqlog_core::catalog::Catalog;
use reqlog_core::id::{EntryId, Seq};
use reqlog_core::identity::Seed;
use reqlog_core::plan::Projects;
use reqlog_core::sequencer::Committed;
use reqlog_core::timestamp::Timestamp;
use snapshot::Published;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// A data directory that this process has open; clones share it. Dropping the last one closes it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    requests: Sender<Request>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What the threads of a store share.
struct Shared {
    options: Options,
    dir: Arc<DataDir>,
    snapshot: Published<Snapshot>,
    keyring: Published<Keyring>,
    projects: Published<Projects>,
    secret: [u8; 32],
    redact_key: [u8; 32],
    cache: cache::Parts,
    // of exports and sweeps
    sweeps: cache::Parts,
    counts: cache::Counts,
    counters: counters::Counters,
    // how many identities the committer remembers
    remembered: AtomicUsize,
    head: watch::Sender<Option<Seq>>,
    // the latest moment that anybody was told, in ns: a walk may have begun then
    told: AtomicI64,
    live: live::Live,
    // held for one step of compaction
    compacting: Mutex<()>,
    // held while it is found out what has expired
    retaining: Mutex<()>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    // grows with every snapshot and whenever else compaction should look again
    version: u64,
    closing: bool,
    // when an import that goes on last submitted records
    importing: Option<Instant>,
}

impl Shared {
    /// What time it is. Nothing arrives earlier from now on.
    fn now(&self) -> Timestamp {
        let now = (self.options.clock)();
        self.told.fetch_max(now.as_nanos(), Ordering::SeqCst);
        now
    }

    /// The latest moment that anybody was told.
    fn told(&self) -> Timestamp {
        Timestamp::from_nanos(self.told.load(Ordering::SeqCst))
    }

    fn publish(&self, snapshot: Snapshot) {
        let snapshot = self.snapshot.set(snapshot);
        self.head.send_replace(snapshot.catalog().head.map(EntryId::seq));
        self.state().version += 1;
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// how long an ingestion waits for compaction to catch up
const PATIENCE: Duration = Duration::from_secs(30);

impl Store {
    /// Opens a data directory, or makes one. What a crash left behind is put right first: files without meaning are
    /// removed, unknown ones move to `lost/`.
    pub fn open(dir: &Path, options: Options) -> Result<Self, OpenError> {
        opening::open(dir, options).map(|inner| Self { inner: Arc::new(inner) })
    }

    /// The present view.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.inner.shared.snapshot.get()
    }

    /// Summaries, head and deletions of the present view.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.snapshot().catalog().clone()
    }

    /// Every key.
    pub fn keyring(&self) -> Arc<Keyring> {
        self.inner.shared.keyring.get()
    }

    /// Every project that was made or that a record named.
    pub fn projects(&self) -> Arc<Projects> {
        self.inner.shared.projects.get()
    }

    /// Signs cursors.
    pub fn secret(&self) -> &[u8; 32] {
        &self.inner.shared.secret
    }

    /// Key of the hashes that stand for redacted values.
    pub fn redact_key(&self) -> &[u8; 32] {
        &self.inner.shared.redact_key
    }

    /// The head as it grows, for who waits for records.
    pub fn watch(&self) -> watch::Receiver<Option<Seq>> {
        self.inner.shared.head.subscribe()
    }

    /// The seed of hashes of identities.
    pub fn seed(&self) -> Seed {
        Seed::new(self.secret())
    }

    /// How many identities are remembered.
    pub fn remembered(&self) -> usize {
        self.inner.shared.remembered.load(Ordering::Relaxed)
    }

    /// Bytes that can still be written where the data is.
    pub fn free(&self) -> Result<u64, Fault> {
        self.inner.shared.dir.free()
    }

    /// Whether there is room to ingest.
    pub fn ready(&self) -> Result<(), Fault> {
        if self.free()? < self.inner.shared.options.reserve { Err(Fault::DiskFull) } else { Ok(()) }
    }

    /// Encodes records for [`Self::submit`]; the costly part of a commit, for any thread.
    pub fn prepare(&self, ingest: Ingest) -> Prepared {
        Prepared::new(ingest, &*self.inner.shared.options.codec)
    }

    /// Queues records; they get their sequences in the order of these calls. Waits while compaction is far behind.
    pub fn submit(&self, mut prepared: Prepared) -> Result<Ticket, Fault> {
        prepared.submitted = Instant::now();
        self.wait_for_room().inspect_err(|fault| self.inner.shared.counters.not_committed(fault))?;
        if prepared.import.is_some() {
            self.inner.shared.state().importing = Some(Instant::now());
        }
        let (reply, answer) = sync_channel(1);
        self.inner.requests.send(Request::Ingest(prepared, reply)).map_err(|_| Fault::Closed)?;
        Ok(Ticket(answer))
    }

    /// Lets compaction go on that gives way to an import: there is no more of it.
    pub fn import_ended(&self) {
        let shared = &self.inner.shared;
        let mut state = shared.state();
        state.importing = None;
        state.version += 1;
        shared.changed.notify_all();
    }

    /// Stores records; when this returns well, they are durable and visible.
    pub fn commit(&self, ingest: Ingest) -> Result<Committed, Fault> {
        self.submit(self.prepare(ingest))?.wait()
    }

    /// Stops compaction after its step, commits what was submitted, and empties the log. Later calls fail as
    /// [`Fault::Closed`]; reading goes on.
    pub fn close(&self) -> Result<(), Fault> {
        self.inner.close()
    }

    fn wait_for_room(&self) -> Result<(), Fault> {
        let shared = &self.inner.shared;
        let full = || {
            shared.options.compaction == Compaction::Background
                && shared.snapshot.get().backlog() > shared.options.backlog
        };
        if !full() {
            return Ok(());
        }
        let deadline = Instant::now() + PATIENCE;
        let mut state = shared.state();
        while full() {
            let rest = deadline.saturating_duration_since(Instant::now());
            if state.closing || rest.is_zero() {
                return Err(Fault::Busy);
            }
            (state, _) = shared.changed.wait_timeout(state, rest).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    /// Runs a change on the committer and waits for it.
    fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Committer) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        run(&self.inner.requests, work)
    }
}

/// Runs a change on the committer and waits for it.
fn run<T: Send + 'static>(
    requests: &Sender<Request>,
    work: impl FnOnce(&mut Committer) -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let (reply, answer) = sync_channel(1);
    let work = move |committer: &mut Committer| {
        let _ = reply.send(work(committer));
    };
    requests.send(Request::Run(Box::new(work))).map_err(|_| Fault::Closed)?;
    answer.recv().unwrap_or(Err(Fault::Closed))
}

impl Inner {
    fn close(&self) -> Result<(), Fault> {
        self.shared.state().closing = true;
        self.shared.changed.notify_all();
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        // the committer is first, and ends last: compaction finishes its step through it
        while threads.len() > 1 {
            let _ = threads.pop().map(JoinHandle::join);
        }
        let Some(committer) = threads.pop() else { return Ok(()) };
        let (reply, answer) = sync_channel(1);
        let closed = match self.requests.send(Request::Close(reply)) {
            Ok(()) => answer.recv().unwrap_or(Err(Fault::Closed)),
            Err(_) => Err(Fault::Closed),
        };
        let _ = committer.join();
        closed
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // what was acknowledged is durable already
        let _ = self.close();
    }
}
