//! What every shell does with the records of an ingestion request, between its bytes and its store.
//!
//! ```text
//! bytes ─ Source ─► chunks of units ─ Gate::parse ─► Parsed ─ own_query, drop_own ─► records ─ the shell commits them
//! ```
//! In scope: decompression, the format, units, acceptance, what is recognised as stored already, what is said of input
//! that cannot be read. Out of scope: reading bodies, threads, when to commit.
//!
//! A shell that reads files or has faster decoders brings the plain bytes itself, to [`Units`].
//!
//! ```
//! use reqlog_core::{accept::Rules, identity::Seed, intake::{Gate, Source}, timestamp::Timestamp};
//! # use reqlog_core::{auth::Scope, plan::{IngestMode, IngestRequest, Settings}};
//! # let request = IngestRequest { scope: Scope::Organisation, project: None, environment: None, session: None,
//! #     service: None, format: None, encodings: vec![], mode: IngestMode::Live, idempotency_key: None, limit: 1 << 20 };
//! let gate = Gate::new(&request, Rules::new(&[7; 32], &Settings::default(), &request), Seed::new(&[7; 32]));
//! let mut source = Source::new(&request, Timestamp::from_millis(0), Some(request.limit));
//! let mut paths = Vec::new();
//! let mut read = |source: &mut Source| {
//!     while let Some((_, parser, chunk)) = source.take() {
//!         let (records, _rejections) = gate.parse(&parser, &chunk, 0..chunk.len());
//!         paths.extend(records.into_iter().map(|parsed| parsed.record.text(reqlog_core::record::Field::Path).map(str::to_owned)));
//!     }
//! };
//! for slice in [&b"{\"method\":\"GET\",\"pa"[..], b"th\":\"/a\"}\n{\"method\":\"GET\",\"path\":\"/b\"}"] {
//!     source.push(slice)?;
//!     read(&mut source);
//! }
//! let cut_off = source.finish()?;
//! read(&mut source);
//! assert_eq!((paths, cut_off), (vec![Some("/a".to_owned()), Some("/b".to_owned())], None));
//! # Ok::<(), reqlog_core::plan::Failure>(())
//! ```

mod gate;
mod layer;
mod source;
#[cfg(test)]
mod tests;
mod units;

pub use gate::{Gate, Parsed, drop_own, import_scope, own_query, retry_identities};
pub use source::Source;
pub use units::{Taken, Units};

use crate::format::{Format, InflateError};
use crate::plan::Failure;
use std::fmt::Display;

/// What to say when no format fits.
pub fn unknown_format() -> String {
    let known = Format::ALL.map(Format::name).join(", ");
    format!("The format of the input is not recognised; name it: {known}.")
}

/// What a request ends in whose body ends before it should.
pub fn broken_off() -> Failure {
    Failure::Body("The input breaks off.".to_owned())
}

/// What a request ends in whose body cannot be read, for this reason.
pub fn unreadable(reason: impl Display) -> Failure {
    Failure::Encoding(format!("The input cannot be read: {reason}."))
}

impl From<InflateError> for Failure {
    fn from(error: InflateError) -> Self {
        match error {
            InflateError::TooLarge(limit) => Self::TooLarge { limit },
            InflateError::Truncated(_) => broken_off(),
            InflateError::Corrupt(_) | InflateError::Window(_) => unreadable(error),
        }
    }
}
