//! The writer's state and what moves it.

use super::attempt::{Attempt, Fate, Terms};
use super::queue::{Queue, after};
use super::{Committed, Failure, Head, Loaded, Refusal, Room, Settled, Step, Submission, Ticket, Window};
use crate::codec::Codec;
use crate::id::EntryId;
use crate::identity::Memory;
use crate::timestamp::Timestamp;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The writer.
pub struct Sequencer {
    room: Room,
    codec: Arc<dyn Codec>,
    seed: u64,
    // given out so far
    tokens: u64,
    tickets: u64,
    queue: Queue,
    memory: Memory,
    // as loaded or committed last; nothing is committed before it is known
    head: Option<Head>,
    // the latest that was given to a commit, or loaded
    arrival: u64,
    // as it was read last
    clock: Timestamp,
    // the latest moment that anybody was told
    told: Timestamp,
    attempt: Option<Attempt>,
    phase: Phase,
    // without a success between them
    failures: u32,
    // nothing is asked of the database before
    pause: Option<Timestamp>,
    settled: VecDeque<Settled>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    // the head has to be loaded
    Stale,
    Loading,
    // the head is known, and an attempt is known not to be in the database
    Ready,
    Committing,
}

// after the first failure; twice as long after each further one, up to the last
const PAUSE: Duration = Duration::from_millis(50);
const LAST_PAUSE: Duration = Duration::from_secs(2);

impl Sequencer {
    /// A writer that knows nothing of its database yet. `seed` is random: no two writers of a database have the same.
    pub fn new(window: Window, room: Room, codec: Arc<dyn Codec>, seed: u64) -> Self {
        Self {
            room,
            codec,
            seed,
            tokens: 0,
            tickets: 0,
            queue: Queue::new(window, room),
            memory: Memory::new(room.identities),
            head: None,
            arrival: 0,
            clock: Timestamp::MIN,
            told: Timestamp::MIN,
            attempt: None,
            phase: Phase::Stale,
            failures: 0,
            pause: None,
            settled: VecDeque::new(),
        }
    }

    /// Takes records in; those that are submitted later get later sequences.
    pub fn submit(&mut self, submission: Submission, now: Timestamp) -> Result<Ticket, Refusal> {
        let Submission { records, identities, .. } = &submission;
        debug_assert!(identities.is_empty() || identities.len() == records.len(), "one identity a record or none");
        self.observe(now);
        let ticket = Ticket(self.tickets);
        self.queue.push(ticket, submission, now, self.attempt.as_ref().map_or(0, Attempt::bytes))?;
        self.tickets += 1;
        Ok(ticket)
    }

    /// What to do now. While a step is under way, nothing more than to wait.
    pub fn next(&mut self, now: Timestamp) -> Step {
        self.observe(now);
        let expired = self.queue.expire(now);
        self.answer(expired.into_iter().map(|ticket| (ticket, Err(Failure::Unavailable))).collect());
        let deadline = self.queue.deadline();
        if matches!(self.phase, Phase::Loading | Phase::Committing) {
            return Step::Wait(deadline);
        }
        if let Some(end) = self.pause.filter(|end| now < *end) {
            return Step::Wait(Some(deadline.map_or(end, |deadline| deadline.min(end))));
        }
        let Some(head) = self.head.filter(|_| self.phase == Phase::Ready) else {
            self.phase = Phase::Loading;
            let attempt = self.attempt.as_ref().map(|attempt| attempt.commit.clone());
            return Step::Load { attempt, identities_after: self.memory.newest() };
        };
        while self.attempt.is_none() {
            match self.queue.due(now) {
                Some(due) if due <= now => self.compose(head, now),
                due => return Step::Wait(due),
            }
        }
        self.phase = Phase::Committing;
        let attempt = self.attempt.as_ref().expect("there is one after the loop");
        Step::Commit(attempt.commit.clone())
    }

    // makes a commit of what has waited for long enough; what needs none is answered
    fn compose(&mut self, head: Head, now: Timestamp) {
        // Strictly later than the last commit, so that a bound by arrival is a bound by sequence, and not before what a
        // reader took for now. More than a thousand commits a second, or a clock that goes back, make it run ahead.
        let clock = now.max(self.told).as_millis().max(0) as u64;
        self.arrival = (self.arrival + 1).max(clock);
        self.tokens += 1;
        let terms = Terms {
            token: xxh3_64_with_seed(&self.tokens.to_le_bytes(), self.seed) >> 11,
            expected: head,
            arrival: self.arrival,
            memory: &self.memory,
            room: self.room,
            codec: &*self.codec,
        };
        match Attempt::new(self.queue.gather(), &terms) {
            Ok(attempt) if attempt.is_empty() => self.settled.push_back(attempt.committed(None, head.last())),
            Ok(attempt) => self.attempt = Some(attempt),
            Err(group) => {
                self.answer(group.into_iter().map(|waiting| (waiting.ticket, Err(Failure::Exhausted))).collect());
            }
        }
    }

