//! A question about records and the page that answers it.

use crate::filter::{Number, Predicate};
use crate::id::Seq;
use crate::record::{FieldSet, Kind, Stored};
use crate::segment::MAX_ROWS;

/// What rows are sorted by: rows without the value below all others, ties by sequence in the same direction.
///
/// The orders by text, [`Self::Trace`] and [`Self::Shown`], have no [`Position`]: their pages start at the first row, at
/// an offset or at a row. A page in one of them costs a pass over the matching rows of every source that may match; how
/// deep it lies costs nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// When it happened.
    Time,
    /// When it was accepted: the sequence.
    Arrival,
    /// How long it took.
    Duration,
    /// Status code.
    Status,
    /// Bytes of both bodies.
    Size,
    /// Severity, [`Level::Trace`](crate::level::Level::Trace) lowest.
    Level,
    /// Trace id, byte by byte.
    Trace,
    /// The shown message ([`shown`](crate::shown::shown())), byte by byte.
    Shown,
}

impl Order {
    /// The number that rows are sorted by; `None` for the orders by text.
    pub const fn number(self) -> Option<Number> {
        Some(match self {
            Self::Time => Number::Time,
            Self::Arrival => Number::Seq,
            Self::Duration => Number::Duration,
            Self::Status => Number::Status,
            Self::Size => Number::Size,
            Self::Level => Number::Level,
            Self::Trace | Self::Shown => return None,
        })
    }
}

/// Which end comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

impl Direction {
    /// The other one.
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Self::Ascending => Self::Descending,
            Self::Descending => Self::Ascending,
        }
    }
}

/// A sort value mapped to an unsigned number of the same order; 0 is absent and sorts below every present value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SortKey(pub u64);

impl SortKey {
    /// The key of a value of −2^63 + 1 or more (the least value shares the key of the next).
    pub const fn of(value: Option<i64>) -> Self {
        match value {
            None => Self(0),
            Some(value) => {
                let flipped = (value as u64) ^ (1 << 63);
                Self(if flipped == 0 { 1 } else { flipped })
            }
        }
    }
}

/// The place of a row in an order by number, whether or not the row is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The row's sort value; for [`Order::Arrival`] always [`SortKey`] of its sequence.
    pub key: SortKey,
    /// The row's sequence.
    pub seq: Seq,
}

/// Where a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At the first row of the order.
    First,
    /// With the row right after this position. No order by text has positions: there the page is [`Page::lost`].
    After(Position),
    /// With the rows right before this position, else like [`Self::After`]; the page is still in the query's order.
    Before(Position),
    /// With the row right after the row of this sequence, whose sort value is read from the row itself. Where the row
    /// is gone (deleted, past the bound, or not in the filter), the page is [`Page::lost`].
    AfterRow(Seq),
    /// With the rows right before the row of this sequence, else like [`Self::AfterRow`]; the page is still in the
    /// query's order.
    BeforeRow(Seq),
    /// After this many units of the order ([`Query::unit`]), at the record that holds the next one. In an order by number
    /// it costs about the same however many they are, unless the filter needs headers, attributes or bodies; else its cost
    /// grows with the number.
    Offset(u64),
}

/// How much of each row is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// No headers and attributes, of bodies the size, and of texts these: what rows are filtered and sorted by, which is
    /// cheap to read.
    Columns(FieldSet),
    /// Everything but the bytes of bodies beyond their preview (`Body::bytes` holds at most 256 characters).
    Preview,
    /// Bodies too.
    Whole,
}

/// Whether all matching rows are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// No.
    Skip,
    /// Yes, exactly.
    Exact,
}

/// What offsets, totals and statistics count. Limits count records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Records.
    Record,
    /// Halves: an exchange is two, anything else one.
    Half,
}

impl Unit {
    /// How many of these a record is.
    pub const fn of(self, kind: Kind) -> u64 {
        match (self, kind) {
            (Self::Half, Kind::Exchange) => 2,
            _ => 1,
        }
    }
}

/// Which rows, in which order, from where, how many.
#[derive(Clone, Debug)]
pub struct Query {
    /// Which rows; the caller's scope is part of it.
    pub filter: Predicate,
    /// What they are sorted by.
    pub order: Order,
    /// Which end comes first.
    pub direction: Direction,
    /// Where the page begins.
    pub start: Start,
    /// Rows that arrived after this one are not seen: the head when the walk began.
    pub bound: Seq,
    /// At most this many rows.
    pub limit: usize,
    /// How much of each.
    pub detail: Detail,
    /// Whether to count.
    pub total: Total,
    /// What [`Start::Offset`] and [`Page::total`] count.
    pub unit: Unit,
}

impl Detail {
    /// The texts of a row that are read.
    pub const fn texts(self) -> FieldSet {
        match self {
            Self::Columns(texts) => texts,
            Self::Preview | Self::Whole => FieldSet::ALL,
        }
    }
}

impl Query {
    /// The row of a sequence, if it matches.
    pub fn one(seq: Seq, filter: &Predicate, detail: Detail) -> Self {
        let exact = i64::try_from(seq.get()).unwrap_or(i64::MAX);
        let filter = Predicate::And(vec![Predicate::Number(Number::Seq, vec![(exact, exact)]), filter.clone()]);
        Self { filter, order: Order::Arrival, limit: 1, detail, ..Self::everything() }
    }

    /// As many rows as a source can have, by time, with their bodies.
    pub fn everything() -> Self {
        Self {
            filter: Predicate::Const(true),
            order: Order::Time,
            direction: Direction::Ascending,
            start: Start::First,
            bound: Seq::MAX,
            limit: MAX_ROWS,
            detail: Detail::Whole,
            total: Total::Skip,
            unit: Unit::Record,
        }
    }
}

/// Rows of one page in the query's order.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// At most `limit` rows.
    pub rows: Vec<Stored>,
    /// Whether rows precede the first one. Always false with [`Start::First`]; with [`Start::After`],
    /// [`Start::AfterRow`] and [`Start::Offset`] past 0 true without looking.
    pub more_before: bool,
    /// Whether rows follow the last one. With [`Start::Before`] and [`Start::BeforeRow`] true without looking.
    pub more_after: bool,
    /// Whether the start is no place in this order: the row that it names is gone. Then there are no rows, and none are known before or after; a
    /// total is exact all the same.
    pub lost: bool,
    /// How much of the first row [`Start::Offset`] skips: with [`Unit::Half`] 0 or 1, else 0.
    pub inset: u64,
    /// All units that match, whatever the start; with [`Total::Exact`].
    pub total: Option<u64>,
    /// What it cost.
    pub scanned: Scanned,
}

/// The work behind an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scanned {
    /// Segments and batches known to the catalog.
    pub sources: u64,
    /// Those that were opened.
    pub opened: u64,
    /// Rows whose columns were compared.
    pub rows: u64,
}

/// Counts of matching rows, in units, by their usual dimensions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// All of them.
    pub total: u64,
    /// By level name.
    pub levels: Counts,
    /// By kind name.
    pub kinds: Counts,
    /// By status class (`2xx`).
    pub classes: Counts,
    /// By method.
    pub methods: Counts,
    /// By project.
    pub projects: Counts,
    /// By container.
    pub containers: Counts,
    /// By service.
    pub services: Counts,
}

/// Counts by value; rows without a value are in none.
pub type Counts = std::collections::BTreeMap<String, u64>;
