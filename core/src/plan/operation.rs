//! What a request asks of a store, in words that every store understands.

use super::Offer;
use crate::aggregate::{EndpointsQuery, FacetsQuery, HistogramQuery};
use crate::auth::{NewKey, Scope};
use crate::filter::{Filter, Predicate};
use crate::format::Compression;
use crate::id::Seq;
use crate::query::{Detail, Query, Unit};
use crate::timestamp::Timestamp;
use std::time::Duration;

/// What the shell has to do before it can reply.
#[derive(Clone, Debug)]
pub enum Operation {
    /// Nothing: the reply is ready, reply with [`Outcome::Nothing`](super::Outcome::Nothing).
    Nothing,
    /// Rows of one page.
    Page {
        /// Which.
        query: Query,
        /// Run again, after [`Plan::advance`](super::Plan::advance), whenever records were committed, until the page
        /// has a row or this much time has passed; answer the last page.
        wait: Option<Duration>,
    },
    /// One row by its identity.
    Get {
        /// Its sequence.
        seq: Seq,
        /// Its arrival, where the id carries one: a row of another arrival is another row.
        arrival: Option<u64>,
        /// The caller's scope: a row outside of it does not exist.
        filter: Predicate,
        /// Whether bodies are needed.
        detail: Detail,
    },
    /// Counts of matching rows up to a sequence.
    Stats {
        /// Which rows.
        filter: Predicate,
        /// Rows that arrived later are not counted.
        bound: Seq,
        /// What is counted.
        unit: Unit,
    },
    /// Counts of matching rows by time and status class.
    Histogram(HistogramQuery),
    /// Counts of matching rows by the values of fields.
    Facets(FacetsQuery),
    /// Counts of matching rows by method and route.
    Endpoints(EndpointsQuery),
    /// One row by its identity and those around it, see [`Side::query`](crate::neighbours::Side::query): all of them as
    /// they are at one moment.
    Neighbours {
        /// Its sequence.
        seq: Seq,
        /// Its arrival, as in [`Self::Get`].
        arrival: Option<u64>,
        /// The caller's scope, as in [`Self::Get`]; of its neighbours too.
        filter: Predicate,
        /// At most so many on each side.
        count: usize,
    },
    /// Every matching row, page after page: see [`Plan::export`](super::Plan::export).
    Export(Query),
    /// A stream of what is committed from now on: see [`Plan::tail`](super::Plan::tail).
    Tail {
        /// The number of the key that asks, whose streams are counted.
        key: u64,
    },
    /// Records in the request's body.
    Ingest(IngestRequest),
    /// Destroy the rows that match among those that exist when it is committed. It is stored as it was asked, because
    /// it outlives the process.
    Delete {
        /// Which; it resolves at `now`.
        filter: Filter,
        /// What relative times are relative to.
        now: Timestamp,
        /// Only in this project: the caller's scope, or the one it named.
        project: Option<String>,
    },
    /// Declare a project, or more environments of one.
    CreateProject {
        /// Its name.
        name: String,
        /// Environments to declare; none is fine.
        environments: Vec<String>,
    },
    /// Forget a project, revoke its keys and destroy its rows.
    DeleteProject {
        /// Its name.
        name: String,
    },
    /// Make a key from randomness of the shell.
    CreateKey(NewKey),
    /// Make a key useless at once.
    RevokeKey {
        /// Its number.
        id: u64,
    },
    /// Whether the store can be written.
    Ready,
    /// Prometheus text.
    Metrics,
    /// The whole store as it is now; the shell streams it after the head that
    /// [`Plan::backup`](super::Plan::backup) gives.
    Backup,
}

impl Operation {
    /// What a deployment must have to run it; `None` where every one can.
    pub fn needs(&self) -> Option<Offer> {
        match self {
            Self::Ingest(_)
            | Self::Delete { .. }
            | Self::CreateProject { .. }
            | Self::DeleteProject { .. }
            | Self::CreateKey(_)
            | Self::RevokeKey { .. } => Some(Offer::Write),
            Self::Tail { .. } => Some(Offer::Tail),
            Self::Metrics => Some(Offer::Metrics),
            Self::Backup => Some(Offer::Backup),
            Self::Nothing
            | Self::Page { .. }
            | Self::Get { .. }
            | Self::Stats { .. }
            | Self::Histogram(_)
            | Self::Facets(_)
            | Self::Endpoints(_)
            | Self::Neighbours { .. }
            | Self::Export(_)
            | Self::Ready => None,
        }
    }
}

/// Records to be taken in and what is known about all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IngestRequest {
    /// Records outside of it are rejected, one by one.
    pub scope: Scope,
    /// For records that name no project; within `scope`.
    pub project: Option<String>,
    /// For records that name no environment.
    pub environment: Option<String>,
    /// For records that name no session.
    pub session: Option<String>,
    /// For records that name no service.
    pub service: Option<String>,
    /// The format's name, where it is not to be detected.
    pub format: Option<String>,
    /// What `Content-Encoding` names, outermost last.
    pub encodings: Vec<Compression>,
    /// Whether the same source may have been sent before.
    pub mode: IngestMode,
    /// Makes a retry safe; unique within `scope`.
    pub idempotency_key: Option<String>,
    /// At most this many bytes after decompression.
    pub limit: u64,
}

/// Whether records are compared with what was sent before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IngestMode {
    /// Two equal records are two records.
    Live,
    /// A source that was imported before is skipped as far as it is the same.
    Import,
}

/// What a plan wants of the request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyUse {
    /// Nothing.
    Ignore,
    /// All of it in memory, then [`Plan::with_body`](super::Plan::with_body); a longer one is
    /// [`Failure::TooLarge`](super::Failure::TooLarge).
    Collect {
        /// At most this many bytes.
        limit: usize,
    },
    /// A stream of records for [`Operation::Ingest`].
    Stream,
}
