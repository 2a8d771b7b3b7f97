//! How long records are kept, as settings spell it.

use super::{Limits, Retention};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Limits as they were written, the weakest source first.
///
/// ```
/// # use reqlog_core::retention::Layers;
/// let mut layers = Layers::default();
/// layers.ages("30d, ci=12h")?;
/// layers.bytes("10GB,audit=none")?;
/// let retention = layers.finish();
/// assert_eq!(retention.limits(Some("ci")).bytes, Some(10_000_000_000));
/// # Ok::<(), reqlog_core::retention::NoLimit>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Layers {
    default: Limits,
    // a limit of a project, where one was named; the inner `None` is none
    ages: BTreeMap<String, Option<Duration>>,
    bytes: BTreeMap<String, Option<u64>>,
}

/// A text that is neither a number with a unit nor the name of no limit, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoLimit {
    /// It should be an age.
    Age {
        /// The setting's name.
        setting: String,
        /// What was written.
        text: String,
    },
    /// It should be a number of bytes.
    Bytes {
        /// The setting's name.
        setting: String,
        /// What was written.
        text: String,
    },
}

impl fmt::Display for NoLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Age { setting, text } => {
                write!(f, "{setting}: '{text}' is no age; write 12h, 30d or 8w (s, m, h, d, w), or {NONE}")
            }
            Self::Bytes { setting, text } => {
                write!(f, "{setting}: '{text}' is no number of bytes; write 500MB, 10GB or 2TiB, or {NONE}")
            }
        }
    }
}

impl std::error::Error for NoLimit {}

impl Layers {
    /// Takes over what a table `retention.PROJECT` says of one project. What it does not say is as for all projects.
    pub fn table(&mut self, project: &str, age: Option<&str>, bytes: Option<&str>) -> Result<(), NoLimit> {
        if let Some(text) = age {
            self.ages.insert(project.to_owned(), parse_age(text, &format!("retention.{project}.age"))?);
        }
        if let Some(text) = bytes {
            self.bytes.insert(project.to_owned(), parse_bytes(text, &format!("retention.{project}.bytes"))?);
        }
        Ok(())
    }

    /// Takes over the setting `retention-age`, ages with commas between them: of all projects, or `PROJECT=AGE`.
    pub fn ages(&mut self, list: &str) -> Result<(), NoLimit> {
        for (project, text) in items(list) {
            let age = parse_age(text, "retention-age")?;
            match project {
                Some(name) => drop(self.ages.insert(name.to_owned(), age)),
                None => self.default.age = age,
            }
        }
        Ok(())
    }

    /// Takes over the setting `retention-bytes`, as [`Self::ages`].
    pub fn bytes(&mut self, list: &str) -> Result<(), NoLimit> {
        for (project, text) in items(list) {
            let bytes = parse_bytes(text, "retention-bytes")?;
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

fn items(list: &str) -> impl Iterator<Item = (Option<&str>, &str)> {
    list.split(',').map(|item| match item.rsplit_once('=') {
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

fn parse_age(text: &str, setting: &str) -> Result<Option<Duration>, NoLimit> {
    let age = parse(text, &AGES);
    let wrong = |Unlike| NoLimit::Age { setting: setting.to_owned(), text: text.to_owned() };
    age.map(|age| age.map(Duration::from_secs)).map_err(wrong)
}

fn parse_bytes(text: &str, setting: &str) -> Result<Option<u64>, NoLimit> {
    let wrong = |Unlike| NoLimit::Bytes { setting: setting.to_owned(), text: text.to_owned() };
    parse(text, &BYTES).map_err(wrong)
}

// neither a number with a unit nor the name of no limit
struct Unlike;

fn parse(text: &str, units: &[(&str, u64)]) -> Result<Option<u64>, Unlike> {
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

    #[test]
    fn a_project_may_have_limits_of_its_own_and_the_later_source_wins() {
        let mut layers = Layers::default();
        layers.table("shop", Some("90d"), Some("none")).unwrap();
        layers.table("audit", Some("none"), None).unwrap();
        ["1w", "30d, ci=12h"].iter().for_each(|list| layers.ages(list).unwrap());
        ["10GB,ci=500MiB", "audit=2tb"].iter().for_each(|list| layers.bytes(list).unwrap());
        let retention = layers.finish();
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
            let said = Layers::default().ages(wrong).unwrap_err().to_string();
            assert!(said.starts_with("retention-age: "), "{wrong}: {said}");
        }
        for wrong in ["", "10", "0GB", "10G", "ten GB", "99999999999TB"] {
            let said = Layers::default().bytes(wrong).unwrap_err().to_string();
            assert!(said.starts_with("retention-bytes: "), "{wrong}: {said}");
        }
        let said = Layers::default().table("shop", Some("soon"), None).unwrap_err();
        assert!(said.to_string().starts_with("retention.shop.age: 'soon' is no age"), "{said}");
        let said = Layers::default().table("shop", None, Some("much")).unwrap_err();
        assert!(said.to_string().starts_with("retention.shop.bytes: 'much' is no number"), "{said}");
    }
}
