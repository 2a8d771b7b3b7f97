//! The records around a record.

use crate::filter::{Predicate, TextKey, TextMatcher};
use crate::id::Seq;
use crate::query::{Detail, Direction, Order, Position, Query, Start, Total, Unit};
use crate::record::{Field, Stored};

/// A record and those next to it in time order, of the same project; those of a record without project have none either.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbours {
    /// The record itself.
    pub row: Stored,
    /// Those before it, oldest first.
    pub before: Vec<Stored>,
    /// Those after it, oldest first.
    pub after: Vec<Stored>,
}

/// On which side of a record others lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Before it.
    Before,
    /// After it.
    After,
}

impl Side {
    /// What finds at most `count` neighbours of `row` on this side among the rows that `scope` allows to be seen.
    pub fn query(self, row: &Stored, scope: &Predicate, count: usize) -> Query {
        let project = match row.record.text(Field::Project) {
            Some(project) => Predicate::project(project),
            None => Predicate::Text(TextKey::Field(Field::Project), TextMatcher::present()).negated(),
        };
        let at = Position::of(row, Order::Time).expect("every record has a time");
        Query {
            filter: Predicate::all_of([scope.clone(), project]),
            order: Order::Time,
            direction: Direction::Ascending,
            start: if self == Self::Before { Start::Before(at) } else { Start::After(at) },
            bound: Seq::MAX,
            limit: count,
            detail: Detail::Preview,
            total: Total::Skip,
            unit: Unit::Record,
        }
    }
}
