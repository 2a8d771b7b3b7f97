//! What horizons hide, told apart from what was hidden before.

use super::Retention;
use crate::catalog::{Catalog, Entry, Expiry};
use crate::filter::{Number, Predicate};
use crate::id::Seq;
use crate::record::Stored;
use crate::segment::{Part, PartId};
use crate::sort;
use crate::timestamp::Timestamp;
use std::cmp::Reverse;
use std::sync::Arc;

/// What a look into a source that has expired in part found.
#[derive(Clone, Debug)]
pub enum Look {
    /// Its rows.
    Rows(Vec<Stored>),
    /// Of a segment, arrival and sequence of each row; see [`columns`].
    Columns(Vec<(u64, u64)>),
    /// It cannot be read, so that nobody reads on in it.
    Unreadable,
    /// Nobody looked: a bound from what summaries say has to do.
    Spared,
}

/// The parts of a segment of which [`columns`] are made.
pub const COLUMNS: [PartId; 2] = [PartId::Arrival, PartId::Number(Number::Seq)];

/// Arrival and sequence of each row of a segment, from its [`COLUMNS`]; `None` where they do not have all `rows`.
pub fn columns(rows: u64, [arrival, seq]: [&Part; 2]) -> Option<Vec<(u64, u64)>> {
    let value = |part: &Part, row| if let Part::Ints(ints) = part { ints.get(row) } else { None };
    (0..rows as usize).map(|row| Some((value(arrival, row)? as u64, value(seq, row)? as u64))).collect()
}

/// The highest sequence that `expiry` hides or that retention has removed; `None` if `expiry` hides no more than before.
pub fn hidden(catalog: &Catalog, expiry: &Expiry, mut look: impl FnMut(&Entry) -> Look) -> Option<Seq> {
    let mut touched: Vec<&Entry> = catalog.entries.iter().filter(|entry| expiry.of(&entry.summary).is_some()).collect();
    if touched.iter().all(|entry| expiry.of(&entry.summary) == catalog.expiry.of(&entry.summary)) {
        return None;
    }
    sort::by_key(&mut touched, |entry| Reverse(entry.summary.seq.1));
    let mut most = catalog.expired.highest();
    for entry in touched {
        let last = entry.summary.seq.1;
        if most.is_some_and(|most| last <= most) {
            break;
        }
        let hidden = if expiry.of(&entry.summary) == Some(Predicate::ALL) {
            Some(last)
        } else {
            match look(entry) {
                Look::Rows(rows) => rows.iter().filter(|row| expiry.hides(row)).map(|row| row.id.seq()).max(),
                Look::Columns(rows) => {
                    let horizon = expiry.horizon(entry.summary.project());
                    let hidden = rows.into_iter().filter(|(arrival, _)| *arrival < horizon).map(|(_, seq)| seq);
                    hidden.max().and_then(Seq::new)
                }
                Look::Unreadable => Some(entry.summary.seq.0),
                Look::Spared => Some(last.min(bound(catalog, expiry))),
            }
        };
        most = most.max(hidden);
    }
    most
}

// a sequence that no hidden row exceeds: sequences grow as arrivals do
fn bound(catalog: &Catalog, expiry: &Expiry) -> Seq {
    let latest = expiry.projects.values().copied().fold(expiry.unnamed.max(expiry.others), u64::max);
    let young = catalog.entries.iter().filter(|entry| entry.summary.arrival.0 >= latest);
    young.map(|entry| entry.summary.seq.0).min().unwrap_or(Seq::MAX)
}

/// The stored catalog as it is at `now`: with what expired by age while nobody looked, before anybody reads. Its expiry and
/// what has expired are those that were [retained](super::Retained).
pub fn wake(limits: &Retention, catalog: &Catalog, now: Timestamp, look: impl FnMut(&Entry) -> Look) -> Catalog {
    let expiry = catalog.expiry.max(&limits.by_age(now.as_millis().max(0) as u64));
    // cuts that were made before are known already
    let before = Catalog { expiry: Arc::default(), ..catalog.clone() };
    let mut woken = catalog.clone();
    hidden(&before, &expiry, look).into_iter().for_each(|last| woken.expired.add(now, last));
    woken.expiry = Arc::new(expiry);
    woken
}
