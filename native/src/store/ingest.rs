//! Records on their way in: prepared on any thread, committed in groups.

use super::Fault;
use rayon::prelude::*;
use reqlog_core::batch::{self, EncodedBatch};
use reqlog_core::codec::Codec;
use reqlog_core::identity::Imported;
use reqlog_core::record::Record;
use reqlog_core::sequencer::{Committed, Place, places};
use std::collections::BTreeSet;
use std::sync::mpsc::Receiver;
use std::time::Instant;

/// Records to be stored together, redacted and capped.
#[derive(Clone, Debug, Default)]
pub struct Ingest {
    /// In the order of their sequences.
    pub records: Vec<Record>,
    /// The hashed identity of each record, where the source gave them; else empty. A record whose identity is
    /// remembered is not stored again.
    pub identities: Vec<u64>,
    /// What to remember of the import that these records belong to.
    pub import: Option<Imported>,
}

/// Records ready to be committed; see `Store::prepare`.
pub struct Prepared {
    pub(super) content: Content,
    pub(super) rows: u64,
    pub(super) places: BTreeSet<Place>,
    pub(super) identities: Vec<u64>,
    pub(super) import: Option<Imported>,
    pub(super) submitted: Instant,
}

pub(super) enum Content {
    // merged with its neighbours into one batch by the committer
    Few(Vec<Record>),
    Encoded(Vec<EncodedBatch>),
}

// below, a batch of its own costs more (a row, a summary, a block) than encoding costs the committer
const FEW: usize = 256;
// so that blocks are decoded in milliseconds and by several threads
const MAX_ROWS: usize = 8 << 10;
const MAX_BYTES: usize = 16 << 20;

impl Default for Content {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Prepared {
    pub(super) fn new(ingest: Ingest, codec: &dyn Codec) -> Self {
        let Ingest { records, identities, import } = ingest;
        debug_assert!(identities.is_empty() || identities.len() == records.len(), "one identity a record or none");
        let (places, submitted) = (BTreeSet::new(), Instant::now());
        let mut prepared = Self { content: Content::default(), rows: 0, places, identities, import, submitted };
        prepared.replace(records, codec);
        prepared
    }

    /// Exchanges the records, and what they name.
    pub(super) fn replace(&mut self, records: Vec<Record>, codec: &dyn Codec) {
        self.rows = records.len() as u64;
        self.places = places(&records);
        self.content = if records.len() < FEW && records.iter().map(Record::weight).sum::<usize>() < MAX_BYTES {
            Content::Few(records)
        } else {
            // each thread frees what it has encoded: a record is a dozen allocations
            let encode = |chunk: Vec<Record>| batch::encode(&chunk, codec);
            Content::Encoded(owned(records).into_par_iter().filter_map(encode).collect())
        };
    }

    /// How many records.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes it adds to the database, about.
    pub(super) fn bytes(&self) -> u64 {
        match &self.content {
            Content::Few(records) => records.iter().map(|record| record.weight() as u64).sum(),
            Content::Encoded(batches) => batches.iter().map(|batch| batch.blob.len() as u64).sum(),
        }
    }
}

/// A commit that is under way; records submitted later get later sequences.
#[must_use = "records are durable only when `wait` says so"]
pub struct Ticket(pub(super) Receiver<Result<Committed, Fault>>);

impl Ticket {
    /// Waits until the records are durable and visible, or not stored.
    pub fn wait(self) -> Result<Committed, Fault> {
        self.0.recv().unwrap_or(Err(Fault::Closed))
    }
}

/// Cuts records where a batch is full.
pub(super) fn chunks(records: &[Record]) -> Vec<&[Record]> {
    let (mut chunks, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (at, record) in records.iter().enumerate() {
        bytes += record.weight();
        if bytes >= MAX_BYTES || at + 1 - start == MAX_ROWS {
            chunks.push(&records[start..=at]);
            (start, bytes) = (at + 1, 0);
        }
    }
    chunks.extend((start < records.len()).then(|| &records[start..]));
    chunks
}

/// As [`chunks`], of what is not needed any more.
fn owned(mut records: Vec<Record>) -> Vec<Vec<Record>> {
    let lengths: Vec<usize> = chunks(&records).iter().map(|chunk| chunk.len()).collect();
    let mut owned: Vec<Vec<Record>> =
        lengths.iter().skip(1).rev().map(|len| records.split_off(records.len() - len)).collect();
    owned.push(records);
    owned.reverse();
    owned
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqlog_core::timestamp::Timestamp;

    #[test]
    fn chunks_are_bounded_and_lose_nothing() {
        let check = |rows: usize, attributes: usize, sizes: &[usize]| {
            let record = Record { attributes: Some("x".repeat(attributes)), ..Record::new(Timestamp::from_nanos(0)) };
            let records = vec![record; rows];
            assert_eq!(chunks(&records).iter().map(|chunk| chunk.len()).collect::<Vec<_>>(), sizes);
            let lengths: Vec<usize> = owned(records).iter().map(Vec::len).collect();
            assert_eq!(lengths, if rows == 0 { &[0] } else { sizes });
        };
        check(0, 1, &[]);
        check(1, MAX_BYTES, &[1]);
        check(MAX_ROWS, 1, &[MAX_ROWS]);
        check(MAX_ROWS + 1, 1, &[MAX_ROWS, 1]);
        check(5, MAX_BYTES / 2, &[2, 2, 1]);
    }
}
