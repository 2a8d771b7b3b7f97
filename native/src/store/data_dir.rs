//! The data directory: what is where in it, who holds it, and what a crash left behind.
//!
//! ```text
//! catalog.db       the catalog database, with catalog.db-wal while it is open
//! segments/7.seg   immutable segments
//! lost/            files that the catalog does not know, moved here and never removed
//! lock             held by the process that has the directory open
//! redact.key       keyed hashes of redacted values; in no backup
//! catalog.db.*     one that a backup copies, a restore or a repair makes; nothing without the process that does
//! restoring        there while a restore is not whole; nothing else opens the directory then
//! ```

use super::{Disk, Fault, OpenError};
use std::any::Any;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What makes a directory a backup.
pub(super) const MANIFEST: &str = "backup.json";
/// What makes a directory an unfinished restore.
pub(super) const RESTORING: &str = "restoring";
const COPY: &str = "catalog.db.backup-";
const READY: &str = "catalog.db.ready";

/// A data directory that this process holds the lock of.
pub(super) struct DataDir {
    disk: Arc<dyn Disk>,
    root: PathBuf,
    // numbers of replaced files that are unlinked, until the catalog forgets them
    unlinked: Mutex<Vec<u64>>,
    _lock: Box<dyn Any + Send + Sync>,
}

impl DataDir {
    /// Makes what is missing of the directory and takes its lock; a backup, and a directory that is being restored, are
    /// left as they are.
    pub(super) fn open(root: &Path, disk: Arc<dyn Disk>) -> Result<Self, OpenError> {
        let names = disk.list(root).unwrap_or_default();
        let has = |name: &str| names.iter().any(|known| known == name);
        if has(MANIFEST) {
            return Err(OpenError::Backup(root.to_owned()));
        }
        if has(RESTORING) {
            return Err(OpenError::Restoring(root.to_owned()));
        }
        Self::claim(root, disk)
    }

    /// The same whatever the directory is.
    pub(super) fn claim(root: &Path, disk: Arc<dyn Disk>) -> Result<Self, OpenError> {
        let prepare = || {
            make_root(root, &*disk)?;
            disk.lock(&root.join("lock"))
        };
        let lock = prepare().map_err(|error| match error.kind() {
            ErrorKind::WouldBlock => OpenError::Locked(root.to_owned()),
            _ => OpenError::Failed(root.to_owned(), error.into()),
        })?;
        let dir = Self { disk, root: root.to_owned(), unlinked: Mutex::default(), _lock: lock };
        dir.make().map_err(OpenError::failed(root))?;
        Ok(dir)
    }

    /// A backup, to be read only: nothing is made and nobody is kept out.
    pub(super) fn of_backup(root: &Path, disk: Arc<dyn Disk>) -> Self {
        Self { disk, root: root.to_owned(), unlinked: Mutex::default(), _lock: Box::new(()) }
    }

    fn make(&self) -> io::Result<()> {
        self.disk.create_dir(&self.segments())?;
        self.disk.create_dir(&self.lost())?;
        self.disk.sync_dir(&self.root)
    }

    pub(super) fn catalog(&self) -> PathBuf {
        self.root.join("catalog.db")
    }

    /// Where the files are.
    pub(super) fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    /// Path of a copy of the catalog that lives for as long as a backup runs.
    pub(super) fn copy(&self, number: u64) -> PathBuf {
        self.root.join(format!("{COPY}{number}"))
    }

    /// Removes copies of the catalog that a process which died has left.
    pub(super) fn remove_copies(&self) -> Result<(), Fault> {
        let names = self.disk.list(&self.root)?;
        let copies = names.iter().filter(|name| name.starts_with(COPY));
        Ok(copies.into_iter().try_for_each(|name| self.disk.remove(&self.root.join(name)))?)
    }

    pub(super) fn segments(&self) -> PathBuf {
        self.root.join("segments")
    }

    fn lost(&self) -> PathBuf {
        self.root.join("lost")
    }

    fn segment(&self, id: u64) -> PathBuf {
        self.segments().join(format!("{id}.seg"))
    }

    /// Where a catalog is made that is to take another's place.
    pub(super) fn new_catalog(&self) -> PathBuf {
        self.root.join("catalog.db.new")
    }

    /// Removes a catalog that is not in its place.
    pub(super) fn drop_new_catalog(&self) -> Result<(), Fault> {
        let names = self.disk.list(&self.root)?;
        let drafts = names.iter().filter(|name| name.starts_with("catalog.db.new"));
        Ok(drafts.into_iter().try_for_each(|name| self.disk.remove(&self.root.join(name)))?)
    }

