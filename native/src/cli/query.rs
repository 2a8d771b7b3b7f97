//! `reqlog query`: rows that match, from a server, a directory or straight from files.

use super::api::{self, Path};
use super::backend::{Absent, Backend};
use super::files::{Files, Keep};
use super::import;
use super::rows::{Rows, Shown, read};
use super::settings::Settings;
use super::{Place, Problem, Verdict};
use clap::{Args, ValueEnum};
use reqlog_core::filter::Filter;
use reqlog_core::format::Format;
use reqlog_core::query::{Direction, Order};
use std::path::PathBuf;

/// Shows records that match
///
/// With files, they are read directly and nothing is stored: `reqlog query 'status:5xx path:/v1/*' access.log.gz`.
#[derive(Args, Debug)]
pub struct Query {
    /// Which records, in the query language; all without it
    #[arg(value_name = "QUERY", default_value = "", hide_default_value = true, allow_hyphen_values = true)]
    text: String,
    /// Files to read instead of a store; `-` is standard input
    #[arg(value_name = "FILE", conflicts_with_all = ["data", "url"])]
    files: Vec<PathBuf>,
    /// At most this many
    #[arg(long, default_value_t = 50, conflicts_with = "all")]
    limit: usize,
    /// All of them
    #[arg(long)]
    all: bool,
    /// What they are sorted by
    #[arg(long, value_enum, default_value_t = Sort::Time)]
    sort: Sort,
    /// Smallest or oldest first
    #[arg(long)]
    asc: bool,
    /// How they are shown
    #[arg(long = "format", value_enum, default_value_t = Shown::Table)]
    shown: Shown,
    /// The same as --format ndjson
    #[arg(long, conflicts_with = "shown")]
    json: bool,
    /// Format of the files; detected without it
    #[arg(long, value_parser = import::format)]
    input: Option<Format>,
    /// Only records of this project
    #[arg(long)]
    project: Option<String>,
    #[command(flatten)]
    place: Place,
}

/// What rows are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Sort {
    Time,
    Arrival,
    Duration,
    Status,
    Size,
}

impl Sort {
    const fn order(self) -> Order {
        match self {
            Self::Time => Order::Time,
            Self::Arrival => Order::Arrival,
            Self::Duration => Order::Duration,
            Self::Status => Order::Status,
            Self::Size => Order::Size,
        }
    }
}

/// `reqlog query access.log` means the file: what is first and names a file is one.
pub fn told_apart(query: String, mut files: Vec<PathBuf>) -> (String, Vec<PathBuf>) {
    if query == "-" || std::path::Path::new(&query).is_file() {
        files.insert(0, query.into());
        return (String::new(), files);
    }
    (query, files)
}

/// Reads a query, or says where it is wrong.
pub fn parse(query: &str) -> Result<Filter, Problem> {
    let parsed = Filter::parse(query).map_err(|error| Problem::Usage(error.render(query)))?;
    parsed.hints.iter().for_each(|hint| eprintln!("reqlog: {hint}"));
    Ok(parsed.filter)
}

impl Query {
    pub fn run(mut self, settings: &Settings) -> Result<Verdict, Problem> {
        (self.text, self.files) = told_apart(self.text, self.files);
        let filter = parse(&self.text)?;
        let rows = Rows::new(if self.json { Shown::Ndjson } else { self.shown });
        if self.files.is_empty() {
            self.of_store(settings, rows)?;
        } else {
            self.of_files(&filter, settings, rows)?;
        }
        Ok(Verdict::Fine)
    }

    fn limit(&self) -> usize {
        if self.all { usize::MAX } else { self.limit }
    }

    fn of_files(&self, filter: &Filter, settings: &Settings, mut rows: Rows) -> Result<(), Problem> {
        let direction = if self.asc { Direction::Ascending } else { Direction::Descending };
        let keep = Keep { order: self.sort.order(), direction, limit: self.limit() };
        let files = Files::new(filter, self.project.as_deref(), self.input, settings)?;
        for row in files.rows(&self.files, keep)? {
            rows.row(&row)?;
        }
        rows.finish()
    }

    fn of_store(&self, settings: &Settings, mut rows: Rows) -> Result<(), Problem> {
        let backend = Backend::of(&self.place, settings, Absent::Refuse)?;
        let sort = self.sort.to_possible_value();
        let (mut left, mut cursor) = (self.limit(), None);
        while left > 0 {
            let path = Path::new("logs")
                .with("q", &self.text)
                .with_some("project", self.project.as_deref())
                .with("limit", &left.min(api::MOST).to_string())
                .with_some("sort", sort.as_ref().map(clap::builder::PossibleValue::get_name))
                .with("dir", if self.asc { "asc" } else { "desc" })
                .with_some("cursor", cursor.as_deref());
            let page: api::Page = api::get(&backend, path)?;
            for item in &page.items {
                rows.row(&read(item)?)?;
            }
            left -= page.items.len().min(left);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        rows.finish()
    }
}
