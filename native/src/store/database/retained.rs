//! What retention must not forget over a restart.

use super::Database;
use crate::store::Fault;
use reqlog_core::catalog::{Expired, Expiry};
use reqlog_core::id::Seq;
use reqlog_core::timestamp::Timestamp;
use rusqlite::{OptionalExtension, Transaction};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What stays hidden or is gone whatever the limits say later.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::store) struct Retained {
    // what retention has removed, or hidden for want of bytes: when, in ns, and up to which sequence
    expired: Vec<(i64, u64)>,
    /// Horizons of arrival that limits of bytes set.
    cuts: BTreeMap<String, u64>,
    unnamed: u64,
}

impl Retained {
    pub(in crate::store) fn new(expired: &Expired, cuts: Expiry) -> Self {
        let expired = expired.iter().map(|(at, last)| (at.as_nanos(), last.get())).collect();
        Self { expired, cuts: cuts.projects, unnamed: cuts.unnamed }
    }

    /// What retention has removed, or hidden for want of bytes.
    pub(in crate::store) fn expired(&self) -> Expired {
        let mut expired = Expired::default();
        for (at, last) in &self.expired {
            Seq::new(*last).into_iter().for_each(|last| expired.add(Timestamp::from_nanos(*at), last));
        }
        expired
    }

    /// The horizons that limits of bytes set.
    pub(in crate::store) fn cuts(&self) -> Expiry {
        Expiry { projects: self.cuts.clone(), unnamed: self.unnamed, others: 0 }
    }
}

impl Database {
    pub(in crate::store) fn retained(&self) -> Result<Retained, Fault> {
        let text: Option<String> = self
            .connection
            .query_row("SELECT value FROM meta WHERE key = 'retained'", [], |row| row.get(0))
            .optional()?;
        let corrupt = |error| Fault::Corrupt(format!("what the catalog says of retention: {error}"));
        text.map_or(Ok(Retained::default()), |text| serde_json::from_str(&text).map_err(corrupt))
    }
}

/// Replaces what was kept before.
pub(in crate::store) fn put_retained(tx: &Transaction<'_>, retained: &Retained) -> Result<(), Fault> {
    let text = serde_json::to_string(retained).map_err(|error| Fault::Failed(error.to_string()))?;
    tx.prepare_cached("INSERT OR REPLACE INTO meta VALUES ('retained', ?1)")?.execute([text])?;
    Ok(())
}
