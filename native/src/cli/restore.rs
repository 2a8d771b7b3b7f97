//! `reqlog restore`: a data directory from a backup.

use super::settings::Settings;
use super::{Problem, Verdict, backend, backup};
use clap::Args;
use reqlog::store::{self, Options};
use std::path::PathBuf;

/// Makes a data directory from a backup
///
/// Every checksum is verified first. The backup stays as it is. New records get sequences that the old store has not
/// given out since.
#[derive(Args, Debug)]
pub struct Restore {
    /// Directory that `reqlog backup` made
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Data directory to make; one that is there must be empty [default: ./reqlog-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Restore {
    pub fn run(self, settings: &Settings) -> Result<Verdict, Problem> {
        let data = settings.data(self.data.as_deref());
        if backend::served(&data).is_some() {
            return Err(Problem::Failed(format!("{} is being served; restore into another directory", data.display())));
        }
        let restored = store::restore(&self.dir, &data, &Options::default());
        let manifest = restored.map_err(|error| Problem::Failed(error.to_string()))?;
        backup::tell(&data, &manifest, self.json)
    }
}
