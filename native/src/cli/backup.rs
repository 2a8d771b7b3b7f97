//! `reqlog backup`: everything that a store holds at one moment, as a directory.

use super::api::{self, Path};
use super::backend::{Absent, Backend};
use super::settings::Settings;
use super::{Place, Problem, Verdict, output};
use clap::Args;
use reqlog::store::{self, Manifest};
use serde_json::json;
use std::path::{Path as FilePath, PathBuf};

/// Copies a store as it is now into a directory, while it is being served or not
///
/// Nobody has to stop writing; what is written meanwhile is not in it. The key of redacted values is in no backup.
#[derive(Args, Debug)]
pub struct Backup {
    /// Directory to make; one that is there must be empty
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

impl Backup {
    pub fn run(self, settings: &Settings) -> Result<Verdict, Problem> {
        let backend = Backend::of(&self.place, settings, Absent::Refuse)?;
        let stream = api::stream(&backend, Path::new("backup"))?;
        let stream = output::Watched::new(stream, &self.dir.display().to_string(), None);
        let manifest = store::receive(stream, &self.dir).map_err(|error| Problem::Failed(error.to_string()))?;
        tell(&self.dir, &manifest, self.json)
    }
}

/// What is in a backup, for who made one or restored it.
pub fn tell(dir: &FilePath, manifest: &Manifest, json: bool) -> Result<Verdict, Problem> {
    let (files, bytes) = (manifest.files.len(), manifest.bytes());
    if json {
        let Manifest { taken, head, .. } = manifest;
        output::json(&json!({"directory": dir, "taken": taken, "head": head, "files": files, "bytes": bytes}))?;
    } else {
        println!(
            "{}: {files} files, {bytes} bytes, taken at {} up to sequence {}",
            dir.display(),
            manifest.taken,
            manifest.head
        );
    }
    Ok(Verdict::Fine)
}
