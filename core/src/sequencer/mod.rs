//! The one writer of a database that may fail: gives out sequences and commits, one conditional insert at a time.
//!
//! What is submitted within a window is committed together. A commit says which head it continues and holds only where
//! that still is the head; after one that failed, timed out or did not hold, the head is loaded before anything else
//! is done. So it does not matter how many writers there are, nor when a lost request is applied after all.
//!
//! ```text
//! submit ─► Queue ─ window ─► attempt ─► Step::Commit ─► committed ──────────────► Settled
//!             ▲                  ▲ │                  └► refused, unknown             ▲
//!             │ written by       │ └─── nothing there:        │                      │ ours is there
//!             │ somebody else    └───── the same again ◄─ loaded ◄─ Step::Load ◄─────┘
//! ```
//! In scope: which records become which rows with which sequences and arrival, when, again or not, and what is
//! answered. Out of scope: clocks, requests and their timeouts, SQL. The shell calls [`Sequencer::next`], does the step,
//! reports it by exactly one of `loaded`, `committed`, `refused`, `unknown`, and drains [`Sequencer::settled`].
//!
//! **Invariants.** Never is a second commit handed out before the first is reported. What is answered with
//! [`Committed`] is in the database once, duplicates included. Arrival grows strictly with sequences, and is not below
//! the clock nor below what readers had been told when the commit was made.
//!
//! **Ours:**
//! - A commit whose fate is unknown is tried again byte for byte, under the sequences and the arrival it had: the first
//!   try may yet be applied, and must then be the same. So it can appear with an arrival before a moment that readers
//!   were told since.
//! - A submission that is not committed [`DEADLINE`] after it came is answered: [`Failure::Unavailable`] where nothing
//!   of it can be stored any more, else [`Failure::Unknown`], after an attempt to load the head. What is unknown is not
//!   tried again, and appears once or not at all.
//! - An import whose answer got lost and that another one continued since is unknown, though its records are there: it
//!   cannot go on, and begins anew without storing them again.
//! - What the token of a commit cannot tell any more, because the row is sealed already, is unknown. So the
//!   compactor leaves rows younger than [`DEADLINE`] alone.
//! - Bytes are those of records encoded and not compressed, by an upper bound: what fits by it fits whatever they hold.
//! - An import waits for no window, and nor does what waits before it.

mod attempt;
mod machine;
mod queue;
#[cfg(test)]
mod tests;

pub use attempt::{Place, places};
pub use machine::Sequencer;

use crate::catalog::Summary;
use crate::id::{EntryId, Seq};
use crate::identity::{Imported, Remembered, StoredIdentities};
use crate::record::{Record, Stored};
use crate::timestamp::Timestamp;
use bytes::Bytes;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How long a submission may take; then it is answered as a failure.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// How long records wait for others to be committed with; the first that is reached ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Since the first of them was submitted; zero commits at once.
    pub time: Duration,
    /// Of what waits.
    pub bytes: usize,
}

impl Default for Window {
    fn default() -> Self {
        Self { time: Duration::from_millis(250), bytes: 64 << 10 }
    }
}

/// What a database and a machine have room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Bytes of a row: no sealed batch and no row of identities is longer.
    pub row: usize,
    /// Rows of one commit.
    pub rows: usize,
    /// Bytes that wait or are under way.
    pub backlog: usize,
    /// Identities to remember; see [`Remembered`].
    pub identities: usize,
}

impl Default for Room {
    /// Rows of 1 MiB (as base64 within the 2 MB of a row of D1), 8 of them, 32 MiB in all.
    fn default() -> Self {
        Self { row: 1 << 20, rows: 8, backlog: 32 << 20, identities: Remembered::COUNT }
    }
}

/// Records to be stored together, redacted and capped.
#[derive(Clone, Debug, Default)]
pub struct Submission {
    /// In the order of their sequences.
    pub records: Vec<Record>,
    /// The hashed identity of each record, where the source gave them; else empty. A record whose identity is
    /// remembered is not stored again.
    pub identities: Vec<u64>,
    /// What to remember of the import that these records belong to.
    pub import: Option<Imported>,
}

/// A submission that will be answered; see [`Settled`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(u64);

/// Why a submission was not taken; nothing of it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Too much waits: later.
    Busy,
    /// More than one commit can hold: in parts.
    TooLarge,
}

