//! reqlog as a native server and library.

pub mod decompress;
pub mod ingest;
mod latency;
pub mod opened;
pub mod server;
pub mod store;
pub mod ui;
