//! Opened files: logs that are asked about where they lie, without being imported.
//!
//! *Indexing* goes over a file once. It is cut into [`Portion`]s of some MiB, which any number of threads or Web Workers
//! read, parse, redact and encode, each on its own, as **hot segments**: all that is filtered and sorted by, as in an
//! ordinary [segment](crate::segment), but no headers, attributes and bodies. Those stay in the file and are
//! [read again](Reread) when they are asked for.
//!
//! ```
//! use reqlog_core::offline::{Borders, Input, Opening, Place, Portion};
//! use reqlog_core::timestamp::Timestamp;
//!
//! let file = b"{\"method\":\"GET\",\"path\":\"/a\",\"status\":200}\n{\"method\":\"GET\",\"path\":\"/b\",\"status\":404}\n";
//! let opening = Opening::new(Timestamp::from_millis(1_750_000_000_000), Some([7; 32]));
//! let input = Input::open(Place::new(0), file, &opening).expect("it is NDJSON").expect("it is not empty");
//!
//! // two portions, cut anywhere: a line belongs to the one in which it begins
//! for border in [0..20, 20..file.len() as u64] {
//!     let mut portion = Portion::new(&input, border, Borders::Nominal);
//!     while let Some(wanted) = portion.want() {
//!         // an empty slice says that the input has ended
//!         portion.push(&file[(wanted.start as usize).min(file.len())..(wanted.end as usize).min(file.len())]);
//!     }
//!     assert_eq!(portion.finish().rows, 1);
//! }
//! ```
//!
//! **Identity.** The sequence of a record is its file's [`Place`] and the byte offset of its unit (line, row, element) in
//! the plain, decompressed input. So ids are final at once, in whatever order portions are read, and a sequence tells
//! where in the file its record is. Arrival is the file's last modification.
//!
//! **Ours:** bodies are filtered, listed and exported up to the cap of ingestion, as `truncated` says of them; a record asked
//! for by its id comes with all that the file has of its bodies.
//!
//! **Secrets** are replaced before anything is indexed, and so in filters and in every answer, unless the [`Opening`] has
//! no key. **Ours:** nothing else of a record depends on it, its id above all: a file opened both ways has the same
//! records, of which a filter may find others where it names what is replaced.
//!
//! *Answering* is done by one [`Store`] for all files: it takes over what portions came to and answers requests of every
//! dialect over it, as machines ([`Answer`]) that say which bytes of a file they need.
//!
//! **In scope:** all of that over bytes that are handed in. **Out of scope:** files, decompression (see
//! [`Inflate`](crate::format::Inflate)), threads.

mod answer;
mod clues;
mod cutter;
mod driver;
mod filtered;
mod input;
mod parts;
mod portion;
mod reread;
mod running;
mod setup;
mod shown;
mod sieve;
mod store;
#[cfg(test)]
mod tests;
mod units;

pub use answer::{Answer, Read, Step};
pub use cutter::{Cut, Cutter};
pub use input::{Input, Opening, Place, Splits};
pub use portion::{Borders, Indexed, Portion};
pub use reread::Reread;
pub use setup::Setup;
pub use store::{Opened, Store};
