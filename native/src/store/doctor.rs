//! Verifying a data directory, and putting right what can be.

use super::data_dir::{DataDir, SegmentFile};
use super::database::{self, Creation, Database, Head, StoredSegment};
use super::source::{Reader, read_directory};
use super::{Fault, OpenError, Options, Snapshot, erasure, opening};
use reqlog_core::catalog::{Catalog, Entry, SourceId, Summary};
use reqlog_core::query::Counts;
use reqlog_core::record::{Field, Kind, Stored};
use reqlog_core::segment::{self, Directory, Part, PartId};
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// Something that is not as the store leaves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The catalog database, in `SQLite`'s words or ours.
    Catalog(String),
    /// A segment's file is not there.
    Missing(u64),
    /// A segment's file has another length than the catalog says.
    Length(u64),
    /// A batch or segment cannot be read: what, and why.
    Unreadable(String),
    /// The rows of this batch or segment are not what its summary says.
    Summary(String),
    /// What this segment keeps of how many rows have each value of a field is not what its rows say.
    Counts(u64, Field),
    /// The rows of this segment are out of order.
    Order(u64),
    /// A sequence that more than one row has.
    Twice(u64),
    /// A sequence that was never given out.
    BeyondHead(u64),
    /// A file in `segments/` that the catalog does not know.
    Unknown(String),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Catalog(what) => write!(f, "catalog.db: {what}"),
            Self::Missing(id) => write!(f, "segments/{id}.seg is missing: restore it, or --repair goes on without it"),
            Self::Length(id) => write!(f, "segments/{id}.seg is cut or grown: --repair moves it to lost/"),
            Self::Unreadable(what) => write!(f, "{what}: --repair moves a damaged segment to lost/"),
            Self::Summary(what) => write!(f, "{what} has another summary than rows"),
            Self::Counts(id, field) => write!(f, "segments/{id}.seg counts its rows by {} wrongly", field.name()),
            Self::Order(id) => write!(f, "segments/{id}.seg has rows out of order"),
            Self::Twice(seq) => write!(f, "sequence {seq} is there more than once"),
            Self::BeyondHead(seq) => write!(f, "sequence {seq} was never given out"),
            Self::Unknown(name) => write!(f, "segments/{name} is unknown: the next start moves it to lost/"),
        }
    }
}

/// Reads everything in a data directory that nobody has open, and says what is wrong; nothing when all is well.
/// `SQLite` may move its log into the catalog meanwhile; no file of ours is changed.
pub fn doctor(root: &Path, options: &Options) -> Result<Vec<Finding>, OpenError> {
    options.disk.list(root).map_err(OpenError::failed(root))?;
    let dir = Arc::new(DataDir::open(root, options.disk.clone())?);
    let database = Database::open(&dir.catalog(), options.vfs.as_deref(), Creation::Refused)?;
    examine(&dir, &database, options).map_err(|fault| OpenError::Failed(root.to_owned(), fault))
}

fn examine(dir: &Arc<DataDir>, database: &Database, options: &Options) -> Result<Vec<Finding>, Fault> {
    let mut findings: Vec<Finding> = database.integrity()?.into_iter().map(Finding::Catalog).collect();
    for deletion in database.deletions()? {
        findings.extend(erasure::revive(&deletion).err().map(|fault| Finding::Catalog(fault.to_string())));
    }
    let segments = database.segments()?;
    let mut expected: HashSet<u64> = database.leftovers()?.into_iter().collect();
    expected.extend(segments.iter().map(|segment| segment.id));
    let unknown = dir.files()?.into_iter().filter(|(_, id)| id.is_none_or(|id| !expected.contains(&id)));
    findings.extend(unknown.map(|(name, _)| Finding::Unknown(name)));

    let snapshot = opening::load(dir, database, segments)?;
    let reader = Reader { snapshot: &snapshot, codec: &*options.codec, cache: None, aside: None };
    let head = snapshot.catalog().head.map_or(0, |head| head.seq().get());
    let mut seqs: Vec<u64> = Vec::new();
    for entry in &snapshot.catalog().entries {
        match check(&reader, entry, &mut findings) {
            Ok(rows) => seqs.extend(rows.iter().map(|row| row.id.seq().get())),
            Err(finding) => findings.push(finding),
        }
    }
    seqs.sort_unstable();
    findings.extend(seqs.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| Finding::Twice(pair[0])));
    findings.extend(seqs.last().filter(|last| **last > head).map(|last| Finding::BeyondHead(*last)));
    Ok(findings)
}

// every checksum of one source, and its rows against its summary
fn check(reader: &Reader<'_>, entry: &Entry, findings: &mut Vec<Finding>) -> Result<Vec<Stored>, Finding> {
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

fn verify_parts(file: &SegmentFile, directory: &Directory) -> Result<(), Fault> {
    for range in directory.parts().filter_map(|part| directory.locate(part)) {
        Directory::verify(&file.read(range)?)
            .map_err(|corrupt| Fault::Corrupt(format!("segment {} ({})", file.id(), corrupt.what)))?;
    }
    Ok(())
}

fn spelt<'a>(counts: impl Iterator<Item = (&'a str, u64)>) -> Counts {
    counts.filter(|(_, count)| *count > 0).map(|(value, count)| (value.to_owned(), count)).collect()
}

fn count<'a>(rows: impl Iterator<Item = &'a Stored>, field: Field) -> Counts {
    let mut counts = Counts::new();
    for value in rows.filter_map(|row| row.record.text(field)) {
        *counts.entry(value.to_owned()).or_default() += 1;
    }
    counts
}

