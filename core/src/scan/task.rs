//! One source's share of an answer.

use super::histogram::Edges;
use super::matching::Matching;
use super::measure::{Counted, Measure};
use super::sorting::{Place, Sorting};
use super::tally::{Tally, Whole};
use crate::catalog::{SourceId, Summary};
use crate::codec::Corrupt;
use crate::filter::Predicate;
use crate::query::{Detail, Unit};
use crate::record::Stored;
use crate::segment::{Columns, Need, Part, PartId};
use std::sync::Arc;

/// A matching row and where it stands in the order.
#[derive(Debug)]
pub(super) struct Hit {
    pub(super) place: Place,
    pub(super) row: u32,
    // how many units the row is
    pub(super) units: u8,
}

/// What to look for in a source.
#[derive(Clone, Debug)]
pub(super) struct Search {
    pub(super) predicate: Predicate,
    pub(super) sorting: Sorting,
    // the best of them are found
    pub(super) wanted: usize,
    // every match is counted too, in units
    pub(super) whole: bool,
    pub(super) unit: Unit,
    // every match is counted by this too
    pub(super) measure: Option<Measure>,
}

impl Search {
    // for all rows, counted one by one
    fn count(summary: Arc<Summary>, unit: Unit) -> Self {
        let predicate = Predicate::Const(true);
        Self {
            predicate,
            sorting: Sorting::arrival(),
            wanted: 0,
            whole: true,
            unit,
            measure: Some(Measure::Stats(summary)),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) enum Job {
    Match(Search),
    // all rows are counted by the usual dimensions, in units
    Count(Arc<Summary>, Unit),
    // the times of the first and the last row that match
    Edges(Predicate),
    // rows with their places on the page
    Rows { rows: Vec<(usize, u32)>, detail: Detail },
}

/// One source's share of the work: pure, `Send`, and independent of all other tasks.
#[derive(Debug)]
pub struct Task {
    source: SourceId,
    at: usize,
    job: Job,
    columns: Columns,
    matching: Option<Matching>,
    edges: Edges,
}

/// How far a task got.
#[derive(Debug)]
pub enum Step {
    /// Supply these parts and step again.
    Need(Need),
    /// Hand this to [`super::Scan::absorb`].
    Done(Partial),
}

/// What one task found.
#[derive(Debug, Default)]
pub struct Partial {
    pub(super) at: usize,
    pub(super) hits: Vec<Hit>,
    // how many units match in all, where that was asked for
    pub(super) matched: Option<u64>,
    pub(super) scanned: u64,
    pub(super) rows: Vec<(usize, Stored)>,
    // of which some rows are counted more than once
    pub(super) counted: Vec<Counted>,
    pub(super) edges: Option<(i64, i64)>,
}

impl Task {
    pub(super) fn new(source: SourceId, rows: u64, at: usize, job: Job) -> Self {
        Self { source, at, job, columns: Columns::new(rows), matching: None, edges: Edges::default() }
    }

    pub(super) fn job(&self) -> &Job {
        &self.job
    }

    /// The batch or segment whose parts this task takes.
    pub fn source(&self) -> SourceId {
        self.source
    }

    /// How many rows that has.
    pub fn rows(&self) -> usize {
        self.columns.rows()
    }

    /// Whether it reads rows that are shown; else it looks for them.
    pub(crate) fn is_showing(&self) -> bool {
        matches!(self.job, Job::Rows { .. })
    }

    /// The rows that are shown with more than columns say of them, and with how much.
    pub(crate) fn entire(&self) -> Option<(Detail, impl Iterator<Item = usize>)> {
        match &self.job {
            Job::Rows { rows, detail: detail @ (Detail::Preview | Detail::Whole) } => {
                Some((*detail, rows.iter().map(|(_, row)| *row as usize)))
            }
            Job::Rows { detail: Detail::Columns(_), .. } | Job::Match(_) | Job::Count(..) | Job::Edges(_) => None,
        }
    }

    /// What the task comes to with its [entire](Self::entire) rows, in that order and detail, which were not stored in parts.
    pub(crate) fn shown(&self, found: Vec<Stored>) -> Partial {
        let Job::Rows { rows, .. } = &self.job else { return Partial::default() };
        let rows = rows.iter().map(|(place, _)| *place).zip(found).collect();
        Partial { at: self.at, rows, ..Partial::default() }
    }

    /// The filter, where deciding it is all that the task reads details and bodies for.
    pub(crate) fn sought(&self) -> Option<&Predicate> {
        match &self.job {
            Job::Match(search) => Some(&search.predicate)
                .filter(|_| search.measure.as_ref().is_none_or(|measure| !measure.reads_details())),
            Job::Edges(predicate) => Some(predicate),
            Job::Count(..) | Job::Rows { .. } => None,
        }
    }

    /// Supplies a part that [`Step::Need`] named; [`Part::Absent`] where the source has none.
    pub fn supply(&mut self, id: PartId, part: Arc<Part>) {
        self.columns.insert(id, part);
    }

    /// Goes on until a part is missing or the task is done.
    ///
    /// Fails when supplied parts contradict each other; then the source is corrupt.
    pub fn step(&mut self) -> Result<Step, Corrupt> {
        let at = self.at;
        match &self.job {
            Job::Match(search) => {
                let matching = self.matching.get_or_insert_with(|| Matching::new(search));
                Ok(match matching.step(search, &self.columns) {
                    Some(need) => Step::Need(need),
                    None => Step::Done(matching.finish(search, &self.columns, at)),
                })
            }
            Job::Count(summary, unit) => match Tally::of_source(summary, *unit, &self.columns) {
                Whole::Need(need) => Ok(Step::Need(need)),
                Whole::Known(tallies) => {
                    let counted = tallies.into_iter().map(Counted::Stats).collect();
                    Ok(Step::Done(Partial { at, counted, ..Partial::default() }))
                }
                Whole::Unknown => {
                    self.job = Job::Match(Search::count(summary.clone(), *unit));
                    self.step()
                }
            },
            Job::Edges(predicate) => Ok(match self.edges.step(predicate, &self.columns) {
                Err(need) => Step::Need(need),
                Ok(edges) => Step::Done(Partial { at, edges, ..Partial::default() }),
            }),
            Job::Rows { rows, detail } => {
                let mut need = Need::new();
                for (_, row) in rows {
                    self.columns.want_row(*row as usize, *detail, &mut need);
                }
                if !need.is_empty() {
                    return Ok(Step::Need(need));
                }
                let rows = rows.iter().map(|(place, row)| Ok((*place, self.columns.row(*row as usize, *detail)?)));
                Ok(Step::Done(Partial { at, rows: rows.collect::<Result<_, Corrupt>>()?, ..Partial::default() }))
            }
        }
    }
}
