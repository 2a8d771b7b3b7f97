//! How long records are kept: by age from arrival, and by bytes of each project.
//!
//! Both come down to a horizon of arrival for each project ([`Expiry`]): what arrived before it is hidden at once, and
//! removed by compaction. An import of old logs is not old: its records have just arrived.
//!
//! A limit of age moves with the clock. A limit of bytes cuts a project back to nine tenths once its segments and batches
//! exceed it ([`cut`]); such a cut is durable ([`Retained`]), because the bytes alone would not tell of it after a restart.
//!
//! A shell asks every so often for the [`cuts`], joins them with what [ages](Retention::by_age) set and with what is hidden
//! already ([`Expiry::max`]), and asks what that has [`hidden`]; if anything, it publishes it, and stores what
//! [`Retained::cut`] says. When it starts, it [wakes](wake) the catalog. Compaction rewrites what is [`due`].
//!
//! Where a function wants to look into a source, it calls a closure. A shell that cannot read within one takes note of what
//! was asked for, reads it, and calls again.

mod bytes;
mod hiding;
mod retained;
mod spelling;

pub use bytes::{Cut, Held, cut, cuts, due, exceeding, half, held, target};
pub use hiding::{COLUMNS, Look, columns, hidden, wake};
pub use retained::Retained;
pub use spelling::{Layers, NoLimit};

use crate::catalog::Expiry;
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
