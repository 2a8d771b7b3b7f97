//! Which records a request is about: `q` and `project` within the key's scope.

use super::parameters::{PROJECT, Q};
use crate::auth::Key;
use crate::dialect::params::Params;
use crate::dialect::{Asked, visible};
use crate::error::Error;
use crate::filter::{Filter, Predicate};
use crate::timestamp::Timestamp;

/// A filter as written and the project it is confined to.
#[derive(Clone, Debug)]
pub(super) struct Selection {
    /// As written.
    pub filter: Filter,
    /// The key's project, or the one named.
    pub project: Option<String>,
    /// What of the query may be meant otherwise.
    pub hints: Vec<String>,
}

impl Selection {
    /// Reads `q` and `project`.
    pub(super) fn read(key: &Key, params: &Params) -> Result<Self, Error> {
        let project = Asked::project(key, params.text(&PROJECT))?;
        let parsed = Filter::parse(params.text(&Q).unwrap_or_default()).map_err(|error| Error::Query {
            position: error.position(),
            hint: error.hint(),
            detail: error.to_string(),
        })?;
        let hints = parsed.hints.iter().map(ToString::to_string).collect();
        Ok(Self { filter: parsed.filter, project, hints })
    }

    /// The canonical spelling, relative times unresolved.
    pub(super) fn text(&self) -> String {
        self.filter.to_string()
    }

    /// What is evaluated, scope included.
    pub(super) fn predicate(&self, now: Timestamp) -> Result<Predicate, Error> {
        let filter = self.filter.resolve(now).map_err(|fault| Error::Query {
            hint: fault.hint(),
            detail: fault.to_string(),
            position: 0,
        })?;
        Ok(Predicate::all_of([visible(self.project.as_deref()), filter]))
    }
}
