//! How long records are kept, as a table of the settings file says it.

use super::Problem;
use reqlog_core::retention::{Layers, NoLimit};
use serde::Deserialize;

/// The limits of one project. What is not said is as for all projects.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Table {
    /// `age`
    age: Option<String>,
    /// `bytes`
    bytes: Option<String>,
}

impl Table {
    /// Adds the limits to the others.
    pub fn add(&self, project: &str, layers: &mut Layers) -> Result<(), NoLimit> {
        layers.table(project, self.age.as_deref(), self.bytes.as_deref())
    }
}

impl From<NoLimit> for Problem {
    fn from(wrong: NoLimit) -> Self {
        Self::Usage(wrong.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn said(tables: &str) -> Result<(), String> {
        let tables: BTreeMap<String, Table> = toml::from_str(tables).map_err(|error| error.to_string())?;
        let mut layers = Layers::default();
        let all = tables.iter().try_for_each(|(project, table)| table.add(project, &mut layers));
        all.map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn a_table_that_says_no_limit_is_refused_by_name() {
        assert_eq!(said("[shop]\nage = \"90d\"\nbytes = \"none\"\n[audit]"), Ok(()));
        assert!(said("[shop]\nage = \"soon\"").unwrap_err().contains("retention.shop.age: 'soon'"));
        assert!(said("[shop]\nagge = \"1d\"").unwrap_err().contains("agge"));
    }
}
