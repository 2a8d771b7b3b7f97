//! Stored records written out: reqlog's own JSON and the formats other tools read.
//!
//! Every writer appends to a `Vec<u8>` row by row, so that an export of any length needs the memory of one page. What is
//! stored is redacted already, and opened files are unless their secrets were asked for; nothing is redacted here.
//!
//! ```
//! use reqlog_core::export::{Format, Writer};
//!
//! let mut file = Vec::new();
//! let mut writer = Writer::new(Format::Json);
//! writer.start(&mut file);
//! writer.end(&mut file);
//! assert_eq!(file, b"[]\n");
//! ```

pub mod json;

mod csv;
mod har;
#[cfg(test)]
mod tests;

use crate::record::Stored;

/// A format that records are written in; [`crate::format`] reads each of them back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// One JSON object a line, bodies whole; nothing is lost.
    Ndjson,
    /// Rows of RFC 4180 under a header.
    ///
    /// **Ours:** the columns are the JSON members in their order, a message as `request_headers` (JSON), `request_body` and
    /// `request_size`; attributes are JSON. A body is its text where that reads back as the same body, otherwise the object
    /// that a body is in NDJSON: cut, binary, or a text that a spreadsheet would take for a formula. Any other cell that
    /// begins with `=`, `+`, `-`, `@`, a tab or a carriage return gets an apostrophe before it, unless it is a number or a
    /// lone `-`. An empty text and an absent one are the same empty cell.
    Csv,
    /// HTTP Archive 1.2, for browsers and proxies.
    ///
    /// **Ours:** records that are no HTTP message (`kind` is `event`) are left out and counted in `log._reqlog.skipped`.
    /// What HAR has no place for is in an entry's `_reqlog`: the record as NDJSON has it, without header fields and without
    /// the bytes of bodies. A target without a host is one of `localhost`, because HAR's URLs are absolute. Of a duration,
    /// `timings.wait` is all; unknown sizes and timings are -1.
    Har,
    /// One JSON array of what NDJSON has a line each.
    Json,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Ndjson, Self::Csv, Self::Har, Self::Json];

    /// The name that `?format=` and `--format` take, which is also the extension of a file's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Har => "har",
            Self::Json => "json",
        }
    }

    /// Reads a format's name.
    pub fn parse_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// The media type of a file.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Har | Self::Json => "application/json",
        }
    }
}

/// An encoder of one file: [`start`](Self::start), a [`row`](Self::row) for each record, [`end`](Self::end).
#[derive(Debug)]
pub struct Writer(State);

#[derive(Debug)]
enum State {
    Ndjson,
    Csv,
    Har(har::Archive),
    Json { rows: Rows },
}

/// Whether a row stands before this one, from which a comma parts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rows {
    None,
    Some,
}

impl Rows {
    fn separate(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(if *self == Self::Some { b",\n" } else { b"\n" });
        *self = Self::Some;
    }

    fn close(self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self == Self::Some { b"\n]" } else { b"]" });
    }
}

impl Writer {
    /// An encoder that has written nothing.
    pub fn new(format: Format) -> Self {
        Self(match format {
            Format::Ndjson => State::Ndjson,
            Format::Csv => State::Csv,
            Format::Har => State::Har(har::Archive::new()),
            Format::Json => State::Json { rows: Rows::None },
        })
    }

    /// Whether the rows of a file and those of another that begins after them are one file together.
    pub fn is_resumable(&self) -> bool {
        matches!(self.0, State::Ndjson)
    }

    /// Appends what stands before the first row.
    pub fn start(&mut self, out: &mut Vec<u8>) {
        match &self.0 {
            State::Ndjson => {}
            State::Csv => csv::header(out),
            State::Har(_) => har::Archive::start(out),
            State::Json { .. } => out.push(b'['),
        }
    }

    /// Appends one record, read with [`crate::query::Detail::Whole`].
    pub fn row(&mut self, row: &Stored, out: &mut Vec<u8>) {
        match &mut self.0 {
            State::Ndjson => {
                json::write(row, json::Shape::EXPORT, out);
                out.push(b'\n');
            }
            State::Csv => csv::row(row, out),
            State::Har(archive) => archive.row(row, out),
            State::Json { rows } => {
                rows.separate(out);
                json::write(row, json::Shape::EXPORT, out);
            }
        }
    }

    /// Appends what stands after the last row.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        match &self.0 {
            State::Ndjson | State::Csv => {}
            State::Har(archive) => archive.end(out),
            State::Json { rows } => {
                rows.close(out);
                out.push(b'\n');
            }
        }
    }
}
