//! Identities of records that were stored already, in memory and in the database.

use super::Fault;
use super::database::{self, Database};
use super::ingest::{Content, Prepared};
use reqlog_core::batch;
use reqlog_core::codec::Codec;
use reqlog_core::id::Seq;
use reqlog_core::identity::Remembered;
use reqlog_core::record::Record;
use rusqlite::Transaction;
use std::collections::{HashSet, VecDeque};

/// What the committer remembers.
pub(super) struct Memory {
    remembered: Remembered,
    // rows of the database: number, time, how many
    rows: VecDeque<(u64, u64, usize)>,
}

/// Identities of one group that are new, until its transaction is durable.
#[derive(Default)]
pub(super) struct Fresh {
    seen: HashSet<u64>,
    order: Vec<u64>,
}

impl Memory {
    pub(super) fn load(database: &Database) -> Result<Self, Fault> {
        let mut memory = Self { remembered: Remembered::default(), rows: VecDeque::new() };
        for stored in database.identities()? {
            memory.keep(stored.id, stored.at_ms, &stored.hashes);
        }
        Ok(memory)
    }

    /// How many identities are remembered.
    pub(super) fn len(&self) -> usize {
        self.remembered.len()
    }

    /// Takes records out of a request that are known; says how many.
    pub(super) fn sift(
        &self,
        prepared: &mut Prepared,
        fresh: &mut Fresh,
        now_ms: u64,
        codec: &dyn Codec,
    ) -> Result<u64, Fault> {
        let identities = std::mem::take(&mut prepared.identities);
        let is_new = |&identity: &u64| {
            let new = !self.remembered.contains(identity, now_ms) && fresh.seen.insert(identity);
            fresh.order.extend(new.then_some(identity));
            new
        };
        let keep: Vec<bool> = identities.iter().map(is_new).collect();
        let duplicates = keep.iter().filter(|new| !**new).count() as u64;
        if duplicates > 0 {
            let records = records(std::mem::take(&mut prepared.content), codec)?;
            let kept = records.into_iter().zip(keep).filter_map(|(record, new)| new.then_some(record)).collect();
            prepared.replace(kept, codec);
        }
        Ok(duplicates)
    }

    /// Writes what is new, and forgets what has left the window; the row that was made.
    pub(super) fn write(&self, tx: &Transaction<'_>, fresh: &Fresh, now_ms: u64) -> Result<Option<u64>, Fault> {
        if fresh.order.is_empty() {
            return Ok(None);
        }
        if let Some((through, ..)) = self.outdated(now_ms).last() {
            database::drop_identities(tx, *through)?;
        }
        database::put_identities(tx, now_ms, &fresh.order).map(Some)
    }

    /// Takes over what a durable transaction wrote.
    pub(super) fn adopt(&mut self, row: Option<u64>, fresh: &Fresh, now_ms: u64) {
        let Some(row) = row else { return };
        let outdated = self.outdated(now_ms).count();
        self.rows.drain(..outdated);
        self.keep(row, now_ms, &fresh.order);
    }

    fn keep(&mut self, row: u64, at_ms: u64, hashes: &[u64]) {
        self.rows.push_back((row, at_ms, hashes.len()));
        for &hash in hashes {
            self.remembered.insert(hash, at_ms);
        }
    }

    // rows that are too old, or that so many came after
    fn outdated(&self, now_ms: u64) -> impl Iterator<Item = &(u64, u64, usize)> {
        let mut total: usize = self.rows.iter().map(|(_, _, count)| count).sum();
        self.rows.iter().take_while(move |(_, at_ms, count)| {
            total -= count;
            at_ms + Remembered::AGE_MS <= now_ms || total >= Remembered::COUNT
        })
    }
}

// an encoded request is decoded again: a repetition is rare, keeping every record beside its encoding is not cheap
fn records(content: Content, codec: &dyn Codec) -> Result<Vec<Record>, Fault> {
    match content {
        Content::Few(records) => Ok(records),
        Content::Encoded(batches) => {
            let anywhere = Seq::new(1).ok_or(Fault::Missing)?;
            let mut records = Vec::new();
            for batch in batches {
                let rows = batch::decode(&batch.blob, anywhere, 0, codec)?;
                records.extend(rows.into_iter().map(|row| row.record));
            }
            Ok(records)
        }
    }
}
