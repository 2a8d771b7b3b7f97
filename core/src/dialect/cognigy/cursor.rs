//! Cursors of 24 characters: a place in a walk, when the walk began, and a MAC.
//!
//! The characters are base 36 digits of 124 bits: 48 of the sequence of the entry that the cursor stands on, 42 of the
//! walk's beginning in milliseconds (until the year 2109), 34 of an HMAC-SHA256 over both, over which way the cursor
//! leads, and over the walk. The place's sort value is read from the entry itself. A guess is taken for a cursor once
//! in 2^34 tries, and leads no further than the scope of the key it is sent with, which is no part of the cursor.

use crate::auth::same_bytes;
use crate::dialect::CLOCK_SLACK_MS;
use crate::id::{EntryId, Seq, from_base36, to_base36};
use crate::timestamp::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// When a walk began: what arrived later is no part of it, and it is the `now` of its defaulted dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Began(u64);

impl Began {
    /// The last of 42 bits.
    pub(super) const MOST: u64 = (1 << 42) - 1;

    /// A walk that begins now: at the arrival of the newest entry, or [`SETTLED_MS`] ago, whichever is later. So it
    /// holds everything that the store has, and nothing that it gets from now on.
    pub(super) fn now(now: Timestamp, head: Option<EntryId>) -> Self {
        let settled = u64::try_from(now.as_millis()).unwrap_or(0).saturating_sub(SETTLED_MS);
        Self(head.map_or(0, EntryId::arrival_ms).max(settled).min(Self::MOST))
    }

    /// A beginning of this many milliseconds since 1970, if one may have been given out at or before `latest`, by a
    /// clock that may have been set back since.
    pub(super) fn at(millis: u64, latest: Self) -> Option<Self> {
        (millis <= latest.0.saturating_add_signed(CLOCK_SLACK_MS).min(Self::MOST)).then_some(Self(millis))
    }

    /// Milliseconds since 1970.
    pub(super) const fn as_millis(self) -> u64 {
        self.0
    }
}

// A commit takes its arrival before it is on disk and seen: one that is being written while a walk begins must not
// arrive before the beginning. A second is far longer than a commit takes.
const SETTLED_MS: u64 = 1_000;

/// What a cursor belongs to: the endpoint, the project, and the parameters that decide which entries there are and in
/// which order, as sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Walk(Vec<u8>);

impl Walk {
    /// Binds to all of these parts, absent ones included, each in its place.
    pub(super) fn new(parts: &[Option<&str>]) -> Self {
        let mut bytes = b"reqlog cognigy cursor 1".to_vec();
        for part in parts {
            // with its length, so that no two lists of parts have the same bytes
            bytes.extend(part.map_or(0, |part| part.len() as u64 + 1).to_be_bytes());
            bytes.extend(part.unwrap_or_default().as_bytes());
        }
        Self(bytes)
    }
}

/// Which way a cursor leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// On in the order of the walk.
    Next,
    /// Back.
    Previous,
}

/// A place in a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The entry that it stands on.
    pub seq: Seq,
    /// When the walk began.
    pub began: Began,
    /// Which way it leads from there.
    pub way: Way,
}

const MAC_BITS: u32 = 34;
const BEGAN_BITS: u32 = 42;
const BITS: u32 = 48 + BEGAN_BITS + MAC_BITS;

impl Cursor {
    /// Spells and signs the cursor for one walk.
    pub(super) fn sign(self, walk: &Walk, secret: &[u8; 32]) -> String {
        let place = u128::from(self.seq.get()) << BEGAN_BITS | u128::from(self.began.0);
        to_base36(place << MAC_BITS | u128::from(self.seal(walk, secret)))
    }

    /// Reads a cursor that leads this `way` and that [`Self::sign`] made with this secret for this walk; `None` for
    /// anything else.
    pub(super) fn read(text: &str, way: Way, walk: &Walk, secret: &[u8; 32]) -> Option<Self> {
        let number = from_base36(text).filter(|number| number >> BITS == 0)?;
        let (place, mac) = (number >> MAC_BITS, number as u64 & ((1 << MAC_BITS) - 1));
        let began = Began(place as u64 & Began::MOST);
        let cursor = Self { seq: Seq::new((place >> BEGAN_BITS) as u64)?, began, way };
        same_bytes(&mac.to_be_bytes(), &cursor.seal(walk, secret).to_be_bytes()).then_some(cursor)
    }