    /// Gives a new catalog, which is closed, the name by which it is known to be whole.
    pub(super) fn finish_new_catalog(&self) -> Result<(), Fault> {
        self.disk.sync_file(&self.new_catalog())?;
        self.disk.rename(&self.new_catalog(), &self.root.join(READY))?;
        Ok(self.disk.sync_dir(&self.root)?)
    }

    /// Whether a whole new catalog waits for its place.
    pub(super) fn has_ready_catalog(&self) -> Result<bool, Fault> {
        Ok(self.disk.list(&self.root)?.iter().any(|name| name == READY))
    }

    /// Moves the old catalog to `lost/` and the whole new one to its place; says where the old one is.
    pub(super) fn install_catalog(&self) -> Result<Vec<String>, Fault> {
        let mut old = Vec::new();
        for name in ["catalog.db", "catalog.db-wal"] {
            old.extend(self.lose_beside(name)?);
        }
        self.disk.rename(&self.root.join(READY), &self.catalog())?;
        self.disk.sync_dir(&self.root)?;
        Ok(old)
    }

    /// Bytes that can still be written.
    pub(super) fn free(&self) -> Result<u64, Fault> {
        Ok(self.disk.free(&self.root)?)
    }

    /// Writes a segment's file and makes its bytes durable; its name is after [`Self::sync_segments`].
    pub(super) fn write_segment(&self, id: u64, bytes: &[u8]) -> Result<(), Fault> {
        let path = self.segment(id);
        let written = self.disk.create(&path, bytes).and_then(|()| self.disk.sync_file(&path));
        written.map_err(|error| {
            self.discard(id);
            error.into()
        })
    }

    /// Unlinks a file that is no part of the catalog; what cannot be now is at the next start.
    pub(super) fn discard(&self, id: u64) {
        if self.disk.remove(&self.segment(id)).is_ok() {
            self.unlinked.lock().unwrap_or_else(PoisonError::into_inner).push(id);
        }
    }

    /// Makes names durable, and that unlinked ones are gone.
    pub(super) fn sync_segments(&self) -> Result<(), Fault> {
        Ok(self.disk.sync_dir(&self.segments())?)
    }

    pub(super) fn read_segment(&self, id: u64, range: Range<u64>) -> io::Result<Vec<u8>> {
        self.disk.read(&self.segment(id), range)
    }

    pub(super) fn segment_len(&self, id: u64) -> io::Result<u64> {
        self.disk.len(&self.segment(id))
    }

