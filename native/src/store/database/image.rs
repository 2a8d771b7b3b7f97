//! The catalog as it is at one moment, for a backup.

use super::sources::all;
use super::{Database, put_batch};
use crate::store::Fault;
use bytes::Bytes;
use reqlog_core::catalog::Summary;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, params_from_iter};
use std::path::Path;

/// Every row of the catalog but those of batches, which snapshots hold, and of leftovers, which are files that no backup
/// has. Whatever tables there are: what a later version adds comes along.
pub(in crate::store) struct Image {
    application: i32,
    version: i32,
    schema: Vec<String>,
    tables: Vec<(String, Vec<Vec<Value>>)>,
}

impl Database {
    /// Reads the rows into memory. The catalog has one connection, which is the committer's: it is away for as long as
    /// reading some megabytes of small rows takes, and writes none of the copy.
    pub(in crate::store) fn image(&self) -> Result<Image, Fault> {
        let connection = &self.connection;
        let texts = |sql: &str| all(connection, sql, |row| row.get::<_, String>(0));
        let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
        // SQLite's own numbering last: rows with numbers move it
        let names = texts(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('batches', 'leftovers')
             ORDER BY name = 'sqlite_sequence'",
        )?;
        let rows = |name: String| {
            let mut statement = connection.prepare(&format!("SELECT * FROM \"{name}\""))?;
            let columns = statement.column_count();
            let read = |row: &rusqlite::Row<'_>| (0..columns).map(|at| row.get(at)).collect();
            let rows = statement.query_map([], read)?.collect::<rusqlite::Result<_>>()?;
            Ok((name, rows))
        };
        Ok(Image {
            application: number("application_id")?,
            version: number("user_version")?,
            schema: texts(
                "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
            )?,
            tables: names.into_iter().map(rows).collect::<Result<_, Fault>>()?,
        })
    }
}

impl Image {
    /// How large the copy gets, batches apart; about.
    pub(in crate::store) fn bytes(&self) -> u64 {
        let weight = |value: &Value| match value {
            Value::Null | Value::Integer(_) | Value::Real(_) => 8,
            Value::Text(text) => text.len() as u64,
            Value::Blob(blob) => blob.len() as u64,
        };
        self.tables.iter().flat_map(|(_, rows)| rows).flatten().map(weight).sum()
    }

    /// Writes a catalog of these rows and of `batches` to a new file. Nothing of it is synced: whoever keeps it does that.
    pub(in crate::store) fn write<'a>(
        &self,
        path: &Path,
        vfs: Option<&str>,
        batches: impl Iterator<Item = (&'a Summary, &'a Bytes)>,
    ) -> Result<(), Fault> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = match vfs {
            Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs),
            None => Connection::open_with_flags(path, flags),
        }?;
        connection.execute_batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA page_size = 8192;
             PRAGMA auto_vacuum = INCREMENTAL;",
        )?;
        let tx = connection.transaction()?;
        for sql in &self.schema {
            tx.execute_batch(sql)?;
        }
        tx.execute_batch(&format!(
            "PRAGMA application_id = {}; PRAGMA user_version = {};",
            self.application, self.version
        ))?;
        for (name, rows) in &self.tables {
            if name == "sqlite_sequence" {
                tx.execute_batch("DELETE FROM sqlite_sequence")?;
            }
            let Some(first) = rows.first() else { continue };
            let places = vec!["?"; first.len()].join(", ");
            let mut insert = tx.prepare(&format!("INSERT INTO \"{name}\" VALUES ({places})"))?;
            for row in rows {
                insert.execute(params_from_iter(row))?;
            }
        }
        for (summary, blob) in batches {
            put_batch(&tx, summary, blob)?;
        }
        tx.commit()?;
        connection.close().map_err(|(_, error)| error.into())
    }
}
