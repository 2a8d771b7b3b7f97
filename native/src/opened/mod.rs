//! Files that are asked about where they lie: [`reqlog_core::offline`] over the disk, on all cores.
//!
//! ```text
//! Named::find ─► Opened::index ── portions ─► threads ── hot segments, in order ─► Store
//!                                                           requests ─► Answering ─┘ reads the files again
//! ```
//! Nothing is stored. What is compressed, or comes once (standard input, a pipe), is written plain to a file without a
//! name in the system's directory for such (`TMPDIR` names another), which goes when the process does.
//!
//! A file is served as far as it went when it was found: what is appended later is not seen and harms nothing. Where it was
//! written over or cut off, answers that read it again fail; a file that takes the place of its name changes nothing.

mod indexing;
mod source;

pub use indexing::Event;
pub use source::Named;

use crate::store::wall_clock;
use bytes::Bytes;
use http::Request;
use reqlog_core::offline::{Answer, Indexed, Input, Place, Read, Setup, Step, Store};
use reqlog_core::plan::Failure;
use source::Plain;
use std::collections::BTreeMap;
use std::io;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use tokio::sync::watch;

/// Opened files, while they are indexed and after.
pub struct Opened {
    store: RwLock<Store>,
    files: RwLock<BTreeMap<Place, Plain>>,
    // rows that can be found
    rows: watch::Sender<u64>,
}

/// Bytes of decoded columns that are kept.
const BUDGET: usize = 256 << 20;
/// Bytes that are read at a time.
const READ: u64 = 1 << 20;

impl Opened {
    /// Nothing yet; not ready before so many files are [indexed](Self::index).
    pub fn new(setup: Setup, files: usize) -> Self {
        let mut store = Store::new(setup, BUDGET);
        store.set_unread(files);
        Self { store: RwLock::new(store), files: RwLock::default(), rows: watch::Sender::new(0) }
    }

    /// Begins to answer a request.
    pub fn answer(&self, request: Request<Bytes>) -> Answering<'_> {
        let answer = self.store().answer(request, wall_clock());
        Answering { opened: self, answer }
    }

    /// Rows that can be found, as there are more and more.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.rows.subscribe()
    }

    fn store(&self) -> RwLockReadGuard<'_, Store> {
        self.store.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn insert(&self, input: &Input, plain: Plain) {
        let place = input.place();
        self.files.write().unwrap_or_else(PoisonError::into_inner).insert(place, plain);
        self.store.write().unwrap_or_else(PoisonError::into_inner).insert(place, input.clone());
    }

    fn adopt(&self, place: Place, indexed: Indexed) {
        let mut store = self.store.write().unwrap_or_else(PoisonError::into_inner);
        if let Err(corrupt) = store.adopt(place, indexed) {
            tracing::error!("a segment that was just made cannot be read: {corrupt:?}");
        }
        let rows = store.rows();
        drop(store);
        self.rows.send_replace(rows);
    }

    /// Nothing more comes of a file.
    fn close(&self) {
        let mut store = self.store.write().unwrap_or_else(PoisonError::into_inner);
        let unread = store.unread().saturating_sub(1);
        store.set_unread(unread);
    }

    /// Plain bytes of a file; `None` where they are not those that were indexed.
    fn read(&self, read: &Read) -> io::Result<Option<Vec<u8>>> {
        let plain = self.files.read().unwrap_or_else(PoisonError::into_inner).get(&read.place).cloned();
        let plain = plain.ok_or_else(|| io::Error::other("a file that was not opened"))?;
        let mut bytes = vec![0; (read.range.end - read.range.start).min(READ) as usize];
        let filled = plain.read_at(&mut bytes, read.range.start)?;
        bytes.truncate(filled);
        Ok(plain.is_same()?.then_some(bytes))
    }
}

/// An answer under way, on a thread where reading is fine.
pub struct Answering<'a> {
    opened: &'a Opened,
    answer: Answer,
}

impl Answering<'_> {
    /// How long the client waits for a row, where the answer has none: ask again when there are more rows.
    pub fn waits(&self) -> Option<std::time::Duration> {
        self.answer.waits()
    }

    /// What is to be sent next; never [`Step::Read`].
    pub fn step(&mut self) -> Step {
        loop {
            let step = self.answer.step(&self.opened.store(), wall_clock());
            let Step::Read(reads) = step else { return step };
            for read in reads {
                match self.opened.read(&read) {
                    Ok(Some(bytes)) => {
                        self.answer.supply(&bytes);
                        continue;
                    }
                    Ok(None) => self.answer.changed(),
                    Err(error) => {
                        tracing::error!("a file cannot be read again: {error}");
                        self.answer.fail(Failure::Internal);
                    }
                }
                break;
            }
        }
    }
}
