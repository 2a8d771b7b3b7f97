//! reqlog as a native server and library.

pub mod decompress;
pub mod ingest;
pub mod server;
pub mod store;
