//! What the platform allows, and what this Worker allows itself within it.
//!
//! Source: the limits pages of Workers, D1, KV and Durable Objects. Where plans differ, the free plan's counts.

use reqlog_core::catalog::Summary;
use std::time::Duration;

/// Bytes of one row.
pub const ROW_BYTES: usize = 2_000_000;
/// Bytes of one KV value.
pub const VALUE_BYTES: usize = 25 << 20;
/// Reads of KV in one invocation, which are subrequests to the platform's own services.
pub const SUBREQUESTS: usize = 1000;

/// Bytes of one ingestion request after decompression: all of its records are in memory until they are known to be whole.
pub const REQUEST: u64 = 16 << 20;
/// Stored bytes of a batch, which become a third more as text: a row with its summary is below [`ROW_BYTES`].
pub const BATCH: usize = 1 << 20;
/// Batches up to this many characters come with the catalog, longer ones when a scan needs them.
pub const INLINE: usize = 64 << 10;
/// Bytes of decoded parts, and of stored volumes, that an isolate of 128 MB keeps.
pub const CACHE: (u64, u64) = (32 << 20, 16 << 20);
/// Volumes that one request reads at most, below [`SUBREQUESTS`]; one that needs more is to be narrowed.
pub const READS: u32 = 800;
/// Queries of one invocation on the free plan.
pub const QUERIES: u32 = 50;
/// Queries for contents of batches that one request makes at most, and how many characters each is to give.
pub const FETCHES: u32 = 20;
pub const FETCH: u64 = 2 << 20;
/// Sources that are read side by side.
pub const TOGETHER: usize = 6;
/// Bytes of an export in a format that is only valid as a whole.
pub const WHOLE_EXPORT: usize = 16 << 20;
/// Bytes of stored batches beyond which ingestion waits for compaction, as a refusal.
pub const BACKLOG: u64 = 24 << 20;
/// Identities of records that the committer remembers, of some 40 bytes each; those of a day, if they are fewer.
pub const IDENTITIES: usize = 500_000;
/// How long a walk goes on over one view of the catalog: a deletion is heard of this late.
pub const LOOK: Duration = Duration::from_secs(2);
/// How long replaced sources stay readable: KV shows a new value everywhere within about a minute.
pub const GRACE: Duration = Duration::from_mins(5);
/// How long values that no segment names are kept, for who is still writing them.
pub const ORPHANS: Duration = Duration::from_hours(1);
/// How long one run of compaction may take: what takes longer waits for an answer that does not come.
pub const RUN: Duration = Duration::from_mins(2);
/// How long a commit may take before its outcome counts as unknown.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// Records, and bytes of them, that are sent to the committer at a time: they fit into one commit.
pub const PIECE: (usize, usize) = (4096, 4 << 20);
/// Bytes of records that a step of compaction has in memory, and one source more.
pub const STEP_WEIGHT: usize = 24 << 20;
/// Steps of compaction in one invocation.
pub const STEPS: usize = 3;

// a row of a batch: its text, its summary's, and what is around them
const _: () = assert!(BATCH.div_ceil(3) * 4 + Summary::MAX_BYTES.div_ceil(3) * 4 + 1024 <= ROW_BYTES);
const _: () = assert!(reqlog_core::segment::MAX_VALUE <= VALUE_BYTES);
const _: () = assert!((READS as usize) < SUBREQUESTS);
// a look at the catalog is two, and a whole one seven; a deletion has both twice
const _: () = assert!(2 * (2 + 7) + FETCHES <= QUERIES);
// a piece is one commit
const _: () = assert!(PIECE.1 <= 4 * BATCH);
