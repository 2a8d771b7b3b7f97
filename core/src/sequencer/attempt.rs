//! A commit, and the submissions that it answers.

use super::queue::{Waiting, after};
use super::{Commit, Committed, DEADLINE, Failure, Head, Room, Settled, Ticket};
use crate::batch;
use crate::catalog::Summary;
use crate::codec::Codec;
use crate::id::{EntryId, Seq};
use crate::identity::{Fresh, Memory};
use crate::record::{Field, Record, Stored};
use crate::timestamp::Timestamp;
use bytes::Bytes;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A project, and an environment of it, that records name.
pub type Place = (String, Option<String>);

/// The projects and environments that records name.
pub fn places<'a>(records: impl IntoIterator<Item = &'a Record>) -> BTreeSet<Place> {
    let mut places = BTreeSet::new();
    let mut last = (None, None);
    for record in records {
        let place = (record.text(Field::Project), record.text(Field::Environment));
        if let (Some(project), environment) = place
            && place != last
        {
            places.insert((project.to_owned(), environment.map(str::to_owned)));
        }
        last = place;
    }
    places
}

/// What a commit continues from, and how.
pub(super) struct Terms<'a> {
    pub(super) token: u64,
    pub(super) expected: Head,
    pub(super) arrival: u64,
    pub(super) memory: &'a Memory,
    pub(super) room: Room,
    pub(super) codec: &'a dyn Codec,
}

/// A commit that is to be written, or whose fate is to be found out.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) commit: Arc<Commit>,
    /// Whether its condition did not hold the last time.
    pub(super) is_refused: bool,
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    waiting: Waiting,
    // one a record; empty where all are stored
    keep: Vec<bool>,
    committed: Committed,
    // given up: its records are not tried again elsewhere
    is_answered: bool,
}

/// What has become of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is in the database.
    Written,
    /// It is not, and may yet be.
    Open,
    /// Another commit has taken its place: it cannot be applied any more.
    Superseded,
    /// What took its place does not say whether it is this one.
    Untold,
}

impl Attempt {
    /// Makes a commit of submissions; gives them back when there are not enough sequences.
    pub(super) fn new(group: Vec<Waiting>, terms: &Terms<'_>) -> Result<Self, Vec<Waiting>> {
        let Terms { token, expected, arrival, memory, .. } = *terms;
        let mut fresh = Fresh::default();
        let mut next = expected.next;
        let part = |waiting: Waiting| {
            let keep = memory.sift(&waiting.submission.identities, &mut fresh, arrival);
            let duplicates = keep.iter().filter(|new| !**new).count() as u64;
            let rows = waiting.submission.records.len() as u64 - duplicates;
            let first = Seq::new(next).filter(|_| rows > 0);
            next += rows;
            let committed = Committed { first, rows, duplicates, arrival_ms: arrival, source: None };
            Part { waiting, keep, committed, is_answered: false }
        };
        let parts: Vec<Part> = group.into_iter().map(part).collect();
        let kept: Vec<&Record> = parts.iter().flat_map(Part::kept).collect();
        let Some(batches) = encode(&kept, terms) else {
            return Err(parts.into_iter().map(|part| part.waiting).collect());
        };
        let places = places(kept.iter().copied());
        let outdated = memory.outdated(arrival).filter(|_| !fresh.hashes().is_empty());
        // an import is alone
        let import = parts.first().and_then(|part| part.waiting.submission.import.clone());
        let identities = fresh.hashes().to_vec();
        let commit = Commit { token, expected, arrival, next, batches, identities, outdated, places, import };
        Ok(Self { commit: Arc::new(commit), is_refused: false, parts })
    }

    /// Whether there is nothing to write.
    pub(super) fn is_empty(&self) -> bool {
        self.commit.batches.is_empty() && self.commit.import.is_none()
    }

    /// Bytes that are under way with it.
    pub(super) fn bytes(&self) -> usize {
        self.parts.iter().map(|part| part.waiting.bytes).sum()
    }

    pub(super) fn fate(&self, head: Head, token: Option<u64>, source: Option<u64>) -> Fate {
        let is_behind = self.commit.expected.next == head.next;
        match token {
            // a commit without batches has no row to look at
            Some(token) if token == self.commit.token && !self.commit.batches.is_empty() => Fate::Written,
            _ if source.is_some() => Fate::Written,
            _ if is_behind => Fate::Open,
            Some(_) => Fate::Superseded,
            None => Fate::Untold,
        }
    }

