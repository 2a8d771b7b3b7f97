//! The store of opened files: every read is its answer.
//!
//! It cannot be written and has no tails. What vectors write, and what they follow, is done by the evaluator in memory,
//! whose rows, keys and projects the store then opens afresh: as segments with bodies, because no file has rows of these
//! ids. Steps that are for deployments without something are asked of the store itself.

use crate::memory::{Memory, compressed};
use crate::wire::{Came, Frontend, Server, Setting};
use bytes::Bytes;
use http::header::ACCEPT_ENCODING;
use http::{Request, Response};
use reqlog_core::codec::Portable;
use reqlog_core::offline::{Indexed, Input, Opening, Place, Read, Setup, Step, Store};
use reqlog_core::plan::{Failure, Offers, Settings};
use reqlog_core::record::Stored;
use reqlog_core::segment;
use reqlog_core::timestamp::Timestamp;
use std::time::Duration;

/// The store of opened files.
#[derive(Clone, Copy, Debug)]
pub struct Offline;

impl Frontend for Offline {
    type Server = Opened;

    fn name(&self) -> &'static str {
        "opened files"
    }

    fn offers(&self) -> Offers {
        Offers::OPENED
    }

    fn start(&self, setting: &Setting) -> Opened {
        Opened::new(Memory::new(setting))
    }
}

/// A store of what is in memory.
#[derive(Debug)]
pub struct Opened {
    memory: Memory,
    store: Store,
}

// of rows in a segment, so that answers are merged from several
const ROWS: usize = 5;

impl Opened {
    /// Opens what is in memory.
    pub fn new(memory: Memory) -> Self {
        let mut opened = Self { store: Store::new(Setup::open([0; 32]), 1 << 20), memory };
        opened.reopen();
        opened
    }

    fn reopen(&mut self) {
        let memory = &self.memory;
        let setting = memory.setting();
        self.store.reset(Setup {
            keyring: memory.keyring().clone(),
            projects: memory.projects().clone(),
            secret: setting.cursor_secret,
            redact_key: setting.redact_key,
            settings: Settings { offers: Offers::OPENED, ..setting.settings.clone() },
        });
        let place = Place::new(0);
        let input = Input::open(place, b"{}\n", &Opening::new(setting.now, Some(setting.redact_key)));
        self.store.insert(place, input.expect("it is NDJSON").expect("it is not empty"));
        self.store.adopt(place, indexed(memory)).expect("it is what was built");
        if let Some(head) = memory.head() {
            self.store.raise(head);
        }
    }

    fn read(&mut self, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        self.memory.tick();
        let codings = request.headers().get(ACCEPT_ENCODING).is_some_and(|codings| codings == "gzip");
        let answer = answer(&self.store, request, self.memory.now(), |read| Err(format!("{read:?} of no file")))?;
        Ok(if codings && !answer.body().is_empty() { compressed(answer) } else { answer })
    }
}

/// What is in memory as segments with bodies, to be adopted.
pub(crate) fn indexed(memory: &Memory) -> Indexed {
    let mut rows = memory.rows().to_vec();
    rows.sort_by_key(|row| (row.record.time, row.id.seq()));
    let segment = |rows: &[Stored]| segment::build(rows, &Portable).expect("there are rows").bytes.into();
    let segments = rows.chunks(ROWS).map(segment).collect();
    Indexed { segments, rows: rows.len() as u64, ..Indexed::default() }
}

/// The whole answer of a store, whose files `read` reads. Fails where a streamed answer broke off.
pub fn answer(
    store: &Store,
    request: Request<Bytes>,
    now: Timestamp,
    mut read: impl FnMut(&Read) -> Result<Bytes, String>,
) -> Result<Response<Bytes>, String> {
    let mut answer = store.answer(request, now);
    let mut streamed: Option<(Response<()>, Vec<u8>)> = None;
    loop {
        match answer.step(store, now) {
            Step::Read(wanted) => match wanted.iter().map(&mut read).collect::<Result<Vec<Bytes>, _>>() {
                Ok(all) => all.iter().for_each(|bytes| answer.supply(bytes)),
                Err(_) => answer.fail(Failure::Internal),
            },
            Step::Whole(response) => return Ok(response),
            Step::Head(head) => streamed = Some((head, Vec::new())),
            Step::Chunk(bytes) => streamed.as_mut().ok_or("a chunk before the head")?.1.extend_from_slice(&bytes),
            Step::End => {
                let (head, body) = streamed.ok_or("an end before the head")?;
                return Ok(head.map(|()| body.into()));
            }
            Step::Broken(failure) => return Err(failure.to_string()),
        }
    }
}

impl Server for Opened {
    fn answer(&mut self, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        if !self.memory.is_needed(&request) {
            return self.read(request);
        }
        let answer = self.memory.answer(request);
        self.reopen();
        Ok(answer)
    }

    fn answer_itself(&mut self, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        self.read(request)
    }

    fn wait(&mut self, time: Duration) {
        self.memory.wait(time);
    }

    fn open(&mut self, name: &str, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        self.memory.open(name, request)
    }

    fn read(&mut self, name: &str, least: usize) -> Result<Came, String> {
        self.memory.read(name, least)
    }

    fn disconnect(&mut self, name: &str) {
        self.memory.disconnect(name);
    }
}
