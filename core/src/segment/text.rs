//! Text columns: distinct values in order of first appearance and one code a row.

use super::ints::Packed;
use super::strings::Strings;
use crate::codec::Corrupt;
use crate::stored::Reader;
use hashbrown::HashTable;

/// A text column. Predicates run once over the distinct values, then over the codes.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    /// Distinct values.
    pub(crate) values: Strings,
    /// 0 for absent, else one more than the place in `values`.
    pub(crate) codes: Packed,
}

impl Text {
    /// The value at `row`.
    pub fn get(&self, row: usize) -> Option<&str> {
        Some(self.values.get(self.codes.get(row).checked_sub(1)? as usize))
    }

    /// Rows by code.
    pub(crate) fn counts(&self) -> Vec<u64> {
        let mut counts = vec![0; self.values.len() + 1];
        let all = vec![u64::MAX; self.codes.len().div_ceil(64)];
        self.codes.each(0, &all, |code| counts[code as usize] += 1);
        counts
    }

    pub(crate) fn weight(&self) -> usize {
        self.values.weight() + self.codes.weight()
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        self.codes.encode(out);
        self.values.encode(out);
    }

    pub(crate) fn decode(input: &mut Reader) -> Result<Self, Corrupt> {
        let codes = Packed::decode(input)?;
        let values = Strings::decode(input)?;
        let greatest = (0..codes.len()).map(|row| codes.get(row)).max().unwrap_or(0);
        if greatest > values.len() as u64 { Err(input.corrupt()) } else { Ok(Self { values, codes }) }
    }
}

/// Collects one text column row by row.
#[derive(Default)]
pub(super) struct TextBuilder {
    values: Strings,
    // of the rows up to the last that has a value
    codes: Vec<u64>,
    // code by value, with its hash
    table: HashTable<(u64, u32)>,
    last: u32,
}

impl TextBuilder {
    /// Sets the value of `row`, which comes after all that have one; the rows before it that have none lack it.
    pub(super) fn push_at(&mut self, row: usize, value: &str) {
        // Neighbouring rows often share a value.
        if self.last == 0 || !self.values.is_at(self.last as usize - 1, value) {
            let hash = hash(value.as_bytes());
            let values = &mut self.values;
            let known = self.table.find(hash, |&(known, code)| known == hash && values.is_at(code as usize - 1, value));
            self.last = if let Some(&(_, code)) = known {
                code
            } else {
                values.push(value);
                let code = values.len() as u32;
                self.table.insert_unique(hash, (hash, code), |&(hash, _)| hash);
                code
            };
        }
        if self.codes.len() < row {
            self.codes.resize(row, 0);
        }
        self.codes.push(self.last.into());
    }

    /// The column of `rows` rows; `None` when every row lacks it.
    pub(super) fn finish(self, rows: usize) -> Option<Text> {
        self.finish_in(rows, None)
    }

    /// As [`finish`](Self::finish), with the rows in another order.
    pub(super) fn finish_in(mut self, rows: usize, order: Option<&[u32]>) -> Option<Text> {
        if self.values.len() == 0 {
            return None;
        }
        self.codes.resize(rows, 0);
        let Some(order) = order else { return Some(Text { values: self.values, codes: Packed::new(&self.codes) }) };
        // values are in the order of their first appearance
        let (mut values, mut renamed) = (Strings::default(), vec![0u64; self.values.len() + 1]);
        let rename = |&row: &u32| {
            let code = self.codes[row as usize] as usize;
            if code > 0 && renamed[code] == 0 {
                values.push(self.values.get(code - 1));
                renamed[code] = values.len() as u64;
            }
            renamed[code]
        };
        let codes: Vec<u64> = order.iter().map(rename).collect();
        Some(Text { values, codes: Packed::new(&codes) })
    }
}

/// A hash of a value, of which each row has some: words are mixed by multiplications of 64 bits, which every platform has.
fn hash(bytes: &[u8]) -> u64 {
    const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |hash: u64, word: u64| {
        let mixed = (hash ^ word).wrapping_mul(MIX);
        mixed ^ mixed >> 29
    };
    let mut hash = mix(0, bytes.len() as u64);
    let (words, rest) = bytes.as_chunks();
    for word in words {
        hash = mix(hash, u64::from_le_bytes(*word));
    }
    if let (false, Some(last)) = (rest.is_empty(), bytes.last_chunk()) {
        hash = mix(hash, u64::from_le_bytes(*last));
    } else {
        hash = mix(hash, rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)));
    }
    let hash = hash.wrapping_mul(MIX);
    hash ^ hash >> 32
}
