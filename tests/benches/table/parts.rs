//! What the bytes of settled segments are spent on.

use super::Result;
use super::report::Table;
use reqlog_core::segment::{Directory, PartId};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Bytes a record by part, over every segment of a data directory.
pub fn table(data: &Path, rows: u64) -> Result<Table> {
    let mut bytes: BTreeMap<String, u64> = BTreeMap::new();
    for entry in fs::read_dir(data.join("segments"))? {
        let file = fs::read(entry?.path())?;
        let size = file.len() as u64;
        let slice = |at: std::ops::Range<u64>| &file[at.start as usize..at.end as usize];
        let footer =
            Directory::footer(slice(size - Directory::TRAILER_LEN..size), size).map_err(|corrupt| corrupt.what)?;
        let directory = Directory::read(slice(footer.clone())).map_err(|corrupt| corrupt.what)?;
        *bytes.entry("footer".into()).or_default() += size - footer.start;
        for part in directory.parts() {
            let at = directory.locate(part).ok_or("a listed part is somewhere")?;
            *bytes.entry(name(part)).or_default() += at.end - at.start;
        }
    }
    let mut bytes: Vec<(String, u64)> = bytes.into_iter().collect();
    bytes.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    let mut table = Table::new(&["part of settled segments", "bytes a record"]);
    for (name, bytes) in bytes {
        table.row(vec![name, format!("{:.2}", bytes as f64 / rows as f64)]);
    }
    Ok(table)
}

fn name(part: PartId) -> String {
    match part {
        PartId::Number(number) => format!("{number:?}").to_lowercase(),
        PartId::Arrival => "arrival".into(),
        PartId::Text(field) => field.name().into(),
        PartId::Grams(field) => format!("grams of {}", field.name()),
        PartId::Details(_) => "headers, attributes, previews".into(),
        PartId::Bodies(_) => "bodies".into(),
        PartId::Exchanges => "summary of the exchanges".into(),
        PartId::Counts(field) => format!("counts by {}", field.name()),
    }
}
