//! Live tails: what is committed, sent on to whoever asked for it, each record once and in order.
//!
//! A tail is a page that never ends: its event ids are places in arrival order, and a reader that was away goes on from
//! the last one it has. What it missed comes from the [`Ring`] of recent records where that still holds it, else from
//! the store, page by page; so a slow reader costs nobody anything but its own pages.
//!
//! ```text
//! commit ─► shell ─ ring.push ─► Ring ◄─ tail.poll ─► Step::Send(frames)
//!                                               └───► Step::Read(query) ─ shell ─► tail.absorb(page)
//! ```
//! In scope: which records, in which order, framed how, heartbeats, ends. Out of scope: clocks, sockets, waiting.
//!
//! **Invariant.** Every record of a higher sequence than the tail's position has not been sent, every other one that
//! matches has been, unless it was deleted before its turn. No id that a stream gives out is below one it gave out before.

mod ring;
pub(crate) mod sse;
mod tail;

pub use ring::{Ring, Room};
pub use sse::Frame;
pub(crate) use tail::{Counted, Restriction, Since};
pub use tail::{HEARTBEAT, RETRY, Step, Tail};

#[cfg(test)]
mod tests;
