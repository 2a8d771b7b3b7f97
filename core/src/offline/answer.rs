//! From a request to the bytes of its answer, over an offline store whose files somebody else reads.

use super::Place;
use super::running::{Progress, Running};
use super::store::Store;
use crate::plan::{BodyUse, Exporter, Failure, Operation, Outcome, Plan, plan};
use crate::timestamp::Timestamp;
use bytes::Bytes;
use http::{Request, Response};
use std::ops::Range;
use std::time::Duration;

/// An answer under way: [`step`](Self::step) until it is over, each time doing what it says.
///
/// ```text
///            ┌────────────────────────────── Whole(response)
/// step ─────►┤
///   ▲        └─ Head(head) ─ Chunk ─ Chunk … End | Broken
///   │  for each read, in their order: supply(bytes), fail(why) or changed()
///   └── Read(reads): any number of times before and between all of these
/// ```
/// It is about what was adopted when the request was made, so that portions may be adopted meanwhile. At a time, it holds
/// the rows of one page, and beside them either the columns of one segment and what was read again of one block of its rows,
/// or units of rows of the page: one, and up to 128 of which no more than 240 KiB are read yet.
#[derive(Debug)]
pub struct Answer {
    stage: Stage,
    // of a request that waits for a row, until there is one
    waits: Option<Duration>,
}

#[derive(Debug)]
enum Stage {
    Ready(Response<Bytes>),
    Running(Box<Plan>, Running),
    Streaming { exporter: Exporter, page: Option<Running>, is_begun: bool },
    Over,
}

/// What the shell does next.
#[derive(Debug)]
pub enum Step {
    /// Read these bytes, side by side if that is faster, and [supply](Answer::supply) them, each read in its turn.
    Read(Vec<Read>),
    /// Send this; it is over.
    Whole(Response<Bytes>),
    /// Send status and header fields of a streamed answer; the length is not known.
    Head(Response<()>),
    /// Send more of the streamed answer.
    Chunk(Bytes),
    /// The streamed answer is whole.
    End,
    /// Break the streamed answer off in a way that the client sees: it is not whole.
    Broken(Failure),
}

/// Bytes of an opened file that are needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// Which file.
    pub place: Place,
    /// Offsets in its plain, decompressed bytes; may reach past their end.
    pub range: Range<u64>,
}

impl Answer {
    pub(super) fn new(store: &Store, request: Request<Bytes>, now: Timestamp) -> Self {
        let (head, body) = request.into_parts();
        let context = store.context(now);
        let mut planned = plan(&head, &context);
        if let Some(charge) = planned.charge() {
            let verdict = store.buckets().take(charge, now);
            planned = planned.admit(verdict);
        }
        if let BodyUse::Collect { limit } = planned.body() {
            if body.len() > limit {
                let failure = Failure::TooLarge { limit: limit as u64 };
                return Self { stage: Stage::Ready(planned.reply(Outcome::Failed(failure))), waits: None };
            }
            planned = planned.with_body(&body, &context);
        }
        let waits = match planned.operation() {
            Operation::Page { wait, .. } => *wait,
            _ => None,
        };
        let stage = match planned.export() {
            Ok(exporter) => Stage::Streaming { exporter, page: None, is_begun: false },
            Err(planned) => match Running::new(planned.operation(), store) {
                Ok(running) => Stage::Running(planned, running),
                Err(failure) => Stage::Ready(planned.reply(Outcome::Failed(failure))),
            },
        };
        Self { stage, waits }
    }

    /// How long the client waits for a row, where the whole answer has none. A shell that adopts more meanwhile asks again
    /// then; one that does not need not wait.
    pub fn waits(&self) -> Option<Duration> {
        self.waits
    }

    /// Goes on until bytes are needed or there is something to send. After an end, [`Step::End`] again.
    pub fn step(&mut self, store: &Store, now: Timestamp) -> Step {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Over => Step::End,
            Stage::Ready(response) => Step::Whole(response),
            Stage::Running(plan, mut running) => match running.step(store) {
                Ok(Progress::Read(reads)) => {
                    self.stage = Stage::Running(plan, running);
                    Step::Read(reads)
                }
                Ok(Progress::Done(outcome)) => {
                    if !matches!(&*outcome, Outcome::Page(page) if page.rows.is_empty()) {
                        self.waits = None;
                    }
                    Step::Whole(plan.reply(*outcome))
                }
                Err(failure) => {
                    self.waits = None;
                    Step::Whole(plan.reply(Outcome::Failed(failure)))
                }
            },
            Stage::Streaming { exporter, page, is_begun } => self.stream(exporter, page, is_begun, store, now),
        }
    }

    fn stream(
        &mut self,
        mut exporter: Exporter,
        mut page: Option<Running>,
        mut is_begun: bool,
        store: &Store,
        now: Timestamp,
    ) -> Step {
        loop {
            if page.is_none()
                && let Some(chunk) = exporter.chunk()
            {
                self.stage = Stage::Streaming { exporter, page, is_begun };
                return Step::Chunk(chunk);
            }
            let Some(query) = exporter.next() else {
                if is_begun {
                    let last = exporter.end();
                    return if last.is_empty() { Step::End } else { Step::Chunk(last) };
                }
                is_begun = true;
                let head = exporter.head();
                self.stage = Stage::Streaming { exporter, page, is_begun };
                return Step::Head(head);
            };
            let running = page.get_or_insert_with(|| Running::page(query, store));
            match running.step(store) {
                Ok(Progress::Read(reads)) => {
                    self.stage = Stage::Streaming { exporter, page, is_begun };
                    return Step::Read(reads);
                }
                Ok(Progress::Done(outcome)) => {
                    let Outcome::Page(found) = *outcome else { return Step::Broken(Failure::Internal) };
                    exporter.supply(found, now, &store.catalog().expired);
                    page = None;
                }
                Err(failure) if is_begun => return Step::Broken(failure),
                Err(failure) => return Step::Whole(exporter.refuse(failure)),
            }
            // the head is sent once the first page has been read
            if !is_begun {
                is_begun = true;
                let head = exporter.head();
                self.stage = Stage::Streaming { exporter, page, is_begun };
                return Step::Head(head);
            }
        }
    }

    /// Takes the bytes of the next read of those asked for, from the first byte on: fewer where the file could not give
    /// more at once, none where it has ended.
    pub fn supply(&mut self, bytes: &[u8]) {
        if let Some(running) = self.running() {
            running.supply(bytes);
        }
    }

    /// Says that the bytes of the next read cannot be read; it is the last to be told of. The next step refuses, or breaks a
    /// streamed answer off.
    pub fn fail(&mut self, failure: Failure) {
        if let Some(running) = self.running() {
            running.fail(failure);
        }
    }

    /// Says that the file of the next read is not what it was when it was indexed; it is the last to be told of. The next
    /// step refuses, or breaks a streamed answer off.
    pub fn changed(&mut self) {
        if let Some(running) = self.running() {
            running.changed();
        }
    }

    fn running(&mut self) -> Option<&mut Running> {
        match &mut self.stage {
            Stage::Running(_, running) => Some(running),
            Stage::Streaming { page, .. } => page.as_mut(),
            Stage::Ready(_) | Stage::Over => None,
        }
    }
}
