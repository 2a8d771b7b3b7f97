//! Rows of identities and of imports.

use super::Database;
use super::sources::all;
use crate::store::Fault;
use reqlog_core::identity::{Chain, Progress, StoredIdentities};
use rusqlite::{OptionalExtension, Transaction};

/// Which rows an import stored.
pub(in crate::store) struct ImportedRows {
    pub(in crate::store) source: u64,
    /// First and last sequences, ascending; every row between is the import's.
    pub(in crate::store) rows: Vec<(u64, u64)>,
}

impl Database {
    /// Every commit's identities, oldest first.
    pub(in crate::store) fn identities(&self) -> Result<Vec<StoredIdentities>, Fault> {
        all(&self.connection, "SELECT id, at_ms, hashes FROM identities ORDER BY id", |row| {
            let numbers = [row.get::<_, i64>(0)?, row.get(1)?];
            let [id, at_ms] = numbers.map(|number| number as u64);
            Ok(StoredIdentities { id, at_ms, hashes: words(row.get_ref(2)?.as_blob()?) })
        })
    }

    /// What the imports of a scope, or all of them, have stored; one that stored nothing is not among them.
    pub(in crate::store) fn imported(&self, scope: Option<u64>) -> Result<Vec<ImportedRows>, Fault> {
        let sql = "SELECT source, first, last FROM import_rows JOIN imports ON source = id
            WHERE ?1 IS NULL OR scope = ?1 ORDER BY source, last";
        let mut rows = self.connection.prepare_cached(sql)?;
        let read = |row: &rusqlite::Row<'_>| Ok([row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?]);
        let mut imported: Vec<ImportedRows> = Vec::new();
        for row in rows.query_map([scope.map(|scope| scope as i64)], read)? {
            let [source, first, last] = row?.map(|number| number as u64);
            match imported.last_mut() {
                Some(known) if known.source == source => known.rows.push((first, last)),
                _ => imported.push(ImportedRows { source, rows: vec![(first, last)] }),
            }
        }
        Ok(imported)
    }

    /// The remembered imports of a scope.
    pub(in crate::store) fn imports(&self, scope: u64) -> Result<Vec<(u64, Chain)>, Fault> {
        let mut sources =
            self.connection.prepare_cached("SELECT id, tail FROM imports WHERE scope = ?1 ORDER BY id")?;
        let mut blocks =
            self.connection.prepare_cached("SELECT links FROM import_blocks WHERE source = ?1 ORDER BY first")?;
        let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, words(row.get_ref(1)?.as_blob()?)));
        let found = sources.query_map([scope as i64], read)?.collect::<rusqlite::Result<Vec<_>>>()?;
        let chain = |(id, tail): (i64, Vec<u64>)| {
            let links = blocks.query_map([id], |row| Ok(words(row.get_ref(0)?.as_blob()?)))?;
            let blocks = links.collect::<rusqlite::Result<Vec<_>>>()?.concat();
            Ok((id as u64, Chain { blocks, tail }))
        };
        found.into_iter().map(chain).collect()
    }
}

/// Remembers identities and returns the number of the row.
pub(in crate::store) fn put_identities(tx: &Transaction<'_>, at_ms: u64, hashes: &[u64]) -> Result<u64, Fault> {
    tx.prepare_cached("INSERT INTO identities (at_ms, hashes) VALUES (?1, ?2)")?
        .execute((at_ms as i64, bytes(hashes)))?;
    Ok(tx.last_insert_rowid() as u64)
}

/// Forgets the identities of the row and of those before it.
pub(in crate::store) fn drop_identities(tx: &Transaction<'_>, through: u64) -> Result<(), Fault> {
    tx.prepare_cached("DELETE FROM identities WHERE id <= ?1")?.execute([through as i64])?;
    Ok(())
}

/// Appends to a remembered import, or makes one, and returns its number; `Busy` when another import has changed it.
/// `rows` are the first and last sequence that this part of it stored.
pub(in crate::store) fn put_import(
    tx: &Transaction<'_>,
    scope: u64,
    progress: &Progress,
    rows: Option<(u64, u64)>,
) -> Result<u64, Fault> {
    let tail = bytes(&progress.tail);
    let id = if let Some(id) = progress.source {
        let known = tx
            .prepare_cached("UPDATE imports SET tail = ?2 WHERE id = ?1 AND scope = ?3 RETURNING id")?
            .query_row((id as i64, tail, scope as i64), |row| row.get::<_, i64>(0))
            .optional()?;
        known.ok_or(Fault::Busy)?
    } else {
        tx.execute("INSERT INTO imports (scope, tail) VALUES (?1, ?2)", (scope as i64, tail))?;
        tx.last_insert_rowid()
    };
    let stored: i64 = tx
        .prepare_cached("SELECT coalesce(sum(length(links)), 0) / 8 FROM import_blocks WHERE source = ?1")?
        .query_row([id], |row| row.get(0))?;
    if stored as u64 != progress.from {
        return Err(Fault::Busy);
    }
    if !progress.blocks.is_empty() {
        tx.prepare_cached("INSERT INTO import_blocks VALUES (?1, ?2, ?3)")?.execute((
            id,
            stored,
            bytes(&progress.blocks),
        ))?;
    }
    if let Some((first, last)) = rows {
        // what follows on the part before it is one with it
        let grown = tx
            .prepare_cached("UPDATE import_rows SET last = ?3 WHERE source = ?1 AND last = ?2 - 1")?
            .execute((id, first as i64, last as i64))?;
        if grown == 0 {
            let mut put = tx.prepare_cached("INSERT INTO import_rows VALUES (?1, ?3, ?2)")?;
            put.execute((id, first as i64, last as i64))?;
        }
    }
    Ok(id as u64)
}

/// Forgets an import, unless it has stored more than `known` since.
pub(in crate::store) fn drop_import(tx: &Transaction<'_>, known: &ImportedRows) -> Result<(), Fault> {
    let last: Option<i64> = tx
        .prepare_cached("SELECT max(last) FROM import_rows WHERE source = ?1")?
        .query_row([known.source as i64], |row| row.get(0))?;
    if last.map(|last| last as u64) == known.rows.last().map(|(_, last)| *last) {
        for sql in [
            "DELETE FROM imports WHERE id = ?1",
            "DELETE FROM import_blocks WHERE source = ?1",
            "DELETE FROM import_rows WHERE source = ?1",
        ] {
            tx.prepare_cached(sql)?.execute([known.source as i64])?;
        }
    }
    Ok(())
}

fn bytes(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn words(bytes: &[u8]) -> Vec<u64> {
    bytes.as_chunks().0.iter().map(|chunk| u64::from_le_bytes(*chunk)).collect()
}