/// What a repair did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repair {
    /// The catalog could not be used; it lies in `lost/` under this name, and a new one was made.
    NewCatalog(String),
    /// A file was moved to `lost/`, under this name.
    Lost(String),
    /// The catalog forgot a segment whose file is missing.
    Forgotten(u64),
    /// A segment was taken into the catalog, with this many rows.
    Adopted(u64, u64),
}

// restored rows may be older than the last ones of the lost catalog: their sequences must not be given out again
const MARGIN: u64 = 1 << 20;

/// Makes a data directory usable again: without a catalog, or with one that is none, it makes a new one from the
/// footers of the segments (keys, projects, deletions and what was not yet compacted were in the old one only);
/// segments that cannot be read move to `lost/`.
pub fn repair(root: &Path, options: &Options) -> Result<Vec<Repair>, OpenError> {
    options.disk.list(root).map_err(OpenError::failed(root))?;
    let dir = Arc::new(DataDir::open(root, options.disk.clone())?);
    let failed = |fault| OpenError::Failed(root.to_owned(), fault);
    let mut repairs = Vec::new();
    match Database::open(&dir.catalog(), options.vfs.as_deref(), Creation::Refused) {
        Ok(mut database) => drop_unreadable(&dir, &mut database, &mut repairs).map_err(failed)?,
        Err(OpenError::NoCatalog(_) | OpenError::Foreign(_)) => {
            for name in ["catalog.db", "catalog.db-wal"] {
                repairs.extend(dir.lose_catalog(name).map_err(failed)?.map(Repair::NewCatalog));
            }
            let mut database = Database::open(&dir.catalog(), options.vfs.as_deref(), Creation::Allowed)?;
            adopt(&dir, &mut database, options, &mut repairs).map_err(failed)?;
        }
        Err(error) => return Err(error),
    }
    Ok(repairs)
}

fn drop_unreadable(dir: &Arc<DataDir>, database: &mut Database, repairs: &mut Vec<Repair>) -> Result<(), Fault> {
    for stored in database.segments()? {
        let file = SegmentFile::new(dir.clone(), stored.id, stored.size, stored.erased);
        let lost = match file.size_on_disk() {
            Ok(size) if size == stored.size => {
                let sound = read_directory(&file).and_then(|directory| verify_parts(&file, &directory));
                if sound.is_ok() {
                    continue;
                }
                Repair::Lost(dir.lose(&format!("{}.seg", stored.id))?)
            }
            Ok(_) => Repair::Lost(dir.lose(&format!("{}.seg", stored.id))?),
            Err(_) => Repair::Forgotten(stored.id),
        };
        // the file is out of the way first: as a leftover it would be removed
        database.write(|tx| {
            database::drop_segment(tx, stored.id)?;
            database::drop_leftover(tx, stored.id)
        })?;
        repairs.push(lost);
    }
    Ok(())
}

// newest first: a segment replaces older ones, and of an older one only rows that no newer one has are wanted
fn adopt(
    dir: &Arc<DataDir>,
    database: &mut Database,
    options: &Options,
    repairs: &mut Vec<Repair>,
) -> Result<(), Fault> {
    let files: BTreeMap<u64, String> = dir.files()?.into_iter().filter_map(|(name, id)| Some((id?, name))).collect();
    if let Some((&newest, _)) = files.last_key_value() {
        database.write(|tx| database::pass_segment(tx, newest))?;
    }
    let mut seen = HashSet::new();
    let mut head = database.head()?;
    for (id, name) in files.into_iter().rev() {
        let Ok(rows) = whole(dir, id, options) else {
            repairs.push(Repair::Lost(dir.lose(&name)?));
            continue;
        };
        let count = rows.len();
        let rows: Vec<Stored> = rows.into_iter().filter(|row| seen.insert(row.id.seq())).collect();
        for row in &rows {
            head = Head {
                next: head.next.max(row.id.seq().get() + MARGIN),
                arrival: head.arrival.max(row.id.arrival_ms()),
            };
        }
        let mut adopted = id;
        if rows.len() < count {
            repairs.push(Repair::Lost(dir.lose(&name)?));
            let Some(built) = segment::build(&rows, &*options.codec) else { continue };
            adopted = database.write(database::reserve_segment)?;
            dir.write_segment(adopted, &built.bytes)?;
            dir.sync_segments()?;
        }
        let size = dir.segment_len(adopted)?;
        let summary = read_directory(&SegmentFile::new(dir.clone(), adopted, size, 0))?.summary().clone();
        let stored = StoredSegment { id: adopted, size, erased: 0, summary: Arc::new(summary) };
        database.write(|tx| {
            database::put_segment(tx, &stored)?;
            for project in stored.summary.projects.iter().flat_map(BTreeMap::keys) {
                database::declare(tx, project, None)?;
            }
            database::put_head(tx, head)
        })?;
        repairs.push(Repair::Adopted(adopted, stored.summary.rows));
    }
    Ok(())
}

// the rows of a file that no catalog describes, every checksum verified
fn whole(dir: &Arc<DataDir>, id: u64, options: &Options) -> Result<Vec<Stored>, Fault> {
    let file = Arc::new(SegmentFile::new(dir.clone(), id, dir.segment_len(id)?, 0));
    let directory = read_directory(&file)?;
    verify_parts(&file, &directory)?;
    let entry = Entry { id: SourceId::Segment(id), summary: Arc::new(directory.summary().clone()) };
    let catalog = Catalog { entries: vec![entry.clone()], ..Catalog::default() };
    let snapshot = Snapshot::new(catalog, Vec::new(), vec![file]);
    let reader = Reader { snapshot: &snapshot, codec: &*options.codec, cache: None, aside: None };
    reader.rows(&entry).map_err(|unreadable| unreadable.fault)
}
