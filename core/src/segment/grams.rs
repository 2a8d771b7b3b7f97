//! A filter over lower-cased 3-byte grams: which chunks of a column's values may contain a substring.

use super::strings::Strings;
use crate::codec::Corrupt;
use crate::stored::{Reader, put_varint};

/// Distinct values that share one filter.
const CHUNK: usize = 4096;

/// One bit set a chunk of values; a bit stands for all grams of one hash.
#[derive(Clone, Debug, PartialEq)]
pub struct Grams {
    // log2 of the bits of one chunk
    log: u8,
    values: usize,
    bits: Vec<u64>,
}

impl Grams {
    /// Builds the filter of a column's values; `None` where scanning is as cheap.
    pub(super) fn of(values: &Strings) -> Option<Self> {
        if values.text_len() < 64 << 10 {
            return None;
        }
        let chunks = values.len().div_ceil(CHUNK);
        let mut seen = vec![0u64; (1 << 24) / 64];
        let mut distinct = Vec::with_capacity(chunks);
        for chunk in 0..chunks {
            let mut grams = Vec::new();
            for at in chunk * CHUNK..((chunk + 1) * CHUNK).min(values.len()) {
                for gram in values.folded(at, at + 1).windows(3) {
                    let gram = number(gram);
                    let (word, bit) = (gram as usize / 64, 1 << (gram % 64));
                    if seen[word] & bit == 0 {
                        seen[word] |= bit;
                        grams.push(gram);
                    }
                }
            }
            for &gram in &grams {
                seen[gram as usize / 64] = 0;
            }
            distinct.push(grams);
        }
        // About a quarter of the bits set: a needle of six letters passes one chunk in 256 by chance.
        let most = distinct.iter().map(Vec::len).max().unwrap_or(0);
        let log = (most * 3).next_power_of_two().trailing_zeros().clamp(10, 16) as u8;
        let mut filter = Self { log, values: values.len(), bits: vec![0; (chunks << log) / 64] };
        for (chunk, grams) in distinct.iter().enumerate() {
            for &gram in grams {
                let bit = (chunk << log) + filter.slot(gram);
                filter.bits[bit / 64] |= 1 << (bit % 64);
            }
        }
        Some(filter)
    }

    fn slot(&self, gram: u32) -> usize {
        (gram.wrapping_mul(0x9e37_79b1) >> (32 - u32::from(self.log))) as usize
    }

    /// The ranges of values that may contain `needle` (ASCII in lower case); shorter than 3 bytes prunes nothing.
    pub(super) fn ranges(&self, needle: &[u8]) -> Vec<(usize, usize)> {
        let slots: Vec<usize> = needle.windows(3).map(|gram| self.slot(number(gram))).collect();
        let mut ranges: Vec<(usize, usize)> = Vec::new();
        for chunk in 0..self.values.div_ceil(CHUNK) {
            let base = chunk << self.log;
            let may = slots.iter().all(|slot| self.bits[(base + slot) / 64] >> (slot % 64) & 1 == 1);
            if may {
                let (from, to) = (chunk * CHUNK, ((chunk + 1) * CHUNK).min(self.values));
                match ranges.last_mut() {
                    Some(last) if last.1 == from => last.1 = to,
                    _ => ranges.push((from, to)),
                }
            }
        }
        ranges
    }

    pub(super) fn weight(&self) -> usize {
        self.bits.len() * 8
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.log);
        put_varint(out, self.values as u64);
        out.extend(self.bits.iter().flat_map(|word| word.to_le_bytes()));
    }

    pub(super) fn decode(input: &mut Reader) -> Result<Self, Corrupt> {
        let log = input.u8()?;
        let values = input.count(u32::MAX as usize)?;
        if !(10..=16).contains(&log) {
            return Err(input.corrupt());
        }
        let bytes = input.take((values.div_ceil(CHUNK) << log) / 8)?;
        let word = |bytes: &[u8]| bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
        Ok(Self { log, values, bits: bytes.chunks_exact(8).map(word).collect() })
    }
}

fn number(gram: &[u8]) -> u32 {
    u32::from(gram[0]) << 16 | u32::from(gram[1]) << 8 | u32::from(gram[2])
}
