//! Orders and directions folded into one comparison: the lesser rank comes first.

use crate::catalog::Summary;
use crate::filter::Number;
use crate::id::Seq;
use crate::query::{Direction, Order, Position, Query, SortKey, Start};
use crate::segment::{BLOCK, Columns};

/// A position so mapped that ascending ranks are the order in which rows are found.
pub(crate) type Rank = (u64, u64);

/// The order of a walk and where in it the page starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ranking {
    order: Order,
    direction: Direction,
    after: Option<Rank>,
}

impl Ranking {
    pub(crate) fn of(query: &Query) -> Self {
        // The rows right before a position are the first ones after it the other way round.
        let (direction, position) = match query.start {
            Start::First | Start::Offset(_) | Start::AfterRow(_) => (query.direction, None),
            Start::After(position) => (query.direction, Some(position)),
            Start::Before(position) => (query.direction.reversed(), Some(position)),
            Start::BeforeRow(_) => (query.direction.reversed(), None),
        };
        let mut ranking = Self { order: query.order, direction, after: None };
        ranking.after = position.map(|position| ranking.rank(position));
        ranking
    }

    pub(crate) fn arrival() -> Self {
        Self { order: Order::Arrival, direction: Direction::Ascending, after: None }
    }

    pub(crate) fn number(self) -> Number {
        match self.order {
            Order::Time => Number::Time,
            Order::Arrival => Number::Seq,
            Order::Duration => Number::Duration,
            Order::Status => Number::Status,
            Order::Size => Number::Size,
        }
    }

    pub(crate) fn rank(self, position: Position) -> Rank {
        match self.direction {
            Direction::Ascending => (position.key.0, position.seq.get()),
            Direction::Descending => (!position.key.0, !position.seq.get()),
        }
    }

    pub(crate) fn row(self, columns: &Columns, row: usize) -> Rank {
        self.rank(Position { key: SortKey::of(columns.number(self.number(), row)), seq: columns.seq(row) })
    }

    /// The same walk from after this rank on.
    pub(crate) fn after(self, rank: Rank) -> Self {
        Self { after: Some(rank), ..self }
    }

    /// Whether a row of this rank lies at or before the start of the page.
    pub(crate) fn is_passed(self, rank: Rank) -> bool {
        self.after.is_some_and(|after| rank <= after)
    }

    // The ranks between which all rows lie whose values are between these and whose sequences are between those.
    fn between(self, (least, greatest): (Option<i64>, Option<i64>), (first, last): (Seq, Seq)) -> (Rank, Rank) {
        let low = self.rank(Position { key: SortKey::of(least), seq: first });
        let high = self.rank(Position { key: SortKey::of(greatest), seq: last });
        (low.min(high), low.max(high))
    }

    /// The ranks between which the rows of a source lie.
    pub(crate) fn of_summary(self, summary: &Summary) -> (Rank, Rank) {
        let some = |(least, greatest)| (Some(least), Some(greatest));
        // A row may lack the value, which sorts below every present one.
        let perhaps = |extent: Option<(i64, i64)>| (None, extent.map(|(_, greatest)| greatest));
        let values = match self.order {
            Order::Time => some(summary.time),
            Order::Arrival => some((summary.seq.0.get() as i64, summary.seq.1.get() as i64)),
            Order::Duration => perhaps(summary.duration),
            Order::Status => perhaps(summary.status),
            Order::Size => perhaps(summary.size),
        };
        self.between(values, summary.seq)
    }

    /// The ranks between which the rows of a block lie.
    pub(crate) fn of_block(self, columns: &Columns, block: usize) -> (Rank, Rank) {
        if self.order == Order::Time {
            // Rows are sorted by (time, sequence), so the ends are exact, however many rows share a time.
            let last = ((block + 1) * BLOCK).min(columns.rows()) - 1;
            let (first, last) = (self.row(columns, block * BLOCK), self.row(columns, last));
            return (first.min(last), first.max(last));
        }
        let zone = |number| columns.ints(number).map_or((None, None), |ints| ints.zone(block));
        let seq = |seq: Option<i64>, or: Seq| seq.and_then(|seq| Seq::new(seq as u64)).unwrap_or(or);
        let (first, last) = zone(Number::Seq);
        let lowest = Seq::new(1).expect("sequences start at 1");
        let values = match self.order {
            Order::Size => {
                let greatest = [Number::ReqSize, Number::ResSize].into_iter().filter_map(|number| zone(number).1);
                (None, greatest.reduce(i64::saturating_add))
            }
            _ => zone(self.number()),
        };
        self.between(values, (seq(first, lowest), seq(last, Seq::MAX)))
    }

    /// Whether rows of a source stand in this order already, first to last or last to first.
    pub(crate) fn is_stored_order(self) -> bool {
        self.order == Order::Time
    }

    /// Whether the last rows come first.
    pub(crate) fn is_descending(self) -> bool {
        self.direction == Direction::Descending
    }
}