    /// [`Step::Load`] was answered.
    pub fn loaded(&mut self, loaded: Loaded, now: Timestamp) {
        if self.phase != Phase::Loading {
            return;
        }
        self.observe(now);
        let Loaded { head, token, source, identities } = loaded;
        let known = self.head;
        if known.is_some_and(|known| head.next < known.next) {
            return self.restored();
        }
        self.phase = Phase::Ready;
        self.arrival = self.arrival.max(head.arrival);
        self.head = Some(head);
        for row in identities {
            if row.id > self.memory.newest() {
                self.memory.keep(row.id, row.at_ms, &row.hashes);
            }
        }
        let mut reached = known.and_then(Head::last);
        if let Some(mut attempt) = self.attempt.take() {
            match attempt.fate(head, token, source) {
                Fate::Written => {
                    reached = attempt.commit.head().last();
                    self.settled.push_back(attempt.committed(source, reached));
                }
                // both conditions were looked at, and the head is what it was
                Fate::Open if attempt.is_refused && attempt.commit.import.is_some() => {
                    self.answer(attempt.failed(Failure::Overtaken));
                }
                Fate::Open => {
                    self.give_up(&mut attempt, now).then(|| self.attempt = Some(attempt));
                }
                Fate::Superseded => self.queue.put_back(attempt.give_back()),
                Fate::Untold => self.answer(attempt.failed(Failure::Unknown)),
            }
        }
        match self.attempt {
            Some(_) => self.rest(now),
            None => self.failures = 0,
        }
        // others wrote the rest
        let head = head.last();
        if head != reached {
            self.settled.push_back(Settled { answers: Vec::new(), rows: Vec::new(), head });
        }
    }

    // An older state of the database was brought back: what is remembered may not be stored there.
    fn restored(&mut self) {
        (self.head, self.memory, self.phase) = (None, Memory::new(self.room.identities), Phase::Stale);
        if let Some(attempt) = self.attempt.take() {
            self.answer(attempt.failed(Failure::Unknown));
        }
    }

    /// [`Step::Commit`] is durable; `source` is the remembered import that it made or continued.
    pub fn committed(&mut self, source: Option<u64>) {
        if self.phase != Phase::Committing {
            return;
        }
        let attempt = self.attempt.take().expect("a commit is under way");
        let commit = attempt.commit.clone();
        (self.phase, self.failures, self.head) = (Phase::Ready, 0, Some(commit.head()));
        if !commit.identities.is_empty() {
            self.memory.adopt(commit.expected.next, &commit.identities, commit.arrival);
        }
        self.settled.push_back(attempt.committed(source, commit.head().last()));
    }

    /// [`Step::Commit`] wrote nothing: its head was not the expected one, or its import was out of step.
    pub fn refused(&mut self) {
        if self.phase == Phase::Committing {
            self.look_again(true);
        }
    }

    /// The step under way failed or timed out: it may have been done, or be done later.
    pub fn unknown(&mut self, now: Timestamp) {
        self.observe(now);
        match self.phase {
            Phase::Committing => self.look_again(false),
            Phase::Loading => {
                (self.phase, self.failures) = (Phase::Stale, self.failures + 1);
                if let Some(mut attempt) = self.attempt.take() {
                    self.give_up(&mut attempt, now).then(|| self.attempt = Some(attempt));
                }
                self.rest(now);
            }
            Phase::Stale | Phase::Ready => {}
        }
    }

    fn look_again(&mut self, is_refused: bool) {
        (self.phase, self.failures) = (Phase::Stale, self.failures + 1);
        if let Some(attempt) = &mut self.attempt {
            attempt.is_refused = is_refused;
        }
    }

    // whether anybody still waits for the attempt
    fn give_up(&mut self, attempt: &mut Attempt, now: Timestamp) -> bool {
        let (expired, is_wanted) = attempt.expire(now);
        self.answer(expired.into_iter().map(|ticket| (ticket, Err(Failure::Unknown))).collect());
        is_wanted
    }

    fn rest(&mut self, now: Timestamp) {
        let doubled = 2u32.saturating_pow(self.failures.saturating_sub(1));
        self.pause = Some(after(now, PAUSE.saturating_mul(doubled).min(LAST_PAUSE)));
    }

    // What was measured by a clock that was set back since would take as much longer.
    fn observe(&mut self, now: Timestamp) {
        if now < self.clock {
            self.queue.set_back(now);
            if let Some(attempt) = &mut self.attempt {
                attempt.set_back(now);
            }
            self.pause = None;
        }
        self.clock = now;
    }

    fn answer(&mut self, answers: Vec<(Ticket, Result<Committed, Failure>)>) {
        if !answers.is_empty() {
            self.settled.push_back(Settled { answers, rows: Vec::new(), head: self.head() });
        }
    }

    /// The next of what came out.
    pub fn settled(&mut self) -> Option<Settled> {
        self.settled.pop_front()
    }

    /// The newest record of the database, as far as is known; `None` before the first load and in an empty one.
    pub fn head(&self) -> Option<EntryId> {
        self.head.and_then(Head::last)
    }

    /// How many identities are remembered.
    pub fn remembered(&self) -> usize {
        self.memory.len()
    }

    /// Somebody takes `now` for the present: what is made a commit from now on does not arrive earlier.
    pub fn tell(&mut self, now: Timestamp) {
        self.told = self.told.max(now);
    }
}