    /// Gives up those who have waited for too long; whether anybody still waits.
    pub(super) fn expire(&mut self, now: Timestamp) -> (Vec<Ticket>, bool) {
        let is_late = |part: &&mut Part| after(part.waiting.since, DEADLINE) <= now && !part.is_answered;
        let mut expired = Vec::new();
        for part in self.parts.iter_mut().filter(is_late) {
            part.is_answered = true;
            expired.push(part.waiting.ticket);
        }
        (expired, self.parts.iter().any(|part| !part.is_answered))
    }

    /// The clock was set back: nothing was submitted after it.
    pub(super) fn set_back(&mut self, now: Timestamp) {
        for part in &mut self.parts {
            part.waiting.since = part.waiting.since.min(now);
        }
    }

    /// It is committed: what to answer, and what to publish.
    pub(super) fn committed(self, source: Option<u64>, head: Option<EntryId>) -> Settled {
        let (mut answers, mut rows) = (Vec::new(), Vec::new());
        // another import went on from this one before it was found out where this one is remembered
        let is_lost = self.commit.import.is_some() && source.is_none();
        for mut part in self.parts {
            let first = part.committed.first;
            let records = part.take_kept();
            let stored = |(at, record)| {
                let seq = first.and_then(|first| first.after(at as u64)).expect("its rows were placed below the last");
                Stored { id: EntryId::new(part.committed.arrival_ms, seq), record }
            };
            rows.extend(records.into_iter().enumerate().map(stored));
            if !part.is_answered {
                let committed = Committed { source, ..part.committed };
                answers.push((part.waiting.ticket, if is_lost { Err(Failure::Unknown) } else { Ok(committed) }));
            }
        }
        Settled { answers, rows, head }
    }

    /// It is not committed for good, or nobody will know: those who were not answered.
    pub(super) fn failed(self, failure: Failure) -> Vec<(Ticket, Result<Committed, Failure>)> {
        self.give_back().into_iter().map(|waiting| (waiting.ticket, Err(failure))).collect()
    }

    /// It cannot be applied any more: those who were not answered may be tried elsewhere.
    pub(super) fn give_back(self) -> Vec<Waiting> {
        self.parts.into_iter().filter(|part| !part.is_answered).map(|part| part.waiting).collect()
    }
}

impl Part {
    fn kept(&self) -> impl Iterator<Item = &Record> {
        let keep = self.keep.iter().copied().chain(std::iter::repeat(true));
        self.waiting.submission.records.iter().zip(keep).filter_map(|(record, keep)| keep.then_some(record))
    }

    fn take_kept(&mut self) -> Vec<Record> {
        let mut keep = std::mem::take(&mut self.keep).into_iter();
        let mut records = std::mem::take(&mut self.waiting.submission.records);
        records.retain(|_| keep.next().unwrap_or(true));
        records
    }
}

/// Rows of records; `None` past the last sequence.
fn encode(records: &[&Record], terms: &Terms<'_>) -> Option<Vec<(Summary, Bytes)>> {
    let (mut batches, mut next) = (Vec::new(), terms.expected.next);
    for row in rows(records, terms.room.row) {
        let encoded = batch::encode_each(row.iter().copied(), terms.codec)?;
        let summary = encoded.draft.place(Seq::new(next)?, terms.arrival)?;
        next += encoded.rows;
        batches.push((summary, encoded.blob.into()));
    }
    Some(batches)
}

// cuts where a row is full
fn rows<'a, 'b>(records: &'b [&'a Record], room: usize) -> Vec<&'b [&'a Record]> {
    let (mut rows, mut start, mut bytes) = (Vec::new(), 0, batch::FRAME);
    for (at, record) in records.iter().enumerate() {
        let bound = batch::bound(record);
        if bytes + bound > room && at > start {
            rows.push(&records[start..at]);
            (start, bytes) = (at, batch::FRAME);
        }
        bytes += bound;
    }
    rows.extend((start < records.len()).then(|| &records[start..]));
    rows
}