    fn seal(self, walk: &Walk, secret: &[u8; 32]) -> u64 {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
        mac.update(&walk.0);
        mac.update(&[u8::from(self.way == Way::Next)]);
        mac.update(&self.seq.get().to_be_bytes());
        mac.update(&self.began.0.to_be_bytes());
        let tag = mac.finalize().into_bytes();
        tag[..8].iter().fold(0, |number, byte| number << 8 | u64::from(*byte)) >> (64 - MAC_BITS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECRET: [u8; 32] = [7; 32];

    fn cursor(seq: u64, began: u64, way: Way) -> Cursor {
        Cursor { seq: Seq::new(seq).unwrap(), began: Began(began), way }
    }

    proptest! {
        #[test]
        fn a_cursor_comes_back_for_its_walk(seq in 1..=Seq::MAX.get(), began in 0..=Began::MOST, next: bool) {
            let way = if next { Way::Next } else { Way::Previous };
            let cursor = cursor(seq, began, way);
            let walk = Walk::new(&[Some("list"), Some("shop"), None]);
            let text = cursor.sign(&walk, &SECRET);
            prop_assert!(text.len() == 24 && text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase()));
            prop_assert_eq!(Cursor::read(&text, way, &walk, &SECRET), Some(cursor));
        }

        #[test]
        fn any_text_is_read_without_harm(text in "\\PC{0,30}|[0-9a-zA-Z]{24}|z{20}[0-9a-z]{4}|0{18}[0-9a-z]{6}") {
            Cursor::read(&text, Way::Next, &Walk::new(&[]), &SECRET);
        }
    }

    #[test]
    fn every_changed_character_is_refused() {
        let walk = Walk::new(&[Some("shop"), Some("timestamp:desc")]);
        for (seq, began, way) in
            [(1, 0, Way::Next), (84_322, 1_782_216_270_000, Way::Previous), (Seq::MAX.get(), Began::MOST, Way::Next)]
        {
            let text = cursor(seq, began, way).sign(&walk, &SECRET);
            for at in 0..text.len() {
                for other in ('0'..='9').chain('a'..='z').chain(['A', 'Z', '-', ' ']) {
                    let mut changed = text.clone();
                    changed.replace_range(at..=at, &other.to_string());
                    let read = Cursor::read(&changed, way, &walk, &SECRET);
                    assert_eq!(read.is_some(), changed == text, "{changed} for {text}");
                }
            }
        }
    }

    #[test]
    fn a_cursor_fits_no_other_walk_way_or_secret() {
        let parts = [Some("list"), Some("shop"), Some("a"), None];
        let walk = Walk::new(&parts);
        let text = cursor(5, 9, Way::Next).sign(&walk, &SECRET);
        assert_eq!(Cursor::read(&text, Way::Previous, &walk, &SECRET), None);
        assert_eq!(Cursor::read(&text, Way::Next, &walk, &[8; 32]), None);
        for other in [
            [Some("tail"), Some("shop"), Some("a"), None],
            [Some("list"), Some("shopa"), Some(""), None],
            [Some("list"), Some("shop"), Some("a"), Some("")],
            [Some("list"), Some("shop"), None, Some("a")],
        ] {
            assert_eq!(Cursor::read(&text, Way::Next, &Walk::new(&other), &SECRET), None, "{other:?}");
        }
    }

    #[test]
    fn a_walk_begins_at_the_newest_entry_or_a_second_ago() {
        let head = |arrival| Some(EntryId::new(arrival, Seq::new(1).unwrap()));
        let began = |now, head| Began::now(Timestamp::from_millis(now), head).as_millis();
        assert_eq!(began(10_000, None), 9_000);
        assert_eq!(began(10_000, head(8_999)), 9_000);
        assert_eq!(began(10_000, head(9_500)), 9_500);
        assert_eq!(began(10_000, head(11_000)), 11_000, "arrivals run ahead of a clock that went back");
        assert_eq!(began(-5, None), 0);
        let slack = CLOCK_SLACK_MS as u64;
        assert_eq!(Began::at(9_000 + slack, Began(9_000)), Some(Began(9_000 + slack)), "the clock was set back");
        assert_eq!(Began::at(9_001 + slack, Began(9_000)), None);
    }
}
