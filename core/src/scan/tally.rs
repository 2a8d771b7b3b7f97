//! Counting rows by the usual dimensions.
//!
//! A source of which every row matches is counted by its summary; values that the summary has no room for are counted
//! by a part of the segment, and only where there is none by a column. Of any other source the matching rows are
//! counted, by the columns of those dimensions in which its rows differ.
//!
//! What is counted in halves is all rows and, once more, the exchanges: a segment that has other records too keeps a
//! summary of them.

use super::values::{Table, Values};
use crate::catalog::{Summary, class_of};
use crate::filter::Number;
use crate::level::Level;
use crate::query::{Counts, Stats, Unit};
use crate::record::{Field, Kind};
use crate::segment::evaluate::Mask;
use crate::segment::{Columns, Need, Part, PartId};
use std::sync::Arc;

const NUMBERS: [Number; 3] = [Number::Level, Number::Kind, Number::Status];
const FIELDS: [Field; 4] = Summary::COUNTED;

/// Rows by what has few values, known beforehand.
#[derive(Clone, Debug, Default)]
struct Fixed {
    rows: u64,
    levels: [u64; 6],
    kinds: [u64; 4],
    classes: [u64; 9],
}

impl Fixed {
    fn of(summary: &Summary) -> Self {
        let Summary { rows, levels, kinds, classes, .. } = *summary;
        Self { rows, levels, kinds, classes }
    }

    fn add(&mut self, other: &Self) {
        fn each<const N: usize>(to: &mut [u64; N], from: &[u64; N]) {
            to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
        }
        self.rows += other.rows;
        each(&mut self.levels, &other.levels);
        each(&mut self.kinds, &other.kinds);
        each(&mut self.classes, &other.classes);
    }
}

/// The counts of one source.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    fixed: Fixed,
    values: [Values; FIELDS.len()],
}

/// What is known of a source of which every row counts.
#[derive(Debug)]
pub(super) enum Whole {
    /// These have to be at hand first.
    Need(Need),
    /// So much, to be added up.
    Known(Vec<Tally>),
    /// Its rows have to be looked at: it keeps nothing of its exchanges.
    Unknown,
}

impl Tally {
    /// Counts all rows of a source; `None` where the summary lacks a dimension.
    pub(super) fn of_summary(summary: &Arc<Summary>) -> Option<Self> {
        let complete = FIELDS.into_iter().all(|field| summary.counts(field).is_some());
        let values = || FIELDS.map(|_| Values::Summary(summary.clone()));
        complete.then(|| Self { fixed: Fixed::of(summary), values: values() })
    }

    /// Counts all rows of a source in units.
    pub(super) fn of_source(summary: &Arc<Summary>, unit: Unit, columns: &Columns) -> Whole {
        let rows = Self::of_rows(summary, columns);
        let exchanges = match (summary.units_a_row(unit), columns.shared(PartId::Exchanges).map(|part| &**part)) {
            (Some(units), _) => return rows.map_or_else(Whole::Need, |rows| Whole::Known(rows.times(units))),
            (None, None) => {
                let mut need = rows.err().unwrap_or_default();
                columns.want(PartId::Exchanges, &mut need);
                return Whole::Need(need);
            }
            (None, Some(Part::Exchanges(summary))) => Self::of_exchanges(summary, columns),
            (None, Some(_)) => return Whole::Unknown,
        };
        match (rows, exchanges) {
            (Err(mut need), Err(more)) => {
                need.extend(more.into_iter().filter(|part| !need.contains(part)).collect::<Need>());
                Whole::Need(need)
            }
            (Err(need), Ok(_)) | (Ok(_), Err(need)) => Whole::Need(need),
            (Ok(rows), Ok(Some(exchanges))) => Whole::Known(vec![rows, exchanges]),
            (Ok(_), Ok(None)) => Whole::Unknown,
        }
    }

    pub(super) fn times(self, units: u64) -> Vec<Self> {
        let again = (1..units).map(|_| self.clone()).collect::<Vec<_>>();
        again.into_iter().chain([self]).collect()
    }

    // all exchanges of a source that has a summary of them; `None` where a field is counted nowhere
    fn of_exchanges(summary: &Arc<Summary>, columns: &Columns) -> Result<Option<Self>, Need> {
        let mut need = Need::new();
        let mut tally = Self { fixed: Fixed::of(summary), ..Self::default() };
        for (values, field) in tally.values.iter_mut().zip(FIELDS) {
            if summary.counts(field).is_some() {
                *values = Values::Summary(summary.clone());
                continue;
            }
            let id = PartId::Counts(field);
            match columns.shared(id) {
                None => columns.want(id, &mut need),
                Some(part) => match &**part {
                    Part::Counts(counts) if counts.exchanges().is_some() => *values = Values::Exchanges(part.clone()),
                    _ => return Ok(None),
                },
            }
        }
        if need.is_empty() { Ok(Some(tally)) } else { Err(need) }
    }