/// What the next commit continues from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The next free sequence; 1 in an empty database.
    pub next: u64,
    /// Arrival of the newest commit that stored records, in ms since 1970; 0 in an empty database.
    pub arrival: u64,
}

impl Head {
    /// The newest record; `None` in an empty database.
    pub fn last(self) -> Option<EntryId> {
        Some(EntryId::new(self.arrival, Seq::new(self.next.checked_sub(1)?)?))
    }
}

/// What is to be written, whole or not at all, and only if the head is the expected one.
///
/// The head is what was ever committed: neither sealing nor deletion moves it. A commit without batches (an import
/// that only remembers how far it came) has the same condition, and leaves the head where it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    /// Names this commit among those that continue the same head; below 2^53, so that a double holds it. Stored with
    /// the first batch, and with the import.
    pub token: u64,
    /// The head that it continues.
    pub expected: Head,
    /// Of all its records, in ms since 1970.
    pub arrival: u64,
    /// The next free sequence after it.
    pub next: u64,
    /// Sealed by [`crate::batch::encode`], by ascending sequence without a hole.
    pub batches: Vec<(Summary, Bytes)>,
    /// Identities of its records; where there are some, a row whose number is `expected.next`.
    pub identities: Vec<u64>,
    /// Rows of identities up to this number have left the window, and go.
    pub outdated: Option<u64>,
    /// Projects and environments that its records name.
    pub places: BTreeSet<Place>,
    /// The import to remember; where its progress does not continue what is remembered, nothing of the commit is
    /// written: it is [`refused`](Sequencer::refused) too.
    pub import: Option<Imported>,
}

impl Commit {
    /// The head once it is written.
    pub fn head(&self) -> Head {
        if self.batches.is_empty() { self.expected } else { Head { next: self.next, arrival: self.arrival } }
    }
}

/// What the shell does next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Reads the head and what else is asked for, from the primary and at one moment (or the head first), and reports
    /// [`Sequencer::loaded`]; or [`Sequencer::unknown`] when that failed.
    Load {
        /// The commit whose fate is to be found out.
        attempt: Option<Arc<Commit>>,
        /// Rows of identities past this number are wanted.
        identities_after: u64,
    },
    /// Writes it and reports [`Sequencer::committed`], [`Sequencer::refused`] or [`Sequencer::unknown`].
    Commit(Arc<Commit>),
    /// Nothing before this moment, unless something is submitted or reported.
    Wait(Option<Timestamp>),
}

/// What [`Step::Load`] read.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The head.
    pub head: Head,
    /// Token of the batch whose first sequence is `attempt.expected.next`, where there is one.
    pub token: Option<u64>,
    /// The remembered import that bears the attempt's token, where the attempt is an import's and there is one.
    pub source: Option<u64>,
    /// The rows asked for, by ascending number.
    pub identities: Vec<StoredIdentities>,
}

/// What a commit did with a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Sequence of the first record; the others follow it without a hole. `None` when there was nothing to store.
    pub first: Option<Seq>,
    /// How many were stored.
    pub rows: u64,
    /// How many were not, because their identities are remembered.
    pub duplicates: u64,
    /// When, in ms since 1970.
    pub arrival_ms: u64,
    /// The remembered source that a further part of the import continues; for
    /// [`Import::stored`](crate::identity::Import::stored).
    pub source: Option<u64>,
}

/// Why a submission was not committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The database did not answer in time. Nothing is stored, nor will be.
    Unavailable,
    /// The database did not say what became of it. It is stored once, or will be, or not at all; identities find out.
    Unknown,
    /// Another import changed what is remembered of this one. Nothing is stored; the import can begin anew.
    Overtaken,
    /// Every sequence has been given out. Nothing is stored.
    Exhausted,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unavailable => "the database did not answer in time; nothing is stored",
            Self::Unknown => "the database did not say whether the records are stored",
            Self::Overtaken => "another import changed what is remembered of this one; nothing is stored",
            Self::Exhausted => "every sequence has been given out",
        })
    }
}

/// What came out, in the order of the database.
#[derive(Clone, Debug, PartialEq)]
pub struct Settled {
    /// Each ticket once.
    pub answers: Vec<(Ticket, Result<Committed, Failure>)>,
    /// What was committed after the head of the [`Settled`] before, all of it. None where the head moved and others
    /// wrote what lies between: a ring skips to the head.
    pub rows: Vec<Stored>,
    /// The newest record of the database, as far as is known now.
    pub head: Option<EntryId>,
}
