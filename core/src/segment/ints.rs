//! Numeric columns: values packed into the narrowest width above a common base, 0 for absent.

// One body serves four widths, and for the widest its conversions are none.
#![allow(clippy::useless_conversion)]

use crate::codec::Corrupt;
use crate::stored::{Reader, put_varint, unzigzag, zigzag};

/// Rows that share one zone (least and greatest value) and are scanned together.
pub const BLOCK: usize = 4096;

/// Unsigned numbers of one width.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Packed {
    One(Vec<u8>),
    Two(Vec<u16>),
    Four(Vec<u32>),
    Eight(Vec<u64>),
}

macro_rules! each_width {
    ($packed:expr, $values:ident => $body:expr) => {
        match $packed {
            Packed::One($values) => $body,
            Packed::Two($values) => $body,
            Packed::Four($values) => $body,
            Packed::Eight($values) => $body,
        }
    };
}

impl Packed {
    pub(crate) fn new(values: &[u64]) -> Self {
        match values.iter().copied().max().unwrap_or(0) {
            0..=0xff => Self::One(values.iter().map(|&value| value as u8).collect()),
            0x100..=0xffff => Self::Two(values.iter().map(|&value| value as u16).collect()),
            0x1_0000..=0xffff_ffff => Self::Four(values.iter().map(|&value| value as u32).collect()),
            _ => Self::Eight(values.to_vec()),
        }
    }

    #[inline]
    pub(crate) fn get(&self, at: usize) -> u64 {
        match self {
            Self::One(values) => values[at].into(),
            Self::Two(values) => values[at].into(),
            Self::Four(values) => values[at].into(),
            Self::Eight(values) => values[at],
        }
    }

    pub(crate) fn len(&self) -> usize {
        each_width!(self, values => values.len())
    }

