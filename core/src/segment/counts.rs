//! How often each value of a text column occurs, for columns whose counts a summary has no room for.

use super::ints::Packed;
use super::strings::Strings;
use super::text::Text;
use crate::codec::Corrupt;
use crate::query::Counts;
use crate::stored::Reader;

/// The values of a text column, each with how many rows have it.
///
/// Only columns that a summary counts have these, and of those the ones that it leaves out: 257 values and more, or
/// values too long for [`Summary::MAX_BYTES`](crate::catalog::Summary::MAX_BYTES). A column in which fewer than 8 rows
/// share a value has none: they would be as long as the column, and counting its codes is as quick.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueCounts {
    values: Strings,
    counts: Packed,
}

impl ValueCounts {
    const ROWS_A_VALUE: usize = 8;

    /// The counts of a column that is worth them.
    pub(super) fn of(text: &Text) -> Option<Self> {
        if text.values.len() > text.codes.len() / Self::ROWS_A_VALUE {
            return None;
        }
        Some(Self { values: text.values.clone(), counts: Packed::new(text.counts().get(1..)?) })
    }

    /// Every value with the number of its rows, in stored order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.values.iter().enumerate().map(|(at, value)| (value, self.counts.get(at)))
    }

    /// The counts by value.
    pub fn to_counts(&self) -> Counts {
        self.iter().map(|(value, count)| (value.to_owned(), count)).collect()
    }

    pub(super) fn rows(&self) -> u64 {
        (0..self.counts.len()).fold(0, |sum, at| self.counts.get(at).saturating_add(sum))
    }

    pub(super) fn weight(&self) -> usize {
        self.values.weight() + self.counts.weight()
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        self.counts.encode(out);
        self.values.encode(out);
    }

    pub(super) fn decode(input: &mut Reader) -> Result<Self, Corrupt> {
        let counts = Packed::decode(input)?;
        let values = Strings::decode(input)?;
        if counts.len() == values.len() { Ok(Self { values, counts }) } else { Err(input.corrupt()) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::TextBuilder;
    use super::*;
    use proptest::prelude::*;

    fn column(values: &[Option<String>]) -> Option<Text> {
        let mut builder = TextBuilder::default();
        values.iter().for_each(|value| builder.push(value.as_deref()));
        builder.finish()
    }

    proptest! {
        #[test]
        fn counts_come_back_and_are_what_a_loop_counts(
            values in proptest::collection::vec(prop::option::of("[a-d]{0,2}|pod-[0-9a-f]"), 1..400)
        ) {
            let mut truth = Counts::new();
            values.iter().flatten().for_each(|value| *truth.entry(value.clone()).or_default() += 1);
            let found = column(&values).and_then(|text| ValueCounts::of(&text));
            prop_assert_eq!(found.is_some(), !truth.is_empty() && truth.len() <= values.len() / 8);
            if let Some(found) = found {
                let mut out = Vec::new();
                found.encode(&mut out);
                let back = ValueCounts::decode(&mut Reader::new(&out, "counts")).unwrap();
                prop_assert_eq!(&back, &found);
                prop_assert_eq!(back.rows(), truth.values().sum::<u64>());
                prop_assert_eq!(back.to_counts(), truth);
            }
        }

        #[test]
        fn any_bytes_decode_or_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = ValueCounts::decode(&mut Reader::new(&bytes, "counts"));
        }
    }
}
