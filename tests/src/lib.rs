//! What the tests of reqlog share: simulations, generated corpora and the harness of the wire vectors.
//!
//! - [`corpus`]: a generated, seeded log
//! - [`browser`]: the engine as WebAssembly, in Node and in Chromium
//! - [`edge`]: the real Worker on workerd
//! - [`memory`]: the smallest frontend, a list of records
//! - [`native`]: the real server over a socket
//! - [`offline`]: the store of opened files
//! - [`simdisk`]: a disk in memory whose power fails where a test wants
//! - [`socket`]: the client of a frontend that listens
//! - [`ui`]: a web UI of a few small files
//! - [`vfs`]: the database on that disk
//! - [`wire`]: requests and answers as HTTP text, and what every frontend under them begins with

pub mod browser;
pub mod corpus;
pub mod edge;
pub mod memory;
pub mod native;
mod node;
pub mod offline;
pub mod simdisk;
pub mod socket;
pub mod ui;
pub mod vfs;
pub mod wire;