    fn width(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Two(_) => 2,
            Self::Four(_) => 4,
            Self::Eight(_) => 8,
        }
    }

    pub(crate) fn weight(&self) -> usize {
        self.len() * self.width()
    }

    /// Sets a bit for every value of `from..from + 64 * words.len()` that is in `low..=high`.
    pub(crate) fn mark(&self, from: usize, low: u64, high: u64, words: &mut [u64]) {
        macro_rules! mark {
            ($values:expr, $type:ty) => {{
                if low > u64::from(<$type>::MAX) {
                    return;
                }
                let low = low as $type;
                let span = <$type>::try_from(high).unwrap_or(<$type>::MAX) - low;
                let end = $values.len().min(from + words.len() * 64);
                for (word, chunk) in words.iter_mut().zip($values[from.min(end)..end].chunks(64)) {
                    *word |= mark_word(chunk, |value: $type| value.wrapping_sub(low) <= span);
                }
            }};
        }
        if low > high {
            return;
        }
        match self {
            Self::One(values) => mark!(values, u8),
            Self::Two(values) => mark!(values, u16),
            Self::Four(values) => mark!(values, u32),
            Self::Eight(values) => mark!(values, u64),
        }
    }

    /// Sets a bit for every value of the block whose bit in `set` is on.
    pub(crate) fn mark_set(&self, from: usize, set: &[u64], words: &mut [u64]) {
        each_width!(self, values => {
            let end = values.len().min(from + words.len() * 64);
            for (word, chunk) in words.iter_mut().zip(values[from.min(end)..end].chunks(64)) {
                *word |= mark_word(chunk, |value| {
                    let value = u64::from(value) as usize;
                    set[value / 64] >> (value % 64) & 1 != 0
                });
            }
        });
    }

    /// Calls `visit` with every value of `from..from + 64 * words.len()` whose bit is on.
    pub(crate) fn each(&self, from: usize, words: &[u64], mut visit: impl FnMut(u64)) {
        each_width!(self, values => {
            let end = values.len().min(from + words.len() * 64);
            for (&word, chunk) in words.iter().zip(values[from.min(end)..end].chunks(64)) {
                if word == u64::MAX {
                    chunk.iter().for_each(|&value| visit(value.into()));
                    continue;
                }
                let mut left = word;
                while left != 0 {
                    if let Some(&value) = chunk.get(left.trailing_zeros() as usize) {
                        visit(value.into());
                    }
                    left &= left - 1;
                }
            }
        });
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let len = self.len();
        // Deltas win where neighbours are close: sorted times, sequences, codes of values in order of appearance.
        let step = |at: usize| self.get(at).wrapping_sub(if at == 0 { 0 } else { self.get(at - 1) }) as i64;
        let bits = |value: u64| u64::from(64 - value.leading_zeros());
        let sampled = (0..len).step_by((len / 512).max(1));
        let plain: u64 = sampled.clone().map(|at| bits(self.get(at))).sum();
        let deltas: u64 = sampled.skip(1).map(|at| bits(zigzag(step(at)))).sum();
        put_varint(out, len as u64);
        if deltas < plain {
            let steps: Vec<u64> = (0..len).map(|at| zigzag(step(at))).collect();
            let steps = Self::new(&steps);
            out.push(0x10 | self.width() as u8);
            out.push(steps.width() as u8);
            steps.planes(out);
        } else {
            out.push(self.width() as u8);
            self.planes(out);
        }
    }

    // Byte planes: all lowest bytes, then all next ones; high planes of small numbers compress to nothing.
    fn planes(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let len = self.len();
        out.resize(start + self.weight(), 0);
        let width = self.width();
        each_width!(self, values => {
            for (at, value) in values.iter().enumerate() {
                for (plane, byte) in value.to_le_bytes().into_iter().enumerate().take(width) {
                    out[start + plane * len + at] = byte;
                }
            }
        });
    }

    fn from_planes(input: &mut Reader, len: usize, width: u8) -> Result<Self, Corrupt> {
        fn gather<const N: usize, T>(bytes: &[u8], len: usize, make: fn([u8; N]) -> T) -> Vec<T> {
            (0..len).map(|at| make(std::array::from_fn(|plane| bytes[plane * len + at]))).collect()
        }
        let size = len.checked_mul(width.into()).ok_or(input.corrupt())?;
        let bytes = input.take(size)?;
        Ok(match width {
            1 => Self::One(bytes.to_vec()),
            2 => Self::Two(gather(bytes, len, u16::from_le_bytes)),
            4 => Self::Four(gather(bytes, len, u32::from_le_bytes)),
            8 => Self::Eight(gather(bytes, len, u64::from_le_bytes)),
            _ => return Err(input.corrupt()),
        })
    }

    pub(crate) fn decode(input: &mut Reader) -> Result<Self, Corrupt> {
        let len = input.count(input.remaining())?;
        let width = input.u8()?;
        if width & 0x10 == 0 {
            return Self::from_planes(input, len, width);
        }
        let steps_width = input.u8()?;
        let steps = Self::from_planes(input, len, steps_width)?;
        let mut last = 0u64;
        let mut next = |step: u64| {
            last = last.wrapping_add(unzigzag(step) as u64);
            last
        };
        Ok(each_width!(steps, steps => match width & 0xf {
            1 => Self::One(steps.into_iter().map(|step| next(step.into()) as u8).collect()),
            2 => Self::Two(steps.into_iter().map(|step| next(step.into()) as u16).collect()),
            4 => Self::Four(steps.into_iter().map(|step| next(step.into()) as u32).collect()),
            8 => Self::Eight(steps.into_iter().map(|step| next(step.into())).collect()),
            _ => return Err(input.corrupt()),
        }))
    }
}

#[inline]
fn mark_word<T: Copy>(chunk: &[T], test: impl Fn(T) -> bool) -> u64 {
    // Bytes first, then bits: both loops are vectorised.
    let mut hits = [0u8; 64];
    for (hit, &value) in hits.iter_mut().zip(chunk) {
        *hit = test(value).into();
    }
    hits.chunks_exact(8).enumerate().fold(0, |word, (at, bytes)| {
        let bytes =
            u64::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]]);
        word | (bytes.wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * at)
    })
}

/// A numeric column with its zones.
#[derive(Clone, Debug, PartialEq)]
pub struct Ints {
    base: i64,
    packed: Packed,
    // least and greatest packed value of each block
    zones: Vec<(u64, u64)>,
}

impl Ints {
    /// Packs values; the pair `i64::MIN` and `i64::MAX` in one column reads back one apart at the top.
    pub(crate) fn new(values: &[Option<i64>]) -> Self {
        let base = values.iter().flatten().copied().min().unwrap_or(0);
        let pack = |value: &Option<i64>| value.map_or(0, |value| value.abs_diff(base).saturating_add(1));
        let packed: Vec<u64> = values.iter().map(pack).collect();
        Self::with_zones(base, Packed::new(&packed))
    }

