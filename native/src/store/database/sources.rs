//! Rows of batches, segments and deletions.

use super::Database;
use crate::store::Fault;
use bytes::Bytes;
use reqlog_core::catalog::Summary;
use reqlog_core::id::{EntryId, Seq};
use rusqlite::{Connection, OptionalExtension, Row, Transaction};
use std::sync::Arc;

/// What the next commit continues from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct Head {
    /// The sequence that the next record gets.
    pub(in crate::store) next: u64,
    /// The latest arrival that was given out, in ms.
    pub(in crate::store) arrival: u64,
}

/// One row of `batches`.
pub(in crate::store) struct StoredBatch {
    pub(in crate::store) summary: Arc<Summary>,
    pub(in crate::store) blob: Bytes,
}

/// One row of `batches`, whatever its summary is.
pub(in crate::store) struct RawBatch {
    pub(in crate::store) first: u64,
    pub(in crate::store) arrival: u64,
    pub(in crate::store) summary: Option<Summary>,
    pub(in crate::store) blob: Bytes,
}

/// One row of `segments`, whatever its summary is.
pub(in crate::store) struct RawSegment {
    pub(in crate::store) id: u64,
    pub(in crate::store) size: u64,
    pub(in crate::store) erased: u64,
    pub(in crate::store) summary: Option<Summary>,
}

/// One row of `segments`.
pub(in crate::store) struct StoredSegment {
    pub(in crate::store) id: u64,
    /// Length of the file in bytes.
    pub(in crate::store) size: u64,
    /// Number of the last deletion that was made physical in it.
    pub(in crate::store) erased: u64,
    pub(in crate::store) summary: Arc<Summary>,
}

/// One row of `deletions`: what was asked, not what it resolved to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) struct StoredDeletion {
    pub(in crate::store) id: u64,
    pub(in crate::store) query: String,
    /// The moment relative times in it count from, in nanoseconds.
    pub(in crate::store) now: i64,
    pub(in crate::store) project: Option<String>,
    pub(in crate::store) head: u64,
}

impl Head {
    /// The highest sequence given out and the latest arrival; `None` before the first commit.
    pub(in crate::store) fn last(self) -> Option<EntryId> {
        Some(EntryId::new(self.arrival, Seq::new(self.next.checked_sub(1)?)?))
    }
}

impl Database {
    pub(in crate::store) fn head(&self) -> Result<Head, Fault> {
        let number =
            |key| self.connection.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get::<_, i64>(0));
        Ok(Head { next: number("next_seq")? as u64, arrival: number("arrival_ms")? as u64 })
    }

    /// Every batch by first sequence.
    pub(in crate::store) fn batches(&self) -> Result<Vec<StoredBatch>, Fault> {
        all(&self.connection, "SELECT first_seq, summary, blob FROM batches ORDER BY first_seq", |row| {
            let first: i64 = row.get(0)?;
            let blob = row.get_ref(2)?.as_blob()?;
            Ok((first, row.get_ref(1)?.as_blob().map(Summary::decode)?, Bytes::copy_from_slice(blob)))
        })?
        .into_iter()
        .map(|(first, summary, blob)| {
            let summary = summary.map_err(|_| Fault::Corrupt(format!("the summary of batch {first}")))?;
            Ok(StoredBatch { summary: Arc::new(summary), blob })
        })
        .collect()
    }

    /// Every segment by number.
    pub(in crate::store) fn segments(&self) -> Result<Vec<StoredSegment>, Fault> {
        all(&self.connection, "SELECT id, size, erased, summary FROM segments ORDER BY id", |row| {
            let numbers = [row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?];
            Ok((numbers.map(|number| number as u64), row.get_ref(3)?.as_blob().map(Summary::decode)?))
        })?
        .into_iter()
        .map(|([id, size, erased], summary)| {
            let summary = summary.map_err(|_| Fault::Corrupt(format!("the summary of segment {id}")))?;
            Ok(StoredSegment { id, size, erased, summary: Arc::new(summary) })
        })
        .collect()
    }

    /// Every batch by first sequence, also where its summary cannot be read.
    pub(in crate::store) fn raw_batches(&self) -> Result<Vec<RawBatch>, Fault> {
        all(&self.connection, "SELECT first_seq, arrival_ms, summary, blob FROM batches ORDER BY first_seq", |row| {
            Ok(RawBatch {
                first: row.get::<_, i64>(0)? as u64,
                arrival: row.get::<_, i64>(1)? as u64,
                summary: Summary::decode(row.get_ref(2)?.as_blob()?).ok(),
                blob: Bytes::copy_from_slice(row.get_ref(3)?.as_blob()?),
            })
        })
    }

    /// Every segment, newest first, also where its summary cannot be read.
    pub(in crate::store) fn raw_segments(&self) -> Result<Vec<RawSegment>, Fault> {
        all(&self.connection, "SELECT id, size, erased, summary FROM segments ORDER BY id DESC", |row| {
            Ok(RawSegment {
                id: row.get::<_, i64>(0)? as u64,
                size: row.get::<_, i64>(1)? as u64,
                erased: row.get::<_, i64>(2)? as u64,
                summary: Summary::decode(row.get_ref(3)?.as_blob()?).ok(),
            })
        })
    }

    pub(in crate::store) fn deletions(&self) -> Result<Vec<StoredDeletion>, Fault> {
        all(&self.connection, "SELECT id, query, now_ns, project, head FROM deletions ORDER BY id", |row| {
            Ok(StoredDeletion {
                id: row.get::<_, i64>(0)? as u64,
                query: row.get(1)?,
                now: row.get(2)?,
                project: row.get(3)?,
                head: row.get::<_, i64>(4)? as u64,
            })
        })
    }

    /// Numbers of segment files that hold nothing the catalog needs.
    pub(in crate::store) fn leftovers(&self) -> Result<Vec<u64>, Fault> {
        all(&self.connection, "SELECT segment FROM leftovers", |row| Ok(row.get::<_, i64>(0)? as u64))
    }
}

