//! The order of a page: by number, where sources and blocks can be skipped by their extents, or by text.

use super::order::{Rank, Ranking};
use super::texts::Spelling;
use crate::catalog::Summary;
use crate::filter::Number;
use crate::query::{Direction, Query, Start};
use std::cmp::Reverse;

/// Where a row stands in an order; the lesser place comes first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Number(Rank),
    /// Text, absent first, and sequence.
    Ascending(Option<Box<str>>, u64),
    /// The other way round.
    Descending(Reverse<Option<Box<str>>>, Reverse<u64>),
}

/// The order of a page and where in it the page starts.
#[derive(Clone, Debug)]
pub(super) enum Sorting {
    Numbers(Ranking),
    Texts { spelling: Spelling, direction: Direction, after: Option<Place>, before: Option<Place> },
}

impl Sorting {
    pub(super) fn of(query: &Query) -> Self {
        // The rows right before a position are the first ones after it the other way round.
        let (direction, position) = match query.start {
            Start::First | Start::Offset(_) | Start::AfterRow(_) => (query.direction, None),
            Start::After(position) => (query.direction, Some(position)),
            Start::Before(position) => (query.direction.reversed(), Some(position)),
            Start::BeforeRow(_) => (query.direction.reversed(), None),
        };
        if let Some(spelling) = Spelling::of(query.order) {
            return Self::Texts { spelling, direction, after: None, before: None };
        }
        let number = query.order.number().expect("an order is by text or by number");
        let ranking = Ranking::new(number, direction);
        Self::Numbers(match position {
            Some(position) => ranking.after(ranking.rank(position)),
            None => ranking,
        })
    }

    pub(super) fn arrival() -> Self {
        Self::Numbers(Ranking::new(Number::Seq, Direction::Ascending))
    }

    /// Lets the page start after this place, which a row of the same order has.
    pub(super) fn start_after(&mut self, place: Place) {
        match (self, place) {
            (Self::Numbers(ranking), Place::Number(rank)) => *ranking = ranking.after(rank),
            (Self::Texts { after, .. }, place) => *after = Some(place),
            (Self::Numbers(_), _) => {}
        }
    }

    /// The same for the sources that are left when the page is full up to this place, which a row of the same order has.
    pub(super) fn ending_before(&self, place: &Place) -> Self {
        let mut ending = self.clone();
        match (&mut ending, place) {
            (Self::Numbers(ranking), Place::Number(rank)) => *ranking = ranking.until(*rank),
            (Self::Texts { before, .. }, place) => *before = Some(place.clone()),
            (Self::Numbers(_), _) => {}
        }
        ending
    }

    /// The ranks between which the rows of a source lie, where its summary tells.
    pub(super) fn of_summary(&self, summary: &Summary) -> Option<(Rank, Rank)> {
        match self {
            Self::Numbers(ranking) => Some(ranking.of_summary(summary)),
            Self::Texts { .. } => None,
        }
    }

    /// Whether all rows between these ranks lie behind the end of the page, where it is known.
    pub(super) fn is_behind(&self, extent: Option<(Rank, Rank)>) -> bool {
        match (self, extent) {
            (Self::Numbers(ranking), Some((best, _))) => ranking.is_behind(best),
            _ => false,
        }
    }

    /// Whether all rows between these ranks lie at or before the start of the page.
    pub(super) fn is_passed(&self, extent: Option<(Rank, Rank)>) -> bool {
        match (self, extent) {
            (Self::Numbers(ranking), Some((_, worst))) => ranking.is_passed(worst),
            _ => false,
        }
    }
}
