//! Cursors: a place in a walk, signed, so that a client can carry it and nobody can forge it.
//!
//! The text is base64url of a version, the place and the first 16 bytes of an HMAC-SHA256 over both and over the walk
//! (project scope, canonical filter as written, order, direction). A cursor therefore fits the walk it was made for and
//! no other; the page size is no part of it and may change.

use crate::auth::same_bytes;
use crate::id::Seq;
use crate::query::{Direction, Order, Position, SortKey, Start};
use crate::record::Stored;
use crate::timestamp::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What a cursor is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    /// The one project that is seen; `None` when all are.
    pub project: Option<String>,
    /// The filter as written, in canonical spelling, relative times unresolved.
    pub filter: String,
    /// What the rows are sorted by.
    pub order: Order,
    /// Which end comes first.
    pub direction: Direction,
}

/// A place in a walk and what was fixed when the walk began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Where the page begins; a start that is no [`Position`] has no cursor and is written as [`Start::First`].
    pub start: Start,
    /// Rows that arrived after this one are not part of the walk.
    pub bound: Seq,
    /// What relative times are relative to.
    pub now: Timestamp,
}

const VERSION: u8 = 1;
const BODY: usize = 34;
const MAC: usize = 16;

impl Cursor {
    /// Spells and signs the cursor for one walk.
    pub fn sign(&self, walk: &Walk, secret: &[u8; 32]) -> String {
        let (tag, position) = match self.start {
            Start::After(position) => (1, Some(position)),
            Start::Before(position) => (2, Some(position)),
            Start::First | Start::Offset(_) | Start::AfterRow(_) | Start::BeforeRow(_) => (0, None),
        };
        let mut bytes = Vec::with_capacity(BODY + MAC);
        bytes.extend([VERSION, tag]);
        for number in [position.map_or(0, |at| at.key.0), position.map_or(0, |at| at.seq.get()), self.bound.get()] {
            bytes.extend(number.to_be_bytes());
        }
        bytes.extend(self.now.as_nanos().to_be_bytes());
        let mac = seal(&bytes, walk, secret);
        bytes.extend(mac);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor that [`Self::sign`] made with this secret for this walk; `None` for anything else.
    pub fn read(text: &str, walk: &Walk, secret: &[u8; 32]) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (body, mac) = bytes.split_at_checked(BODY)?;
        if !same_bytes(mac, &seal(body, walk, secret)) || body[0] != VERSION {
            return None;
        }
        let number = |at: usize| Some(u64::from_be_bytes(body.get(at..at + 8)?.try_into().ok()?));
        let position = || Some(Position { key: SortKey(number(2)?), seq: Seq::new(number(10)?)? });
        let start = match body[1] {
            0 => Start::First,
            1 => Start::After(position()?),
            2 => Start::Before(position()?),
            _ => return None,
        };
        let now = Timestamp::from_nanos(number(26)? as i64);
        Some(Self { start, bound: Seq::new(number(18)?)?, now })
    }
}

// every variable part goes in with its length, so that no two walks have the same bytes
fn seal(body: &[u8], walk: &Walk, secret: &[u8; 32]) -> [u8; MAC] {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(b"reqlog cursor");
    mac.update(body);
    let order = match walk.order {
        Order::Time => 0,
        Order::Arrival => 1,
        Order::Duration => 2,
        Order::Status => 3,
        Order::Size => 4,
        Order::Level => 5,
        Order::Trace => 6,
        Order::Shown => 7,
    };
    mac.update(&[order, u8::from(walk.direction == Direction::Ascending), u8::from(walk.project.is_some())]);
    for part in [walk.project.as_deref().unwrap_or_default(), &walk.filter] {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    let mut short = [0; MAC];
    short.copy_from_slice(&mac.finalize().into_bytes()[..MAC]);
    short
}

impl Position {
    /// The place of a row in an order; `None` in an order by text, which has no positions.
    pub fn of(row: &Stored, order: Order) -> Option<Self> {
        let value = order.number()?.of_stored(row);
        Some(Self { key: SortKey::of(value), seq: row.id.seq() })
    }

    /// The place of a sequence in arrival order, whether or not a row has it.
    pub const fn arrival(seq: Seq) -> Self {
        Self { key: SortKey::of(Some(seq.get() as i64)), seq }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECRET: [u8; 32] = [9; 32];

    fn walks() -> impl Strategy<Value = Walk> {
        let order = prop::sample::select(vec![
            Order::Time,
            Order::Arrival,
            Order::Duration,
            Order::Status,
            Order::Size,
            Order::Level,
            Order::Trace,
            Order::Shown,
        ]);
        let direction = prop::sample::select(vec![Direction::Ascending, Direction::Descending]);
        (prop::option::of("[a-c]{0,2}"), "[a-c]{0,2}", order, direction)
            .prop_map(|(project, filter, order, direction)| Walk { project, filter, order, direction })
    }

    fn cursors() -> impl Strategy<Value = Cursor> {
        let seqs = || (1..=Seq::MAX.get()).prop_filter_map("within 48 bits", Seq::new);
        (0..3usize, any::<u64>(), seqs(), seqs(), any::<i64>()).prop_map(|(tag, key, seq, bound, now)| {
            let position = Position { key: SortKey(key), seq };
            let start = [Start::First, Start::After(position), Start::Before(position)][tag];
            Cursor { start, bound, now: Timestamp::from_nanos(now) }
        })
    }

    proptest! {
        #[test]
        fn a_cursor_comes_back_in_its_walk_and_in_no_other(cursor in cursors(), walk in walks(), other in walks()) {
            let text = cursor.sign(&walk, &SECRET);
            prop_assert_eq!(Cursor::read(&text, &walk, &SECRET), Some(cursor));
            prop_assert_eq!(Cursor::read(&text, &other, &SECRET).is_some(), other == walk);
            prop_assert_eq!(Cursor::read(&text, &walk, &[8; 32]), None);
        }

        #[test]
        fn any_changed_character_is_refused(cursor in cursors(), walk in walks(), at in 0..67usize, to in "[A-Za-z0-9_=.-]") {
            let text = cursor.sign(&walk, &SECRET);
            prop_assert_eq!(text.len(), 67);
            let mut changed = text.clone();
            changed.replace_range(at..=at, &to);
            prop_assert_eq!(Cursor::read(&changed, &walk, &SECRET).is_some(), changed == text);
            prop_assert_eq!(Cursor::read(&text[..at], &walk, &SECRET), None);
            prop_assert_eq!(Cursor::read(&(text + &to), &walk, &SECRET), None);
        }

        #[test]
        fn any_text_is_refused(text in "\\PC{0,80}", walk in walks()) {
            prop_assert_eq!(Cursor::read(&text, &walk, &SECRET), None);
        }
    }
}
