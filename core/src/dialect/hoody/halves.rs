//! The halves of records: this dialect's rows.
//!
//! | record | rows |
//! |---|---|
//! | exchange | `request` of id 2·seq − 1 and `response` of id 2·seq |
//! | request half | `request` of id 2·seq − 1 |
//! | response half | `response` of id 2·seq |
//! | event | `event` of id 2·seq − 1 |
//!
//! So rows stand by ascending id where records stand by ascending sequence, and each record has one row at least.

use crate::filter::{Number, Predicate};
use crate::id::Half;
use crate::query::Unit;
use crate::record::{Kind, Record, Stored};
use crate::timestamp::Timestamp;

/// The names of [`RowKind`], as `kind` takes them.
pub(super) const KINDS: [&str; 3] = ["request", "response", "event"];

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowKind {
    Request,
    Response,
    Event,
}

impl RowKind {
    pub(super) const fn name(self) -> &'static str {
        KINDS[self as usize]
    }
}

/// Which rows are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rows {
    /// All.
    All,
    /// Those of one kind.
    Only(RowKind),
}

impl Rows {
    /// What a value of `kind` asks for.
    pub(super) fn named(word: Option<&str>) -> Self {
        let kinds = [RowKind::Request, RowKind::Response, RowKind::Event];
        kinds.into_iter().find(|kind| Some(kind.name()) == word).map_or(Self::All, Self::Only)
    }

    /// The records that have such a row.
    pub(super) fn records(self) -> Predicate {
        let among =
            |kinds: &[Kind]| Predicate::Number(Number::Kind, kinds.iter().map(|k| (*k as i64, *k as i64)).collect());
        match self {
            Self::All => Predicate::ALL,
            Self::Only(RowKind::Request) => among(&[Kind::Exchange, Kind::Request]),
            Self::Only(RowKind::Response) => among(&[Kind::Exchange, Kind::Response]),
            Self::Only(RowKind::Event) => among(&[Kind::Event]),
        }
    }

    /// How the engine counts such rows: an exchange has one of each kind.
    pub(super) const fn unit(self) -> Unit {
        match self {
            Self::All => Unit::Half,
            Self::Only(_) => Unit::Record,
        }
    }

    /// The rows of one record by ascending id.
    pub(super) fn of(self, stored: &Stored) -> impl Iterator<Item = Row<'_>> {
        let (first, second) = match stored.record.kind {
            Kind::Exchange => (Some(RowKind::Request), Some(RowKind::Response)),
            Kind::Request => (Some(RowKind::Request), None),
            Kind::Response => (None, Some(RowKind::Response)),
            Kind::Event => (Some(RowKind::Event), None),
        };
        let row = |half, kind| Row { id: stored.id.to_row(half), kind, record: &stored.record };
        let rows = [first.map(|kind| row(Half::First, kind)), second.map(|kind| row(Half::Second, kind))];
        rows.into_iter().flatten().filter(move |row| self == Self::All || self == Self::Only(row.kind))
    }
}

/// One row: a record seen as one half.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'r> {
    /// The row id.
    pub(super) id: u64,
    /// What it is.
    pub(super) kind: RowKind,
    /// What it is of.
    pub(super) record: &'r Record,
}

/// Whether a row tells of one side of the traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Share {
    /// Always; what is unknown is null.
    Always,
    /// As far as there is anything: the record has no other row that could.
    Known,
    /// No: the other row of the exchange does.
    Never,
}

impl Row<'_> {
    /// Whether the row tells of what was requested.
    pub(super) fn request(&self) -> Share {
        self.share(RowKind::Request)
    }

    /// Whether the row tells of what was answered.
    pub(super) fn response(&self) -> Share {
        self.share(RowKind::Response)
    }

    /// Whether the row tells of what belongs to neither side: the first row of each record.
    pub(super) fn is_first(&self) -> bool {
        self.record.kind != Kind::Exchange || self.kind == RowKind::Request
    }

    /// When, in whole ms: the response of an exchange comes when its duration, as shown, has passed.
    pub(super) fn time(&self) -> Timestamp {
        let start = self.record.time.as_millis();
        let passed = if self.is_first() { 0 } else { self.duration_ms().unwrap_or(0) };
        Timestamp::from_millis(start.saturating_add_unsigned(passed))
    }

    /// The duration in ms, half a millisecond rounded up.
    pub(super) fn duration_ms(&self) -> Option<u64> {
        self.record.duration.map(|nanos| nanos.saturating_add(500_000) / 1_000_000)
    }

    fn share(&self, side: RowKind) -> Share {
        match self.record.kind {
            _ if self.kind == side => Share::Always,
            Kind::Exchange => Share::Never,
            Kind::Request | Kind::Response | Kind::Event => Share::Known,
        }
    }
}
