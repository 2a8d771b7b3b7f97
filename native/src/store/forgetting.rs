//! Imports are remembered as long as one of their records is left: what was destroyed can be imported again.
//!
//! **Ours:** as long as any record of an import is there, its others are not stored again, however they went: deleted
//! records stay deleted, and a log that is imported day by day does not bring back what has expired. An import that is
//! under way when its last record goes fails as [`Fault::Busy`]. Identities of single records are remembered for their
//! day even so: they tell a retry from a new request, whatever became of what it stored.

use super::committer::{Committer, Request};
use super::database::{self, ImportedRows};
use super::{Fault, Shared, Store, run};
use reqlog_core::filter::{Number, Predicate};
use reqlog_core::id::Seq;
use reqlog_core::identity::Chain;
use reqlog_core::query::{Detail, Direction, Order, Query, Start, Total, Unit};
use std::sync::mpsc::Sender;

impl Store {
    /// What earlier imports of a scope left behind, for `Import::new`; those without a record left are forgotten here.
    pub fn imports(&self, scope: u64) -> Result<Vec<(u64, Chain)>, Fault> {
        let known = self.run(move |committer| committer.database.imported(Some(scope)))?;
        let mut lost = Vec::new();
        for import in known {
            let filter = Predicate::Number(Number::Seq, ranges(&import));
            if self.page(&any(filter))?.rows.is_empty() {
                lost.push(import);
            }
        }
        self.run(move |committer| {
            if !lost.is_empty() {
                committer.database.write(|tx| lost.iter().try_for_each(|import| database::drop_import(tx, import)))?;
            }
            committer.database.imports(scope)
        })
    }
}

/// Forgets imports of which no source holds a record, so that what is remembered does not outgrow what is kept.
pub(super) fn forget(shared: &Shared, requests: &Sender<Request>) -> Result<(), Fault> {
    let known = run(requests, |committer| committer.database.imported(None))?;
    let snapshot = shared.snapshot.get();
    let catalog = snapshot.catalog();
    let lost: Vec<_> = known.into_iter().filter(|import| !catalog.may_hold(&import.rows)).collect();
    if lost.is_empty() {
        return Ok(());
    }
    let drop_all = move |committer: &mut Committer| {
        committer.database.write(|tx| lost.iter().try_for_each(|import| database::drop_import(tx, import)))
    };
    run(requests, drop_all)
}

fn ranges(import: &ImportedRows) -> Vec<(i64, i64)> {
    import.rows.iter().map(|&(first, last)| (first as i64, last as i64)).collect()
}

fn any(filter: Predicate) -> Query {
    Query {
        filter,
        order: Order::Arrival,
        direction: Direction::Descending,
        start: Start::First,
        bound: Seq::MAX,
        limit: 1,
        detail: Detail::Preview,
        total: Total::Skip,
        unit: Unit::Record,
    }
}
