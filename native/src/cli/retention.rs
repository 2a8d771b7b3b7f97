//! How long records are kept, as flags, environment and settings file spell it.

use super::Problem;
use reqlog_core::retention::{Limits, Retention};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// A table of the settings file: the limits of one project. What is not said is as for all projects.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Table {
    /// `age`
    age: Option<String>,
    /// `bytes`
    bytes: Option<String>,
}

/// Limits as they were written, the weakest source first.
#[derive(Debug, Default)]
pub struct Layers {
    default: Limits,
    // a limit of a project, where one was named; the inner `None` is none
    ages: BTreeMap<String, Option<Duration>>,
    bytes: BTreeMap<String, Option<u64>>,
}

impl Layers {
    /// Takes over `[retention.PROJECT]` tables.
    pub fn tables(&mut self, tables: &BTreeMap<String, Table>) -> Result<(), Problem> {
        for (project, table) in tables {
            let of = |name: &str| format!("retention.{project}.{name}");
            if let Some(text) = &table.age {
                self.ages.insert(project.clone(), age(text, &of("age"))?);
            }
            if let Some(text) = &table.bytes {
                self.bytes.insert(project.clone(), bytes(text, &of("bytes"))?);
            }
        }
        Ok(())
    }

    /// Takes over a list of ages with commas between them: of all projects, or `PROJECT=AGE`.
    pub fn ages(&mut self, list: Option<&str>) -> Result<(), Problem> {
        for (project, text) in items(list) {
            let age = age(text, "retention-age")?;
            match project {
                Some(name) => drop(self.ages.insert(name.to_owned(), age)),
                None => self.default.age = age,
            }
        }
        Ok(())
    }

    /// As [`Self::ages`], of bytes.
    pub fn bytes(&mut self, list: Option<&str>) -> Result<(), Problem> {
        for (project, text) in items(list) {
            let bytes = bytes(text, "retention-bytes")?;
            match project {
                Some(name) => drop(self.bytes.insert(name.to_owned(), bytes)),
                None => self.default.bytes = bytes,
            }
        }
        Ok(())
    }

    /// What holds in the end.
    pub fn finish(self) -> Retention {
        let Self { default, ages, bytes } = self;
        let limits = |name: &String| Limits {
            age: ages.get(name).copied().unwrap_or(default.age),
            bytes: bytes.get(name).copied().unwrap_or(default.bytes),
        };
        let projects = ages.keys().chain(bytes.keys()).map(|name| (name.clone(), limits(name))).collect();
        Retention { default, projects }
    }
}

fn items(list: Option<&str>) -> impl Iterator<Item = (Option<&str>, &str)> {
    list.into_iter().flat_map(|list| list.split(',')).map(|item| match item.rsplit_once('=') {
        Some((project, text)) => (Some(project.trim()), text.trim()),
        None => (None, item.trim()),
    })
}

/// What no limit is called.
const NONE: &str = "none";
const AGES: [(&str, u64); 5] = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400), ("w", 7 * 86_400)];
const BYTES: [(&str, u64); 8] = [
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

fn age(text: &str, setting: &str) -> Result<Option<Duration>, Problem> {
    let age = limit(text, &AGES);
    let wrong = || format!("{setting}: '{text}' is no age; write 12h, 30d or 8w (s, m, h, d, w), or {NONE}");
    age.map(|age| age.map(Duration::from_secs)).map_err(|Unlike| Problem::Usage(wrong()))
}

fn bytes(text: &str, setting: &str) -> Result<Option<u64>, Problem> {
    let wrong = || format!("{setting}: '{text}' is no number of bytes; write 500MB, 10GB or 2TiB, or {NONE}");
    limit(text, &BYTES).map_err(|Unlike| Problem::Usage(wrong()))
}

// neither a number with a unit nor the name of no limit
struct Unlike;

fn limit(text: &str, units: &[(&str, u64)]) -> Result<Option<u64>, Unlike> {
    if text.eq_ignore_ascii_case(NONE) {
        return Ok(None);
    }
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).ok_or(Unlike)?);
    let each = units.iter().find(|(name, _)| unit.trim_start().eq_ignore_ascii_case(name)).ok_or(Unlike)?.1;
    let limit = number.parse::<u64>().ok().and_then(|number| number.checked_mul(each));
    limit.filter(|limit| *limit > 0).map(Some).ok_or(Unlike)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retention(ages: &[&str], bytes: &[&str], tables: &str) -> Result<Retention, String> {
        let mut layers = Layers::default();
        let said = |problem| if let Problem::Usage(text) = problem { text } else { String::new() };
        layers.tables(&toml::from_str(tables).map_err(|error| error.to_string())?).map_err(said)?;
        ages.iter().try_for_each(|list| layers.ages(Some(list))).map_err(said)?;
        bytes.iter().try_for_each(|list| layers.bytes(Some(list))).map_err(said)?;
        Ok(layers.finish())
    }

    #[test]
    fn a_project_may_have_limits_of_its_own_and_the_later_source_wins() {
        let tables = "[shop]\nage = \"90d\"\nbytes = \"none\"\n[audit]\nage = \"none\"";
        let retention = retention(&["1w", "30d, ci=12h"], &["10GB,ci=500MiB", "audit=2tb"], tables).unwrap();
        let limits = |age: Option<u64>, bytes| Limits { age: age.map(Duration::from_secs), bytes };
        let day = 86_400;
        assert_eq!(retention.default, limits(Some(30 * day), Some(10_000_000_000)));
        assert_eq!(retention.limits(Some("shop")), limits(Some(90 * day), None));
        assert_eq!(retention.limits(Some("audit")), limits(None, Some(2_000_000_000_000)));
        assert_eq!(retention.limits(Some("ci")), limits(Some(day / 2), Some(500 << 20)));
        assert_eq!(retention.limits(Some("other")), retention.default);
    }

    #[test]
    fn what_is_no_limit_is_refused_by_name() {
        for wrong in
            ["", "30", "d", "0d", "-1d", "1.5d", "30 years", "99999999999999999999d", "9999999999999999w", "a="]
        {
            let said = retention(&[wrong], &[], "").unwrap_err();
            assert!(said.starts_with("retention-age: "), "{wrong}: {said}");
        }
        for wrong in ["", "10", "0GB", "10G", "ten GB", "99999999999TB"] {
            let said = retention(&[], &[wrong], "").unwrap_err();
            assert!(said.starts_with("retention-bytes: "), "{wrong}: {said}");
        }
        assert!(retention(&[], &[], "[shop]\nage = \"soon\"").unwrap_err().contains("retention.shop.age: 'soon'"));
        assert!(retention(&[], &[], "[shop]\nagge = \"1d\"").unwrap_err().contains("agge"));
    }
}
