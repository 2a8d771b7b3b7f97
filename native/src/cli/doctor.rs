//! `reqlog doctor`: whether a data directory is sound.

use super::settings::Settings;
use super::{Problem, Verdict};
use clap::Args;
use reqlog::store::{self, OpenError, Options, Repair};
use std::path::PathBuf;

/// Verifies every checksum and invariant of a data directory, and says what to do
///
/// The directory must not be served meanwhile. Exits with 1 when something is wrong.
#[derive(Args, Debug)]
pub struct Doctor {
    /// Data directory [default: ./reqlog-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Move what is damaged to lost/ and make the rest usable
    #[arg(long)]
    repair: bool,
}

impl Doctor {
    pub fn run(self, settings: &Settings) -> Result<Verdict, Problem> {
        let data = settings.data(self.data.as_deref());
        let options = Options::default();
        let failed = |error: OpenError| Problem::Failed(error.to_string());
        if self.repair {
            for repair in store::repair(&data, &options).map_err(failed)? {
                println!("{}", told(&repair));
            }
        }
        let findings = store::doctor(&data, &options).map_err(failed)?;
        for finding in &findings {
            println!("{finding}");
        }
        if findings.is_empty() {
            println!("{}: all is well", data.display());
            return Ok(Verdict::Fine);
        }
        Ok(Verdict::Unfulfilled)
    }
}

fn told(repair: &Repair) -> String {
    match repair {
        Repair::NewCatalog(name) => format!("the catalog was not usable: it is lost/{name} now, a new one was made"),
        Repair::Lost(name) => format!("moved to lost/{name}"),
        Repair::Forgotten(id) => format!("segment {id} is missing and was forgotten"),
        Repair::Adopted(id, rows) => format!("segment {id} with {rows} records is in the catalog again"),
    }
}
