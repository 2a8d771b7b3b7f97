//! Backups: one moment of a running store as a stream, that stream as a directory, and a data directory made of it.
//!
//! A backup is a tar of `catalog.db`, `segments/{number}.seg` and, last, `backup.json` ([`Manifest`]); unpacked it has
//! the layout of a data directory. The key of redacted values is not in it.
//!
//! The catalog's rows are read between two commits, together with the snapshot that says the same; the snapshot then
//! keeps the files that it names, whatever compaction replaces. So nobody waits for a backup but, for as long as
//! reading the small rows takes, the committer. What a crash leaves behind is removed at the next start: the catalog's
//! copy by its name, replaced files as leftovers.

mod directory;
mod receiving;
mod restoring;
mod sending;

pub(super) use directory::verify;
pub use receiving::receive;
pub(super) use restoring::MARGIN;
pub use restoring::restore;
pub use sending::Backup;

use super::Fault;
use super::data_dir::{MANIFEST, segment_number};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// `backup.json`: what a backup consists of. Without it, it is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this layout; this build reads and writes 1.
    pub format: u32,
    /// Version of the reqlog that took it.
    pub reqlog: String,
    /// When, RFC 3339.
    pub taken: String,
    /// The highest sequence that had been given out; 0 of a store without records.
    pub head: u64,
    /// Every other file, in the order of the stream.
    pub files: Vec<Listed>,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Path below the backup's directory.
    pub name: String,
    /// Length in bytes.
    pub size: u64,
    /// Checksum of its bytes, lower-case hex.
    pub sha256: String,
}

impl Manifest {
    const FORMAT: u32 = 1;
    // some 200 bytes a segment; a store of a million segments has more of other trouble
    const MOST: u64 = 256 << 20;

    /// Bytes of the files together.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    fn parse(bytes: &[u8]) -> Result<Self, BackupError> {
        let damaged = |reason: String| BackupError::Damaged(format!("{MANIFEST}: {reason}"));
        let manifest: Self = serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string()))?;
        if manifest.format != Self::FORMAT {
            return Err(damaged(format!("format {}, this reqlog knows {}", manifest.format, Self::FORMAT)));
        }
        match manifest.files.split_first() {
            Some((first, rest))
                if first.name == CATALOG && rest.iter().all(|file| segment_of(&file.name).is_some()) => {}
            _ => return Err(damaged("it does not list a catalog and segments".to_owned())),
        }
        if let Some(pair) =
            manifest.files.windows(2).find(|pair| segment_of(&pair[0].name) >= segment_of(&pair[1].name))
        {
            return Err(damaged(format!("{} is not in its place", pair[1].name)));
        }
        Ok(manifest)
    }
}

const CATALOG: &str = "catalog.db";

/// The number of a segment by its path in a backup; nothing else is below its directory.
fn segment_of(name: &str) -> Option<u64> {
    segment_number(name.strip_prefix("segments/")?)
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Why a backup was not kept or not restored.
#[derive(Debug)]
pub enum BackupError {
    /// Something is in the directory that was to be made.
    NotEmpty(PathBuf),
    /// An earlier attempt left this directory, or another one is under way.
    Unfinished(PathBuf),
    /// The stream ended, or broke off, before the end of its manifest; why.
    CutOff(String),
    /// There is no manifest in the directory.
    NoBackup(PathBuf),
    /// A file is not what the manifest says, or no part of a backup; in words.
    Damaged(String),
    /// The data directory could not be made.
    Store(super::OpenError),
    /// The operating system refused.
    Failed(PathBuf, io::Error),
}

impl BackupError {
    fn cut_off(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return Self::CutOff("it ended early".to_owned());
        }
        let told = error.to_string();
        // what is wrapped says why
        Self::CutOff(error.into_inner().map_or(told, |inner| inner.to_string()))
    }

    fn failed(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Failed(path.to_owned(), error)
    }

    fn store(path: &Path) -> impl FnOnce(Fault) -> Self {
        move |fault| Self::Store(super::OpenError::Failed(path.to_owned(), fault))
    }
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotEmpty(path) => {
                write!(f, "{} is not empty; name a directory that is, or that is not there", path.display())
            }
            Self::Unfinished(path) => write!(
                f,
                "{} is there: another backup is under way, or an earlier one was killed; then remove it",
                path.display()
            ),
            Self::CutOff(reason) => write!(f, "the backup was cut off, nothing of it was kept: {reason}"),
            Self::NoBackup(path) => write!(f, "{} is no whole backup: it has no {MANIFEST}", path.display()),
            Self::Damaged(what) => write!(f, "the backup is damaged: {what}"),
            Self::Store(error) => error.fmt(f),
            Self::Failed(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for BackupError {}
