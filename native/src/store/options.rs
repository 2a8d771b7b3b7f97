//! How a store is opened, and why it was not.

use super::zstd::Zstd;
use super::{Disk, Fault, OsDisk};
use reqlog_core::codec::Codec;
use reqlog_core::live::Room;
use reqlog_core::retention::Retention;
use reqlog_core::timestamp::Timestamp;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// What time it is, for arrival times, key expiry and whatever a request means by now; tests set it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The clock of this machine, which every store has by default.
pub fn wall_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// What differs between stores; the defaults are a server's.
#[derive(Clone)]
pub struct Options {
    /// Files beside the catalog database.
    pub disk: Arc<dyn Disk>,
    /// Name of the `SQLite` VFS that holds the catalog database; the platform's own without one.
    pub vfs: Option<String>,
    /// Compression of what is written.
    pub codec: Arc<dyn Codec>,
    /// The one clock of the store and of a server over it; how long something may take is measured elsewhere.
    pub clock: Clock,
    /// Free bytes below which nothing is ingested.
    pub reserve: u64,
    /// Bytes of decoded parts to keep.
    pub cache: u64,
    /// Bytes of batches, which are held in memory until compacted, above which ingestion waits for compaction.
    pub backlog: u64,
    /// What is kept in memory of recent records while anybody follows.
    pub ring: Room,
    /// Who compacts, and who hides what expires.
    pub compaction: Compaction,
    /// How long records are kept.
    pub retention: Retention,
}

/// Who starts compaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compaction {
    /// A thread of the store, as soon as there is something to do.
    Background,
    /// Only `Store::compact_now` and `Store::retain_now`.
    Manual,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            disk: Arc::new(OsDisk),
            vfs: None,
            codec: Arc::new(Zstd),
            clock: Arc::new(wall_clock),
            reserve: 512 << 20,
            cache: 256 << 20,
            backlog: 256 << 20,
            ring: Room::default(),
            compaction: Compaction::Background,
            retention: Retention::default(),
        }
    }
}

/// Why a data directory was not opened. Nothing in it was changed.
#[derive(Debug)]
pub enum OpenError {
    /// Another process has it open.
    Locked(PathBuf),
    /// Its catalog was written by another version of reqlog.
    Version {
        /// The catalog file.
        path: PathBuf,
        /// Its schema version.
        found: i32,
        /// The one this build reads and writes.
        known: i32,
    },
    /// `catalog.db` is some other program's database, or none.
    Foreign(PathBuf),
    /// There are segments but no catalog.
    NoCatalog(PathBuf),
    /// There is neither a catalog nor a segment, of a store or of a backup.
    NoStore(PathBuf),
    /// It is a backup.
    Backup(PathBuf),
    /// A restore into it broke off.
    Restoring(PathBuf),
    /// It could not be read or made.
    Failed(PathBuf, Fault),
}

impl OpenError {
    pub(super) fn failed<E: Into<Fault>>(path: &Path) -> impl FnOnce(E) -> Self {
        move |error| Self::Failed(path.to_owned(), error.into())
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locked(path) => {
                write!(f, "{} is in use by another process; stop it or choose another directory", path.display())
            }
            Self::Version { path, found, known } => write!(
                f,
                "{} has schema version {found}, this reqlog knows {known}; nothing was changed, use the version that wrote it",
                path.display()
            ),
            Self::Foreign(path) => write!(f, "{} is no catalog of reqlog; nothing was changed", path.display()),
            Self::NoStore(path) => {
                write!(f, "{} is no data directory of reqlog, nor a backup; nothing was changed", path.display())
            }
            Self::NoCatalog(path) => write!(
                f,
                "{} holds segments but no catalog; `reqlog doctor --repair` rebuilds it from them",
                path.display()
            ),
            Self::Backup(path) => write!(
                f,
                "{} is a backup and stays as it is; `reqlog restore` makes a data directory of it",
                path.display()
            ),
            Self::Restoring(path) => {
                write!(f, "a restore into {} is under way or broke off; restore into it again", path.display())
            }
            Self::Failed(path, fault) => write!(f, "{}: {fault}", path.display()),
        }
    }
}

impl std::error::Error for OpenError {}
