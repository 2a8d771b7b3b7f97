//! Reading everything and comparing it.

use super::super::backup;
use super::super::data_dir::{DataDir, MANIFEST};
use super::super::database::{Creation, Database, StoredDeletion};
use super::super::source::{Reader, read_directory};
use super::super::{Fault, OpenError, Options, Snapshot, erasure, opening};
use super::reading::{count, projects, spelt, verify_parts};
use super::{Diagnosis, Finding, Remark};
use reqlog_core::catalog::{Deletion, Entry, SourceId, Summary};
use reqlog_core::plan::Projects;
use reqlog_core::record::{Kind, Stored};
use reqlog_core::segment::{Part, PartId};
use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::sync::Arc;

/// Reads everything in a data directory that nobody has open, or in a backup, and says what is wrong.
///
/// `SQLite` may move its log into the catalog of a data directory meanwhile; no file of ours is changed, and none of a
/// backup. Holds one source and 8 bytes a record in memory.
pub fn doctor(root: &Path, options: &Options) -> Result<Diagnosis, OpenError> {
    let names = options.disk.list(root).map_err(OpenError::failed(root))?;
    is_store(&names, root)?;
    let failed = |fault| OpenError::Failed(root.to_owned(), fault);
    let vfs = options.vfs.as_deref();
    let mut diagnosis = Diagnosis::default();
    let (dir, opened) = if names.iter().any(|name| name == MANIFEST) {
        diagnosis.findings = backup::verify(root).into_iter().map(|error| Finding::Backup(error.to_string())).collect();
        let dir = Arc::new(DataDir::of_backup(root, options.disk.clone()));
        let opened = Database::open_backup(&dir.catalog(), vfs);
        (dir, opened)
    } else {
        let dir = Arc::new(DataDir::open(root, options.disk.clone())?);
        remark(&dir, options, &mut diagnosis).map_err(failed)?;
        let opened = Database::open(&dir.catalog(), vfs, Creation::Refused);
        (dir, opened)
    };
    match opened {
        Ok(database) => examine(&dir, &database, options, &mut diagnosis).map_err(failed)?,
        Err(OpenError::NoCatalog(_)) if !dir.files().unwrap_or_default().is_empty() => {
            diagnosis.findings.push(Finding::Catalog("it is missing".to_owned()));
        }
        Err(OpenError::Foreign(_)) => {
            diagnosis.findings.push(Finding::Catalog("it is no catalog of reqlog".to_owned()));
        }
        Err(OpenError::Failed(_, fault @ Fault::Corrupt(_))) => {
            diagnosis.findings.push(Finding::Catalog(fault.to_string()));
        }
        Err(error) => return Err(error),
    }
    Ok(diagnosis)
}

/// Refuses a directory of something else before anything is made in it.
pub(super) fn is_store(names: &[String], root: &Path) -> Result<(), OpenError> {
    let known =
        |name: &String| name.starts_with("catalog.db") || ["segments", "lock", MANIFEST].contains(&name.as_str());
    if names.iter().any(known) { Ok(()) } else { Err(OpenError::NoStore(root.to_owned())) }
}

// what is there beside the catalog and its segments
fn remark(dir: &DataDir, options: &Options, diagnosis: &mut Diagnosis) -> Result<(), Fault> {
    if dir.redact_key_len()?.is_some_and(|len| len != 32) {
        diagnosis.findings.push(Finding::RedactKey);
    }
    let (files, bytes) = dir.lost_files()?;
    diagnosis.remarks.extend((files > 0).then_some(Remark::Lost(files, bytes)));
    let free = dir.free()?;
    diagnosis.remarks.extend((free < options.reserve).then_some(Remark::Full(free)));
    Ok(())
}

fn examine(dir: &Arc<DataDir>, database: &Database, options: &Options, diagnosis: &mut Diagnosis) -> Result<(), Fault> {
    let findings = &mut diagnosis.findings;
    match read(dir, database, findings) {
        Ok((leftovers, snapshot, projects)) => {
            unknown(dir, &leftovers, &snapshot, findings)?;
            let present = dir.files()?.iter().filter(|(_, id)| id.is_some_and(|id| leftovers.contains(&id))).count();
            diagnosis.remarks.extend((present > 0).then_some(Remark::Leftovers(present as u64)));
            diagnosis.bytes = snapshot.backlog() + snapshot.segment_bytes();
            diagnosis.records = sources(&snapshot, &projects, options, findings);
        }
        // what the catalog cannot say cannot be compared
        Err(fault @ Fault::Corrupt(_)) => findings.push(Finding::Catalog(fault.to_string())),
        Err(fault) => return Err(fault),
    }
    Ok(())
}

fn read(
    dir: &Arc<DataDir>,
    database: &Database,
    findings: &mut Vec<Finding>,
) -> Result<(HashSet<u64>, Snapshot, Projects), Fault> {
    findings.extend(database.integrity()?.into_iter().map(Finding::Catalog));
    let deletions = database.deletions()?;
    let known = understood(&deletions, |id, reason| findings.push(Finding::Deletion(id, reason)));
    findings.extend(database.useless_keys()?.into_iter().map(Finding::Key));
    database.secret()?;
    database.identities()?;
    let leftovers = database.leftovers()?.into_iter().collect();
    let snapshot = opening::view(dir, database.head()?, known, database.batches()?, database.segments()?);
    Ok((leftovers, snapshot, database.projects()?))
}

