//! How much a step of compaction takes, and when it is worth taking.

use super::FAN_IN;
use crate::segment::MAX_ROWS;

/// What a shell's memory and its costs allow.
///
/// A step holds all rows of what it rewrites in memory, bodies included. Two segments that are not full always fit into one
/// step, so that merges make progress: twice [`full_rows`](Self::full_rows) are at most [`step_rows`](Self::step_rows), and
/// the same of bytes. The default is that of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Rows in batches from which a segment is written.
    pub fresh_rows: u64,
    /// Stored bytes of batches from which one is.
    pub fresh_bytes: u64,
    /// Batches from which one is, if each project gets some rows on average: one is written of each.
    pub fresh_batches: usize,
    /// Batches from which one is, however few rows of however many projects they hold.
    pub most_batches: usize,
    /// Rows from which a segment is left as it is.
    pub full_rows: u64,
    /// Stored bytes from which it is, too.
    pub full_bytes: u64,
    /// Rows that one step rewrites at most, unless a single source has more.
    pub step_rows: u64,
    /// Stored bytes that one step rewrites at most, unless a single source has more.
    pub step_bytes: u64,
}

impl Bounds {
    /// Of a server: 64 MiB of stored bytes in one step, in segments of at most [`MAX_ROWS`].
    pub const SERVER: Self = Self {
        fresh_rows: 16 << 10,
        fresh_bytes: u64::MAX,
        fresh_batches: 512,
        most_batches: 4096,
        full_rows: MAX_ROWS as u64 / 2,
        full_bytes: 32 << 20,
        step_rows: MAX_ROWS as u64,
        step_bytes: 64 << 20,
    };

    /// Of an isolate with 128 MB of memory in all, where every batch is a row that each reader pays for and every segment an
    /// object.
    pub const EDGE: Self = Self {
        fresh_rows: 2 << 10,
        fresh_bytes: 1 << 20,
        fresh_batches: 512,
        most_batches: 1024,
        full_rows: 8 << 10,
        full_bytes: 3 << 20,
        step_rows: 16 << 10,
        step_bytes: 6 << 20,
    };

    /// How often a row is written as part of a segment at most: once from its batch, and once more from each class. Making
    /// deletions and expiry physical comes on top, and where a segment is full of bytes before it is full of rows, a class
    /// may take up to three steps.
    pub const fn most_writes(&self) -> u64 {
        2 + class(self.full_rows - 1)
    }

    /// The most segments of a project with so many rows and bytes once nothing is due: fewer than [`FAN_IN`] in each class,
    /// and those that are full. 1 M rows of 100 bytes: 59 on a server, 188 at the edge.
    pub const fn most_segments(&self, rows: u64, bytes: u64) -> u64 {
        if rows == 0 {
            return 0;
        }
        let classes = if rows < self.full_rows { 1 + class(rows) } else { 1 + class(self.full_rows - 1) };
        (FAN_IN as u64 - 1) * classes + rows / self.full_rows + bytes / self.full_bytes
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self::SERVER
    }
}

/// The size class of a segment of so many rows.
pub(super) const fn class(rows: u64) -> u64 {
    if rows == 0 { 0 } else { rows.ilog(FAN_IN as u64) as u64 }
}
