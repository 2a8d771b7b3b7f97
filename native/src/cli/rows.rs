//! Rows on their way to standard output, in the format asked for.

use super::Problem;
use super::output;
use super::table::{Growing, Table, printable};
use clap::ValueEnum;
use reqlog_core::export::{self, Writer};
use reqlog_core::format::{Head, Parser, Unit};
use reqlog_core::id::{EntryId, Seq};
use reqlog_core::record::{Field, Stored};
use reqlog_core::timestamp::Timestamp;
use serde_json::value::RawValue;
use std::io::{BufWriter, StdoutLock, Write};

/// How rows are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shown {
    /// For people
    Table,
    Ndjson,
    Json,
    Csv,
    Har,
}

/// Takes rows and writes them; call [`Self::finish`] at the end.
pub enum Rows {
    /// Held until the widths of the columns are known.
    Table(Table),
    /// Written as they come.
    Written { writer: Writer, buffer: Vec<u8>, out: BufWriter<StdoutLock<'static>> },
}

impl Rows {
    pub fn new(shown: Shown) -> Self {
        let format = match shown {
            Shown::Table => {
                return Self::Table(Table::new(&COLUMNS.map(|(name, _)| name)));
            }
            Shown::Ndjson => export::Format::Ndjson,
            Shown::Json => export::Format::Json,
            Shown::Csv => export::Format::Csv,
            Shown::Har => export::Format::Har,
        };
        let (mut writer, mut buffer) = (Writer::new(format), Vec::new());
        writer.start(&mut buffer);
        Self::Written { writer, buffer, out: output::results() }
    }

    pub fn row(&mut self, row: &Stored) -> Result<(), Problem> {
        match self {
            Self::Table(table) => table.row(&cells(row)),
            Self::Written { writer, buffer, out } => {
                writer.row(row, buffer);
                if buffer.len() >= 1 << 16 {
                    out.write_all(buffer)?;
                    buffer.clear();
                }
            }
        }
        Ok(())
    }

    pub fn finish(self) -> Result<(), Problem> {
        match self {
            Self::Table(table) => Ok(table.print()?),
            Self::Written { mut writer, mut buffer, mut out } => {
                writer.end(&mut buffer);
                out.write_all(&buffer)?;
                Ok(out.flush()?)
            }
        }
    }
}

/// Shows each row when it comes.
pub enum Following {
    /// The heading comes with the first row.
    Table {
        table: Growing,
        begun: bool,
    },
    Ndjson(Writer),
}

const COLUMNS: [(&str, bool); 7] = [
    ("time", false),
    ("level", false),
    ("method", false),
    ("status", true),
    ("ms", true),
    ("service", false),
    ("what", false),
];

impl Following {
    pub fn table() -> Self {
        Self::Table { table: Growing::new(&COLUMNS), begun: false }
    }

    pub fn ndjson() -> Self {
        Self::Ndjson(Writer::new(export::Format::Ndjson))
    }

    /// Appends the lines of a row.
    pub fn row(&mut self, row: &Stored, out: &mut Vec<u8>) {
        match self {
            Self::Table { table, begun } => {
                let heading = COLUMNS.map(|(name, _)| name.to_owned());
                let mut line = |cells: &[String]| out.extend_from_slice((table.line(cells) + "\n").as_bytes());
                if !std::mem::replace(begun, true) {
                    line(&heading);
                }
                line(&cells(row));
            }
            Self::Ndjson(writer) => writer.row(row, out),
        }
    }
}

/// What fits on a line.
fn cells(row: &Stored) -> Vec<String> {
    let record = &row.record;
    let text = |field| record.text(field).unwrap_or_default().to_owned();
    let status = record.status.map(|status| status.to_string()).unwrap_or_default();
    let millis = record.duration.map(|nanos| format!("{:.1}", nanos as f64 / 1e6)).unwrap_or_default();
    vec![
        record.time.to_string(),
        record.level.name().to_owned(),
        text(Field::Method),
        status,
        millis,
        text(Field::Service),
        line(row),
    ]
}

/// What a record is about, in one line: its URL, else its message.
pub fn line(row: &Stored) -> String {
    let record = &row.record;
    let host = record.text(Field::Host).unwrap_or_default();
    match record.url() {
        Some(url) => printable(&format!("{host}{url}")),
        None => printable(record.text(Field::Message).unwrap_or_default()),
    }
}

/// Reads a record as a server sent it.
pub fn read(item: &RawValue) -> Result<Stored, Problem> {
    let parser = Parser::new(reqlog_core::format::Format::Ndjson, &Head::default(), Timestamp::from_nanos(0));
    let parsed = parser.parse_identified(&Unit::new(1, item.get().as_bytes())).map_err(|rejection| {
        Problem::Failed(format!("the server sent a record that is not understood: {rejection}"))
    })?;
    let id = parsed.id.or_else(|| Some(EntryId::new(0, Seq::new(1)?)));
    let id = id.ok_or_else(|| Problem::Failed("the server sent a record without an id".into()))?;
    Ok(Stored { id, record: parsed.record })
}
