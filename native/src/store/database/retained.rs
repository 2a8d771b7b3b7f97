//! What retention must not forget over a restart.

use super::Database;
use crate::store::Fault;
use reqlog_core::retention::Retained;
use rusqlite::{OptionalExtension, Transaction};

impl Database {
    pub(in crate::store) fn retained(&self) -> Result<Retained, Fault> {
        let text: Option<String> = self
            .connection
            .query_row("SELECT value FROM meta WHERE key = 'retained'", [], |row| row.get(0))
            .optional()?;
        let corrupt = |reason| Fault::Corrupt(format!("what the catalog says of retention: {reason}"));
        text.map_or(Ok(Retained::default()), |text| Retained::from_json(&text).map_err(corrupt))
    }
}

/// Replaces what was kept before.
pub(in crate::store) fn put_retained(tx: &Transaction<'_>, retained: &Retained) -> Result<(), Fault> {
    tx.prepare_cached("INSERT OR REPLACE INTO meta VALUES ('retained', ?1)")?.execute([retained.to_json()])?;
    Ok(())
}
