//! The best rows of one source in an order by text.
//!
//! Texts are compared where they lie, in the column's dictionary or part by part; only those of rows that are kept are
//! copied, because the page compares them with rows of other sources.

use super::sorting::Place;
use crate::filter::Number;
use crate::query::{Direction, Order};
use crate::record::{Field, Kind};
use crate::segment::evaluate::{DerivedColumns, Mask, want_number};
use crate::segment::{BLOCK, Columns, Ints, Need, PartId, Text};
use crate::shown::Derived;
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// Which text of a row is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    Trace,
    Shown,
}

impl Spelling {
    /// The text that an order compares; `None` where it compares numbers.
    pub(super) fn of(order: Order) -> Option<Self> {
        match order {
            Order::Trace => Some(Self::Trace),
            Order::Shown => Some(Self::Shown),
            Order::Time | Order::Arrival | Order::Duration | Order::Status | Order::Size | Order::Level => None,
        }
    }

    fn field(self) -> Field {
        match self {
            Self::Trace => Field::TraceId,
            Self::Shown => Field::Message,
        }
    }
}

#[derive(Debug)]
pub(super) struct Texts {
    spelling: Spelling,
    direction: Direction,
    after: Option<Place>,
    before: Option<Place>,
    wanted: usize,
    // the worst kept hit on top
    hits: BinaryHeap<(Place, u32)>,
    // codes of values that lie before the start or after the worst kept hit, and so does every later row with them
    settled: Vec<u64>,
    scratch: String,
}

impl Texts {
    pub(super) fn new(
        spelling: Spelling,
        direction: Direction,
        [after, before]: [Option<Place>; 2],
        wanted: usize,
    ) -> Self {
        let (hits, settled) = (BinaryHeap::new(), Vec::new());
        Self { spelling, direction, after, before, wanted, hits, settled, scratch: String::new() }
    }

    pub(super) fn want(&self, columns: &Columns, need: &mut Need) {
        columns.want(PartId::Text(self.spelling.field()), need);
        if self.spelling == Spelling::Shown {
            want_number(Number::Kind, columns, need);
            DerivedColumns::want(columns, need);
        }
    }

    pub(super) fn collect(&mut self, columns: &Columns, block: usize, mask: &Mask) {
        let lines = Lines::new(self.spelling, columns);
        self.settled.resize(lines.stored.map_or(0, |text| text.values.len() / 64 + 1), 0);
        for (word, &bits) in mask.iter().enumerate() {
            let mut left = bits;
            while left != 0 {
                let row = block * BLOCK + word * 64 + left.trailing_zeros() as usize;
                left &= left - 1;
                let code = lines.stored.map_or(0, |text| text.codes.get(row) as usize);
                let (slot, bit) = (code / 64, 1 << (code % 64));
                if code > 0 && self.settled[slot] & bit != 0 {
                    continue;
                }
                match self.judge(lines.get(row), columns.seq(row).get()) {
                    Judgement::Kept(place) => {
                        self.hits.push((place, row as u32));
                        if self.hits.len() > self.wanted {
                            self.hits.pop();
                        }
                    }
                    Judgement::Refused => {}
                    Judgement::Settled if code == 0 => {}
                    Judgement::Settled => self.settled[slot] |= bit,
                }
            }
        }
    }

    fn judge(&mut self, line: Option<Line<'_>>, seq: u64) -> Judgement {
        let Self { direction, scratch, .. } = self;
        let mut compare = |place: &Place| place.compare(line, seq, *direction, scratch);
        if let Some(after) = &self.after {
            match compare(after) {
                (Ordering::Less, _) => return Judgement::Settled,
                (Ordering::Equal, Ordering::Less | Ordering::Equal) => return Judgement::Refused,
                _ => {}
            }
        }
        // once as many as wanted are kept, the worst of them lies before the limit that was given
        let worst = self.hits.peek().filter(|_| self.hits.len() >= self.wanted).map(|(place, _)| place);
        if let Some(worst) = worst.or(self.before.as_ref()) {
            match compare(worst) {
                (Ordering::Greater, _) => return Judgement::Settled,
                (Ordering::Equal, Ordering::Greater) => return Judgement::Refused,
                _ => {}
            }
        }
        let text = line.map(|line| line.text(scratch).into());
        Judgement::Kept(match direction {
            Direction::Ascending => Place::Ascending(text, seq),
            Direction::Descending => Place::Descending(Reverse(text), Reverse(seq)),
        })
    }

    pub(super) fn finish(&mut self) -> Vec<(Place, u32)> {
        std::mem::take(&mut self.hits).into_sorted_vec()
    }
}

enum Judgement {
    Kept(Place),
    // not kept; another row of the same text may be
    Refused,
    // no later row of the same text is kept
    Settled,
}

impl Place {
    // how a row's text and its sequence compare with those of this place, in the order of the page
    fn compare(
        &self,
        line: Option<Line<'_>>,
        seq: u64,
        direction: Direction,
        scratch: &mut String,
    ) -> (Ordering, Ordering) {
        let (text, own) = match self {
            Self::Ascending(text, own) | Self::Descending(Reverse(text), Reverse(own)) => (text.as_deref(), *own),
            // no place of an order by text
            Self::Number(_) => (None, 0),
        };
        let texts = match (line, text) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(line), Some(text)) => line.compare(text, scratch),
        };
        match direction {
            Direction::Ascending => (texts, seq.cmp(&own)),
            Direction::Descending => (texts.reverse(), own.cmp(&seq)),
        }
    }
}

/// The text of a row where it lies.
#[derive(Clone, Copy)]
enum Line<'a> {
    Stored(&'a str),
    Derived(Derived<'a>),
}

impl<'a> Line<'a> {
    fn compare(self, other: &str, scratch: &mut String) -> Ordering {
        match self {
            Self::Stored(text) => text.cmp(other),
            Self::Derived(derived) => derived.compare(other, scratch),
        }
    }

    fn text<'b>(self, scratch: &'b mut String) -> &'b str
    where
        'a: 'b,
    {
        match self {
            Self::Stored(text) => text,
            Self::Derived(derived) => {
                scratch.clear();
                derived.write(scratch);
                scratch
            }
        }
    }
}

struct Lines<'a> {
    stored: Option<&'a Text>,
    // what rows without a stored text show, and what tells that they show anything
    derived: Option<(DerivedColumns<'a>, Option<&'a Ints>)>,
}

impl<'a> Lines<'a> {
    fn new(spelling: Spelling, columns: &'a Columns) -> Self {
        let derived = || (DerivedColumns::new(columns), columns.ints(Number::Kind));
        Self { stored: columns.text(spelling.field()), derived: (spelling == Spelling::Shown).then(derived) }
    }

    fn get(&self, row: usize) -> Option<Line<'a>> {
        if let Some(text) = self.stored.and_then(|text| text.get(row)) {
            return Some(Line::Stored(text));
        }
        let (derived, kinds) = self.derived.as_ref()?;
        if kinds.and_then(|kinds| kinds.get(row)) == Some(Kind::Event as i64) {
            return None;
        }
        Some(derived.get(row)).filter(|derived| !derived.is_empty()).map(Line::Derived)
    }
}
