//! The `reqlog` command as its users meet it: the real binary, real sockets, real directories.
//!
//! One binary of tests, so that what they share is linked once and nothing of it is unused.

mod backups;
mod cli;
mod client;
mod corpus;
mod data;
mod dialects;
mod edges;
mod fanout;
mod follow;
mod hostile;
mod http2;
mod limits;
mod local;
mod opened;
mod random;
mod resume;
mod scopes;
mod secrets;
mod security;
mod server;
mod stream;
mod tail;
mod trickle;
mod ui;
mod walk;
