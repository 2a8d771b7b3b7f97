//! Immutable, columnar, compressed blocks of records.
//!
//! [`build`] writes one, [`Directory`] finds and decodes its parts, [`Columns`] answers questions over decoded parts,
//! whether they come from a segment or, by [`columns`], from records in memory. Where a store has no range reads,
//! [`Volumes`] says how a segment is cut into values.

mod builder;
mod counts;
pub(crate) mod evaluate;
mod format;
mod grams;
mod hot;
mod ints;
mod part;
mod reader;
mod rows;
mod strings;
mod text;
mod volumes;

pub(crate) use builder::cold;
pub use builder::{Builder, Built, Piece, build, columns};
pub use counts::ValueCounts;
pub use format::Directory;
pub use grams::Grams;
pub(crate) use hot::{HotBuilder, Row};
pub use ints::{BLOCK, Ints};
pub use part::{Part, PartId};
pub use reader::{Columns, Need};
pub(crate) use rows::leave;
pub use rows::{Bodies, Details, ROWS};
pub use strings::Strings;
pub use text::Text;
pub use volumes::{MAX_VALUE, MAX_WEIGHT, Unstorable, Volumes, first, portions, values};

/// Most rows of one segment.
pub const MAX_ROWS: usize = 128 << 10;
