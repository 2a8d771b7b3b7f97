//! The C zstd as the store's codec: quick for batches, denser for segments.

use reqlog_core::codec::{Codec, Corrupt, Effort, Method, decompress_lz4};
use zstd::bulk;

/// Writes zstd, reads everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Zstd;

// measured levels: 1 keeps up with ingestion on one core, 3 is the knee of size against time
const FAST: i32 = 1;
const DENSE: i32 = 3;

impl Codec for Zstd {
    fn compress(&self, raw: &[u8], effort: Effort) -> (Method, Vec<u8>) {
        let level = match effort {
            Effort::Fast => FAST,
            Effort::Dense => DENSE,
        };
        // fails only for want of memory; the block is then kept as it is
        bulk::compress(raw, level).map_or_else(|_| (Method::Raw, raw.to_vec()), |packed| (Method::Zstd, packed))
    }

    fn decompress(&self, method: Method, stored: &[u8], len: usize) -> Result<Vec<u8>, Corrupt> {
        match method {
            Method::Raw => Ok(stored.to_vec()),
            Method::Lz4 => decompress_lz4(stored, len),
            Method::Zstd => bulk::decompress(stored, len).map_err(|_| Corrupt { what: "zstd block" }),
        }
    }
}
