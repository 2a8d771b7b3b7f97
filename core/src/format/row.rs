//! CSV rows under a header, by the names that JSON members go by.

use super::draft::Draft;
use super::json::Value;
use super::member::{Member, Scope};
use super::parser::{Head, Parsed};
use crate::timestamp::Timestamp;

/// Reads the header row.
pub(super) fn head(row: &[u8]) -> Head {
    // the first of the most frequent: a header without any delimiter is one column
    let count = |delimiter: u8| memchr::memchr_iter(delimiter, row).count();
    let delimiter = [b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',');
    let columns = cells(row, delimiter).unwrap_or_default();
    Head { columns: columns.iter().map(|name| name.trim().to_owned()).collect(), delimiter: Some(delimiter) }
}

/// Whether `line` is a header of traffic: two columns or more, one of which is a known member.
pub(super) fn is_header(line: &[u8]) -> bool {
    let columns = head(line.strip_suffix(b"\r").unwrap_or(line)).columns;
    columns.len() > 1
        && columns.iter().all(|name| name.len() <= 64)
        && columns.iter().any(|name| Member::find(Scope::Record, name).is_some())
}

/// The columns of one file, ready to read its rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Columns {
    names: Vec<String>,
    delimiter: u8,
}

impl Columns {
    pub(super) fn new(head: &Head) -> Self {
        Self { names: head.columns.clone(), delimiter: head.delimiter() }
    }

    /// Reads one row; an empty cell is an absent member.
    pub(super) fn read(&self, row: &str, now: Timestamp) -> Result<Parsed, String> {
        let cells = cells(row.as_bytes(), self.delimiter)?;
        if cells.len() != self.names.len() {
            return Err(format!("{} columns where the header has {}", cells.len(), self.names.len()));
        }
        let mut draft = Draft::new();
        for (name, cell) in self.names.iter().zip(cells.iter()) {
            if !cell.is_empty() {
                draft.member(name, Value::Plain(cell));
            }
        }
        Ok(draft.finish(now))
    }
}

fn cells(row: &[u8], delimiter: u8) -> Result<csv::StringRecord, String> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .buffer_capacity(row.len().clamp(64, 64 << 10))
        .from_reader(row);
    let mut cells = csv::StringRecord::new();
    match reader.read_record(&mut cells) {
        Ok(_) => Ok(cells),
        Err(error) => Err(error.to_string()),
    }
}
