//! How a data directory comes up: lock, catalog, what a crash left, the view, the threads.

use super::cache::{Counts, Parts};
use super::committer::Committer;
use super::compaction::Compactor;
use super::counters::Counters;
use super::data_dir::{DataDir, SegmentFile};
use super::database::{self, Creation, Database, Head, StoredBatch, StoredSegment};
use super::erasure;
use super::live::Live;
use super::retention;
use super::snapshot::{Published, Snapshot};
use super::{Compaction, Fault, Inner, OpenError, Options, Shared};
use reqlog_core::catalog::{Catalog, Deletion, Entry, SourceId};
use reqlog_core::id::EntryId;
use reqlog_core::live::Ring;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicUsize};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use tokio::sync::watch;

pub(super) fn open(root: &Path, options: Options) -> Result<Inner, OpenError> {
    let dir = Arc::new(DataDir::open(root, options.disk.clone())?);
    dir.remove_copies().map_err(OpenError::failed(root))?;
    let files = dir.files().map_err(OpenError::failed(root))?;
    let waiting = dir.has_ready_catalog().map_err(OpenError::failed(root))?;
    // an empty catalog beside segments would make strangers of them
    let creation = if files.is_empty() && !waiting { Creation::Allowed } else { Creation::Refused };
    let mut database = Database::open(&dir.catalog(), options.vfs.as_deref(), creation)?;
    let failed = |fault| OpenError::Failed(root.to_owned(), fault);
    let segments = database.segments().map_err(failed)?;
    sweep(&dir, &mut database, &segments).map_err(failed)?;
    let snapshot = load(&dir, &database, segments).map_err(failed)?;
    let shared = share(options, dir, snapshot, &database).map_err(failed)?;
    retention::wake(&shared);
    start(Arc::new(shared), database).map_err(failed)
}

// at most some 4 MB
const COUNTS: usize = 1 << 16;

/// Removes leftovers and moves unknown files to `lost/`.
fn sweep(dir: &DataDir, database: &mut Database, segments: &[StoredSegment]) -> Result<(), Fault> {
    let leftovers = database.leftovers()?;
    dir.remove_leftovers(&leftovers)?;
    if !leftovers.is_empty() {
        database.write(|tx| leftovers.iter().try_for_each(|&id| database::drop_leftover(tx, id)))?;
    }
    let known: BTreeSet<u64> = segments.iter().map(|segment| segment.id).collect();
    for (name, id) in dir.files()? {
        if id.is_none_or(|id| !known.contains(&id)) {
            let lost = dir.lose(&name)?;
            tracing::warn!("segments/{name} is not in the catalog, moved to lost/{lost}");
        }
    }
    for segment in segments {
        match dir.segment_len(segment.id) {
            Ok(size) if size == segment.size => {}
            // its rows cannot be read, everything else can
            _ => tracing::error!("segment {} is missing or cut; run `reqlog doctor`", segment.id),
        }
    }
    Ok(())
}

/// The view that a catalog describes.
fn load(dir: &Arc<DataDir>, database: &Database, segments: Vec<StoredSegment>) -> Result<Snapshot, Fault> {
    let mut deletions = Vec::new();
    for stored in database.deletions()? {
        deletions.extend(erasure::revive(&stored)?);
    }
    let snapshot = view(dir, database.head()?, deletions, database.batches()?, segments);
    let retained = database.retained()?;
    let expiry = Arc::new(retained.cuts());
    let catalog = Catalog { expiry, expired: retained.expired(), ..(**snapshot.catalog()).clone() };
    Ok(snapshot.with_catalog(catalog))
}

/// The view that these rows of a catalog are.
pub(super) fn view(
    dir: &Arc<DataDir>,
    head: Head,
    deletions: Vec<Arc<Deletion>>,
    batches: Vec<StoredBatch>,
    segments: Vec<StoredSegment>,
) -> Snapshot {
    let mut catalog = Catalog { head: head.last(), deletions, ..Catalog::default() };
    let (mut blobs, mut files) = (Vec::new(), Vec::new());
    for batch in batches {
        let first = batch.summary.seq.0.get();
        catalog.entries.push(Entry { id: SourceId::Batch(first), summary: batch.summary });
        blobs.push((first, batch.blob));
    }
    for segment in segments {
        catalog.entries.push(Entry { id: SourceId::Segment(segment.id), summary: segment.summary });
        files.push(Arc::new(SegmentFile::new(dir.clone(), segment.id, segment.size, segment.erased)));
    }
    Snapshot::new(catalog, blobs, files)
}

fn share(options: Options, dir: Arc<DataDir>, snapshot: Snapshot, database: &Database) -> Result<Shared, Fault> {
    Ok(Shared {
        live: Live::new(Ring::new(options.ring, snapshot.catalog().head.map(EntryId::seq))),
        head: watch::Sender::new(snapshot.catalog().head.map(EntryId::seq)),
        snapshot: Published::new(snapshot),
        keyring: Published::new(database.keyring()?),
        projects: Published::new(database.projects()?),
        secret: database.secret()?,
        redact_key: dir.redact_key()?,
        cache: Parts::new(options.cache),
        sweeps: Parts::of_sweeps(),
        counts: Counts::new(COUNTS),
        counters: Counters::default(),
        compacting: Mutex::default(),
        retaining: Mutex::default(),
        remembered: AtomicUsize::new(0),
        told: AtomicI64::new(0),
        options,
        dir,
        state: Mutex::default(),
        changed: Condvar::new(),
    })
}

fn start(shared: Arc<Shared>, database: Database) -> Result<Inner, Fault> {
    let committer = Committer::new(database, shared.clone())?;
    let (requests, inbox) = mpsc::channel();
    let mut threads = vec![thread::Builder::new().name("committer".into()).spawn(move || committer.run(&inbox))?];
    if shared.options.compaction == Compaction::Background {
        let compactor = Compactor::new(shared.clone(), requests.clone());
        threads.push(thread::Builder::new().name("compactor".into()).spawn(move || compactor.run())?);
        if !shared.options.retention.is_endless() {
            // a thread of its own: a step of compaction may take longer than a record may outlive its age
            let (shared, requests) = (shared.clone(), requests.clone());
            let watch = move || retention::watch(&shared, &requests);
            threads.push(thread::Builder::new().name("retention".into()).spawn(watch)?);
        }
    }
    Ok(Inner { shared, requests, threads: Mutex::new(threads) })
}
