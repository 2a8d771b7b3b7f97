//! `reqlog stats`: how many, by what.

use super::api::{self, Path};
use super::backend::{Absent, Backend};
use super::files::Files;
use super::settings::Settings;
use super::table::Table;
use super::{Place, Problem, Verdict, import, output, query};
use clap::Args;
use reqlog_core::format::Format;
use std::path::PathBuf;

/// Counts records by level, kind, status class, method, project, container and service
#[derive(Args, Debug)]
pub struct Stats {
    /// Which records, in the query language; all without it
    #[arg(default_value = "", hide_default_value = true, allow_hyphen_values = true)]
    query: String,
    /// Files to read instead of a store; `-` is standard input
    #[arg(value_name = "FILE", conflicts_with_all = ["data", "url"])]
    files: Vec<PathBuf>,
    /// Format of the files; detected without it
    #[arg(long, value_parser = import::format)]
    input: Option<Format>,
    /// Only records of this project
    #[arg(long)]
    project: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

impl Stats {
    pub fn run(mut self, settings: &Settings) -> Result<Verdict, Problem> {
        (self.query, self.files) = query::told_apart(self.query, self.files);
        let filter = query::parse(&self.query)?;
        let stats = if self.files.is_empty() {
            let backend = Backend::of(&self.place, settings, Absent::Refuse)?;
            let path = Path::new("stats").with("q", &self.query).with_some("project", self.project.as_deref());
            api::get(&backend, path)?
        } else {
            let files = Files::new(&filter, self.project.as_deref(), self.input, settings)?;
            named(files.stats(&self.files)?)
        };
        if self.json {
            output::json(&stats)?;
        } else {
            table(stats).print()?;
        }
        Ok(Verdict::Fine)
    }
}

/// As the server answers it.
fn named(stats: reqlog_core::query::Stats) -> api::Stats {
    let by = [
        ("level", stats.levels),
        ("kind", stats.kinds),
        ("class", stats.classes),
        ("method", stats.methods),
        ("project", stats.projects),
        ("container", stats.containers),
        ("service", stats.services),
    ];
    api::Stats { total: stats.total, by: by.into_iter().map(|(name, counts)| (name.to_owned(), counts)).collect() }
}

fn table(stats: api::Stats) -> Table {
    let mut table = Table::new(&["by", "value", "records"]);
    table.row(&["total".into(), String::new(), stats.total.to_string()]);
    for (by, counts) in stats.by {
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        for (value, count) in counts {
            table.row(&[by.clone(), value, count.to_string()]);
        }
    }
    table
}