/// The deletions that can be read; the others go to `refused`.
pub(super) fn understood(deletions: &[StoredDeletion], mut refused: impl FnMut(u64, String)) -> Vec<Arc<Deletion>> {
    let revive = |deletion: &StoredDeletion| match erasure::revive(deletion) {
        Ok(revived) => revived,
        Err(fault) => {
            refused(deletion.id, fault.to_string());
            None
        }
    };
    deletions.iter().filter_map(revive).collect()
}

fn unknown(
    dir: &DataDir,
    leftovers: &HashSet<u64>,
    snapshot: &Snapshot,
    findings: &mut Vec<Finding>,
) -> Result<(), Fault> {
    let expected = |id: u64| leftovers.contains(&id) || snapshot.segment(id).is_some();
    let unknown = dir.files()?.into_iter().filter(|(_, id)| id.is_none_or(|id| !expected(id)));
    findings.extend(unknown.map(|(name, _)| Finding::Unknown(name)));
    Ok(())
}

// every source for itself, then all of them together; how many rows there are
fn sources(snapshot: &Snapshot, known: &Projects, options: &Options, findings: &mut Vec<Finding>) -> u64 {
    let reader = Reader { snapshot, codec: &*options.codec, cache: None, aside: None };
    let catalog = snapshot.catalog();
    let (head, latest) = catalog.head.map_or((0, 0), |head| (head.seq().get(), head.arrival_ms()));
    let mut seqs: Vec<u64> = Vec::new();
    let mut arrival = 0;
    let mut named = BTreeSet::new();
    for entry in &catalog.entries {
        match check(&reader, entry, findings) {
            Ok(rows) => {
                seqs.extend(rows.iter().map(|row| row.id.seq().get()));
                arrival = rows.iter().map(|row| row.id.arrival_ms()).fold(arrival, u64::max);
                named.extend(projects(&rows, &catalog.deletions).map(str::to_owned));
            }
            Err(finding) => findings.push(finding),
        }
    }
    seqs.sort_unstable();
    let records = seqs.len() as u64;
    findings.extend(seqs.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| Finding::Twice(pair[0])));
    findings.extend(seqs.last().filter(|last| **last > head).map(|last| Finding::BeyondHead(*last)));
    findings.extend((arrival > latest).then_some(Finding::LateArrival(arrival)));
    let undeclared = named.into_iter().filter(|name| known.environments(name).is_none());
    findings.extend(undeclared.map(Finding::Undeclared));
    records
}

/// Every checksum of one source, and its rows against what is said of them.
pub(super) fn check(reader: &Reader<'_>, entry: &Entry, findings: &mut Vec<Finding>) -> Result<Vec<Stored>, Finding> {
    let unreadable = |fault: Fault| Finding::Unreadable(fault.to_string());
    let name = match entry.id {
        SourceId::Batch(first) => format!("batch {first}"),
        SourceId::Segment(id) => {
            let file = reader.snapshot.segment(id).ok_or(Finding::Missing(id))?;
            let size = file.size_on_disk().map_err(|_| Finding::Missing(id))?;
            if size != file.size() {
                return Err(Finding::Length(id));
            }
            let directory = read_directory(file).map_err(unreadable)?;
            verify_parts(file, &directory).map_err(unreadable)?;
            if directory.summary() != &*entry.summary {
                findings.push(Finding::Summary(format!("the footer of segment {id}")));
            }
            format!("segment {id}")
        }
    };
    let rows = reader.rows(entry).map_err(|error| unreadable(error.fault))?;
    if Summary::of(rows.iter()).as_ref() != Some(&*entry.summary) {
        findings.push(Finding::Summary(name));
    }
    if let SourceId::Segment(id) = entry.id {
        if !rows.is_sorted_by_key(|row| (row.record.time, row.id.seq())) {
            findings.push(Finding::Order(id));
        }
        let exchanges = |row: &&Stored| row.record.kind == Kind::Exchange;
        for field in Summary::COUNTED {
            let part = reader.part(entry.id, PartId::Counts(field)).map_err(unreadable)?;
            if let Part::Counts(kept) = &*part
                && (spelt(kept.iter()) != count(rows.iter(), field)
                    || kept.exchanges().is_some_and(|of| spelt(of) != count(rows.iter().filter(exchanges), field)))
            {
                findings.push(Finding::Counts(id, field));
            }
        }
        if let Part::Exchanges(kept) = &*reader.part(entry.id, PartId::Exchanges).map_err(unreadable)?
            && Summary::of_exchanges(&rows).as_ref() != Some(&**kept)
        {
            findings.push(Finding::Summary(format!("the exchanges of segment {id}")));
        }
    }
    Ok(rows)
}
