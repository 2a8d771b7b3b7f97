//! How long records are kept: by age from arrival, and by bytes of each project.
//!
//! Both come down to a horizon of arrival for each project ([`Expiry`]): what arrived before it is hidden at once, and
//! removed by compaction. An import of old logs is not old: its records have just arrived.

use crate::catalog::{Entry, Expiry};
use std::collections::BTreeMap;
use std::time::Duration;

/// What is kept of one project; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// How long after its arrival a record is kept.
    pub age: Option<Duration>,
    /// Bytes of segments and batches that hold the project's records.
    pub bytes: Option<u64>,
}

/// Limits of every project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Of projects that have none of their own, each by itself; and of records without a project.
    pub default: Limits,
    /// Of projects by name, in place of the default.
    pub projects: BTreeMap<String, Limits>,
}

impl Retention {
    /// The limits of a project.
    pub fn limits(&self, project: Option<&str>) -> Limits {
        project.and_then(|name| self.projects.get(name)).copied().unwrap_or(self.default)
    }

    /// Whether everything is kept for ever.
    pub fn is_endless(&self) -> bool {
        self.projects.values().chain([&self.default]).all(|limits| *limits == Limits::default())
    }

    /// Whether any project's bytes are limited.
    pub fn limits_bytes(&self) -> bool {
        self.projects.values().chain([&self.default]).any(|limits| limits.bytes.is_some())
    }

    /// The horizons that ages set at `now_ms`.
    pub fn by_age(&self, now_ms: u64) -> Expiry {
        let horizon = |limits: &Limits| {
            // a record is kept as long as its age is at most the limit
            let age = limits.age.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
            age.map_or(0, |age| now_ms.saturating_sub(age))
        };
        let default = horizon(&self.default);
        let own = self.projects.iter().map(|(name, limits)| (name.clone(), horizon(limits)));
        Expiry { projects: own.collect(), unnamed: default, others: default }
    }
}

/// What a source holds of one project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its part of the source's bytes, by rows.
    pub bytes: u64,
    /// Earliest and latest arrival in ms.
    pub arrival: (u64, u64),
    /// The arrival of each row, ascending, where somebody looked.
    pub arrivals: Option<Vec<u64>>,
}

/// What the sources hold of each project. `size` is of an entry, in bytes.
///
/// A batch whose summary does not count its projects is nobody's until it is compacted.
pub fn held(entries: &[Entry], size: impl Fn(&Entry) -> u64) -> BTreeMap<Option<String>, Vec<(&Entry, Held)>> {
    let mut held: BTreeMap<Option<String>, Vec<(&Entry, Held)>> = BTreeMap::new();
    for entry in entries {
        let summary = &entry.summary;
        let Some(counts) = &summary.projects else { continue };
        let named: u64 = counts.values().sum();
        let named_rows = counts.iter().map(|(name, &rows)| (Some(name.clone()), rows));
        for (project, rows) in named_rows.chain([(None, summary.rows - named)]).filter(|(_, rows)| *rows > 0) {
            let bytes = u128::from(size(entry)) * u128::from(rows) / u128::from(summary.rows);
            let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
            held.entry(project).or_default().push((entry, Held { bytes, arrival: summary.arrival, arrivals: None }));
        }
    }
    held
}

/// Where to cut a project that exceeds its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cut {
    /// It is within its limit.
    None,
    /// The horizon may fall within these: look at the arrivals of their rows, then ask again.
    Look(Vec<usize>),
    /// Hide what arrived before.
    Before(u64),
}

/// Bytes that are left of a project that exceeded `limit`.
///
/// A tenth is freed at a time. The one source that is rewritten for it has at most as many bytes as the limit, so that at
/// most ten bytes are written for each that came in, and far fewer where the limit is that of many segments.
pub const fn target(limit: u64) -> u64 {
    limit - limit / 10
}

