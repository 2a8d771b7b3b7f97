//! Verifying everything that a data directory or a backup holds, and putting right what can be.

mod examination;
mod mending;
mod reading;
mod repair;

pub use examination::doctor;
pub use repair::{Repair, repair};

use reqlog_core::record::Field;
use std::fmt;

/// What the doctor says of a directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// What is not as the store leaves it; nothing when all is well.
    pub findings: Vec<Finding>,
    /// What an operator may want to know of a sound directory too.
    pub remarks: Vec<Remark>,
    /// Records that were read, deleted ones that are not gone yet included.
    pub records: u64,
    /// Bytes of segments and batches.
    pub bytes: u64,
}

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
    /// An arrival, in ms, after the latest that was given out.
    LateArrival(u64),
    /// A deletion that cannot be understood: its number, and why.
    Deletion(u64, String),
    /// A project that records name and the catalog does not know.
    Undeclared(String),
    /// A key that opens nothing, because its role or hash is none.
    Key(u64),
    /// The key of redacted values has not 32 bytes.
    RedactKey,
    /// A file in `segments/` that the catalog does not know.
    Unknown(String),
    /// A file of a backup is not what its manifest says.
    Backup(String),
}

impl Finding {
    /// Its name for programs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Catalog(_) => "catalog",
            Self::Missing(_) => "missing",
            Self::Length(_) => "length",
            Self::Unreadable(_) => "unreadable",
            Self::Summary(_) => "summary",
            Self::Counts(..) => "counts",
            Self::Order(_) => "order",
            Self::Twice(_) => "twice",
            Self::BeyondHead(_) => "beyond-head",
            Self::LateArrival(_) => "late-arrival",
            Self::Deletion(..) => "deletion",
            Self::Undeclared(_) => "undeclared-project",
            Self::Key(_) => "key",
            Self::RedactKey => "redact-key",
            Self::Unknown(_) => "unknown-file",
            Self::Backup(_) => "backup",
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Catalog(_) => "--repair makes a new one of what it and the segments still say",
            Self::Missing(_) => "put the file back, or --repair goes on without it",
            Self::Length(_) | Self::Unreadable(_) => {
                "--repair keeps the records that can be read and moves it to lost/"
            }
            Self::Summary(_) | Self::Counts(..) | Self::Order(_) => "--repair writes its records anew",
            Self::Twice(_) => "--repair keeps the newest",
            Self::BeyondHead(_) | Self::LateArrival(_) => "--repair moves the head",
            Self::Deletion(..) => "--repair drops it; delete the records again",
            Self::Undeclared(_) => "--repair makes it known",
            Self::Key(_) => "--repair removes it",
            Self::RedactKey => "put the file back, or --repair moves it to lost/ and the next start makes another",
            Self::Unknown(_) => "--repair, or the next start, moves it to lost/",
            Self::Backup(_) => "take the backup again, or restore from another",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Catalog(what) => write!(f, "catalog.db: {what}"),
            Self::Missing(id) => write!(f, "segments/{id}.seg is missing"),
            Self::Length(id) => write!(f, "segments/{id}.seg is cut or grown"),
            Self::Unreadable(what) | Self::Backup(what) => f.write_str(what),
            Self::Summary(what) => write!(f, "{what} has another summary than rows"),
            Self::Counts(id, field) => write!(f, "segments/{id}.seg counts its rows by {} wrongly", field.name()),
            Self::Order(id) => write!(f, "segments/{id}.seg has rows out of order"),
            Self::Twice(seq) => write!(f, "sequence {seq} is there more than once"),
            Self::BeyondHead(seq) => write!(f, "sequence {seq} was never given out"),
            Self::LateArrival(ms) => write!(f, "arrival {ms} is after the latest that was given out"),
            Self::Deletion(id, reason) => write!(f, "deletion {id} cannot be understood: {reason}"),
            Self::Undeclared(project) => write!(f, "records name the project {project:?}, which is not known"),
            Self::Key(id) => write!(f, "key {id} opens nothing: its role or hash is none"),
            Self::RedactKey => f.write_str("redact.key has not 32 bytes"),
            Self::Unknown(name) => write!(f, "segments/{name} is unknown"),
        }
    }
}

/// Something that is as it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// So many files hold nothing that the catalog needs; the next start removes them.
    Leftovers(u64),
    /// So many files lie in `lost/`, with so many bytes.
    Lost(u64, u64),
    /// So many bytes are free where the directory is, which is less than the reserve: nothing is ingested.
    Full(u64),
}

impl Remark {
    /// Its name for programs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Leftovers(_) => "leftovers",
            Self::Lost(..) => "lost",
            Self::Full(_) => "full",
        }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leftovers(files) => write!(f, "{files} replaced files are still there; the next start removes them"),
            Self::Lost(files, bytes) => write!(
                f,
                "lost/ holds {files} files of {bytes} bytes that were moved out of the way; look at them, or remove them"
            ),
            Self::Full(free) => {
                write!(f, "{free} bytes are free, less than the reserve: nothing is ingested until there are more")
            }
        }
    }
}
