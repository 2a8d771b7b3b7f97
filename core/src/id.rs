//! The identity of a stored record and its spellings on five wires.

use crate::checksum;
use std::fmt;

/// Arrival order over the whole store, from 1; holes are allowed. 48 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Seq(u64);

impl Seq {
    /// The highest sequence that 48 bits hold.
    pub const MAX: Self = Self((1 << 48) - 1);

    /// A sequence of 1 to 2^48 − 1.
    pub const fn new(value: u64) -> Option<Self> {
        if value >= 1 && value <= Self::MAX.0 { Some(Self(value)) } else { None }
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The sequence `n` places later, if 48 bits hold it.
    pub const fn after(self, n: u64) -> Option<Self> {
        Self::new(self.0.saturating_add(n))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Arrival in milliseconds since 1970 (48 bits) and sequence (48 bits).
///
/// Invariant of every store: records committed together share an arrival, and each commit's arrival is greater than
/// that of the commit before (`max(clock, last + 1)`), whatever the clock does. So ids sort the same by either half,
/// and the rows up to an arrival are the rows up to a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryId {
    seq: Seq,
    arrival: u64,
}

const ARRIVAL_MAX: u64 = (1 << 48) - 1;
const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const BASE36: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

impl EntryId {
    /// Pairs an arrival of at most 48 bits with a sequence; a later arrival is clamped (year 10889).
    pub fn new(arrival_ms: u64, seq: Seq) -> Self {
        Self { seq, arrival: arrival_ms.min(ARRIVAL_MAX) }
    }

    /// Milliseconds since 1970 at which the store accepted the record.
    pub const fn arrival_ms(self) -> u64 {
        self.arrival
    }

    /// Place in arrival order.
    pub const fn seq(self) -> Seq {
        self.seq
    }

    /// reqlog's own spelling: 20 characters of Crockford base 32, sortable by arrival.
    pub fn to_text(self) -> String {
        let mut out = String::with_capacity(20);
        for half in [self.arrival, self.seq.0] {
            for place in (0..10).rev() {
                out.push(CROCKFORD[(half >> (5 * place)) as usize & 31] as char);
            }
        }
        out
    }

    /// Reads [`Self::to_text`]; only the canonical spelling is accepted.
    pub fn from_text(text: &str) -> Option<Self> {
        let bytes: &[u8; 20] = text.as_bytes().try_into().ok()?;
        let half = |part: &[u8]| {
            part.iter().try_fold(0u64, |value, byte| {
                let digit = CROCKFORD.iter().position(|known| known == byte)? as u64;
                Some(value << 5 | digit)
            })
        };
        let (arrival, seq) = (half(&bytes[..10])?, half(&bytes[10..])?);
        (arrival <= ARRIVAL_MAX).then(|| Some(Self { arrival, seq: Seq::new(seq)? }))?
    }

    /// `FlowMock`'s spelling: `log_` and reqlog's own.
    pub fn to_flowmock(self) -> String {
        format!("log_{}", self.to_text())
    }

    /// Reads [`Self::to_flowmock`].
    pub fn from_flowmock(text: &str) -> Option<Self> {
        Self::from_text(text.strip_prefix("log_")?)
    }

    /// Scrip's spelling: a UUID of version 8 (RFC 9562) that sorts by arrival.
    pub fn to_uuid(self) -> String {
        let (high, low) = (self.seq.0 >> 36, self.seq.0 & ((1 << 36) - 1));
        // 48 bits arrival | version 8 | 12 bits seq | variant 10 | 2 zero bits | 36 bits seq | 24 bits check
        let both = (u128::from(self.arrival) << 64 | u128::from(self.seq.0)).to_be_bytes();
        let check = u64::from(checksum::hash(&both)) & 0xff_ffff;
        let bits = u128::from(self.arrival) << 80
            | 0x8 << 76
            | u128::from(high) << 64
            | 0x2 << 62
            | u128::from(low) << 24
            | u128::from(check);
        let mut out = String::with_capacity(36);
        for place in (0..32).rev() {
            if [23, 19, 15, 11].contains(&place) {
                out.push('-');
            }
            out.push(BASE36[(bits >> (4 * place)) as usize & 15] as char);
        }
        out
    }

    /// Reads [`Self::to_uuid`], hexadecimal digits of either case.
    pub fn from_uuid(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != 36 || [8, 13, 18, 23].iter().any(|&at| bytes[at] != b'-') {
            return None;
        }
        let mut bits = 0u128;
        for (at, byte) in bytes.iter().enumerate() {
            if ![8, 13, 18, 23].contains(&at) {
                bits = bits << 4 | u128::from((*byte as char).to_digit(16)?);
            }
        }
        let arrival = (bits >> 80) as u64;
        let seq = ((bits >> 64) as u64 & 0xfff) << 36 | (bits >> 24) as u64 & ((1 << 36) - 1);
        let id = Self { arrival, seq: Seq::new(seq)? };
        id.to_uuid().eq_ignore_ascii_case(text).then_some(id)
    }

    /// Hoody's spelling: the row id of one half, 2·seq − 1 or 2·seq.
    pub fn to_row(self, half: Half) -> u64 {
        self.seq.0 * 2 - u64::from(half == Half::First)
    }

    /// The sequence and half of a Hoody row id, which does not carry the arrival.
    pub fn from_row(row: u64) -> Option<(Seq, Half)> {
        let half = if row % 2 == 1 { Half::First } else { Half::Second };
        Some((Seq::new(row.div_ceil(2))?, half))
    }

    /// Cognigy's spelling: 24 characters of `[a-z0-9]`, the id's 96 bits in base 36 with a check.
    pub fn to_cognigy(self) -> String {
        let bits = u128::from(self.arrival) << 48 | u128::from(self.seq.0);
        to_base36(bits << 24 | u128::from(checksum::hash(&bits.to_be_bytes()) & 0xff_ffff))
    }

    /// Reads [`Self::to_cognigy`].
    pub fn from_cognigy(text: &str) -> Option<Self> {
        let bits = from_base36(text)? >> 24;
        let id = Self { arrival: u64::try_from(bits >> 48).ok()?, seq: Seq::new(bits as u64 & Seq::MAX.0)? };
        (id.arrival <= ARRIVAL_MAX && id.to_cognigy() == text).then_some(id)
    }
}

/// Spells a number below 36^24, which is a little more than 2^124, as 24 characters of `[a-z0-9]`.
pub(crate) fn to_base36(mut number: u128) -> String {
    let mut out = [b'0'; 24];
    for place in out.iter_mut().rev() {
        *place = BASE36[(number % 36) as usize];
        number /= 36;
    }
    out.iter().map(|&digit| digit as char).collect()
}

/// Reads [`to_base36`].
pub(crate) fn from_base36(text: &str) -> Option<u128> {
    let digits: &[u8; 24] = text.as_bytes().try_into().ok()?;
    digits.iter().try_fold(0, |number, digit| {
        // 36^24 is below 2^128
        Some(number * 36 + BASE36.iter().position(|known| known == digit)? as u128)
    })
}

/// Which of the two rows that Hoody's wire shows of one exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// The request, or the only row of an event or a lone request.
    First,
    /// The response.
    Second,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_spelling_comes_back(arrival in 0..=ARRIVAL_MAX, seq in 1..=Seq::MAX.0) {
            let id = EntryId::new(arrival, Seq::new(seq).unwrap());
            prop_assert_eq!(EntryId::from_text(&id.to_text()), Some(id));
            prop_assert_eq!(EntryId::from_flowmock(&id.to_flowmock()), Some(id));
            prop_assert_eq!(EntryId::from_uuid(&id.to_uuid()), Some(id));
            prop_assert_eq!(EntryId::from_cognigy(&id.to_cognigy()), Some(id));
            for half in [Half::First, Half::Second] {
                prop_assert_eq!(EntryId::from_row(id.to_row(half)), Some((id.seq(), half)));
            }
        }

        #[test]
        fn any_text_is_refused_or_canonical(text in "\\PC{0,40}|[0-9a-z]{24}|[0-9A-Z]{20}|[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}") {
            if let Some(id) = EntryId::from_text(&text) { prop_assert_eq!(id.to_text(), text.clone()); }
            if let Some(id) = EntryId::from_uuid(&text) { prop_assert_eq!(id.to_uuid(), text.clone()); }
            if let Some(id) = EntryId::from_cognigy(&text) { prop_assert_eq!(id.to_cognigy(), text); }
        }

        #[test]
        fn text_and_uuid_sort_by_arrival(a in (0..=ARRIVAL_MAX, 1..=Seq::MAX.0), b in (0..=ARRIVAL_MAX, 1..=Seq::MAX.0)) {
            let id = |(arrival, seq)| EntryId::new(arrival, Seq::new(seq).unwrap());
            prop_assert_eq!(id(a).to_text().cmp(&id(b).to_text()), a.cmp(&b));
            prop_assert_eq!(id(a).to_uuid().cmp(&id(b).to_uuid()), a.cmp(&b));
        }
    }
}
