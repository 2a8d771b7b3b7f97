//! Reading sources of a snapshot: parts for scans, whole rows for compaction and checks.

use super::cache::{BatchParts, Parts};
use super::data_dir::SegmentFile;
use super::{Fault, Shared, Snapshot};
use rayon::prelude::*;
use reqlog_core::batch;
use reqlog_core::catalog::{Catalog, Entry, SourceId};
use reqlog_core::codec::{Codec, Corrupt};
use reqlog_core::query::Query;
use reqlog_core::record::Stored;
use reqlog_core::scan::{Next, Partial, Scan, Step, Task};
use reqlog_core::segment::{self, Directory, Part, PartId};
use std::sync::Arc;

/// A source that could not be read, and why.
#[derive(Clone, Debug)]
pub(super) struct Unreadable {
    pub(super) source: SourceId,
    pub(super) fault: Fault,
}

/// Supplies scans with parts.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) codec: &'a dyn Codec,
    /// Without one, every part is read and checked anew.
    pub(super) cache: Option<&'a Parts>,
    /// Looked into before that one, and left as it is.
    pub(super) aside: Option<&'a Parts>,
}

impl Shared {
    /// A reader of `snapshot` through the cache.
    pub(super) fn reader<'a>(&'a self, snapshot: &'a Snapshot) -> Reader<'a> {
        Reader { snapshot, codec: &*self.options.codec, cache: Some(&self.cache), aside: None }
    }

    /// A reader of `snapshot` for a walk over everything.
    pub(super) fn sweeper<'a>(&'a self, snapshot: &'a Snapshot) -> Reader<'a> {
        Reader { cache: Some(&self.sweeps), aside: Some(&self.cache), ..self.reader(snapshot) }
    }
}

impl Reader<'_> {
    /// Runs a scan to its end, the tasks that it offers together side by side.
    pub(super) fn drive(&self, scan: &mut Scan) -> Result<(), Unreadable> {
        loop {
            let mut tasks = Vec::new();
            while let Next::Run(task) = scan.next() {
                tasks.push(task);
            }
            // one task needs no other thread
            let partials: Vec<Partial> = match tasks.len() {
                0 => return Ok(()),
                1 => tasks.into_iter().map(|task| self.work(*task)).collect::<Result<_, _>>()?,
                _ => tasks.into_par_iter().map(|task| self.work(*task)).collect::<Result<_, _>>()?,
            };
            for partial in partials {
                scan.absorb(partial);
            }
        }
    }

    fn work(&self, mut task: Task) -> Result<Partial, Unreadable> {
        let source = task.source();
        let failed = |fault| Unreadable { source, fault };
        loop {
            match task.step().map_err(|corrupt| failed(damaged(source, corrupt)))? {
                Step::Done(partial) => return Ok(partial),
                Step::Need(parts) => {
                    for id in parts {
                        task.supply(id, self.part(source, id).map_err(failed)?);
                    }
                }
            }
        }
    }

    pub(super) fn part(&self, source: SourceId, id: PartId) -> Result<Arc<Part>, Fault> {
        match source {
            SourceId::Batch(first) => {
                let decode = || self.batch(source, first).map(columns);
                let parts = match (self.aside.and_then(|aside| aside.known_batch(first)), self.cache) {
                    (Some(parts), _) => parts,
                    (None, Some(cache)) => cache.batch(first, decode)?,
                    (None, None) => Arc::new(decode()?),
                };
                Ok(parts.get(&id).cloned().unwrap_or_else(|| Arc::new(Part::Absent)))
            }
            SourceId::Segment(number) => {
                if let Some(part) = self.aside.and_then(|aside| aside.known_part(number, id)) {
                    return Ok(part);
                }
                let file = self.file(number)?;
                let directory = self.directory(file)?;
                let Some(range) = directory.locate(id) else { return Ok(Arc::new(Part::Absent)) };
                let decode = || {
                    let stored = file.read(range)?;
                    if let Some(cache) = self.cache {
                        cache.count_read(stored.len());
                    }
                    directory.decode(id, &stored, self.codec).map_err(|corrupt| damaged(source, corrupt))
                };
                match self.cache {
                    Some(cache) => cache.part(number, id, decode),
                    None => decode().map(Arc::new),
                }
            }
        }
    }

    fn file(&self, number: u64) -> Result<&SegmentFile, Fault> {
        let file = self.snapshot.segment(number);
        file.map(|file| &**file).ok_or_else(|| Fault::Corrupt(format!("segment {number}")))
    }

    fn directory(&self, file: &SegmentFile) -> Result<Arc<Directory>, Fault> {
        let read = || read_directory(file);
        match self.cache {
            Some(cache) => cache.directory(file.id(), read),
            None => read().map(Arc::new),
        }
    }

    pub(super) fn batch(&self, source: SourceId, first: u64) -> Result<Vec<Stored>, Fault> {
        let found = self.snapshot.batch(first).zip(self.snapshot.entry(source));
        let (blob, entry) = found.ok_or_else(|| Fault::Corrupt(format!("batch {first}")))?;
        let (seq, arrival) = (entry.summary.seq.0, entry.summary.arrival.0);
        batch::decode(blob, seq, arrival, self.codec).map_err(|corrupt| damaged(source, corrupt))
    }

    /// Every row of a source with its bodies, in no order.
    pub(super) fn rows(&self, entry: &Entry) -> Result<Vec<Stored>, Unreadable> {
        match entry.id {
            SourceId::Batch(first) => {
                self.batch(entry.id, first).map_err(|fault| Unreadable { source: entry.id, fault })
            }
            SourceId::Segment(_) => {
                let catalog = Catalog { entries: vec![entry.clone()], ..Catalog::default() };
                let mut scan = Scan::page(Query::everything(), &catalog);
                self.drive(&mut scan)?;
                Ok(scan.finish().rows)
            }
        }
    }
}

// scans expect rows in the order of segments
fn columns(mut rows: Vec<Stored>) -> BatchParts {
    rows.sort_unstable_by_key(|row| (row.record.time, row.id.seq()));
    segment::columns(&rows).into_iter().map(|(id, part)| (id, Arc::new(part))).collect()
}

/// Reads where the parts of a segment are.
pub(super) fn read_directory(file: &SegmentFile) -> Result<Directory, Fault> {
    let damage = |corrupt| damaged(SourceId::Segment(file.id()), corrupt);
    let start = file.size().saturating_sub(Directory::TRAILER_LEN);
    let footer = Directory::footer(&file.read(start..file.size())?, file.size()).map_err(damage)?;
    Directory::read(&file.read(footer)?).map_err(damage)
}

fn damaged(source: SourceId, corrupt: Corrupt) -> Fault {
    let name = match source {
        SourceId::Batch(first) => format!("batch {first}"),
        SourceId::Segment(id) => format!("segment {id}"),
    };
    Fault::Corrupt(format!("{name} ({})", corrupt.what))
}
