//! Orders by number and directions folded into one comparison: the lesser rank comes first.

use crate::catalog::Summary;
use crate::filter::Number;
use crate::id::Seq;
use crate::level::Level;
use crate::query::{Direction, Position, SortKey};
use crate::segment::evaluate::Mask;
use crate::segment::{BLOCK, Columns};

/// A position so mapped that ascending ranks are the order in which rows are found.
pub(crate) type Rank = (u64, u64);

/// The order of a walk and where in it the page starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ranking {
    number: Number,
    direction: Direction,
    after: Option<Rank>,
    until: Option<Rank>,
}

impl Ranking {
    pub(crate) fn new(number: Number, direction: Direction) -> Self {
        Self { number, direction, after: None, until: None }
    }

    pub(crate) fn number(self) -> Number {
        self.number
    }

    pub(crate) fn rank(self, position: Position) -> Rank {
        match self.direction {
            Direction::Ascending => (position.key.0, position.seq.get()),
            Direction::Descending => (!position.key.0, !position.seq.get()),
        }
    }

    pub(crate) fn row(self, columns: &Columns, row: usize) -> Rank {
        self.rank(Position { key: SortKey::of(columns.number(self.number, row)), seq: columns.seq(row) })
    }

    /// The same walk from after this rank on.
    pub(crate) fn after(self, rank: Rank) -> Self {
        Self { after: Some(rank), ..self }
    }

    /// The rank after which the page starts.
    pub(crate) fn start(self) -> Option<Rank> {
        self.after
    }

    /// The same walk up to this rank, where enough rows lie before it.
    pub(crate) fn until(self, rank: Rank) -> Self {
        Self { until: Some(self.until.map_or(rank, |until| until.min(rank))), ..self }
    }

    /// The rank after which no row is wanted.
    pub(crate) fn end(self) -> Option<Rank> {
        self.until
    }

    /// Whether a row of this rank is not wanted, there being enough before it.
    pub(crate) fn is_behind(self, rank: Rank) -> bool {
        self.until.is_some_and(|until| rank > until)
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
        let values = match self.number {
            Number::Time => some(summary.time),
            Number::Seq => some((summary.seq.0.get() as i64, summary.seq.1.get() as i64)),
            Number::Duration => perhaps(summary.duration),
            Number::Status => perhaps(summary.status),
            Number::Size => perhaps(summary.size),
            Number::Level => {
                let counts = Level::ALL.into_iter().zip(summary.levels);
                let mut present = counts.filter(|(_, count)| *count > 0).map(|(level, _)| level as i64);
                let least = present.next();
                (least, present.next_back().or(least))
            }
            // nothing is known of it
            _ => (None, Some(i64::MAX)),
        };
        self.between(values, summary.seq)
    }

    /// The ranks between which the rows of a block lie.
    pub(crate) fn of_block(self, columns: &Columns, block: usize) -> (Rank, Rank) {
        if self.number == Number::Time {
            // Rows are sorted by (time, sequence), so the ends are exact, however many rows share a time.
            let last = ((block + 1) * BLOCK).min(columns.rows()) - 1;
            let (first, last) = (self.row(columns, block * BLOCK), self.row(columns, last));
            return (first.min(last), first.max(last));
        }
        let zone = |number| columns.ints(number).map_or((None, None), |ints| ints.zone(block));
        let seq = |seq: Option<i64>, or: Seq| seq.and_then(|seq| Seq::new(seq as u64)).unwrap_or(or);
        let (first, last) = zone(Number::Seq);
        let lowest = Seq::new(1).expect("sequences start at 1");
        let values = match self.number {
            Number::Size => {
                let greatest = [Number::ReqSize, Number::ResSize].into_iter().filter_map(|number| zone(number).1);
                (None, greatest.reduce(i64::saturating_add))
            }
            number => zone(number),
        };
        self.between(values, (seq(first, lowest), seq(last, Seq::MAX)))
    }

    /// The rows of a block, those that it has not included, at or before `rank`; `None` where that is not told by the
    /// column of the number and that of the sequence.
    pub(crate) fn reached(self, columns: &Columns, block: usize, (key, seq): Rank) -> Option<Mask> {
        let before = self.better(columns, block, key)?;
        let with =
            key.checked_add(1).map_or(Some([u64::MAX; BLOCK / 64]), |bound| self.better(columns, block, bound))?;
        if before == with {
            return Some(before);
        }
        let early = self.early(columns, block, seq)?;
        Some(std::array::from_fn(|word| before[word] | with[word] & early[word]))
    }

    /// The rows of a block whose rank ends with at most `seq`.
    fn early(self, columns: &Columns, block: usize, seq: u64) -> Option<Mask> {
        let mut mask = [0; BLOCK / 64];
        let range = if self.is_descending() {
            let Ok(first) = i64::try_from(!seq) else { return Some(mask) };
            (first, i64::MAX)
        } else {
            (i64::MIN, i64::try_from(seq).unwrap_or(i64::MAX))
        };
        columns.ints(Number::Seq)?.mark(block, &[range], &mut mask);
        Some(mask)
    }

    /// The rows of a block, those that it has not included, whose rank begins with less than `bound`; `None` where that
    /// is not told by one column.
    fn better(self, columns: &Columns, block: usize, bound: u64) -> Option<Mask> {
        let mut mask = [0; BLOCK / 64];
        if self.number == Number::Size {
            return None;
        }
        let Some(ints) = columns.ints(self.number) else {
            // every row lacks the value
            let absent = self.rank(Position { key: SortKey(0), seq: Seq::MAX }).0;
            return Some([if absent < bound { u64::MAX } else { 0 }; BLOCK / 64]);
        };
        if bound == 0 {
            return Some(mask);
        }
        // ranks are keys, or keys turned round; those from this key on lie on one side
        let least = if self.is_descending() { !bound + 1 } else { bound };
        // the two least values share the least key
        let value = if least <= 1 { i64::MIN } else { (least ^ 1 << 63) as i64 };
        ints.mark(block, &[(value, i64::MAX)], &mut mask);
        Some(if self.is_descending() { mask } else { mask.map(|word| !word) })
    }

    /// Whether rows of a source stand in this order already, first to last or last to first.
    pub(crate) fn is_stored_order(self) -> bool {
        self.number == Number::Time
    }

    /// Whether the last rows come first.
    pub(crate) fn is_descending(self) -> bool {
        self.direction == Direction::Descending
    }
}
