//! Destroying rows: what was asked is stored, applied by every scan at once, and made physical by compaction.

use super::committer::Committer;
use super::database::{self, StoredDeletion};
use super::{Fault, Snapshot, Store};
use reqlog_core::catalog::{Catalog, Deletion, Erasure};
use reqlog_core::filter::{Filter, Predicate};
use reqlog_core::id::{EntryId, Seq};
use reqlog_core::query::Unit;
use reqlog_core::scan::Scan;
use reqlog_core::timestamp::Timestamp;
use std::sync::Arc;

/// A stored deletion as scans apply it.
pub(super) fn revive(stored: &StoredDeletion) -> Result<Option<Arc<Deletion>>, Fault> {
    let now = Timestamp::from_nanos(stored.now);
    let erasure = Erasure::restore(&stored.query, now, stored.project.as_deref())
        .map_err(|reason| Fault::Corrupt(format!("deletion {}: {reason}", stored.id)))?;
    Ok(Seq::new(stored.head).map(|head| Arc::new(erasure.deletion(stored.id, head))))
}

impl Store {
    /// Destroys the rows that match among those that exist when it is committed; says how many.
    pub fn delete(&self, erasure: Erasure) -> Result<u64, Fault> {
        let filter = erasure.filter().clone();
        let (before, head) = self.run(move |committer| committer.erase(&erasure, None))?;
        self.count(&before, &filter, head)
    }

    /// Forgets a project, revokes its keys and destroys its rows; says how many.
    pub fn delete_project(&self, name: &str) -> Result<u64, Fault> {
        let erasure = Erasure::new(&Filter::All, self.now(), Some(name)).map_err(Fault::Failed)?;
        let (filter, name) = (erasure.filter().clone(), name.to_owned());
        let (before, head) = self.run(move |committer| committer.erase(&erasure, Some(name)))?;
        self.count(&before, &filter, head)
    }

    // what the deletion hid: nothing else can have changed between `before` and it
    fn count(&self, before: &Snapshot, filter: &Predicate, head: Option<Seq>) -> Result<u64, Fault> {
        let Some(head) = head else { return Ok(0) };
        let mut scan = Scan::stats(filter, head, Unit::Record, before.catalog());
        self.inner.shared.reader(before).drive(&mut scan).map_err(|unreadable| unreadable.fault)?;
        self.inner.shared.counters.scanned(scan.scanned());
        Ok(scan.finish_stats().total)
    }
}

impl Committer {
    // the view before it, and the head it applies to
    fn erase(&mut self, erasure: &Erasure, project: Option<String>) -> Result<(Arc<Snapshot>, Option<Seq>), Fault> {
        let before = self.shared.snapshot.get();
        let head = self.last().map(EntryId::seq);
        let mut stored = StoredDeletion {
            id: 0,
            query: erasure.query().to_owned(),
            now: erasure.now().as_nanos(),
            project: erasure.project().map(str::to_owned),
            head: head.map_or(0, Seq::get),
        };
        stored.id = self.database.write(|tx| {
            if let Some(name) = &project {
                database::drop_project(tx, name)?;
            }
            if head.is_some() { database::put_deletion(tx, &stored) } else { Ok(0) }
        })?;
        if let Some(head) = head {
            let mut catalog: Catalog = (**before.catalog()).clone();
            let deletion = Arc::new(erasure.deletion(stored.id, head));
            catalog.deletions.push(deletion.clone());
            self.shared.publish(before.with_catalog(catalog));
            self.shared.live.erase(deletion);
        }
        if let Some(name) = project {
            let mut projects = (*self.shared.projects.get()).clone();
            projects.remove(&name);
            self.shared.projects.set(projects);
            self.shared.keyring.set(self.database.keyring()?);
            // after the deletion: its streams hear of that before they end with their keys
            self.shared.live.tell();
        }
        Ok((before, head))
    }
}
