//! What every frontend begins with.

use bytes::Bytes;
use reqlog_core::auth::Secret;
use reqlog_core::batch;
use reqlog_core::catalog::Summary;
use reqlog_core::codec::Portable;
use reqlog_core::format::time::rfc3339;
use reqlog_core::format::{Format, Head, Parser, Unit};
use reqlog_core::id::Seq;
use reqlog_core::limit::Limits;
use reqlog_core::plan::{Projects, Settings};
use reqlog_core::record::{Field, Record};
use reqlog_core::timestamp::Timestamp;
use serde::Deserialize;
use std::path::Path;

/// Contents, keys and clock of a server under test; the same for every frontend, so that ids, cursors and hashes are.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The clock before the first request.
    pub now: Timestamp,
    /// The organisation-wide admin key, number 1, made at [`Self::now`].
    pub admin: Secret,
    /// Signs cursors.
    pub cursor_secret: [u8; 32],
    /// Key of the hashes that stand for redacted values.
    pub redact_key: [u8; 32],
    /// One encoded batch a commit, with the sequences and the arrival that its summary tells.
    pub batches: Vec<(Summary, Bytes)>,
    /// What the records name.
    pub projects: Projects,
    /// How the server is set up.
    pub settings: Settings,
}

impl Default for Setting {
    /// An empty store at 2026-06-24T12:00:00Z.
    fn default() -> Self {
        Self {
            now: Timestamp::from_millis(1_782_302_400_000),
            admin: Secret::mint([1; 32]),
            cursor_secret: [7; 32],
            redact_key: [7; 32],
            batches: Vec::new(),
            projects: Projects::default(),
            settings: Settings { limits: UNLIMITED, ui: Some(crate::ui::stub()), ..Settings::default() },
        }
    }
}

/// Most vectors ask more in a simulated second than any contract allows.
pub(super) const UNLIMITED: Limits = Limits { flowmock: None, scrip: None, streams_per_key: 16 };

/// The line that begins a commit.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Begin {
    #[serde(rename = "@commit")]
    arrival: String,
    first: Option<u64>,
}

struct Commit {
    arrival: Timestamp,
    first: u64,
    records: Vec<Record>,
}

impl Setting {
    /// With the records of `<name>.ndjson` in `seeds`, if a name is given, and another clock, if one is given.
    pub fn read(seeds: &Path, name: Option<&str>, now: Option<Timestamp>) -> Result<Self, String> {
        let mut setting = Self::default();
        setting.now = now.unwrap_or(setting.now);
        if let Some(name) = name {
            let text = super::read(&seeds.join(name).with_extension("ndjson"))?;
            setting.fill(&text).map_err(|error| format!("@seed {name}, {error}"))?;
        }
        Ok(setting)
    }

    fn fill(&mut self, text: &str) -> Result<(), String> {
        for Commit { arrival, first, records } in commits(text)? {
            if arrival > self.now {
                return Err(format!("the commit of {} is after @now", arrival.to_rfc3339_millis()));
            }
            for record in &records {
                if let Some(project) = record.text(Field::Project) {
                    self.projects.declare(project, record.text(Field::Environment));
                }
            }
            let batch = batch::encode(&records, &Portable).ok_or("a commit without records")?;
            let first = Seq::new(first).ok_or("sequences start at 1")?;
            let summary = batch.draft.place(first, arrival.as_millis() as u64).ok_or("no such sequence")?;
            self.batches.push((summary, batch.blob.into()));
        }
        Ok(())
    }
}

fn commits(text: &str) -> Result<Vec<Commit>, String> {
    let mut commits: Vec<Commit> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let fail = |reason: &str| format!("line {number}: {reason}");
        if line.starts_with("{\"@commit\"") {
            let begin: Begin = serde_json::from_str(line).map_err(|error| fail(&error.to_string()))?;
            let arrival = rfc3339(&begin.arrival).ok_or_else(|| fail("no RFC 3339 time"))?;
            let next = commits.last().map_or(1, |last| last.first + last.records.len() as u64);
            let first = begin.first.unwrap_or(next);
            if first < next || commits.last().is_some_and(|last| arrival < last.arrival) {
                return Err(fail("a commit is not before the one before it"));
            }
            commits.push(Commit { arrival, first, records: Vec::new() });
            continue;
        }
        let commit = commits.last_mut().ok_or_else(|| fail("a record before the first commit"))?;
        let parser = Parser::new(Format::Ndjson, &Head::default(), commit.arrival);
        let parsed = parser.parse(&Unit::new(number, line.as_bytes()));
        commit.records.push(parsed.map_err(|rejection| fail(&rejection.reason))?);
    }
    Ok(commits)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "{\"@commit\":\"2026-06-23T12:00:01.000Z\"}\n\
        {\"time\":\"2026-06-23T12:00:00Z\",\"kind\":\"event\",\"project\":\"a\",\"environment\":\"e\"}\n\
        {\"time\":\"2020-06-23T12:00:00Z\",\"kind\":\"event\"}\n\
        {\"@commit\":\"2026-06-23T12:00:01.000Z\",\"first\":9}\n\
        {\"time\":\"2026-06-23T12:00:00Z\",\"kind\":\"event\"}\n";

    #[test]
    fn sequences_and_arrivals_are_those_of_the_file() {
        let mut setting = Setting::default();
        setting.fill(TWO).unwrap();
        let places =
            setting.batches.iter().map(|(summary, _)| (summary.seq.0.get(), summary.seq.1.get(), summary.arrival));
        let arrival = (1_782_216_001_000, 1_782_216_001_000);
        assert_eq!(places.collect::<Vec<_>>(), [(1, 2, arrival), (9, 9, arrival)]);
        assert_eq!(setting.projects.environments("a").map(|all| all.contains("e")), Some(true));
    }

    #[test]
    fn what_is_no_seed_is_refused() {
        let refuse = |text: &str| Setting::default().fill(text).unwrap_err();
        let commit = |more: &str| format!("{{\"@commit\":\"2026-06-23T12:00:01Z\"{more}}}\n");
        let event = "{\"time\":\"2026-06-23T12:00:00Z\",\"kind\":\"event\"}\n";
        assert!(refuse(event).contains("line 1: a record before"));
        assert!(refuse(&commit("")).contains("without records"));
        assert!(refuse(&(commit(",\"first\":0") + event)).contains("not before"));
        assert!(refuse(&(commit("") + event + &commit(",\"first\":1") + event)).contains("line 3: a commit is not"));
        assert!(refuse(&(commit("") + event + "{\"@commit\":\"2026-06-23T12:00:00Z\"}\n")).contains("line 3"));
        assert!(refuse(&commit(",\"last\":1")).contains("unknown field"));
        assert!(refuse(&(commit("") + "nothing\n")).contains("line 2"));
        assert!(refuse(&(commit("").replace("2026", "2027") + event)).contains("after @now"));
    }
}
