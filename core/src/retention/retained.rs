//! What retention must not forget over a restart.

use crate::catalog::{Catalog, Expired, Expiry};
use crate::id::Seq;
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What stays hidden or is gone whatever the limits say later; stored with the catalog as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retained {
    // what retention has removed, or hidden for want of bytes: when, in ns, and up to which sequence
    expired: Vec<(i64, u64)>,
    // horizons of arrival that limits of bytes set
    cuts: BTreeMap<String, u64>,
    unnamed: u64,
}

impl Retained {
    /// These removals and these cuts.
    pub fn new(expired: &Expired, cuts: Expiry) -> Self {
        let expired = expired.iter().map(|(at, last)| (at.as_nanos(), last.get())).collect();
        Self { expired, cuts: cuts.projects, unnamed: cuts.unnamed }
    }

    /// As it was stored. The error says what is wrong with it.
    pub fn from_json(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// To be stored.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("every key of it is a string")
    }

    /// What retention has removed, or hidden for want of bytes.
    pub fn expired(&self) -> Expired {
        let mut expired = Expired::default();
        for (at, last) in &self.expired {
            Seq::new(*last).into_iter().for_each(|last| expired.add(Timestamp::from_nanos(*at), last));
        }
        expired
    }

    /// The horizons that limits of bytes set.
    pub fn cuts(&self) -> Expiry {
        Expiry { projects: self.cuts.clone(), unnamed: self.unnamed, others: 0 }
    }

    /// What has to be stored in place of this before `cuts` are published with this catalog; `None` if they change nothing.
    /// A cut below which nothing is left has done its work and is dropped.
    pub fn cut(&self, catalog: &Catalog, cuts: &Expiry) -> Option<Self> {
        let mut kept = self.cuts().max(cuts);
        let works = |project: Option<&str>, horizon: u64| {
            let mut old = catalog.entries.iter().filter(|entry| entry.summary.arrival.0 < horizon);
            old.any(|entry| entry.summary.rows_of(project).is_none_or(|rows| rows > 0))
        };
        kept.projects.retain(|name, horizon| works(Some(name), *horizon));
        kept.unnamed = if works(None, kept.unnamed) { kept.unnamed } else { 0 };
        (kept != self.cuts()).then(|| Self::new(&catalog.expired, kept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Entry, SourceId, Summary};
    use crate::record::{Field, Record};
    use std::sync::Arc;

    // sources of one project each, by their only arrival
    fn catalog(sources: &[(&str, u64)]) -> Catalog {
        let entry = |&(project, arrival): &(&str, u64)| {
            let mut record = Record::new(Timestamp::from_nanos(0));
            if !project.is_empty() {
                record.texts.set(Field::Project, project);
            }
            let summary = Summary::draft([&record].into_iter()).unwrap().place(Seq::new(arrival).unwrap(), arrival);
            Entry { id: SourceId::Batch(arrival), summary: Arc::new(summary.unwrap()) }
        };
        Catalog { entries: sources.iter().map(entry).collect(), ..Catalog::default() }
    }

    fn cuts(projects: &[(&str, u64)], unnamed: u64) -> Expiry {
        let projects = projects.iter().map(|(name, horizon)| ((*name).to_owned(), *horizon)).collect();
        Expiry { projects, unnamed, others: 0 }
    }

    #[test]
    fn it_is_stored_as_it_always_was() {
        let mut expired = Expired::default();
        expired.add(Timestamp::from_nanos(5), Seq::new(7).unwrap());
        let retained = Retained::new(&expired, cuts(&[("p", 40)], 3));
        let text = r#"{"expired":[[5,7]],"cuts":{"p":40},"unnamed":3}"#;
        assert_eq!(retained.to_json(), text);
        assert_eq!(Retained::from_json(text).unwrap(), retained);
        assert_eq!((retained.expired(), retained.cuts()), (expired, cuts(&[("p", 40)], 3)));
        assert!(Retained::from_json(r#"{"expired":[]}"#).is_err());
    }

    #[test]
    fn a_cut_is_stored_until_nothing_is_left_below_it() {
        let full = catalog(&[("p", 10), ("p", 20), ("q", 30), ("", 40)]);
        let none = Retained::default();
        assert_eq!(none.cut(&full, &Expiry::default()), None);
        let made = none.cut(&full, &cuts(&[("p", 11)], 41)).unwrap();
        assert_eq!(made.cuts(), cuts(&[("p", 11)], 41));
        // a lower one does not bring anything back
        assert_eq!(made.cut(&full, &cuts(&[("p", 5)], 0)), None);
        assert_eq!(made.cut(&full, &cuts(&[("p", 15)], 0)).unwrap().cuts(), cuts(&[("p", 15)], 41));
        // what it hid is gone
        let rest = catalog(&[("p", 20), ("q", 30), ("", 40)]);
        assert_eq!(made.cut(&rest, &Expiry::default()).unwrap().cuts(), cuts(&[], 41));
        assert_eq!(made.cut(&catalog(&[]), &Expiry::default()).unwrap().cuts(), Expiry::default());
        // one that nothing is below is not stored at all
        assert_eq!(none.cut(&rest, &cuts(&[("p", 20)], 40)), None);
    }
}
