//! Why the store could not do what it was asked.

use reqlog_core::codec::Corrupt;
use reqlog_core::plan::Failure;
use rusqlite::ErrorCode;
use std::fmt;
use std::io;
use std::time::Duration;

/// A request that failed; the store itself goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Free space is at the reserve; deleting and compacting still work.
    DiskFull,
    /// Stored bytes of the named thing do not read back as they were written.
    Corrupt(String),
    /// Compaction is too far behind to take more; worth another try in seconds.
    Busy,
    /// The store is closed.
    Closed,
    /// What was to be made is there already.
    Exists,
    /// What was to be changed is not there.
    Missing,
    /// The operating system or the database refused, in its own words.
    Failed(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DiskFull => f.write_str("the disk is full up to the reserve"),
            Self::Corrupt(what) => write!(f, "{what} is damaged; `reqlog doctor` says more"),
            Self::Busy => f.write_str("compaction is behind, try again later"),
            Self::Closed => f.write_str("the store is closed"),
            Self::Exists => f.write_str("it exists already"),
            Self::Missing => f.write_str("it does not exist"),
            Self::Failed(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for Fault {}

/// What a client is told; the inside stays in the log.
impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::DiskFull => Self::DiskFull,
            Fault::Corrupt(_) => Self::Corrupt,
            Fault::Busy => Self::Busy { retry_after: Duration::from_secs(5) },
            Fault::Closed => Self::Closing,
            Fault::Missing => Self::Missing,
            Fault::Exists | Fault::Failed(_) => Self::Internal,
        }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt("the catalog".into()),
            _ => Self::Failed(format!("catalog: {error}")),
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            _ => Self::Failed(error.to_string()),
        }
    }
}

impl From<Corrupt> for Fault {
    fn from(corrupt: Corrupt) -> Self {
        Self::Corrupt(corrupt.what.into())
    }
}
