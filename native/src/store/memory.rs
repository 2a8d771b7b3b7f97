//! Identities of records that were stored already: what the committer's memory and the database have to do with each other.

use super::Fault;
use super::database::{self, Database};
use super::ingest::{Content, Prepared};
use reqlog_core::batch;
use reqlog_core::codec::Codec;
use reqlog_core::id::Seq;
use reqlog_core::identity::{Fresh, Memory, Remembered};
use reqlog_core::record::Record;
use rusqlite::Transaction;

/// What the database remembers.
pub(super) fn load(database: &Database) -> Result<Memory, Fault> {
    let mut memory = Memory::new(Remembered::COUNT);
    for stored in database.identities()? {
        memory.keep(stored.id, stored.at_ms, &stored.hashes);
    }
    Ok(memory)
}

/// Takes records out of a request that are known; says how many.
pub(super) fn sift(
    memory: &Memory,
    prepared: &mut Prepared,
    fresh: &mut Fresh,
    now_ms: u64,
    codec: &dyn Codec,
) -> Result<u64, Fault> {
    let keep = memory.sift(&std::mem::take(&mut prepared.identities), fresh, now_ms);
    let duplicates = keep.iter().filter(|new| !**new).count() as u64;
    if duplicates > 0 {
        let records = records(std::mem::take(&mut prepared.content), codec)?;
        let kept = records.into_iter().zip(keep).filter_map(|(record, new)| new.then_some(record)).collect();
        prepared.replace(kept, codec);
    }
    Ok(duplicates)
}

/// Writes what is new, and forgets what has left the window; the row that was made.
pub(super) fn write(memory: &Memory, tx: &Transaction<'_>, fresh: &Fresh, now_ms: u64) -> Result<Option<u64>, Fault> {
    if fresh.hashes().is_empty() {
        return Ok(None);
    }
    if let Some(through) = memory.outdated(now_ms) {
        database::drop_identities(tx, through)?;
    }
    database::put_identities(tx, now_ms, fresh.hashes()).map(Some)
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