/// The least horizon above which at most [`target`] bytes of the oldest-arrived are left, if there are more than `limit`
/// now. Rows of one source count the same; those of one commit arrive and go together.
pub fn cut(held: &[Held], limit: u64) -> Cut {
    let total: u64 = held.iter().map(|part| part.bytes).sum();
    if total <= limit {
        return Cut::None;
    }
    let target = target(limit);
    // the horizon if the sources around it went as a whole with their first row, and if they went with their last
    let bound = |end: fn(&Held) -> u64| {
        let mut parts: Vec<(u64, f64)> = held.iter().map(|part| (end(part), part.bytes as f64)).collect();
        horizon(&mut parts, total, target)
    };
    let (low, high) = (bound(|part| part.arrival.0), bound(|part| part.arrival.1));
    let is_split = |part: &Held| part.arrival.0 < part.arrival.1 && part.arrival.0 < high && low <= part.arrival.1;
    let unknown = held.iter().enumerate().filter(|(_, part)| is_split(part) && part.arrivals.is_none());
    let unknown: Vec<usize> = unknown.map(|(at, _)| at).collect();
    if !unknown.is_empty() {
        return Cut::Look(unknown);
    }
    let mut parts = Vec::new();
    for part in held {
        match &part.arrivals {
            Some(arrivals) if is_split(part) => {
                let each = part.bytes as f64 / arrivals.len().max(1) as f64;
                parts.extend(arrivals.iter().map(|arrival| (*arrival, each)));
            }
            _ => parts.push((part.arrival.1, part.bytes as f64)),
        }
    }
    Cut::Before(horizon(&mut parts, total, target))
}

// the least horizon that leaves at most `target` of `total` bytes, given what goes once the horizon is past which arrival
fn horizon(parts: &mut [(u64, f64)], total: u64, target: u64) -> u64 {
    parts.sort_unstable_by_key(|(arrival, _)| *arrival);
    let mut left = total as f64;
    for group in parts.chunk_by(|a, b| a.0 == b.0) {
        left -= group.iter().map(|(_, bytes)| bytes).sum::<f64>();
        if left <= target as f64 {
            return group[0].0 + 1;
        }
    }
    parts.last().map_or(0, |(arrival, _)| arrival + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_age_counts_from_arrival_and_a_project_may_have_its_own() {
        let limits = |secs| Limits { age: Some(Duration::from_secs(secs)), bytes: None };
        let projects = BTreeMap::from([("long".to_owned(), limits(60)), ("ever".to_owned(), Limits::default())]);
        let retention = Retention { default: limits(10), projects };
        let expiry = retention.by_age(100_000);
        let horizons = [Some("long"), Some("ever"), Some("other"), None].map(|project| expiry.horizon(project));
        assert_eq!(horizons, [40_000, 0, 90_000, 90_000]);
        assert_eq!(retention.by_age(5_000).horizon(None), 0);
        assert!(!retention.is_endless() && Retention::default().is_endless());
    }

    // sources as lists of arrivals, each row of one byte times ten
    fn sources() -> impl Strategy<Value = Vec<Vec<u64>>> {
        let source = (0u64..50, proptest::collection::vec(0u64..30, 1..40)).prop_map(|(from, later)| {
            let mut arrivals: Vec<u64> = later.into_iter().map(|at| from + at).collect();
            arrivals.sort_unstable();
            arrivals
        });
        proptest::collection::vec(source, 1..8)
    }

    proptest! {
        #[test]
        fn a_cut_is_the_least_that_is_enough_and_looks_at_what_it_needs_only(sources in sources(), limit in 0u64..1500) {
            let part = |arrivals: &Vec<u64>| Held {
                bytes: 10 * arrivals.len() as u64,
                arrival: (arrivals[0], arrivals[arrivals.len() - 1]),
                arrivals: None,
            };
            let mut held: Vec<Held> = sources.iter().map(part).collect();
            let left = |horizon: u64| 10 * sources.iter().flatten().filter(|at| **at >= horizon).count() as u64;
            let mut answer = cut(&held, limit);
            if let Cut::Look(places) = &answer {
                for &at in places {
                    held[at].arrivals = Some(sources[at].clone());
                }
                let known = held.iter().filter(|part| part.arrivals.is_some()).count();
                prop_assert_eq!(known, places.len());
                answer = cut(&held, limit);
            }
            match answer {
                Cut::None => prop_assert!(left(0) <= limit),
                Cut::Look(_) => prop_assert!(false, "asked twice"),
                Cut::Before(horizon) => {
                    prop_assert!(left(0) > limit);
                    prop_assert!(left(horizon) <= target(limit));
                    let less = sources.iter().flatten().filter(|at| **at < horizon).max();
                    prop_assert!(less.is_some_and(|less| left(*less) > target(limit)), "a smaller horizon is enough");
                    // looking at everything says the same
                    for (part, arrivals) in held.iter_mut().zip(&sources) {
                        part.arrivals = Some(arrivals.clone());
                    }
                    prop_assert_eq!(cut(&held, limit), Cut::Before(horizon));
                }
            }
        }
    }
}
