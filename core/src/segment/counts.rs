//! How often each value of a text column occurs, for columns whose counts a summary has no room for.

use super::ints::Packed;
use super::strings::Strings;
use super::text::Text;
use crate::codec::Corrupt;
use crate::stored::Reader;

/// The values of a text column, each with how many rows have it, and how many of these are exchanges.
///
/// Only columns that a summary counts have these, and of those the ones that it leaves out: 257 values and more, or
/// values too long for [`Summary::MAX_BYTES`](crate::catalog::Summary::MAX_BYTES). A column in which fewer than 8 rows
/// share a value has none: they would be as long as the column, and counting its codes is as quick. Exchanges are
/// counted apart only where a segment has other records too; segments written before they were count rows alone.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueCounts {
    values: Strings,
    counts: Packed,
    exchanges: Option<Packed>,
}

impl ValueCounts {
    const ROWS_A_VALUE: usize = 8;

    /// The counts of a column that is worth them; of rows that are not all of one kind, also those of the rows that
    /// `are_exchanges`.
    pub(super) fn of(text: &Text, are_exchanges: Option<impl Fn(usize) -> bool>) -> Option<Self> {
        if text.values.len() > text.codes.len() / Self::ROWS_A_VALUE {
            return None;
        }
        let exchanges = are_exchanges.map(|is_exchange| {
            let mut counts = vec![0; text.values.len() + 1];
            (0..text.codes.len()).filter(|at| is_exchange(*at)).for_each(|at| counts[text.codes.get(at) as usize] += 1);
            Packed::new(&counts[1..])
        });
        let counts = Packed::new(text.counts().get(1..)?);
        Some(Self { values: text.values.clone(), counts, exchanges })
    }

    /// Every value with the number of its rows, in stored order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.values.iter().enumerate().map(|(at, value)| (value, self.counts.get(at)))
    }

    /// Every value with the number of exchanges that have it, in stored order; `None` where they are not counted apart.
    pub fn exchanges(&self) -> Option<impl Iterator<Item = (&str, u64)>> {
        let counts = self.exchanges.as_ref()?;
        Some(self.values.iter().enumerate().map(|(at, value)| (value, counts.get(at))))
    }

    pub(super) fn rows(&self) -> u64 {
        (0..self.counts.len()).fold(0, |sum, at| self.counts.get(at).saturating_add(sum))
    }

    pub(super) fn weight(&self) -> usize {
        self.values.weight() + self.counts.weight() + self.exchanges.as_ref().map_or(0, Packed::weight)
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        self.counts.encode(out);
        self.values.encode(out);
        if let Some(exchanges) = &self.exchanges {
            exchanges.encode(out);
        }
    }

    pub(super) fn decode(input: &mut Reader) -> Result<Self, Corrupt> {
        let counts = Packed::decode(input)?;
        let values = Strings::decode(input)?;
        let exchanges = if input.remaining() > 0 { Some(Packed::decode(input)?) } else { None };
        let sound = counts.len() == values.len()
            && exchanges.as_ref().is_none_or(|exchanges| {
                exchanges.len() == counts.len() && (0..counts.len()).all(|at| exchanges.get(at) <= counts.get(at))
            });
        if sound { Ok(Self { values, counts, exchanges }) } else { Err(input.corrupt()) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::TextBuilder;
    use super::*;
    use crate::query::Counts;
    use proptest::prelude::*;

    fn column(values: &[Option<String>]) -> Option<Text> {
        let mut builder = TextBuilder::default();
        for (at, value) in values.iter().enumerate().filter_map(|(at, value)| Some((at, value.as_deref()?))) {
            builder.push_at(at, value);
        }
        builder.finish(values.len())
    }

    fn counts<'a>(counts: impl Iterator<Item = (&'a str, u64)>) -> Counts {
        counts.filter(|(_, count)| *count > 0).map(|(value, count)| (value.to_owned(), count)).collect()
    }

    proptest! {
        #[test]
        fn counts_come_back_and_are_what_a_loop_counts(
            values in proptest::collection::vec(prop::option::of("[a-d]{0,2}|pod-[0-9a-f]"), 1..400),
            mixed in prop::option::of(0usize..3)
        ) {
            let (mut truth, mut exchanges) = (Counts::new(), Counts::new());
            let is_exchange = |salt: usize, at: usize| (at * at + salt).is_multiple_of(3);
            for (at, value) in values.iter().enumerate() {
                let Some(value) = value else { continue };
                *truth.entry(value.clone()).or_default() += 1;
                if mixed.is_some_and(|salt| is_exchange(salt, at)) {
                    *exchanges.entry(value.clone()).or_default() += 1;
                }
            }
            let found = column(&values).and_then(|text| ValueCounts::of(&text, mixed.map(|salt| move |at| is_exchange(salt, at))));
            prop_assert_eq!(found.is_some(), !truth.is_empty() && truth.len() <= values.len() / 8);
            if let Some(found) = found {
                let mut out = Vec::new();
                found.encode(&mut out);
                let back = ValueCounts::decode(&mut Reader::new(&out, "counts")).unwrap();
                prop_assert_eq!(&back, &found);
                prop_assert_eq!(back.rows(), truth.values().sum::<u64>());
                prop_assert_eq!(counts(back.iter()), truth);
                prop_assert_eq!(back.exchanges().map(counts), mixed.map(|_| exchanges));
            }
        }

        #[test]
        fn any_bytes_decode_or_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = ValueCounts::decode(&mut Reader::new(&bytes, "counts"));
        }
    }
}
