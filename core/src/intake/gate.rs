//! What every record of a request goes through, and what of it is stored already.

use crate::accept::Rules;
use crate::filter::{Number, Predicate};
use crate::format::{Chunk, Format, Parser, Rejection};
use crate::id::{EntryId, Seq};
use crate::identity::Seed;
use crate::plan::IngestRequest;
use crate::query::{Detail, Direction, Order, Page, Query, Start, Total, Unit};
use crate::record::{Field, Record};
use std::collections::BTreeSet;
use std::ops::Range;

/// The way of a request's units into the store; shared by threads.
#[derive(Clone, Debug)]
pub struct Gate<'a> {
    request: &'a IngestRequest,
    rules: Rules,
    seed: Seed,
}

/// A record and what it may be recognised by.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// As it is stored.
    pub record: Record,
    /// The id under which a store of reqlog exported it, where it has one.
    pub id: Option<EntryId>,
    /// The [`Seed::unit`] hash of what it was read from.
    pub unit: u64,
}

impl<'a> Gate<'a> {
    /// The gate of `request`; `rules` are made for it, `seed` is the store's.
    pub fn new(request: &'a IngestRequest, rules: Rules, seed: Seed) -> Self {
        Self { request, rules, seed }
    }

    /// The request.
    pub fn request(&self) -> &'a IngestRequest {
        self.request
    }

    /// Reads some units of `chunk`: records that may be stored, and why the others may not, each in input order.
    pub fn parse(&self, parser: &Parser, chunk: &Chunk, units: Range<usize>) -> (Vec<Parsed>, Vec<Rejection>) {
        let (mut records, mut rejections) = (Vec::with_capacity(units.len()), Vec::new());
        for unit in units.filter_map(|at| chunk.unit(at)) {
            let reject = |reason: String| Rejection::new(unit.line, reason, unit.bytes);
            let accepted = parser.parse_identified(&unit).and_then(|parsed| {
                let record = self.rules.accept(parsed.record).map_err(reject)?;
                if self.request.scope.admits(record.text(Field::Project)) {
                    Ok(Parsed { record, id: parsed.id, unit: self.seed.unit(unit.bytes) })
                } else {
                    Err(reject("the key does not belong to this project".into()))
                }
            });
            match accepted {
                Ok(parsed) => records.push(parsed),
                Err(rejection) => rejections.push(rejection),
            }
        }
        (records, rejections)
    }
}

/// Asks which of the records this store exported and still has, for [`drop_own`]; `None` where no record has an id.
pub fn own_query(parsed: &[Parsed]) -> Option<Query> {
    let asked: BTreeSet<u64> = parsed.iter().filter_map(|parsed| Some(parsed.id?.seq().get())).collect();
    (!asked.is_empty()).then(|| Query {
        filter: Predicate::Number(Number::Seq, ranges(&asked)),
        order: Order::Arrival,
        direction: Direction::Ascending,
        start: Start::First,
        bound: Seq::MAX,
        limit: asked.len(),
        detail: Detail::Preview,
        total: Total::Skip,
        unit: Unit::Record,
    })
}

/// Leaves out records that are on the page that [`own_query`] asked for, and says how many those were: duplicates. A
/// second record of one id in the input is another record.
pub fn drop_own(parsed: &mut Vec<Parsed>, page: &Page) -> u64 {
    let mut own: BTreeSet<EntryId> = page.rows.iter().map(|row| row.id).collect();
    let before = own.len();
    parsed.retain(|parsed| parsed.id.is_none_or(|id| !own.remove(&id)));
    (before - own.len()) as u64
}

/// The identities of the records at `places` of a request that may be sent again, counted from 0 over all that were
/// accepted and not [dropped](drop_own); none without an `Idempotency-Key`.
pub fn retry_identities(seed: Seed, request: &IngestRequest, places: Range<u64>) -> Vec<u64> {
    let scope = request.scope.project().unwrap_or_default();
    request.idempotency_key.iter().flat_map(|key| places.clone().map(|place| seed.retry(scope, key, place))).collect()
}

/// Within what an import of `format` is compared with earlier ones: those with the same defaults.
pub fn import_scope(seed: Seed, request: &IngestRequest, format: Format) -> u64 {
    let IngestRequest { project, environment, session, service, .. } = request;
    let defaults = [project, environment, session, service].map(|part| part.as_deref().unwrap_or_default());
    let [project, environment, session, service] = defaults;
    seed.scope(&[project, environment, session, service, format.name()])
}

/// Ascending numbers as inclusive ranges.
fn ranges(numbers: &BTreeSet<u64>) -> Vec<(i64, i64)> {
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    for number in numbers.iter().filter_map(|number| i64::try_from(*number).ok()) {
        match ranges.last_mut() {
            Some((_, end)) if *end + 1 == number => *end = number,
            _ => ranges.push((number, number)),
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_follow_each_other_are_one_range() {
        assert_eq!(ranges(&BTreeSet::from([1, 2, 3, 7, 9, 10])), [(1, 3), (7, 7), (9, 10)]);
        assert!(ranges(&BTreeSet::new()).is_empty());
    }
}
