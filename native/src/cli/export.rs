//! `reqlog export`: everything that matches, as a file.

use super::api::{self, Path};
use super::backend::{Absent, Backend};
use super::output;
use super::settings::Settings;
use super::{Place, Problem, Verdict};
use clap::{Args, ValueEnum};
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

/// Writes everything that matches to a file, bodies included
#[derive(Args, Debug)]
pub struct Export {
    /// Which records, in the query language; all without it
    #[arg(default_value = "", hide_default_value = true, allow_hyphen_values = true)]
    query: String,
    /// Format of the file
    #[arg(long, value_enum, default_value_t = Format::Ndjson)]
    format: Format,
    /// File to write; standard output without it, or with `-`
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Only records of this project
    #[arg(long)]
    project: Option<String>,
    #[command(flatten)]
    place: Place,
}

/// A format of exported files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Ndjson,
    Json,
    Csv,
    Har,
}

impl Export {
    pub fn run(self, settings: &Settings) -> Result<Verdict, Problem> {
        let backend = Backend::of(&self.place, settings, Absent::Refuse)?;
        let format = self.format.to_possible_value();
        let path = Path::new("export")
            .with("q", &self.query)
            .with_some("format", format.as_ref().map(clap::builder::PossibleValue::get_name))
            .with_some("project", self.project.as_deref());
        let mut records = api::stream(&backend, path)?;
        match self.output.filter(|file| file.as_os_str() != "-") {
            None => {
                let mut out = output::results();
                io::copy(&mut records, &mut out)?;
                out.flush()?;
            }
            Some(path) => {
                let failed = |error: io::Error| Problem::Failed(format!("{}: {error}", path.display()));
                let mut file = File::create(&path).map_err(failed)?;
                let mut records = output::Watched::new(records, &path.display().to_string(), None);
                io::copy(&mut records, &mut file).map_err(failed)?;
                file.sync_all().map_err(failed)?;
            }
        }
        Ok(Verdict::Fine)
    }
}
