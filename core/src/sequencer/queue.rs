//! What waits to be committed.

use super::{DEADLINE, Refusal, Room, Submission, Ticket, Window};
use crate::batch;
use crate::timestamp::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;

/// A submission that is not answered yet.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) ticket: Ticket,
    pub(super) since: Timestamp,
    pub(super) submission: Submission,
    pub(super) bytes: usize,
}

/// Submissions in the order of their sequences.
#[derive(Debug)]
pub(super) struct Queue {
    window: Window,
    room: Room,
    waiting: VecDeque<Waiting>,
    bytes: usize,
    imports: usize,
}

// what a submission costs without records
const EMPTY: usize = 64;

impl Queue {
    pub(super) fn new(window: Window, room: Room) -> Self {
        Self { window, room, waiting: VecDeque::new(), bytes: 0, imports: 0 }
    }

    /// Takes a submission in, beside so many bytes that are under way.
    pub(super) fn push(
        &mut self,
        ticket: Ticket,
        submission: Submission,
        now: Timestamp,
        under_way: usize,
    ) -> Result<(), Refusal> {
        Fill::default().with(&submission, self.room).ok_or(Refusal::TooLarge)?;
        let bytes = EMPTY + submission.records.iter().map(batch::bound).sum::<usize>();
        if under_way + self.bytes + bytes > self.room.backlog {
            return Err(Refusal::Busy);
        }
        self.count(&submission, bytes);
        self.waiting.push_back(Waiting { ticket, since: now, submission, bytes });
        Ok(())
    }

    /// Takes back what was gathered, before everything else.
    pub(super) fn put_back(&mut self, group: Vec<Waiting>) {
        for waiting in group.into_iter().rev() {
            self.count(&waiting.submission, waiting.bytes);
            self.waiting.push_front(waiting);
        }
    }

    fn count(&mut self, submission: &Submission, bytes: usize) {
        self.bytes += bytes;
        self.imports += usize::from(submission.import.is_some());
    }

    fn pop(&mut self) -> Option<Waiting> {
        let waiting = self.waiting.pop_front()?;
        self.bytes -= waiting.bytes;
        self.imports -= usize::from(waiting.submission.import.is_some());
        Some(waiting)
    }

    /// When the next commit is due; `None` where nothing waits.
    pub(super) fn due(&self, now: Timestamp) -> Option<Timestamp> {
        let oldest = self.waiting.front()?;
        let is_full = self.bytes >= self.window.bytes || self.imports > 0;
        Some(if is_full { now } else { after(oldest.since, self.window.time) })
    }

    /// When the oldest submission has to be answered.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.waiting.front().map(|oldest| after(oldest.since, DEADLINE))
    }

    /// Gives up what has waited for too long.
    pub(super) fn expire(&mut self, now: Timestamp) -> Vec<Ticket> {
        let mut expired = Vec::new();
        while self.deadline().is_some_and(|deadline| deadline <= now) {
            expired.extend(self.pop().map(|waiting| waiting.ticket));
        }
        expired
    }

    /// The clock was set back: nothing was submitted after it.
    pub(super) fn set_back(&mut self, now: Timestamp) {
        for waiting in &mut self.waiting {
            waiting.since = waiting.since.min(now);
        }
    }

    /// What is committed together: the first, and what follows it as far as there is room. An import is committed
    /// alone, so that one that is out of step with what is remembered of it fails alone.
    pub(super) fn gather(&mut self) -> Vec<Waiting> {
        let mut fill = Fill::default();
        let mut group: Vec<Waiting> = Vec::new();
        while let Some(next) = self.waiting.front() {
            let is_alone = next.submission.import.is_some() || group.iter().any(|one| one.submission.import.is_some());
            let Some(fuller) = fill.with(&next.submission, self.room).filter(|_| group.is_empty() || !is_alone) else {
                break;
            };
            fill = fuller;
            group.extend(self.pop());
        }
        group
    }
}

/// The moment so long after another.
pub(super) fn after(since: Timestamp, time: Duration) -> Timestamp {
    since.plus_nanos(i64::try_from(time.as_nanos()).unwrap_or(i64::MAX))
}

/// How full a commit is: rows are filled one after the other, so that records that fit go on fitting when some are
/// taken out as duplicates.
#[derive(Clone, Copy, Debug, Default)]
struct Fill {
    rows: usize,
    // of the last row
    bytes: usize,
    identities: usize,
}

impl Fill {
    /// With one more submission; `None` where there is no room for it.
    fn with(mut self, submission: &Submission, room: Room) -> Option<Self> {
        for record in &submission.records {
            let bytes = batch::bound(record);
            if self.rows == 0 || self.bytes + bytes > room.row {
                (self.rows, self.bytes) = (self.rows + 1, batch::FRAME);
            }
            self.bytes += bytes;
            if self.rows > room.rows || self.bytes > room.row {
                return None;
            }
        }
        self.identities += submission.identities.len();
        (self.identities * size_of::<u64>() <= room.row).then_some(self)
    }
}
