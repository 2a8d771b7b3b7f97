//! The separately stored, separately checksummed pieces of a segment.

use super::counts::ValueCounts;
use super::grams::Grams;
use super::ints::Ints;
use super::rows::{Bodies, Details};
use super::text::Text;
use crate::catalog::Summary;
use crate::codec::Corrupt;
use crate::filter::Number;
use crate::record::Field;
use crate::stored::Reader;
use std::sync::Arc;

/// Names a part within its segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PartId {
    /// A numeric column ([`Number::Size`] is derived and has none, [`Number::Arrival`] is [`Self::Arrival`]).
    Number(Number),
    /// Arrival in ms.
    Arrival,
    /// A text column.
    Text(Field),
    /// The gram filter of a text column's values.
    Grams(Field),
    /// Headers, attributes and previews of one block of rows.
    Details(u32),
    /// The bodies of one block of rows.
    Bodies(u32),
    /// How many rows have each value of a text column; see [`ValueCounts`]. Segments written before there were such
    /// parts have none.
    Counts(Field),
    /// The summary of the exchanges alone, where there are other records too: with the summary of all rows it tells how
    /// many halves there are of what. Segments written before there were such parts have none, nor have batches.
    Exchanges,
}

/// The numeric columns in stored order.
pub(super) const NUMBERS: [Number; 12] = [
    Number::Time,
    Number::Seq,
    Number::Status,
    Number::Duration,
    Number::ReqSize,
    Number::ResSize,
    Number::Level,
    Number::Kind,
    Number::Source,
    Number::Overridden,
    Number::Redacted,
    Number::Truncated,
];

impl PartId {
    /// Where a number is stored.
    pub(crate) fn of(number: Number) -> Self {
        if number == Number::Arrival { Self::Arrival } else { Self::Number(number) }
    }

    /// Whether it is read for rows that are shown, not to find them.
    pub(super) fn is_cold(self) -> bool {
        matches!(self, Self::Details(_) | Self::Bodies(_))
    }

    pub(super) fn code(self) -> (u8, u32) {
        match self {
            Self::Number(number) => {
                let at = NUMBERS.iter().position(|known| *known == number);
                (0, at.expect("a derived number is never stored") as u32)
            }
            Self::Arrival => (1, 0),
            Self::Text(field) => (2, field as u32),
            Self::Grams(field) => (3, field as u32),
            Self::Details(block) => (4, block),
            Self::Bodies(block) => (5, block),
            Self::Counts(field) => (6, field as u32),
            Self::Exchanges => (7, 0),
        }
    }

    pub(super) fn from_code(kind: u8, at: u32) -> Option<Self> {
        let field = || Field::ALL.get(at as usize).copied();
        Some(match kind {
            0 => Self::Number(*NUMBERS.get(at as usize)?),
            1 => Self::Arrival,
            2 => Self::Text(field()?),
            3 => Self::Grams(field()?),
            4 => Self::Details(at),
            5 => Self::Bodies(at),
            6 => Self::Counts(field()?),
            7 if at == 0 => Self::Exchanges,
            _ => return None,
        })
    }
}

/// A decoded part.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// The segment has no such part: every row lacks the value, or what it would tell is told by another part.
    Absent,
    /// See [`PartId::Number`] and [`PartId::Arrival`].
    Ints(Ints),
    /// See [`PartId::Text`].
    Text(Text),
    /// See [`PartId::Grams`].
    Grams(Grams),
    /// See [`PartId::Details`].
    Details(Details),
    /// See [`PartId::Bodies`].
    Bodies(Bodies),
    /// See [`PartId::Counts`].
    Counts(ValueCounts),
    /// See [`PartId::Exchanges`].
    Exchanges(Arc<Summary>),
}

impl Part {
    /// Bytes of memory it holds, about; for caches.
    pub fn weight(&self) -> usize {
        64 + match self {
            Self::Absent => 0,
            Self::Ints(ints) => ints.weight(),
            Self::Text(text) => text.weight(),
            Self::Grams(grams) => grams.weight(),
            Self::Details(details) => details.weight(),
            Self::Bodies(bodies) => bodies.weight(),
            Self::Counts(counts) => counts.weight(),
            // maps of short texts take some times what they take encoded
            Self::Exchanges(_) => 4 * Summary::MAX_BYTES,
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Absent => {}
            Self::Ints(ints) => ints.encode(&mut out),
            Self::Text(text) => text.encode(&mut out),
            Self::Grams(grams) => grams.encode(&mut out),
            Self::Details(details) => details.encode(&mut out),
            Self::Bodies(bodies) => bodies.encode(&mut out),
            Self::Counts(counts) => counts.encode(&mut out),
            Self::Exchanges(summary) => out = summary.encode(),
        }
        out
    }

    pub(super) fn decode(id: PartId, raw: &[u8], rows: usize) -> Result<Self, Corrupt> {
        let mut input = Reader::new(raw, "part");
        let part = match id {
            PartId::Exchanges => Self::Exchanges(Arc::new(Summary::decode(input.take(raw.len())?)?)),
            PartId::Number(_) | PartId::Arrival => Self::Ints(Ints::decode(&mut input)?),
            PartId::Text(_) => Self::Text(Text::decode(&mut input)?),
            PartId::Grams(_) => Self::Grams(Grams::decode(&mut input)?),
            PartId::Details(_) => Self::Details(Details::decode(&mut input)?),
            PartId::Bodies(_) => Self::Bodies(Bodies::decode(&mut input)?),
            PartId::Counts(_) => Self::Counts(ValueCounts::decode(&mut input)?),
        };
        input.end()?;
        let whole = match &part {
            Self::Ints(ints) => ints.len() == rows,
            Self::Text(text) => text.codes.len() == rows,
            Self::Counts(counts) => counts.rows() <= rows as u64,
            Self::Exchanges(summary) => summary.rows < rows as u64,
            _ => true,
        };
        if whole { Ok(part) } else { Err(Corrupt { what: "part length" }) }
    }
}
