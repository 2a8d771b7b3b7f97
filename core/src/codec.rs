//! Checksummed, compressed blocks: the one frame around every batch and every part.
//!
//! A block names its codec, so that builds which write differently read each other's files.

use crate::checksum;
use std::fmt;

/// Largest block that is opened, in bytes after decompression; a longer one is corrupt.
pub const MAX_BLOCK: usize = 1 << 30;

/// How a block is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Method {
    /// Not at all.
    Raw = 0,
    /// LZ4 block.
    Lz4 = 1,
    /// Zstandard frame.
    Zstd = 2,
}

/// What matters for a block that is being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Time: fresh batches, rewritten soon.
    Fast,
    /// Bytes: segments, read for years.
    Dense,
}

/// Stored bytes that are not what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt {
    /// What was being read.
    pub what: &'static str,
}

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} does not read back as it was written", self.what)
    }
}

impl std::error::Error for Corrupt {}

/// Compresses and decompresses; what a platform links decides what it writes, every one reads all methods.
pub trait Codec: Send + Sync {
    /// Compresses `raw`; the result may be longer, the caller then keeps `raw`.
    fn compress(&self, raw: &[u8], effort: Effort) -> (Method, Vec<u8>);
    /// Restores exactly `len` bytes, or fails.
    fn decompress(&self, method: Method, stored: &[u8], len: usize) -> Result<Vec<u8>, Corrupt>;
}

/// Pure Rust: writes LZ4, reads everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Portable;

impl Codec for Portable {
    fn compress(&self, raw: &[u8], _: Effort) -> (Method, Vec<u8>) {
        (Method::Lz4, lz4_flex::block::compress(raw))
    }

    fn decompress(&self, method: Method, stored: &[u8], len: usize) -> Result<Vec<u8>, Corrupt> {
        match method {
            Method::Raw => Ok(stored.to_vec()),
            Method::Lz4 => decompress_lz4(stored, len),
            Method::Zstd => {
                let mut raw = Vec::with_capacity(len);
                ruzstd::decoding::FrameDecoder::new()
                    .decode_all_to_vec(stored, &mut raw)
                    .map_err(|_| Corrupt { what: "zstd block" })?;
                Ok(raw)
            }
        }
    }
}

/// Restores an LZ4 block; for codecs that replace only the zstd side.
pub fn decompress_lz4(stored: &[u8], len: usize) -> Result<Vec<u8>, Corrupt> {
    lz4_flex::block::decompress(stored, len).map_err(|_| Corrupt { what: "lz4 block" })
}

// method, raw length (u32), CRC-32 of method, length and stored bytes
const HEADER: usize = 9;

/// Frames `raw` as one block: compressed where that helps, and checksummed.
///
/// # Panics
/// Over [`MAX_BLOCK`] bytes; builders cut far below.
pub fn seal(raw: &[u8], codec: &dyn Codec, effort: Effort) -> Vec<u8> {
    assert!(raw.len() <= MAX_BLOCK, "a block of {} bytes", raw.len());
    let (method, packed) = if raw.len() < 32 { (Method::Raw, Vec::new()) } else { codec.compress(raw, effort) };
    let (method, stored) =
        if method == Method::Raw || packed.len() >= raw.len() { (Method::Raw, raw) } else { (method, &*packed) };
    let mut block = Vec::with_capacity(HEADER + stored.len());
    block.push(method as u8);
    block.extend_from_slice(&(raw.len() as u32).to_le_bytes());
    let check = checksum(&block, stored);
    block.extend_from_slice(&check.to_le_bytes());
    block.extend_from_slice(stored);
    block
}

/// Opens a block made by [`seal`], checksum first.
pub fn open(block: &[u8], codec: &dyn Codec) -> Result<Vec<u8>, Corrupt> {
    let (method, len, stored) = verify(block)?;
    let raw = codec.decompress(method, stored, len)?;
    if raw.len() == len { Ok(raw) } else { Err(Corrupt { what: "block length" }) }
}

/// Checks a block's checksum without decompressing it.
pub fn verify(block: &[u8]) -> Result<(Method, usize, &[u8]), Corrupt> {
    let corrupt = Corrupt { what: "block" };
    let (header, stored) = block.split_at_checked(HEADER).ok_or(corrupt)?;
    let (tag, check) = header.split_at(5);
    if checksum(tag, stored).to_le_bytes() != check {
        return Err(Corrupt { what: "block checksum" });
    }
    let method = match tag[0] {
        0 => Method::Raw,
        1 => Method::Lz4,
        2 => Method::Zstd,
        _ => return Err(Corrupt { what: "block method" }),
    };
    let len = u32::from_le_bytes([tag[1], tag[2], tag[3], tag[4]]) as usize;
    if len > MAX_BLOCK { Err(corrupt) } else { Ok((method, len, stored)) }
}

fn checksum(tag: &[u8], stored: &[u8]) -> u32 {
    let mut hasher = checksum::Hasher::new();
    hasher.update(tag);
    hasher.update(stored);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn blocks_come_back_and_any_flipped_bit_is_noticed(
            raw in proptest::collection::vec(0u8..4, 0..2000), flip in any::<prop::sample::Index>()
        ) {
            let mut block = seal(&raw, &Portable, Effort::Fast);
            prop_assert_eq!(open(&block, &Portable), Ok(raw));
            let bit = flip.index(block.len() * 8);
            block[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(open(&block, &Portable).is_err());
        }

        #[test]
        fn any_bytes_are_refused_quietly(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(open(&bytes, &Portable).is_err());
        }
    }
}
