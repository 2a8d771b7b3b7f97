//! Destroying rows: what was asked is stored, applied by every scan at once, and made physical by compaction.

use super::committer::Committer;
use super::database::{self, StoredDeletion};
use super::{Fault, Snapshot, Store};
use reqlog_core::catalog::{Catalog, Deletion};
use reqlog_core::filter::{Filter, Predicate};
use reqlog_core::id::{EntryId, Seq};
use reqlog_core::query::Unit;
use reqlog_core::scan::Scan;
use reqlog_core::timestamp::Timestamp;
use std::sync::Arc;

/// Which rows to destroy, as it was asked: a resolved predicate cannot be stored, so it is resolved again at a start.
#[derive(Clone, Debug)]
pub struct Erasure {
    query: String,
    now: Timestamp,
    project: Option<String>,
    filter: Predicate,
}

impl Erasure {
    /// What matches `filter`, with relative times counted from `now`, in one project or everywhere.
    pub fn new(filter: &Filter, now: Timestamp, project: Option<&str>) -> Result<Self, String> {
        let query = filter.to_string();
        let filter = resolve(&query, now, project)?;
        Ok(Self { query, now, project: project.map(str::to_owned), filter })
    }
}

fn resolve(query: &str, now: Timestamp, project: Option<&str>) -> Result<Predicate, String> {
    let parsed = Filter::parse(query).map_err(|error| error.to_string())?;
    let filter = parsed.filter.resolve(now).map_err(|fault| fault.to_string())?;
    Ok(Predicate::all_of(project.map(Predicate::project).into_iter().chain([filter])))
}

/// A stored deletion as scans apply it.
pub(super) fn revive(stored: &StoredDeletion) -> Result<Option<Arc<Deletion>>, Fault> {
    let now = Timestamp::from_nanos(stored.now);
    let filter = resolve(&stored.query, now, stored.project.as_deref())
        .map_err(|reason| Fault::Corrupt(format!("deletion {}: {reason}", stored.id)))?;
    Ok(Seq::new(stored.head).map(|head| Arc::new(Deletion { id: stored.id, filter, head })))
}

impl Store {
    /// Destroys the rows that match among those that exist when it is committed; says how many.
    pub fn delete(&self, erasure: Erasure) -> Result<u64, Fault> {
        let filter = erasure.filter.clone();
        let (before, head) = self.run(move |committer| committer.erase(erasure, None))?;
        self.count(&before, &filter, head)
    }

    /// Forgets a project, revokes its keys and destroys its rows; says how many.
    pub fn delete_project(&self, name: &str) -> Result<u64, Fault> {
        let erasure = Erasure::new(&Filter::All, self.now(), Some(name)).map_err(Fault::Failed)?;
        let (filter, name) = (erasure.filter.clone(), name.to_owned());
        let (before, head) = self.run(move |committer| committer.erase(erasure, Some(name)))?;
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
    fn erase(&mut self, erasure: Erasure, project: Option<String>) -> Result<(Arc<Snapshot>, Option<Seq>), Fault> {
        let before = self.shared.snapshot.get();
        let head = self.last().map(EntryId::seq);
        let Erasure { query, now, project: within, filter } = erasure;
        let mut stored =
            StoredDeletion { id: 0, query, now: now.as_nanos(), project: within, head: head.map_or(0, Seq::get) };
        stored.id = self.database.write(|tx| {
            if let Some(name) = &project {
                database::drop_project(tx, name)?;
            }
            if head.is_some() { database::put_deletion(tx, &stored) } else { Ok(0) }
        })?;
        if let Some(head) = head {
            let mut catalog: Catalog = (**before.catalog()).clone();
            let deletion = Arc::new(Deletion { id: stored.id, filter, head });
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
