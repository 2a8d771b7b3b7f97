//! Reading captured traffic from bytes: one file a format, one dispatcher that detects.
//!
//! Push-based and free of I/O. A [`Splitter`] cuts slices into units, a [`Parser`] turns each unit into a record or a
//! named [`Rejection`]; units are independent, so a [`Chunk`] of them is parsed on any thread.
//!
//! ```
//! use reqlog_core::format::{Format, Head, Parser, Splitter};
//! use reqlog_core::timestamp::Timestamp;
//!
//! let mut splitter = Splitter::new(Format::Ndjson);
//! splitter.push(b"{\"method\":\"GET\",\"url\":\"/a\",\"status\":200}\n");
//! let parser = Parser::new(Format::Ndjson, &Head::default(), Timestamp::from_millis(0));
//! let unit = splitter.next().expect("a whole line was pushed");
//! assert_eq!(parser.parse(&unit).expect("it is JSON").status, Some(200));
//! ```

mod access;
mod attributes;
mod boundary;
mod content;
mod draft;
mod har;
mod inflate;
pub(crate) mod json;
mod lean;
mod member;
mod names;
mod outline;
mod parser;
mod program;
mod rejection;
mod row;
mod scan;
mod splitter;
#[cfg(test)]
pub(crate) mod tests;
pub mod time;
pub(crate) mod url;
mod word;

use memchr::memmem;

pub(crate) use boundary::{Boundary, End, Mark};
pub use inflate::{Compression, Inflate, InflateError, Step};
pub(crate) use lean::Lean;
pub use outline::Wanted;
pub use parser::{Head, Parsed, Parser};
pub use rejection::{EXCERPT, Rejection, Report};
pub(crate) use splitter::Preamble;
pub use splitter::{Chunk, Splitter, UNIT_LIMIT, Unit};

/// A format that traffic is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// One JSON object a line: reqlog's own, or what common loggers write.
    Ndjson,
    /// One JSON array of such objects.
    JsonArray,
    /// HTTP Archive 1.1 or 1.2.
    Har,
    /// Apache and nginx common or combined log lines, with or without trailing fields.
    Access,
    /// Comma-, semicolon- or tab-separated rows under a header.
    Csv,
}

/// How many first bytes [`Format::detect`] wants to see; more are ignored.
pub const SNIFF: usize = 64 << 10;

impl Format {
    /// Every format.
    pub const ALL: [Self; 5] = [Self::Ndjson, Self::JsonArray, Self::Har, Self::Access, Self::Csv];

    /// The name that `?format=` and `--format` take.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::JsonArray => "json",
            Self::Har => "har",
            Self::Access => "access",
            Self::Csv => "csv",
        }
    }

    /// Reads a format's name, or another common one for it; case is ignored.
    pub fn parse_name(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "ndjson" | "jsonl" | "jsonlines" => Self::Ndjson,
            "json" | "array" => Self::JsonArray,
            "har" => Self::Har,
            "access" | "common" | "combined" | "clf" | "apache" | "nginx" => Self::Access,
            "csv" | "tsv" => Self::Csv,
            _ => return None,
        })
    }

    /// The format of an input that begins with `first` (decompressed), or none that is known.
    ///
    /// The content decides; the file's `name` only where the content says too little: a `.har` that begins like any
    /// JSON object, a `.csv` whose header names no known column, an input without a byte.
    pub fn detect(first: &[u8], name: Option<&str>) -> Option<Self> {
        let named = name.and_then(Self::of_file_name);
        let first = &first[..first.len().min(SNIFF)];
        let text = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first).trim_ascii_start();
        match text.first() {
            None => named,
            Some(b'[') => Some(Self::JsonArray).filter(|_| !looks_like_a_section(text)),
            Some(b'{') if named == Some(Self::Har) || is_har(text) => Some(Self::Har),
            Some(b'{') if is_otlp(text) => None,
            Some(b'{') => Some(Self::Ndjson),
            Some(_) => {
                let mut lines = text.split(|byte| *byte == b'\n').take(10);
                if lines.clone().any(access::is_line) {
                    return Some(Self::Access);
                }
                let header = lines.next().unwrap_or_default();
                (named == Some(Self::Csv) || row::is_header(header)).then_some(Self::Csv)
            }
        }
    }

    fn of_file_name(name: &str) -> Option<Self> {
        let stem = [".gz", ".zst", ".br"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        match stem.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
            "har" => Some(Self::Har),
            "csv" | "tsv" => Some(Self::Csv),
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            _ => None,
        }
    }
}

/// Whether an object's first member is HAR's `log`, as opposed to a log line that has a member of that name.
fn is_har(text: &[u8]) -> bool {
    let Some(rest) = text[1..].trim_ascii_start().strip_prefix(b"\"log\"") else { return false };
    let Some(value) = rest.trim_ascii_start().strip_prefix(b":") else { return false };
    let har = [&b"\"entries\""[..], b"\"creator\"", b"\"browser\"", b"\"pages\""];
    value.trim_ascii_start().starts_with(b"{") && har.iter().any(|key| memmem::find(value, key).is_some())
}

/// Whether an object is OTLP's envelope, which is no record.
fn is_otlp(text: &[u8]) -> bool {
    let key = text[1..].trim_ascii_start();
    key.starts_with(b"\"resourceLogs\"") || key.starts_with(b"\"resourceSpans\"")
}

/// Whether a line that begins with a bracket is a log line such as `[2024-05-17 …` or `[Fri May 17 …`, no array.
fn looks_like_a_section(text: &[u8]) -> bool {
    let next = text[1..].trim_ascii_start();
    !matches!(next.first(), None | Some(b'{' | b'[' | b']' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n'))
}