    fn with_zones(base: i64, packed: Packed) -> Self {
        let zones = each_width!(&packed, values => values
            .chunks(BLOCK)
            .map(|block| {
                let least = block.iter().copied().min().unwrap_or(0);
                (u64::from(least), block.iter().copied().max().unwrap_or(0).into())
            })
            .collect());
        Self { base, packed, zones }
    }

    /// The value at `row`.
    #[inline]
    pub fn get(&self, row: usize) -> Option<i64> {
        self.unpack(self.packed.get(row))
    }

    #[inline]
    fn unpack(&self, packed: u64) -> Option<i64> {
        Some(self.base.wrapping_add_unsigned(packed.checked_sub(1)?))
    }

    pub(crate) fn len(&self) -> usize {
        self.packed.len()
    }

    /// Least and greatest value of a block; absent counts as least.
    pub(crate) fn zone(&self, block: usize) -> (Option<i64>, Option<i64>) {
        let (least, greatest) = self.zones[block];
        (self.unpack(least), self.unpack(greatest))
    }

    /// Sets a bit for every row of `block` whose value is within one of the ranges.
    pub(crate) fn mark(&self, block: usize, ranges: &[(i64, i64)], words: &mut [u64]) {
        let zone = self.zones[block];
        for &(low, high) in ranges {
            if high < self.base {
                continue;
            }
            let pack = |value: i64| value.abs_diff(self.base).saturating_add(1);
            let (low, high) = (if low <= self.base { 1 } else { pack(low) }, pack(high));
            if low > zone.1 || high < zone.0 {
                continue;
            }
            self.packed.mark(block * BLOCK, low, high, words);
        }
    }

    /// Calls `visit` with every present value of `block` whose bit is on.
    pub(crate) fn each(&self, block: usize, words: &[u64], mut visit: impl FnMut(i64)) {
        self.packed.each(block * BLOCK, words, |packed| {
            if let Some(value) = self.unpack(packed) {
                visit(value);
            }
        });
    }

    pub(crate) fn weight(&self) -> usize {
        self.packed.weight()
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, zigzag(self.base));
        self.packed.encode(out);
    }

    pub(crate) fn decode(input: &mut Reader) -> Result<Self, Corrupt> {
        let base = unzigzag(input.varint()?);
        Ok(Self::with_zones(base, Packed::decode(input)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values() -> impl Strategy<Value = Vec<Option<i64>>> {
        let value = prop_oneof![
            Just(None),
            (0i64..3).prop_map(Some),
            (-300i64..300).prop_map(Some),
            (0i64..1 << 40).prop_map(Some),
            (i64::MIN + 1..i64::MAX).prop_map(Some)
        ];
        prop_oneof![
            proptest::collection::vec(value, 1..300),
            (1i64..9000).prop_map(|n| (0..n).map(|v| Some(v * 7)).collect())
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn columns_come_back_and_mark_what_a_loop_marks(
            values in values(), low in -400i64..70000, span in 0i64..70000
        ) {
            let ints = Ints::new(&values);
            let mut out = Vec::new();
            ints.encode(&mut out);
            prop_assert_eq!(&Ints::decode(&mut Reader::new(&out, "ints")).unwrap(), &ints);
            for block in 0..values.len().div_ceil(BLOCK) {
                let mut words = [0; BLOCK / 64];
                ints.mark(block, &[(low, low + span)], &mut words);
                let rows = || values[block * BLOCK..].iter().take(BLOCK).enumerate();
                let (mut seen, mut all) = (Vec::new(), Vec::new());
                ints.each(block, &words, |value| seen.push(value));
                ints.each(block, &[u64::MAX; BLOCK / 64], |value| all.push(value));
                let marked = rows().filter(|(at, _)| words[at / 64] >> (at % 64) & 1 == 1);
                prop_assert_eq!(seen, marked.filter_map(|(_, value)| *value).collect::<Vec<_>>());
                prop_assert_eq!(all, rows().filter_map(|(_, value)| *value).collect::<Vec<_>>());
                for (at, value) in rows() {
                    prop_assert_eq!(ints.get(block * BLOCK + at), *value);
                    let expected = value.is_some_and(|value| low <= value && value <= low + span);
                    prop_assert_eq!(words[at / 64] >> (at % 64) & 1 == 1, expected);
                }
            }
        }

        #[test]
        fn any_bytes_decode_or_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = Ints::decode(&mut Reader::new(&bytes, "ints"));
        }
    }
}
