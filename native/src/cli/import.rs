//! `reqlog import`: files into a store.

use super::api::{self, Path};
use super::backend::{Absent, Backend};
use super::output::{self, Watched};
use super::settings::Settings;
use super::{Place, Problem, Verdict};
use clap::Args;
use reqlog::decompress::{self, Limit};
use reqlog::server::Reader;
use reqlog_core::format::{Compression, Format};
use std::fs::File;
use std::io;
use std::path::PathBuf;

/// Imports files of any supported format, compressed or not
///
/// A file that was imported before is skipped as far as it is the same. Secrets are redacted and bodies capped before
/// anything is stored. Exits with 1 when a record was rejected.
#[derive(Args, Debug)]
pub struct Import {
    /// Files; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Project of records that name none; it is made if it does not exist
    #[arg(long)]
    project: Option<String>,
    /// Environment of records that name none
    #[arg(long)]
    environment: Option<String>,
    /// Session of records that name none
    #[arg(long)]
    session: Option<String>,
    /// Service of records that name none
    #[arg(long)]
    service: Option<String>,
    /// Format of the files; detected without it
    #[arg(long, value_parser = format)]
    format: Option<Format>,
    /// Exit with 0 although records were rejected
    #[arg(long)]
    lenient: bool,
    /// End with one JSON object on a line of standard output
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// Reads a format's name.
pub fn format(name: &str) -> Result<Format, String> {
    let known = || format!("one of {}", Format::ALL.map(Format::name).join(", "));
    Format::parse_name(name).ok_or_else(known)
}

impl Import {
    pub fn run(self, settings: &Settings) -> Result<Verdict, Problem> {
        // before the store is made for a file that is not there
        let inputs = self.files.iter().map(watched).collect::<Result<Vec<_>, _>>()?;
        let backend = Backend::of(&self.place, settings, Absent::Make)?;
        let mut all = api::Report::default();
        let mut refused = 0;
        let many = inputs.len() > 1;
        for (name, input) in inputs {
            let mut report = match api::ingest(&backend, self.path(&name), input) {
                Ok(report) => report,
                // the files after it are none the worse for it
                Err(Problem::Failed(reason)) => {
                    eprintln!("{name}: {reason}");
                    refused += 1;
                    continue;
                }
                Err(other) => return Err(other),
            };
            report.errors.iter_mut().for_each(|error| error.file = many.then(|| name.clone()));
            all.accepted += report.accepted;
            all.duplicates += report.duplicates;
            all.rejected += report.rejected;
            let room = 100usize.saturating_sub(all.errors.len());
            all.errors.extend(report.errors.into_iter().take(room));
        }
        self.tell(&all)?;
        if refused > 0 {
            let were = if refused == 1 { "file was" } else { "files were" };
            return Err(Problem::Failed(format!("{refused} {were} not taken whole, for the reasons above")));
        }
        Ok(if all.rejected > 0 && !self.lenient { Verdict::Unfulfilled } else { Verdict::Fine })
    }

    fn path(&self, name: &str) -> Path {
        let path = Path::new("ingest")
            .with_some("project", self.project.as_deref())
            .with_some("environment", self.environment.as_deref())
            .with_some("session", self.session.as_deref())
            .with_some("service", self.service.as_deref());
        route(path, name, self.format)
    }

    fn tell(&self, report: &api::Report) -> Result<(), Problem> {
        if self.json {
            return Ok(output::json(report)?);
        }
        for error in &report.errors {
            let file = error.file.as_deref().map(|file| format!("{file}: ")).unwrap_or_default();
            eprintln!("{file}line {}: {}: {}", error.line, error.reason, error.excerpt.trim_end());
        }
        let unnamed = report.rejected.saturating_sub(report.errors.len() as u64);
        if unnamed > 0 {
            eprintln!("and {unnamed} more");
        }
        println!("accepted {}, duplicates {}, rejected {}", report.accepted, report.duplicates, report.rejected);
        Ok(())
    }
}

/// Where records of a file are sent: with the format that was named, or that its name tells where its content cannot.
pub fn route(path: Path, name: &str, named: Option<Format>) -> Path {
    let told = Format::detect(b"", Some(name)).filter(|format| matches!(format, Format::Csv | Format::Har));
    path.with_some("format", named.or(told).map(Format::name))
}

/// A file or standard input with its name, read with a progress bar.
///
/// Brotli is unpacked here: only a file's name tells it, and names do not travel. The rest is told by its content.
pub fn watched(path: &PathBuf) -> Result<(String, Reader), Problem> {
    let (name, length, input) = open(path)?;
    let input = Box::new(Watched::new(input, &name, length));
    let brotli = Compression::parse_name(&name).filter(|compression| *compression == Compression::Brotli);
    match brotli {
        Some(_) => Ok((name, decompress::plain(input, brotli, Limit::Unlimited)?)),
        None => Ok((name, input)),
    }
}

/// A file or standard input, with its name and length.
pub fn open(path: &PathBuf) -> Result<(String, Option<u64>, Reader), Problem> {
    if path.as_os_str() == "-" {
        return Ok(("-".into(), None, Box::new(io::stdin())));
    }
    let name = path.display().to_string();
    let failed = |error: io::Error| Problem::Failed(format!("{name}: {error}"));
    let file = File::open(path).map_err(failed)?;
    let about = file.metadata().map_err(failed)?;
    if about.is_dir() {
        return Err(Problem::Usage(format!("{name} is a directory")));
    }
    Ok((name, about.is_file().then_some(about.len()), Box::new(file)))
}