    /// Numbers of files unlinked since the last call; durable after the next [`Self::sync_segments`].
    pub(super) fn take_unlinked(&self) -> Vec<u64> {
        std::mem::take(&mut *self.unlinked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Names in `segments/` with the number of those that are spelt like a segment's.
    pub(super) fn files(&self) -> Result<Vec<(String, Option<u64>)>, Fault> {
        let names = match self.disk.list(&self.segments()) {
            // a backup without segments, unpacked by another program
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            names => names?,
        };
        let mut files: Vec<_> = names.into_iter().map(|name| (name.clone(), segment_number(&name))).collect();
        files.sort();
        Ok(files)
    }

    /// Removes files that hold nothing the catalog needs.
    pub(super) fn remove_leftovers(&self, ids: &[u64]) -> Result<(), Fault> {
        for &id in ids {
            match self.disk.remove(&self.segment(id)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        if ids.is_empty() { Ok(()) } else { self.sync_segments() }
    }

    /// Moves a file of `segments/` to `lost/` under a name that is free there, and says which.
    pub(super) fn lose(&self, name: &str) -> Result<String, Fault> {
        self.lose_from(&self.segments(), name)
    }

    /// Moves a file beside the catalog to `lost/`, if it is there.
    pub(super) fn lose_beside(&self, name: &str) -> Result<Option<String>, Fault> {
        let there = self.disk.list(&self.root)?.iter().any(|known| known == name);
        there.then(|| self.lose_from(&self.root, name)).transpose()
    }

    /// How many files lie in `lost/`, and their bytes.
    pub(super) fn lost_files(&self) -> Result<(u64, u64), Fault> {
        let names = self.disk.list(&self.lost())?;
        let bytes = names.iter().map(|name| self.disk.len(&self.lost().join(name)).unwrap_or(0)).sum();
        Ok((names.len() as u64, bytes))
    }

    /// Keeps bytes that no file held in `lost/`, and says under which name.
    pub(super) fn keep_lost(&self, name: &str, bytes: &[u8]) -> Result<String, Fault> {
        let fresh = self.fresh(name)?;
        let path = self.lost().join(&fresh);
        self.disk.create(&path, bytes)?;
        self.disk.sync_file(&path)?;
        self.disk.sync_dir(&self.lost())?;
        Ok(fresh)
    }

    // a name that is free in `lost/`
    fn fresh(&self, name: &str) -> Result<String, Fault> {
        let taken = self.disk.list(&self.lost())?;
        let names = (0..).map(|n| if n == 0 { name.to_owned() } else { format!("{name}.{n}") });
        Ok(names.into_iter().find(|name| !taken.contains(name)).unwrap_or_else(|| name.to_owned()))
    }

    /// Length of the key of redacted values, if there is one.
    pub(super) fn redact_key_len(&self) -> Result<Option<u64>, Fault> {
        match self.disk.len(&self.root.join("redact.key")) {
            Ok(len) => Ok(Some(len)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn lose_from(&self, home: &Path, name: &str) -> Result<String, Fault> {
        let fresh = self.fresh(name)?;
        self.disk.rename(&home.join(name), &self.lost().join(&fresh))?;
        // the new name first: a crash between may show the file twice, never nowhere
        self.disk.sync_dir(&self.lost())?;
        self.disk.sync_dir(home)?;
        Ok(fresh)
    }

    /// The key of redacted values: read, or drawn and written once.
    pub(super) fn redact_key(&self) -> Result<[u8; 32], Fault> {
        let path = self.root.join("redact.key");
        match self.disk.read(&path, 0..32) {
            Ok(bytes) => return bytes.try_into().map_err(|_| Fault::Corrupt("redact.key".into())),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::UnexpectedEof) => {}
            Err(error) => return Err(error.into()),
        }
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| Fault::Failed(error.to_string()))?;
        let draft = self.root.join("redact.key.new");
        let _ = self.disk.remove(&draft);
        self.disk.create(&draft, &key)?;
        self.disk.sync_file(&draft)?;
        self.disk.rename(&draft, &path)?;
        self.disk.sync_dir(&self.root)?;
        Ok(key)
    }
}

/// The number of a segment by its file's name, which has one spelling.
pub(super) fn segment_number(name: &str) -> Option<u64> {
    let id: u64 = name.strip_suffix(".seg")?.parse().ok()?;
    (format!("{id}.seg") == name).then_some(id)
}

/// Makes the data directory, and its own name durable: without it nothing in it is found again.
pub(super) fn make_root(root: &Path, disk: &dyn Disk) -> io::Result<()> {
    let missing = root.ancestors().take_while(|dir| !dir.as_os_str().is_empty() && disk.list(dir).is_err()).count();
    disk.create_dir(root)?;
    // the nearest one always: a process that died may have made the directory and not synced its name
    for above in root.ancestors().skip(1).take(missing.max(1)) {
        let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
        match disk.sync_dir(above) {
            // what this user may not list, this user did not make
            Err(error) if error.kind() == ErrorKind::PermissionDenied => break,
            synced => synced?,
        }
    }
    Ok(())
}

/// A segment's file for as long as a snapshot holds it; once replaced, it is unlinked with the last of them.
pub(super) struct SegmentFile {
    dir: Arc<DataDir>,
    id: u64,
    size: u64,
    erased: u64,
    replaced: AtomicBool,
}

impl SegmentFile {
    pub(super) fn new(dir: Arc<DataDir>, id: u64, size: u64, erased: u64) -> Self {
        Self { dir, id, size, erased, replaced: AtomicBool::new(false) }
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Length in bytes.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Length that the file really has.
    pub(super) fn size_on_disk(&self) -> io::Result<u64> {
        self.dir.segment_len(self.id)
    }

    /// Number of the last deletion that was made physical in it.
    pub(super) fn erased(&self) -> u64 {
        self.erased
    }

    pub(super) fn read(&self, range: Range<u64>) -> Result<Vec<u8>, Fault> {
        self.dir.read_segment(self.id, range).map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::UnexpectedEof => Fault::Corrupt(format!("segment {}", self.id)),
            _ => error.into(),
        })
    }

    /// To be called once the catalog no longer names the file, durably.
    pub(super) fn replace(&self) {
        self.replaced.store(true, Ordering::Release);
    }
}

impl Drop for SegmentFile {
    fn drop(&mut self) {
        if self.replaced.load(Ordering::Acquire) {
            self.dir.discard(self.id);
        }
    }
}
