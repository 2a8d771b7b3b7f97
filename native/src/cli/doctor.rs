//! `reqlog doctor`: whether a data directory is sound.

use super::settings::Settings;
use super::{Problem, Verdict, output};
use clap::Args;
use reqlog::store::{self, Diagnosis, OpenError, Options, Repair};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Verifies every checksum and invariant of a data directory or a backup, and says what to do
///
/// The directory must not be served meanwhile. Exits with 1 when something is wrong. Takes 8 bytes of memory a record.
#[derive(Args, Debug)]
pub struct Doctor {
    /// Data directory, or one that `reqlog backup` made [default: ./reqlog-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Keep every record that can be read and move what is damaged to lost/
    #[arg(long)]
    repair: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub fn run(self, settings: &Settings) -> Result<Verdict, Problem> {
        let data = settings.data(self.data.as_deref());
        let options = Options::default();
        let failed = |error: OpenError| Problem::Failed(error.to_string());
        let repairs = if self.repair { store::repair(&data, &options).map_err(failed)? } else { Vec::new() };
        let diagnosis = store::doctor(&data, &options).map_err(failed)?;
        if self.json {
            tell_programs(&repairs, &diagnosis)?;
        } else {
            tell_people(&data, &repairs, &diagnosis);
        }
        Ok(if diagnosis.findings.is_empty() { Verdict::Fine } else { Verdict::Unfulfilled })
    }
}

fn tell_people(data: &Path, repairs: &[Repair], diagnosis: &Diagnosis) {
    for repair in repairs {
        println!("{repair}");
    }
    for finding in &diagnosis.findings {
        println!("{finding}: {}", finding.remedy());
    }
    for remark in &diagnosis.remarks {
        println!("{remark}");
    }
    if diagnosis.findings.is_empty() {
        println!("{}: all is well, {} records in {} bytes", data.display(), diagnosis.records, diagnosis.bytes);
    }
}

fn tell_programs(repairs: &[Repair], diagnosis: &Diagnosis) -> Result<(), Problem> {
    let told = |name: &str, what: String| json!({"name": name, "text": what});
    let findings: Vec<_> = diagnosis
        .findings
        .iter()
        .map(|finding| json!({"name": finding.name(), "text": finding.to_string(), "remedy": finding.remedy()}))
        .collect();
    let remarks: Vec<_> = diagnosis.remarks.iter().map(|remark| told(remark.name(), remark.to_string())).collect();
    let repairs: Vec<_> = repairs.iter().map(|repair| told(repair.name(), repair.to_string())).collect();
    Ok(output::json(&json!({
        "sound": findings.is_empty(),
        "findings": findings,
        "remarks": remarks,
        "repairs": repairs,
        "records": diagnosis.records,
        "bytes": diagnosis.bytes,
    }))?)
}
