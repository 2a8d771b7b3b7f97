//! What came of an operation.

use super::Offer;
use crate::aggregate::{Endpoints, Facets, Histogram, TooManyBuckets};
use crate::auth::{Key, Secret};
use crate::format::Report;
use crate::neighbours::Neighbours;
use crate::query::{Page, Stats};
use crate::record::Stored;
use std::time::Duration;

/// What the shell hands to [`Plan::reply`](super::Plan::reply).
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Of [`Operation::Nothing`](super::Operation::Nothing).
    Nothing,
    /// Of a page.
    Page(Page),
    /// Of a get: the row, unless it is gone or out of scope.
    Record(Option<Box<Stored>>),
    /// Of a count.
    Stats(Stats),
    /// Of a histogram, or why there is none.
    Histogram(Result<Histogram, TooManyBuckets>),
    /// Of facets.
    Facets(Facets),
    /// Of endpoints.
    Endpoints(Endpoints),
    /// Of a row and those around it: all of them, unless the row is gone or out of scope.
    Neighbours(Option<Box<Neighbours>>),
    /// Of an ingestion.
    Ingested(Report),
    /// Of a deletion: how many rows it destroyed.
    Deleted(u64),
    /// Of a change without an answer of its own: a project made or forgotten, a key revoked.
    Done,
    /// Of a new key.
    Key {
        /// As stored.
        key: Key,
        /// Shown this once.
        secret: Secret,
    },
    /// Of a readiness probe: why the store cannot be written, if it cannot.
    Ready(Result<(), String>),
    /// Prometheus text.
    Metrics(String),
    /// The operation failed.
    Failed(Failure),
}

/// Why an operation did not succeed; one status each, no detail of the inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Too much at once; try again after this time.
    Busy {
        /// When.
        retry_after: Duration,
    },
    /// The client asked for more than its limit allows; see [`limit`](crate::limit).
    Limited {
        /// When it may ask again.
        retry_after: Duration,
    },
    /// The server is shutting down.
    Closing,
    /// Free space is at the reserve; reading and deleting go on.
    DiskFull,
    /// The store cannot be written for another reason.
    ReadOnly,
    /// Stored data does not match its checksum.
    Corrupt,
    /// The answer costs more than the shell's limit; a narrower window does not.
    TooMuchWork,
    /// The request's body is longer than allowed.
    TooLarge {
        /// Bytes allowed, after decompression.
        limit: u64,
    },
    /// The request's body cannot be decompressed or is in no known encoding.
    Encoding(String),
    /// The request's body is in no known format, or breaks off.
    Body(String),
    /// What was to be changed is not there.
    Missing,
    /// This deployment does not have it; see [`Offers`](super::Offers).
    NotOffered(Offer),
    /// An opened file is not what it was when it was indexed.
    Changed {
        /// Its name without a path, if it has one.
        name: Option<String>,
    },
    /// Anything else; the shell has logged it.
    Internal,
}