pub(super) fn all<T>(
    connection: &Connection,
    sql: &str,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, Fault> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], read)?.collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// Sets what the next commit continues from.
pub(in crate::store) fn put_head(tx: &Transaction<'_>, head: Head) -> Result<(), Fault> {
    let mut put = tx.prepare_cached("UPDATE meta SET value = ?2 WHERE key = ?1")?;
    put.execute(("next_seq", head.next as i64))?;
    put.execute(("arrival_ms", head.arrival as i64))?;
    Ok(())
}

/// Sets the key that signs cursors, for a catalog that continues another's walks.
pub(in crate::store) fn put_secret(tx: &Transaction<'_>, secret: &[u8; 32]) -> Result<(), Fault> {
    existed(tx.execute("UPDATE meta SET value = ?1 WHERE key = 'cursor_secret'", [secret])?)
}

/// Adds a batch.
pub(in crate::store) fn put_batch(tx: &Transaction<'_>, summary: &Summary, blob: &[u8]) -> Result<(), Fault> {
    tx.prepare_cached("INSERT INTO batches VALUES (?1, ?2, ?3, ?4, ?5)")?.execute((
        summary.seq.0.get() as i64,
        summary.rows as i64,
        summary.arrival.0 as i64,
        summary.encode(),
        blob,
    ))?;
    Ok(())
}

/// Removes a batch by its first sequence.
pub(in crate::store) fn drop_batch(tx: &Transaction<'_>, first: u64) -> Result<(), Fault> {
    existed(tx.prepare_cached("DELETE FROM batches WHERE first_seq = ?1")?.execute([first as i64])?)
}

/// Reserves a segment number; its file is a leftover until [`put_segment`].
pub(in crate::store) fn reserve_segment(tx: &Transaction<'_>) -> Result<u64, Fault> {
    let id: i64 = tx
        .prepare_cached("UPDATE meta SET value = value + 1 WHERE key = 'next_segment' RETURNING value - 1")?
        .query_row([], |row| row.get(0))?;
    tx.prepare_cached("INSERT INTO leftovers VALUES (?1)")?.execute([id])?;
    Ok(id as u64)
}

/// Makes a reserved file part of the catalog.
pub(in crate::store) fn put_segment(tx: &Transaction<'_>, segment: &StoredSegment) -> Result<(), Fault> {
    let [id, size, erased] = [segment.id, segment.size, segment.erased].map(|number| number as i64);
    let summary = segment.summary.encode();
    tx.prepare_cached("INSERT INTO segments VALUES (?1, ?2, ?3, ?4)")?.execute((id, size, erased, summary))?;
    tx.prepare_cached("DELETE FROM leftovers WHERE segment = ?1")?.execute([id])?;
    Ok(())
}

/// Takes a segment out of the catalog; its file is a leftover from now on.
pub(in crate::store) fn drop_segment(tx: &Transaction<'_>, id: u64) -> Result<(), Fault> {
    existed(tx.prepare_cached("DELETE FROM segments WHERE id = ?1")?.execute([id as i64])?)?;
    tx.prepare_cached("INSERT INTO leftovers VALUES (?1)")?.execute([id as i64])?;
    Ok(())
}

/// Forgets a file that is durably gone.
pub(in crate::store) fn drop_leftover(tx: &Transaction<'_>, id: u64) -> Result<(), Fault> {
    tx.prepare_cached("DELETE FROM leftovers WHERE segment = ?1")?.execute([id as i64])?;
    Ok(())
}

/// Adds a deletion and gives it its number, whatever `id` says.
pub(in crate::store) fn put_deletion(tx: &Transaction<'_>, deletion: &StoredDeletion) -> Result<u64, Fault> {
    tx.execute(
        "INSERT INTO deletions (query, now_ns, project, head) VALUES (?1, ?2, ?3, ?4)",
        (&deletion.query, deletion.now, &deletion.project, deletion.head as i64),
    )?;
    Ok(tx.last_insert_rowid() as u64)
}

/// Removes a deletion that has become physical.
pub(in crate::store) fn drop_deletion(tx: &Transaction<'_>, id: u64) -> Result<(), Fault> {
    existed(tx.execute("DELETE FROM deletions WHERE id = ?1", [id as i64])?)
}

fn existed(rows: usize) -> Result<(), Fault> {
    if rows == 1 { Ok(()) } else { Err(Fault::Missing) }
}

/// Makes the next segment number greater than `id`; for files that were found again.
pub(in crate::store) fn pass_segment(tx: &Transaction<'_>, id: u64) -> Result<(), Fault> {
    let next: Option<i64> =
        tx.query_row("SELECT value FROM meta WHERE key = 'next_segment'", [], |row| row.get(0)).optional()?;
    if next.is_none_or(|next| next <= id as i64) {
        tx.execute("UPDATE meta SET value = ?1 WHERE key = 'next_segment'", [id as i64 + 1])?;
    }
    Ok(())
}
