//! The pure engine of reqlog: captured HTTP traffic as records, and questions about them answered over columns.
//!
//! **In scope:** what a record is and what is never stored of it; how records are encoded, sorted, compressed and
//! merged; what a query means; which rows make a page and how a walk goes on; what a request on the wire asks for and
//! how its answer is spelt.
//!
//! **Out of scope:** files, sockets, databases, clocks, threads, randomness. A shell (native server, Worker, browser)
//! brings them and drives two machines: [`plan::plan`] turns a request into an operation and its outcome into a
//! response, [`scan::Scan`] turns a query into tasks over parts that the shell reads.
//!
//! ```
//! use reqlog_core::{batch, codec::Portable, filter::Filter, id::Seq, record::{Field, Record}, timestamp::Timestamp};
//!
//! let now = Timestamp::from_millis(1_750_000_000_000);
//! let mut record = Record::new(now);
//! record.status = Some(503);
//! record.texts.set(Field::Path, "/v1/pay");
//!
//! // stored as a batch and read back with the identity that the commit gave it
//! let encoded = batch::encode(&[record], &Portable).expect("there is a record");
//! let rows = batch::decode(&encoded.blob, Seq::new(1).expect("from 1"), 1_750_000_000_001, &Portable)?;
//!
//! // the naive evaluator is the meaning of a filter; scans answer the same over columns
//! let filter = Filter::parse("status:5xx path:/v1/*")?.filter.resolve(now)?;
//! assert!(filter.matches_stored(&rows[0]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]
#![deny(missing_docs)]

// What is kept
pub mod body;
pub mod headers;
pub mod id;
pub mod level;
pub mod record;
pub mod timestamp;

// What happens to it on the way in and out
pub mod accept;
pub mod capture;
pub mod export;
pub mod format;
pub mod identity;
pub mod intake;
pub mod json;
pub mod redact;

// What can be asked
pub mod aggregate;
pub mod cursor;
pub mod filter;
pub mod live;
pub mod neighbours;
pub mod offline;
pub mod query;
pub mod shown;
mod sort;

// How it is stored and found
pub mod batch;
pub mod catalog;
mod checksum;
pub mod codec;
pub mod compact;
pub mod retention;
pub mod scan;
pub mod segment;
pub mod sequencer;
mod stored;

// What the wire says
pub mod auth;
pub mod dialect;
pub mod error;
pub mod limit;
pub mod metrics;
pub mod openapi;
pub mod plan;
pub mod settings;
