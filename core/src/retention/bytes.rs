//! Limits of bytes: what each project holds, where it is cut, and what is rewritten for it.

use super::Retention;
use crate::catalog::{Catalog, Entry, Expiry, SourceId};
use std::collections::{BTreeMap, BTreeSet};

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
pub fn held<'a>(
    entries: impl IntoIterator<Item = &'a Entry>,
    size: impl Fn(&Entry) -> u64,
) -> BTreeMap<Option<String>, Vec<(&'a Entry, Held)>> {
    let mut held: BTreeMap<Option<String>, Vec<(&Entry, Held)>> = BTreeMap::new();
    for entry in entries {
        let summary = &entry.summary;
        let Some(counts) = &summary.projects else { continue };
        let named = counts.iter().map(|(name, &rows)| (Some(name.clone()), rows));
        let unnamed = summary.rows_of(None).map(|rows| (None, rows));
        for (project, rows) in named.chain(unnamed).filter(|(_, rows)| *rows > 0) {
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

/// The horizons of projects that exceed their bytes; everything else has none. `size` is of an entry, in bytes; `look` gives
/// the arrivals of a source's rows, ascending: one that it gives none of goes with its last row.
pub fn cuts(
    limits: &Retention,
    catalog: &Catalog,
    size: impl Fn(&Entry) -> u64,
    mut look: impl FnMut(&Entry) -> Option<Vec<u64>>,
) -> Expiry {
    let mut cuts = Expiry::default();
    if !limits.limits_bytes() {
        return cuts;
    }
    // what no reader sees any more is dropped without a cut
    let live = catalog.entries.iter().filter(|entry| !catalog.is_gone(&entry.summary));
    for (project, parts) in held(live, size) {
        let Some(limit) = limits.limits(project.as_deref()).bytes else { continue };
        let (entries, mut held): (Vec<&Entry>, Vec<Held>) = parts.into_iter().unzip();
        let horizon = loop {
            match cut(&held, limit) {
                Cut::None => break 0,
                Cut::Before(horizon) => break horizon,
                Cut::Look(places) => {
                    for at in places {
                        let arrivals = look(entries[at]).filter(|arrivals| !arrivals.is_empty());
                        held[at].arrivals = Some(arrivals.unwrap_or_else(|| vec![held[at].arrival.1]));
                    }
                }
            }
        };
        match project {
            _ if horizon == 0 => {}
            Some(name) => drop(cuts.projects.insert(name, horizon)),
            None => cuts.unnamed = horizon,
        }
    }
    cuts
}

/// Projects of more bytes than their limit; `None` is the rows without one.
pub fn exceeding(limits: &Retention, catalog: &Catalog, size: impl Fn(&Entry) -> u64) -> BTreeSet<Option<String>> {
    if !limits.limits_bytes() {
        return BTreeSet::new();
    }
    let exceeds = |project: &Option<String>, parts: &[(&Entry, Held)]| {
        let limit = limits.limits(project.as_deref()).bytes;
        limit.is_some_and(|limit| parts.iter().map(|(_, part)| part.bytes).sum::<u64>() > limit)
    };
    let held = held(&catalog.entries, size);
    held.into_iter().filter(|(project, parts)| exceeds(project, parts)).map(|(project, _)| project).collect()
}

/// The first of `entries` that has to be rewritten for what has expired in it: half of its rows, or any while its project
/// exceeds its bytes. What has expired as a whole is no concern of this, see [`gone`](crate::compact::gone).
///
/// `half` gives of a segment the arrival by which half of its rows had arrived, see [`half`]; its error ends this.
pub fn due<'a, E>(
    limits: &Retention,
    catalog: &Catalog,
    entries: impl Iterator<Item = &'a Entry>,
    size: impl Fn(&Entry) -> u64,
    mut half: impl FnMut(&Entry) -> Result<u64, E>,
) -> Result<Option<&'a Entry>, E> {
    let expiry = &catalog.expiry;
    let mut over = None;
    for entry in entries.filter(|entry| expiry.of(&entry.summary).is_some()) {
        let over = over.get_or_insert_with(|| exceeding(limits, catalog, &size));
        let is_due = holds_any(entry, over, expiry)
            || match entry.id {
                SourceId::Batch(_) => is_half_expired(entry, expiry),
                SourceId::Segment(_) => half(entry)? < expiry.horizon(entry.summary.project()),
            };
        if is_due {
            return Ok(Some(entry));
        }
    }
    Ok(None)
}

/// The arrival by which half of a source's rows had arrived, of all their arrivals in any order; `None` without rows.
pub fn half(mut arrivals: Vec<u64>) -> Option<u64> {
    arrivals.sort_unstable();
    arrivals.get(arrivals.len().saturating_sub(1) / 2).copied()
}

// of a batch, whose rows arrived together
fn is_half_expired(entry: &Entry, expiry: &Expiry) -> bool {
    let summary = &entry.summary;
    let Some(counts) = &summary.projects else { return false };
    let is_gone = |project: Option<&str>| summary.arrival.0 < expiry.horizon(project);
    let named: u64 = counts.iter().filter(|(name, _)| is_gone(Some(name))).map(|(_, rows)| rows).sum();
    let unnamed = summary.rows_of(None).filter(|_| is_gone(None)).unwrap_or(0);
    2 * (named + unnamed) >= summary.rows
}

// whether the source holds something hidden of a project that exceeds its bytes
fn holds_any(entry: &Entry, over: &BTreeSet<Option<String>>, expiry: &Expiry) -> bool {
    over.iter().map(Option::as_deref).any(|project| {
        entry.summary.arrival.0 < expiry.horizon(project) && entry.summary.rows_of(project).is_some_and(|rows| rows > 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