    // all rows of a source; or what has to be at hand first
    fn of_rows(summary: &Arc<Summary>, columns: &Columns) -> Result<Self, Need> {
        let mut need = Need::new();
        let mut tally = Self { fixed: Fixed::of(summary), ..Self::default() };
        for (values, field) in tally.values.iter_mut().zip(FIELDS) {
            *values = Values::of_all(summary, field, columns, &mut need);
        }
        if need.is_empty() { Ok(tally) } else { Err(need) }
    }

    /// The columns that [`Self::add`] looks at.
    pub(super) fn want(summary: &Summary, columns: &Columns, need: &mut Need) {
        for number in NUMBERS.into_iter().filter(|number| differ(summary, *number)) {
            columns.want(PartId::Number(number), need);
        }
        for field in FIELDS.into_iter().filter(|field| values_differ(summary, *field)) {
            columns.want(PartId::Text(field), need);
        }
    }

    /// Counts the rows of a block whose bits are set.
    pub(super) fn add(&mut self, summary: &Summary, columns: &Columns, block: usize, mask: &Mask) {
        let Fixed { rows, levels, kinds, classes } = &mut self.fixed;
        *rows += mask.iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
        let each = |number| columns.ints(number).filter(|_| differ(summary, number));
        let up = |count: Option<&mut u64>| count.into_iter().for_each(|count| *count += 1);
        if let Some(ints) = each(Number::Level) {
            ints.each(block, mask, |level| up(levels.get_mut(level.wrapping_sub(1) as usize)));
        }
        if let Some(ints) = each(Number::Kind) {
            ints.each(block, mask, |kind| up(kinds.get_mut(kind as usize)));
        }
        if let Some(ints) = each(Number::Status) {
            ints.each(block, mask, |status| up(class_of(status as u16).and_then(|class| classes.get_mut(class))));
        }
        for (values, field) in self.values.iter_mut().zip(FIELDS) {
            if values_differ(summary, field) {
                values.add(field, columns, block, mask);
            }
        }
    }

    /// Counts what all rows of the source have in common, after all blocks.
    pub(super) fn finish(mut self, summary: &Arc<Summary>) -> Self {
        let Fixed { rows, levels, kinds, classes } = &mut self.fixed;
        for (counts, all) in [
            (&mut levels[..], &summary.levels[..]),
            (&mut kinds[..], &summary.kinds[..]),
            (&mut classes[..], &summary.classes[..]),
        ] {
            if let Some(at) = all.iter().position(|count| *count == summary.rows) {
                counts[at] = *rows;
            }
        }
        for (values, field) in self.values.iter_mut().zip(FIELDS) {
            let map = summary.counts(field).filter(|map| !map.is_empty());
            if map.is_some() && !values_differ(summary, field) {
                *values = Values::Only(summary.clone(), *rows);
            }
        }
        self
    }
}

// whether the rows of a source are of more than one level, kind or status class
fn differ(summary: &Summary, number: Number) -> bool {
    let counts = match number {
        Number::Level => &summary.levels[..],
        Number::Kind => &summary.kinds[..],
        _ => &summary.classes[..],
    };
    counts.iter().any(|count| *count > 0 && *count < summary.rows)
}

fn values_differ(summary: &Summary, field: Field) -> bool {
    summary.counts(field).is_none_or(|map| map.values().any(|count| *count < summary.rows))
}

/// The counts of all sources.
#[derive(Debug, Default)]
pub(super) struct Totals {
    fixed: Fixed,
    values: [Table; FIELDS.len()],
}

impl Totals {
    pub(super) fn add(&mut self, tally: &Tally) {
        self.fixed.add(&tally.fixed);
        for ((totals, values), field) in self.values.iter_mut().zip(&tally.values).zip(FIELDS) {
            values.each(field, |value, count| totals.add(value, count));
        }
    }

    pub(super) fn finish(self) -> Stats {
        fn counts<'a>(counts: impl Iterator<Item = (&'a str, u64)>) -> Counts {
            counts.filter(|(_, count)| *count > 0).map(|(name, count)| (name.to_owned(), count)).collect()
        }
        const CLASSES: [&str; 9] = ["1xx", "2xx", "3xx", "4xx", "5xx", "6xx", "7xx", "8xx", "9xx"];
        let Fixed { rows, levels, kinds, classes } = self.fixed;
        let [projects, services, containers, methods] = self.values.map(|table| table.into_iter().collect());
        Stats {
            total: rows,
            levels: counts(Level::ALL.into_iter().map(Level::name).zip(levels)),
            kinds: counts(Kind::ALL.into_iter().map(Kind::name).zip(kinds)),
            classes: counts(CLASSES.into_iter().zip(classes)),
            methods,
            projects,
            containers,
            services,
        }
    }
}
