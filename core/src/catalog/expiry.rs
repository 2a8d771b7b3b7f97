//! What retention hides: in each project, the rows that arrived before a horizon.

use super::{Summary, Verdict};
use crate::filter::{Number, Predicate, TextKey, TextMatcher};
use crate::record::{Field, Stored};
use std::collections::BTreeMap;

/// Horizons of arrival in ms since 1970: a row whose arrival is below its project's is hidden. 0 hides nothing.
///
/// Unlike a deletion it is never settled: rows that arrive later are above every horizon.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expiry {
    /// Of projects that have their own.
    pub projects: BTreeMap<String, u64>,
    /// Of rows without a project.
    pub unnamed: u64,
    /// Of every other project.
    pub others: u64,
}

impl Expiry {
    /// The horizon of a project.
    pub fn horizon(&self, project: Option<&str>) -> u64 {
        project.map_or(self.unnamed, |name| self.projects.get(name).copied().unwrap_or(self.others))
    }

    /// Whether a row has expired.
    pub fn hides(&self, row: &Stored) -> bool {
        row.id.arrival_ms() < self.horizon(row.record.text(Field::Project))
    }

    /// The later of both horizons everywhere.
    #[must_use]
    pub fn max(&self, other: &Self) -> Self {
        let names = self.projects.keys().chain(other.projects.keys());
        let later = |name: &String| self.horizon(Some(name)).max(other.horizon(Some(name)));
        Self {
            projects: names.map(|name| (name.clone(), later(name))).collect(),
            unnamed: self.unnamed.max(other.unnamed),
            others: self.others.max(other.others),
        }
    }

    /// Which rows of a source have expired; `None` when none can have.
    pub fn of(&self, summary: &Summary) -> Option<Predicate> {
        if *self == Self::default() {
            return None;
        }
        let first = summary.arrival.0;
        let before = |horizon: u64| match i64::try_from(horizon).unwrap_or(i64::MAX).checked_sub(1) {
            Some(last) if horizon > first => Predicate::between(Number::Arrival, 0, last),
            _ => Predicate::Const(false),
        };
        let of_project = |(name, horizon): (&str, u64)| match before(horizon) {
            Predicate::Const(false) => Predicate::Const(false),
            early => Predicate::all_of([Predicate::project(name), early]),
        };
        let any = || Predicate::Text(TextKey::Field(Field::Project), TextMatcher::present());
        let unnamed = || match before(self.unnamed) {
            Predicate::Const(false) => Predicate::Const(false),
            early => Predicate::all_of([any().negated(), early]),
        };
        let expired = if let Some(counts) = &summary.projects {
            let named = counts.keys().map(|name| of_project((name, self.horizon(Some(name)))));
            let all_named = counts.values().sum::<u64>() == summary.rows;
            Predicate::any_of(named.chain((!all_named).then(unnamed)))
        } else {
            let own = self.projects.iter().map(|(name, horizon)| of_project((name, *horizon)));
            let others = match before(self.others) {
                Predicate::Const(false) => Predicate::Const(false),
                early => {
                    let known = Predicate::any_of(self.projects.keys().map(|name| Predicate::project(name)));
                    Predicate::all_of([any(), known.negated(), early])
                }
            };
            Predicate::any_of(own.chain([others, unnamed()]))
        };
        (summary.judge(&expired) != Verdict::Never).then(|| summary.narrow(expired))
    }
}
