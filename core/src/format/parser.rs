//! One unit to one record.

use super::outline::{self, Wanted};
use super::splitter::{Fault, Unit};
use super::{Format, Lean, Rejection, access, draft, har, lean, row};
use crate::accept::TEXT_CAP;
use crate::id::EntryId;
use crate::record::Record;
use crate::redact::Secrets;
use crate::timestamp::Timestamp;

/// What stands before the units and is needed to read them: the header of a CSV file, nothing elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    pub(super) columns: Vec<String>,
    pub(super) delimiter: Option<u8>,
}

impl Head {
    /// Reads a CSV header row; its delimiter is the most frequent of comma, semicolon and tab.
    pub fn of_header(row: &[u8]) -> Self {
        row::head(row)
    }

    /// The names of the columns, in order.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    pub(super) fn delimiter(&self) -> u8 {
        self.delimiter.unwrap_or(b',')
    }
}

/// A record with the identity that its source says this store gave it.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// What was read.
    pub record: Record,
    /// The id under which a store of reqlog exported it, where it has one.
    pub id: Option<EntryId>,
}

/// Reads units of one format; shared by threads.
#[derive(Clone, Debug)]
pub struct Parser {
    format: Format,
    columns: row::Columns,
    now: Timestamp,
}

impl Parser {
    /// A parser of units that follow `head`; a JSON or CSV record without a time gets `now`, the arrival.
    pub fn new(format: Format, head: &Head, now: Timestamp) -> Self {
        Self { format, columns: row::Columns::new(head), now }
    }

    /// Reads one unit, or names what is wrong with it.
    pub fn parse(&self, unit: &Unit<'_>) -> Result<Record, Rejection> {
        self.parse_identified(unit).map(|parsed| parsed.record)
    }

    /// As [`parse`](Self::parse), with the id that an export of reqlog carries.
    pub fn parse_identified(&self, unit: &Unit<'_>) -> Result<Parsed, Rejection> {
        let reject = |reason: String| Rejection::new(unit.line, reason, unit.bytes);
        if let Some(Fault::TooLong(limit)) = unit.fault {
            return Err(reject(format!("longer than {limit} bytes")));
        }
        match self.format {
            Format::Ndjson | Format::JsonArray => draft::read(text(unit).map_err(reject)?, self.now),
            Format::Har => har::read(text(unit).map_err(reject)?, self.now).map(Parsed::anonymous),
            Format::Access => access::read(&String::from_utf8_lossy(unit.bytes)).map(Parsed::anonymous),
            Format::Csv => self.columns.read(text(unit).map_err(reject)?, self.now),
        }
        .map_err(reject)
    }

    /// What a unit says of `wanted`, with the time, kind, level, status and duration of its record, at a fraction of the
    /// cost of [`parse`](Self::parse); none where only that can tell, which it is then asked.
    ///
    /// Acceptance leaves of it what it leaves of the whole record.
    pub fn outline(&self, unit: &Unit<'_>, wanted: Wanted) -> Option<Record> {
        // a longer line may hold a text that is cut
        if !matches!(self.format, Format::Ndjson | Format::JsonArray) || unit.bytes.len() > TEXT_CAP {
            return None;
        }
        outline::read(std::str::from_utf8(unit.bytes).ok()?, wanted, self.now)
    }

    /// A row of a record of which nothing is read; whether anything in it may be replaced is told by what becomes of secrets.
    pub(crate) fn blank<'a>(&self, secrets: Secrets) -> Lean<'a> {
        Lean::new(self.now, secrets)
    }

    /// Reads into `lean`, which is [blank](Self::blank), what columns hold of the record of a unit of at most `limit`
    /// bytes, at a fraction of the cost of [`parse`](Self::parse); none where only that can tell, which it is then asked.
    pub(crate) fn lean<'a>(&self, unit: &Unit<'a>, limit: usize, lean: &mut Lean<'a>) -> Option<()> {
        if unit.bytes.len() > limit || unit.fault.is_some() {
            return None;
        }
        match self.format {
            Format::Ndjson | Format::JsonArray => lean::read_object(std::str::from_utf8(unit.bytes).ok()?, lean),
            Format::Csv => self.columns.lean(std::str::from_utf8(unit.bytes).ok()?, lean),
            Format::Har | Format::Access => None,
        }
    }
}

impl Parsed {
    fn anonymous(record: Record) -> Self {
        Self { record, id: None }
    }
}

fn text<'a>(unit: &Unit<'a>) -> Result<&'a str, String> {
    std::str::from_utf8(unit.bytes).map_err(|error| format!("invalid UTF-8 at byte {}", error.valid_up_to() + 1))
}
