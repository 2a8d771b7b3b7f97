//! What can still be read of a damaged catalog, table by table.

use super::{APPLICATION, Database, SCHEMA};
use crate::store::Fault;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, Params, params_from_iter};
use std::path::Path;

/// Rows of a damaged catalog.
pub(in crate::store) struct Salvaged(Vec<(String, Vec<Vec<Value>>)>);

// rows, and whether there was nothing in their way
type Read = (Vec<Vec<Value>>, bool);

impl Database {
    /// Whether everything that the store needs can be read.
    pub(in crate::store) fn is_sound(&self) -> bool {
        self.integrity().is_ok_and(|findings| findings.is_empty())
            && self.head().is_ok()
            && self.secret().is_ok()
            && self.raw_segments().is_ok()
            && self.raw_batches().is_ok()
            && self.leftovers().is_ok()
            && self.deletions().is_ok()
            && self.projects().is_ok()
            && self.useless_keys().is_ok()
            && self.identities().is_ok()
    }

    /// Reads around the damage; `None` of a file that is no catalog of ours.
    pub(in crate::store) fn salvage(path: &Path, vfs: Option<&str>) -> Option<Salvaged> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let damaged = match vfs {
            Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs),
            None => Connection::open_with_flags(path, flags),
        };
        let damaged = damaged.ok()?;
        damaged.pragma_update(None, "locking_mode", "EXCLUSIVE").ok()?;
        let number: i32 = damaged.pragma_query_value(None, "application_id", |row| row.get(0)).ok()?;
        if number != APPLICATION {
            return None;
        }
        let tables = tables().ok()?;
        let read = |(name, keys): (String, Vec<String>)| {
            let rows =
                if keys.is_empty() { by_number(&damaged, &name) } else { from_both_ends(&damaged, &name, &keys) };
            (name, rows)
        };
        Some(Salvaged(tables.into_iter().map(read).collect()))
    }

    /// Puts salvaged rows into a new catalog; one that has not the types of its columns is damage too.
    pub(in crate::store) fn put_back(&mut self, salvaged: &Salvaged) -> Result<(), Fault> {
        self.write(|tx| {
            for (name, rows) in &salvaged.0 {
                let Some(first) = rows.first() else { continue };
                let places = vec!["?"; first.len()].join(", ");
                let mut insert = tx.prepare(&format!("INSERT OR REPLACE INTO \"{name}\" VALUES ({places})"))?;
                for row in rows {
                    let _ = insert.execute(params_from_iter(row));
                }
            }
            Ok(())
        })
    }
}

// the tables that a catalog has, with the keys of those that have no row numbers
fn tables() -> rusqlite::Result<Vec<(String, Vec<String>)>> {
    let model = Connection::open_in_memory()?;
    model.execute_batch(SCHEMA)?;
    let texts = |sql: &str, name: &str| {
        let mut statement = model.prepare(sql)?;
        statement.query_map([name], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()
    };
    // numbers that were given out stay so: SQLite's own table last, as rows with numbers move it
    let names = texts(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name <> 'sqlite_schema'
         AND name <> ?1 ORDER BY name = 'sqlite_sequence'",
        "",
    )?;
    let keys = |name: String| {
        let numbered =
            texts("SELECT name FROM pragma_table_list WHERE schema = 'main' AND name = ?1 AND wr = 0", &name)?;
        let keys = texts("SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk", &name)?;
        Ok((name, if numbered.is_empty() { keys } else { Vec::new() }))
    };
    names.into_iter().map(keys).collect()
}

fn read(connection: &Connection, sql: &str, params: impl Params) -> Read {
    let mut found = Vec::new();
    let Ok(mut statement) = connection.prepare(sql) else { return (found, false) };
    let columns = statement.column_count();
    let Ok(mut rows) = statement.query(params) else { return (found, false) };
    loop {
        match rows.next() {
            Ok(None) => return (found, true),
            Err(_) => return (found, false),
            // a text that is none is one row's damage
            Ok(Some(row)) => found.extend((0..columns).map(|at| row.get(at)).collect::<rusqlite::Result<Vec<_>>>()),
        }
    }
}

fn from_both_ends(connection: &Connection, name: &str, keys: &[String]) -> Vec<Vec<Value>> {
    let (mut rows, whole) = read(connection, &format!("SELECT * FROM \"{name}\""), []);
    if !whole {
        let order = keys.iter().map(|key| format!("\"{key}\" DESC")).collect::<Vec<_>>().join(", ");
        rows.extend(read(connection, &format!("SELECT * FROM \"{name}\" ORDER BY {order}"), []).0);
    }
    rows
}

// row by row upwards, over gaps that cannot be read
fn by_number(connection: &Connection, name: &str) -> Vec<Vec<Value>> {
    let upwards = format!("SELECT rowid, * FROM \"{name}\" WHERE rowid >= ?1 ORDER BY rowid");
    let probe = format!("{upwards} LIMIT 1");
    let is_readable = |from: i64| read(connection, &probe, [from]).1;
    let mut found: Vec<Vec<Value>> = Vec::new();
    let mut from = 0;
    loop {
        let (rows, whole) = read(connection, &upwards, [from]);
        let last = rows.last().and_then(|row| match row.first() {
            Some(Value::Integer(number)) => Some(*number),
            _ => None,
        });
        found.extend(rows.into_iter().map(|mut row| row.split_off(1)));
        if whole {
            return found;
        }
        // the first number from which on something can be read, or there is nothing more
        let mut unreadable = last.map_or(from, |last| last + 1);
        let mut step = 1;
        let readable = loop {
            match unreadable.checked_add(step) {
                None => return found,
                Some(at) if is_readable(at) => break at,
                Some(at) => unreadable = at,
            }
            step = step.saturating_mul(2);
        };
        from = readable;
        while from - unreadable > 1 {
            let middle = unreadable + (from - unreadable) / 2;
            if is_readable(middle) { from = middle } else { unreadable = middle }
        }
    }
}
